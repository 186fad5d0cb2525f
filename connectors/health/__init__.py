"""The district health commission.

Sends: treatment records that speak of violence, harm or injury (M3, M7; rows that do not are refused as not needed and
erased), and special households known to hospitals. Receives: duties to complete a record or to counsel, answers.
Legal basis: Anti-Domestic-Violence Law 14, Minors Law 11, the district document part five (8).
Rhythm: by the hour from emergency departments, daily from the others.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.health.mapping import CONNECTOR

    register(CONNECTOR)
