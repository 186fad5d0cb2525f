"""The district civil affairs bureau.

Sends: divorce registrations, stays in a shelter, relief, special households, concerns found by rescue and welfare bodies
(M6, M7). A shelter's address never enters: every column that may hold one is dropped before the page is stored, and
only an opaque code stays. Receives: duties of shelter and relief, answers to its reports.
Legal basis: Civil Code 1077, Anti-Domestic-Violence Law 14 and 18, the district document part five (6).
Rhythm: registrations and shelter daily, the rest weekly.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.civil_affairs.mapping import CONNECTOR

    register(CONNECTOR)
