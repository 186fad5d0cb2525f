"""What the police answer to a mandatory report does to the light (S29)."""

from __future__ import annotations

from datetime import datetime

from hub.core.ledger import Fold
from hub.core.marks import Close
from hub.core.records import Key
from hub.core.rising import raise_concern


def answer(fold: Fold, act: Close, at: datetime) -> None:
    """The newest answer rules (S29): it closes the O5 of its report; a case opens R8, *not substantiated* ends it."""
    event = act.event
    report = str(event.facts.get("report_no"))
    fold.answered.add(report)
    if act.closer == "report_cancelled":
        return
    fold.answers[report] = (act.closer, event.key)
    is_filed = act.closer == "report_filed"
    for concern in [c for c in fold.board.of_rules({"O5"}) if c.slot == report]:
        fold.end(concern, at, act.closer, event.key, "R8" if is_filed else None)
    if is_filed and is_of_victim(fold, report):
        raise_concern(fold, "R8", "", event, at)
    elif not is_filed:
        supersede(fold, report, at, event.key)


def supersede(fold: Fold, report: str, at: datetime, key: Key) -> None:
    """An R8 that rests only on answers of this report goes with the newer answer, as a correction does."""
    r8 = fold.board.open.get(("R8", ""))
    if r8 is None:
        return
    numbers = {e.key: str(e.facts.get("report_no")) for e in fold.case.events if e.kind == "report_feedback"}
    if all(numbers.get(known) == report for known in r8.events):
        fold.end(r8, at, "answer_superseded", key, None)
        fold.violence = [v for v in fold.violence if v.concern is not r8]


def is_of_victim(fold: Fold, number: str) -> bool:
    """R8 stands on the household of the report's victim; on the other one of a couple that lives apart it does not."""
    report = next((r for r in fold.case.reports if r.no == number), None)
    members = {member.person for member in fold.case.members}
    if report is None or report.victim is None or report.victim in members or not members:
        return True
    return not any(
        party.person in members and party.role == "alleged"
        for event in fold.case.events
        if event.key in report.causes
        for party in event.parties
    )
