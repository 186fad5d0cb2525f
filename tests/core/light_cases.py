"""Situations of the light as data: rows in, looks at the light out. Reads ``cases/*.toml``, which a lawyer can read too.

A row is one line: ``when unit.stream number fact=value …``; a time may be a day. Beside facts it may say ``~J1`` (a
linking number), ``upd=DAY`` (updated_at), ``backfill``, and people as ``victim=3``, ``alleged=2``, ``a=1``, ``b=2``,
``alone`` (no people). Person 1 is the wife (1987), 2 the husband (1985), 3 the child (2015-05-20), 4 the grandmother,
5 an incapable adult, 6 somebody without birth date, 7 born on 29 February 2004, 8 an ex-wife who lives elsewhere.

A look is one line: ``when light RULES``; then perhaps ``held=LIGHT``, ``missing=RULE:proof,proof``, ``note=WORD``,
``next=WORD@DAY``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub.core.assess import course
from hub.core.clocks import Moment, closing, opening
from hub.core.policy import load_policy
from hub.core.records import SHANGHAI, Case, Course, Event, Fact, Key, Member, Party, Report, Silence, StreamKey
from hub.core.rules import Policy
from hub.core.words import KINDS

ROOT = Path(__file__).parents[2] / "hub" / "policies"
FOLDER = Path(__file__).parent / "cases"
BORN = {
    1: date(1987, 7, 9), 2: date(1985, 3, 2), 3: date(2015, 5, 20), 4: date(1950, 2, 1), 5: date(1990, 1, 1), 6: None,
    7: date(2004, 2, 29), 8: date(1988, 8, 8),
}  # fmt: skip
CAPACITY = {5: "none"}
STREAMS = {
    "incident": "police_call", "admonition": "admonition_issued", "penalty": "security_penalty",
    "criminal_case": "criminal_case_filed", "report_feedback": "report_feedback", "check_visit": "visit_recorded",
    "protection_order": "protection_order", "divorce_suit": "divorce_suit", "violence_case": "violence_case_decided",
    "notice": "procuratorial_notice", "action": "procuratorial_action", "mediation": "mediation",
    "legal_aid": "service_given", "forensic": "forensic_result", "divorce_registration": "divorce_registration",
    "shelter": "shelter", "relief": "service_given", "special_household": "special_household",
    "concern": "concern_found", "visit": "visit_recorded", "intervention": "visit_recorded",
    "treatment": "treatment_recorded", "complaint": "complaint_received", "danger_scale": "danger_assessed",
    "review": "review_concluded", "conflict": "conflict_found", "activity": "activity",
}  # fmt: skip
BETWEEN = {
    "police_call", "visit_recorded", "mediation", "conflict_found", "review_concluded", "divorce_suit",
    "divorce_registration",
}  # fmt: skip
ROLE = {"a": "party_a", "b": "party_b", "victim": "victim", "alleged": "alleged", "child": "child", "person": "subject"}
FLAGS = {"yes": True, "no": False}


@lru_cache
def policy(overlay: str = "") -> Policy:
    calendars = {int(f.stem): f.read_bytes() for f in (ROOT / "calendar").glob("*.toml")}
    return load_policy((ROOT / "district-2021-08-30.toml").read_bytes(), overlay.encode() or None, calendars)


def read_cases() -> Iterator[dict[str, Any]]:
    """Every case of every file, the file's name with it."""
    for file in sorted(FOLDER.glob("*.toml")):
        for one in tomllib.loads(file.read_text(encoding="utf-8"))["case"]:
            yield {**one, "file": file.stem}


def when(text: str) -> date | datetime:
    """A day stays a day; ``2026-03-01T20:00`` is an instant of Shanghai."""
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def event(line: str) -> Event:
    """One row as an event, times and roles as ``normalise`` would have set them."""
    at, source, number, *rest = line.split()
    unit, stream = source.split(".")
    kind = STREAMS[stream]
    facts: dict[str, Fact] = {}
    parties: list[Party] = []
    related: list[str] = []
    updated, live, alone = opening(when(at)), True, False
    for token in rest:
        name, _, value = token.partition("=")
        if token.startswith("~"):
            related.append(token[1:])
        elif token in ("backfill", "alone"):
            live, alone = live and token != "backfill", alone or token == "alone"
        elif name == "upd":
            updated = opening(when(value))
        elif name in ROLE:
            parties.append(_party(ROLE[name], int(value)))
        else:
            facts[name] = _value(kind, name, value)
    if not any(facts.get(name) for name in KINDS[kind].at):
        facts[KINDS[kind].at[0 if kind != "police_call" else 1]] = when(at)
    if not parties and not alone:
        roles = ("party_a", "party_b") if kind in BETWEEN else ("victim", "alleged")
        parties = [_party(roles[0], 1), _party(roles[1], 2)]
    return Event(
        Key(unit, stream, number),
        1,
        kind,
        opening(when(at)),
        facts,
        tuple(parties),
        tuple(related),
        live,
        updated,
        updated,
    )


def _party(role: str, person: int) -> Party:
    return Party(role, person, BORN[person], CAPACITY.get(person))


def _value(kind: str, name: str, value: str) -> Fact:
    form = "when" if name in ("resolved_on", "in_force_from") else KINDS[kind].facts[name].form
    if form == "when":
        return when(value)
    if form == "flag":
        return FLAGS[value]
    if form == "count":
        return int(value)
    return tuple(value.split(";")) if form in ("units", "codes") else value


def weekly(line: str) -> Iterator[str]:
    """``weekly FROM TO unit.visit PREFIX …``: the same visit every seven days."""
    _, first, last, source, prefix, *rest = line.split()
    day, n = date.fromisoformat(first), 0
    while day <= date.fromisoformat(last):
        n += 1
        yield " ".join([day.isoformat(), source, f"{prefix}{n}", *rest])
        day += timedelta(days=7)


def case(one: Mapping[str, Any]) -> Case:
    lines = [row for line in one.get("rows", ()) for row in (weekly(line) if line.startswith("weekly ") else (line,))]
    events = sorted((event(line) for line in lines), key=lambda e: (e.at, e.key))
    people = one.get("members", [1, 2, 3])
    members = tuple(Member(p, "member", BORN[p], CAPACITY.get(p), None, None) for p in people)
    reports = []
    for text in one.get("reports", ()):
        number, rule, opened, victim, *causes = text.split()
        keys = frozenset(Key(*cause.split("/")) for cause in causes)
        reports.append(Report(number, rule, keys, opening(when(opened)), None if victim == "-" else int(victim)))
    return Case(1, "310101001001", members, tuple(events), tuple(reports))


def silences(one: Mapping[str, Any]) -> list[Silence]:
    found = []
    for text in one.get("silences", ()):
        source, since, *until = text.split()
        unit, stream = source.split(".")
        found.append(Silence(StreamKey(unit, stream), opening(when(since)), opening(when(until[0])) if until else None))
    return found


def look(one: Mapping[str, Any], found: Case, at: str) -> Course:
    """The course at a look's time; a day means its end."""
    return course(found, policy(one.get("overlay", "")), Moment(closing(when(at)), silences(one)))


def said(went: Course, text: str) -> str:
    """What a look says about a course, in the words of the look: only what the look asks for."""
    at, _light, *wanted = text.split()
    opened = sorted(c.rule for c in went.concerns if c.until is None and (c.rule != "G1" or went.light.name == "green"))
    words = [at, went.light.name, *opened]
    for word in wanted:
        name, _, value = word.partition("=")
        if name == "held":
            words.append(f"held={went.held.would_be.name if went.held else 'no'}")
        elif name == "missing":
            rule = value.partition(":")[0]
            missing = next((c.missing for c in went.concerns if c.rule == rule and c.until is None), ())
            words.append(f"missing={rule}:{','.join(missing)}")
        elif name == "note":
            words.append(word if any(value in c.notes for c in went.concerns) else f"note!={value}")
        elif name == "next":
            coming = [f"{n.by}@{n.at.date() if n.at else ''}" for n in went.next]
            words.append(word if value in coming else f"next={';'.join(coming)}")
        elif name == "since":
            words.append(f"since={went.since:%Y-%m-%dT%H:%M}" if went.since else "since=")
        elif name == "sources":
            words.append(
                "sources=" + ",".join(sorted(k.no for c in went.concerns if c.until is None for k in c.events))
            )
    return " ".join(words)
