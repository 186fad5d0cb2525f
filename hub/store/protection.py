"""The protected flag: sheltered persons, whose address is told to nobody."""

from __future__ import annotations

from collections.abc import Iterable

from hub.store.sql import Sql


def save_protection(sql: Sql, records: Iterable[int]) -> None:
    """Flag the persons of these shelter records; whoever is in no shelter record any more loses the flag."""
    wanted = list(records)
    if not wanted:
        return
    sheltered = {
        int(person)
        for (person,) in sql.rows(
            "SELECT p.person_id FROM party p JOIN record r ON r.id = p.record_id"
            " WHERE r.kind = 'shelter' AND r.state = 'applied' AND p.person_id IS NOT NULL"
        )
    }
    flagged = {int(person) for (person,) in sql.rows("SELECT id FROM person WHERE protected = ?", (True,))}
    sql.run_in("UPDATE person SET protected = ? WHERE id {in}", sheltered - flagged, (True,))
    sql.run_in("UPDATE person SET protected = ? WHERE id {in}", flagged - sheltered, (False,))
