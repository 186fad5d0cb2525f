"""The district court.

Sends: personal safety protection orders with their whole path (applied, issued, varied, extended, revoked), divorce
suits, decided cases of violence. Receives: duties (help with an application, evidence to collect, breach notices).
Legal basis: Anti-Domestic-Violence Law 23-34, Civil Code 1079, the district document part five (3).
Rhythm: orders on the day they are made, suits weekly. Validity comes as months and days, often without an end date.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.court.mapping import CONNECTOR

    register(CONNECTOR)
