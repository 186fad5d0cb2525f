"""The district committee of the youth league.

Sends: complaints and pleas of minors (M4, M5, M7) and its interventions. Its complaint kinds are numbered otherwise than
the women's federation's; the schema names the table. Receives: duties to accompany a minor, answers to its reports.
Legal basis: Minors Law 11, Anti-Domestic-Violence Law 14, the district document part five (9).
Rhythm: complaints at once, interventions as they happen.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.youth_league.mapping import CONNECTOR

    register(CONNECTOR)
