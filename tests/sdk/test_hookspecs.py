"""The one hook: what it is called, what it is given, and that a misspelt one is found."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pluggy
import pytest

from hub.sdk import hookimpl, hookspecs
from hub.sdk.hookspecs import PROJECT


def manager() -> pluggy.PluginManager:
    made = pluggy.PluginManager(PROJECT)
    made.add_hookspecs(hookspecs)
    return made


def test_the_contract_is_one_hook() -> None:
    """The plugin contract is hub_register_connectors(register) and nothing else."""
    hooks = [name for name in vars(hookspecs) if name.startswith("hub_")]

    assert hooks == ["hub_register_connectors"]
    assert list(inspect.signature(hookspecs.hub_register_connectors).parameters) == ["register"]


def test_hub_register_connectors_hands_over_objects() -> None:
    """A plugin is called once with the callback and hands its connectors to it."""

    class Plugin:
        @hookimpl
        def hub_register_connectors(self, register: Callable[[Any], None]) -> None:
            register("a connector")

    plugins, registered = manager(), []
    plugins.register(Plugin())

    plugins.check_pending()
    plugins.hook.hub_register_connectors(register=registered.append)

    assert registered == ["a connector"]


def test_misspelt_hook_is_found() -> None:
    """A hook that does not exist is refused when pending hooks are checked."""

    class Plugin:
        @hookimpl
        def hub_register_conectors(self, register: Callable[[Any], None]) -> None: ...

    plugins = manager()
    plugins.register(Plugin())

    with pytest.raises(pluggy.PluginValidationError, match="hub_register_conectors"):
        plugins.check_pending()


def test_wrong_argument_is_refused_at_registration() -> None:
    """A hook with an argument the specification does not have fails when it is registered, not when it is called."""

    class Plugin:
        @hookimpl
        def hub_register_connectors(self, registry: Callable[[Any], None]) -> None: ...

    with pytest.raises(pluggy.PluginValidationError, match="registry"):
        manager().register(Plugin())
