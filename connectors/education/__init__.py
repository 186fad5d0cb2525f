"""The district education bureau.

Sends: concerns of teachers and schools about a student (M2, M7) and home visits. Students often come without an ID
column: a student number beginning with G holds the ID number, one beginning with J or L does not.
Receives: duties of care at school, answers to its reports.
Legal basis: Minors Law 11, 39, 40, Anti-Domestic-Violence Law 14, the district document part five (7).
Rhythm: concerns at once, visits weekly in term; holidays are silent.
"""

from collections.abc import Callable

from hub.sdk import Connector, hookimpl


@hookimpl
def hub_register_connectors(register: Callable[[Connector], None]) -> None:
    """Hand over the connector; its tables are read only now."""
    from connectors.education.mapping import CONNECTOR

    register(CONNECTOR)
