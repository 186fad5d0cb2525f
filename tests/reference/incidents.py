"""One incident (A6), and the mandatory reports that exist because of the records that arrived (section 5)."""

from __future__ import annotations

from datetime import timedelta

from tests.reference.opens import reports_of
from tests.reference.people import Row, victim

Key = tuple[str, str, str]
NAMES_ITS_CALL = ("admonition", "penalty", "forensic")
"""Streams with a column 接警编号: their link to the call has no limit in time."""


def key(row: Row) -> Key:
    return (row["unit"], row["stream"], row["no"])


def linked(one: Row, other: Row) -> str:
    """``call`` by the number of the call, ``near`` by related numbers within 24 hours, else nothing."""
    for namer, named in ((one, other), (other, one)):
        if named["no"] in namer["related"] and namer["stream"] in NAMES_ITS_CALL and named["stream"] == "incident":
            return "call"
    third = set(one["related"]) & set(other["related"])
    if third and one["stream"] in NAMES_ITS_CALL and other["stream"] in NAMES_ITS_CALL:
        return "call"
    if third or one["no"] in other["related"] or other["no"] in one["related"]:
        return "near" if abs(one["at"] - other["at"]) <= timedelta(hours=24) else ""
    return ""


def incidents(rows: list[Row]) -> list[list[Row]]:
    """Records in groups: linked, and no two different known victims in one; lasting links first, then by time."""
    if not any(row["related"] for row in rows):
        return [[row] for row in rows]
    groups = [[row] for row in sorted(rows, key=lambda row: (row["at"], key(row)))]
    for how in ("call", "near"):
        joined = True
        while joined:
            joined = False
            for a in range(len(groups)):
                for b in range(a + 1, len(groups)):
                    if not any(linked(x, y) == how for x in groups[a] for y in groups[b]):
                        continue
                    both = groups[a] + groups[b]
                    if len({who["person"] for row in both if (who := victim(row)) is not None}) <= 1:
                        groups[a] += groups.pop(b)
                        joined = True
                        break
                if joined:
                    break
    return groups


def reported(rows: list[Row], standing: list[Row]) -> list[Row]:
    """Reports that exist after these records: one per found incident and victim; a second reporter adds a source."""
    found = [dict(report) for report in standing]
    for group in incidents(rows):
        finders = [row for row in group if reports_of(row)]
        first = min(
            (row for row in finders if row["live"]),
            key=lambda row: (row["received"], row["at"], key(row)),
            default=None,
        )
        if first is None:
            continue  # history that was loaded reports nothing
        known = [report for report in found if report["causes"] & {key(row) for row in group}]
        if known:
            known[-1]["causes"] = known[-1]["causes"] | {key(row) for row in finders}
            continue
        who = next((who for row in [first, *finders] if (who := victim(row)) is not None), None)
        found.append({
            "no": f"BG{len(found) + 1}", "rule": reports_of(first)[0], "causes": {key(row) for row in finders},
            "opened": first["received"], "victim": who and who["person"],
        })  # fmt: skip
    return found
