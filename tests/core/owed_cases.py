"""Named situations as data: facts in, what is owed out. Reads `cases_owed/*.toml`, which a lawyer can read too."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub.core import duties, report
from hub.core.assess import course
from hub.core.clocks import Moment, closing, opening
from hub.core.policy import load_policy
from hub.core.records import SHANGHAI, Case, Event, Fact, Key, Member, Owed, Party, Report, Standing
from hub.core.rules import Policy
from hub.core.words import KINDS

FOLDER = Path(__file__).parent / "cases_owed"
POLICY_FILE = Path(__file__).parents[2] / "hub" / "policies" / "district-2021-08-30.toml"
KIND_OF = {
    "police.incident": "police_call", "police.admonition": "admonition_issued", "police.penalty": "security_penalty",
    "police.criminal_case": "criminal_case_filed", "police.report_feedback": "report_feedback",
    "court.protection_order": "protection_order", "court.divorce_suit": "divorce_suit",
    "court.violence_case": "violence_case_decided", "procuratorate.notice": "procuratorial_notice",
    "procuratorate.action": "procuratorial_action", "justice.legal_aid": "service_given",
    "justice.forensic": "forensic_result", "civil_affairs.divorce_registration": "divorce_registration",
    "civil_affairs.shelter": "shelter", "civil_affairs.relief": "service_given", "health.treatment": "treatment_recorded",
    "womens_federation.danger_scale": "danger_assessed", "womens_federation.review": "review_concluded",
    "womens_federation.family_file": "household_member", "community_grid.conflict": "conflict_found",
}  # fmt: skip
BY_STREAM = {
    "mediation": "mediation", "concern": "concern_found", "complaint": "complaint_received", "visit": "visit_recorded",
    "check_visit": "visit_recorded", "intervention": "visit_recorded", "special_household": "special_household",
    "duty_answer": "duty_answer",
}  # fmt: skip


@lru_cache
def policy() -> Policy:
    return load_policy(POLICY_FILE.read_bytes())


def read_cases() -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("*.toml")):
        for one in tomllib.loads(file.read_text(encoding="utf-8"))["case"]:
            yield {**one, "file": file.stem}


def when(value: object) -> date | datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=SHANGHAI)
    assert isinstance(value, date)
    return value


def event(row: Mapping[str, Any]) -> Event:
    unit, stream = row["from"].split(".")
    kind = KIND_OF.get(row["from"]) or BY_STREAM[stream]
    facts: dict[str, Fact] = {n: when(v) if isinstance(v, date) else v for n, v in row.get("facts", {}).items()}
    facts = {n: tuple(v) if isinstance(v, list) else v for n, v in facts.items()}
    at = opening(when(row["at"]))
    name = KINDS[kind].at[-1]
    if not any(facts.get(n) for n in KINDS[kind].at):
        facts[name] = when(row["at"])
    parties = tuple(
        Party(p["role"], p.get("person"), p.get("born"), p.get("capacity"), p.get("sex"))
        for p in row.get("parties", ())
    )
    updated = opening(when(row["updated"])) if "updated" in row else at
    received = opening(when(row["received"])) if "received" in row else updated + timedelta(minutes=1)
    return Event(
        Key(unit, stream, str(row["no"])), row.get("version", 1), kind, at, facts, parties,
        tuple(row.get("related", ())), row.get("live", True), updated, received,
    )  # fmt: skip


def case(one: Mapping[str, Any]) -> Case:
    events = sorted((event(row) for row in one.get("event", ())), key=lambda e: (e.at, e.key))
    members = tuple(
        Member(m["person"], m.get("role", "member"), m.get("born"), m.get("capacity", "unknown"), None, None)
        for m in one.get("members", ())
    )
    reports = tuple(
        Report(
            r["no"], r["rule"], frozenset(Key(*key.split("/")) for key in r["causes"]), opening(when(r["opened"])),
            r.get("victim"), r.get("cancelled", False),
        )
        for r in one.get("report", ())
    )  # fmt: skip
    return Case(1, "310101001001", members, tuple(events), reports)


def owed_in(one: Mapping[str, Any], found: Case | None = None) -> list[Owed]:
    """Everything owed in a case at its moment (a day means its end)."""
    moment = Moment(closing(when(one["as_of"])))
    read = found or case(one)
    if "duty" in one:
        read = read._replace(duties=tuple(_stands(read, row) for row in one["duty"]))
    went = course(read, policy(), moment)
    return [*report.owed(read, went, policy(), moment), *duties.owed(read, went, policy(), moment)]


def _stands(read: Case, row: Mapping[str, Any]) -> Standing:
    """A duty as it was opened, before anybody answered: it stands under the number of the case file."""
    before = read._replace(events=tuple(e for e in read.events if e.kind != "duty_answer"))
    moment = Moment(max(e.at for e in before.events))
    owed = duties.owed(before, course(before, policy(), moment), policy(), moment)
    return Standing(row["no"], next(o for o in owed if (o.what, o.to) == (row["what"], row["to"])), "open", True)


def said(owed: Owed) -> str:
    """One owed thing as the case files say it: what, to, due, and its end if it has one."""
    due = "-" if owed.due is None else owed.due.strftime("%Y-%m-%d %H:%M")
    stage = f" {owed.facts['stage']}" if owed.what in ("notice", "escalation") and owed.facts.get("stage") else ""
    end = f" {owed.closed.how}" if owed.closed else ""
    state = f" {owed.facts['state']}" if owed.facts.get("state") else ""
    return f"{owed.what} {owed.to} {due}{stage}{end}{state}"
