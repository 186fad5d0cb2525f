"""The district's public security bureau.

Sends: 110 calls (`incident`: name, phone, address and text, seldom an ID number; parties' numbers come hours later in a
newer version, or never), admonition letters, penalties, criminal cases, answers to mandatory reports, check visits.
Receives: mandatory reports with their addenda and requests to cancel, and duties (check visits, order enforcement).
Legal basis: Anti-Domestic-Violence Law 15-17 and 32, Minors Law 11, the district document part five (2).
Rhythm: calls every few minutes, by a one-way file border where there is no network; the rest daily.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.police.mapping import CONNECTOR

    register(CONNECTOR)
