"""The one hook of the hub. A hook declares, it never works: it hands over connector objects and returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from hub.sdk.connector import Connector

PROJECT = "hub"
"""pluggy's project name; every hook begins with it."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Called once, when the connector's package has been loaded; call ``register(connector)`` for each connector.

    What it returns is not looked at. A connector whose name, unit or streams differ from its manifest is refused.
    """
