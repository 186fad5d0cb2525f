"""The district procuratorate.

Sends: notices to families, and what it did in a case (arrest, prosecution, protest, support of a suit, supervision).
Receives: duties to supervise the filing of a case, the list of what the police should have done, late decisions.
Legal basis: Criminal Procedure Law, the 2020 opinion on mandatory reporting 11, the district document part five (4).
Rhythm: as documents are issued; a month without one is ordinary.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.procuratorate.mapping import CONNECTOR

    register(CONNECTOR)
