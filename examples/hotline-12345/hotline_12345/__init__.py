# region: door
"""The 12345 government service hotline.

Sends: work orders about family conflict and suspected violence; often the same event as a 110 call, whose number the
order then names. Receives: nothing. Asks for the family categories only: what else people call about is not ours.
Legal basis: Minors Law 11, Anti-Domestic-Violence Law 13 and 14, the district document part three (1).
Rhythm: an order a few minutes after the call; a newer version whenever the handling unit writes something.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from hotline_12345.mapping import CONNECTOR

    register(CONNECTOR)


# endregion
