"""Loading a connector, in its own process: its code runs here for the first time.

A connector that cannot be imported, calls ``sys.exit``, misspells its hook, registers nothing, or calls itself other than
its entry point is refused by name, with the reason.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any

import pluggy

from hub.core.errors import ConfigurationError
from hub.sdk import hookspecs
from hub.sdk.connector import Connector

__all__ = ["RefusedError", "load_connector"]

LONGEST_REASON = 300
"""Characters of a refusal's reason: a foreign exception's text can be a whole page."""


class RefusedError(ConfigurationError):
    """This connector cannot be taken; ``name`` says which, ``reason`` why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"connector {name} is refused: {reason}",
            code="connector.refused",
            remedy=f"update or mend the package of {name}, then `hub connectors enable {name}`",
        )
        self.name = name
        self.reason = reason


def load_connector(name: str, entry: str) -> Connector:
    """The connector of the entry point ``name`` = ``entry`` (``package.module`` or ``package.module:object``).

    Raises ``RefusedError`` whatever the package does, short of ending the process.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registered: list[Any] = []
    try:
        manager.register(_object(entry), name=name)
        manager.check_pending()
        manager.hook.hub_register_connectors(register=registered.append)
    except KeyboardInterrupt:
        raise
    except pluggy.PluginValidationError as error:
        raise RefusedError(name, _short(str(error))) from error
    except BaseException as error:  # SystemExit too
        raise RefusedError(name, _short(f"{type(error).__name__}: {error}")) from error
    finally:
        with contextlib.suppress(ValueError, AssertionError):
            manager.unregister(name=name)
    return _one(name, registered)


def _object(entry: str) -> Any:
    module, _, attribute = entry.partition(":")
    found: Any = import_module(module)
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    return found


def _one(name: str, registered: list[Any]) -> Connector:
    """The one connector an entry point must register, under its own name."""
    if not registered:
        raise RefusedError(name, "it registers no connector (is the hook called hub_register_connectors?)")
    foreign = next((thing for thing in registered if not isinstance(thing, Connector)), None)
    if foreign is not None:
        raise RefusedError(name, f"it registers a {type(foreign).__name__}, not a Connector")
    if [connector.name for connector in registered] != [name]:
        names = ", ".join(connector.name for connector in registered)
        raise RefusedError(name, f"it registers {names}; expected one connector called {name}")
    connector: Connector = registered[0]
    return connector


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"
