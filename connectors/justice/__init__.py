"""The district justice bureau.

Sends: people's mediations (M1: suspected violence or sexual assault found there is reported), legal aid, forensic
findings on injuries. Receives: duties to mediate, to assess injuries, to give legal aid; answers to its reports.
Legal basis: People's Mediation Law 25, Anti-Domestic-Violence Law 14, 19, 20, the district document part five (5).
Rhythm: mediations daily, the rest as it happens.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.justice.mapping import CONNECTOR

    register(CONNECTOR)
