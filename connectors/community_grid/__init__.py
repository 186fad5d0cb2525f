"""The community grid platform ("社区智慧大脑").

Sends: the household register, conflicts found on rounds (M6, M7), community mediations (M1), visits, special households.
Receives: light changes (household number, light, since, a family of reasons; never a name or a text), changes of special
categories (never girl victims), duties of visit, contact and mediation.
Legal basis: Anti-Domestic-Violence Law 14 and 35, the district document parts two (1), three and four.
Rhythm: conflicts and visits by the hour, the register nightly.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.community_grid.mapping import CONNECTOR

    register(CONNECTOR)
