"""The district women's federation, which coordinates the station.

Sends: complaints of its 12338 line and visitors (M6, M7), follow-up visits, danger scales, decisions of the monthly
review, family files with the responsible worker. Receives: duties, the coordinator's escalations, answers.
Legal basis: Anti-Domestic-Violence Law 13 and 14, Minors Law 11, the district document part five (1).
Rhythm: complaints and visits daily, reviews monthly.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.womens_federation.mapping import CONNECTOR

    register(CONNECTOR)
