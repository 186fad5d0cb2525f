"""A deliberately awful connector: calm, it is gold; each misdeed is switched on by its name in misdeed.txt.

Sends: conflicts (`conflict`), by a source of its own over HTTP or a folder.
Receives: duties.
Legal basis: Anti-Domestic-Violence Law 13.
Rhythm: whenever it likes.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector, or misbehave before."""
    from hostile_line.mapping import CONNECTOR

    register(CONNECTOR)
