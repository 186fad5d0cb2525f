"""What is wrong, missing or double in a policy, found by trying every record that could come (policy as data).

Each kind of record is made with every combination of its coded facts and of who the victim is (a step through the whole
space where it is large), and the compiled conditions are asked. So an unreachable rule is one that no possible record
opens, and an overlap is a record that two rules open on; nothing is guessed from the text of conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from math import gcd
from typing import Any, Final, NamedTuple

from hub.core.book import compile_book
from hub.core.codes import CODES, UNITS
from hub.core.duties import TABLE
from hub.core.errors import ConfigurationError
from hub.core.proofs import PROOFS
from hub.core.records import SHANGHAI, Event, Fact, Key, Light, Party
from hub.core.rules import REPORTING_KINDS, Policy
from hub.core.states import STATES
from hub.core.timeline import derive
from hub.core.words import KINDS

MOST: Final = 3_000
"""Records tried of one kind; a larger space is walked in even steps."""
ANSWERED: Final = frozenset({"R8", "T1", "Y4", "G1", "P1", "P2", "E2"})
"""Rules that no record opens by itself: they follow from an answer, a step down, a person, a relapse."""
OWN_CLOSERS: Final = frozenset({"state", "observation", "lapse", "decision"})
"""Closers that are no record: the end of a state, a count of days, a person's decision."""
POSTS: Final = frozenset({*UNITS, "coordinator", "head", "sender", "first", "station"})
AT: Final = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
BORN: Final = (None, date(2016, 1, 1), date(1980, 1, 1))
FREE: Final[Mapping[str, tuple[Fact, ...]]] = {
    "charge": (None, "盗窃", "故意伤害"),
    "icd10": (None, "J00", "T74.1", "T74.2"),
    "relation": (None, "spouse", "none"),
    "score": (0, 3, 4, 6),
    "lethal_items": (0, 1),
}
CARRIED: Final[Mapping[str, tuple[Fact, ...]]] = {"mediation": (None, date(2026, 3, 1))}


class Finding(NamedTuple):
    """One thing about a policy: error (refused), warning (a person should decide) or note."""

    level: str
    code: str
    where: str
    detail: str


def findings(policy: Policy) -> list[Finding]:
    """Everything found, errors first, in the order of the file."""
    found = [
        *_citations(policy.raw),
        *_ways(policy),
        *_duties(policy),
        *_queue(policy),
        *_words(policy),
        *_openings(policy),
    ]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda f: order.index(f.level))


# -- what can be read off ----------------------------------------------------------------------------------------------


def _citations(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A light cites clause and law, everything else at least one of them; all that do not are named at once."""
    for table in ("light", "descent", "report", "duty", "queue"):
        for row in raw.get(table, ()):
            cited = [name for name in ("clause", "law") if row.get(name)]
            if not cited or (table == "light" and len(cited) < 2):
                lacks = "clause and law" if not cited else "law" if cited == ["clause"] else "clause"
                yield Finding("error", "clause.missing", f"{table} {row.get('id', '?')}", f"cites no {lacks}")


def _ways(policy: Policy) -> Iterator[Finding]:
    closers = {closer.id for closers in policy.closers.values() for closer in closers}
    for descents in policy.descents.values():
        for way in descents:
            if way.closer not in closers | OWN_CLOSERS:
                yield Finding("error", "way.unreachable", f"descent {way.id}", f"no record is a closer {way.closer!r}")
            unknown = [p for p in way.proofs if p not in PROOFS and not p.startswith("observation_")]
            if unknown:
                yield Finding("error", "proof.unknown", f"descent {way.id}", f"no proof is called {unknown[0]!r}")
    used = {*policy.descents, "report_cancelled"} - OWN_CLOSERS
    for closer in sorted(closers - used):
        yield Finding("warning", "closer.unused", f"closer {closer}", "closes nothing")
    for rule in policy.rules.values():
        if rule.enabled and rule.shape != "again" and rule.id not in policy.closes_by:
            yield Finding("error", "way.missing", f"light {rule.id}", "has no way down: it would burn for ever")


def _duties(policy: Policy) -> Iterator[Finding]:
    try:
        compile_book(policy.raw)
    except (ConfigurationError, KeyError) as error:
        yield Finding("error", "duty.unreadable", "duty", str(error))
    known = {*TABLE, "D20", "D26"}
    named = {row["id"] for row in policy.raw.get("duty", ())}
    for row in policy.raw.get("duty", ()):
        if row["id"] not in known:
            yield Finding("error", "duty.unreachable", f"duty {row['id']}", "nothing finds this duty")
        for post in row.get("to", ()):
            if post not in POSTS:
                yield Finding("error", "unit.unknown", f"duty {row['id']}", f"{post!r} is no unit and no post")
    for duty in sorted(known - named):
        yield Finding("warning", "duty.missing", f"duty {duty}", "is not in the table: nobody would owe it")


def _queue(policy: Policy) -> Iterator[Finding]:
    """Every rank names lights and duties that exist, and the last one takes whatever is left."""
    owed = {row["id"] for table in ("duty", "report") for row in policy.raw.get(table, ())}
    ranks = policy.raw.get("queue", ())
    for row in ranks:
        unknown = [*(set(row.get("what", ())) - owed), *(set(row.get("light", ())) - set(Light.__members__))]
        if unknown:
            yield Finding(
                "error", "queue.unknown", f"queue {row['id']}", f"no light and no duty is called {min(unknown)!r}"
            )
    if not ranks or ranks[-1].get("light") or ranks[-1].get("what"):
        yield Finding("warning", "queue.open", "queue", "the last rank does not take what is left: it stands unranked")


def _words(policy: Policy) -> Iterator[Finding]:
    told = {rule for rules in policy.raw.get("reasons", {}).values() for rule in rules}
    for rule in policy.rules:
        if rule not in told:
            yield Finding(
                "warning", "reason.missing", f"light {rule}", "other units would be told no family of reasons"
            )
    owed = policy.raw.get("owed_by", {})
    for closer, descents in policy.descents.items():
        for way in descents:
            if closer not in OWN_CLOSERS and way.closer != "agreement_broken" and way.id not in owed:
                yield Finding("warning", "owed_by.missing", f"descent {way.id}", "the explanation names no unit for it")
    for rows in policy.states.values():
        for rule, state in rows:
            if state not in STATES:
                yield Finding("error", "state.unknown", f"light {rule}", f"no recorded state is called {state!r}")
    for row in policy.raw.get("light", ()):
        if not policy.rules[row["id"]].enabled:
            yield Finding("note", "rule.off", f"light {row['id']}", f"its switch {row['switch']} is off")


# -- what must be tried ------------------------------------------------------------------------------------------------


def _openings(policy: Policy) -> Iterator[Finding]:
    opened: set[str] = set()
    overlaps: dict[tuple[str, str], Event] = {}
    silent: dict[str, set[str]] = {}
    reported: set[str] = set()
    closing: set[str] = set()
    for kind in (name for name, spec in KINDS.items() if spec.subject in ("people", "standing")):
        spoke: dict[tuple[str, str], bool] = {}
        for event in _records(kind):
            known = derive(event)
            rules = _rules_of(event, known, policy)
            opened |= rules
            for pair in ((a, b) for a in rules for b in rules if a < b):
                overlaps.setdefault(pair, event)
            closers = {c.id for c in policy.closers.get(kind, ()) if c.test(event.facts, known, event.key)}
            closing |= closers
            for finder in policy.finders if kind in REPORTING_KINDS else ():
                if finder.rule not in reported:
                    unit, _, stream = min(finder.by).partition(".")
                    reported.update(policy.report_rules(event._replace(key=Key(unit, stream, "1")), known))
            says = bool(rules or closers or policy.is_signal(event, known))
            for name, value in event.facts.items():
                if isinstance(value, str) and name not in FREE:
                    spoke[name, value] = spoke.get((name, value), False) or says
        silent[kind] = {f"{name} = {value}" for (name, value), said in spoke.items() if not said}
    yield from _unreachable(policy, opened, closing, reported)
    for (one, other), event in sorted(overlaps.items()):
        facts = ", ".join(f"{name} = {value}" for name, value in event.facts.items() if value not in (None, False))
        yield Finding("note", "rules.overlap", f"light {one}, light {other}", f"both open on one {event.kind}: {facts}")
    for kind, words in silent.items():
        spoken = bool(policy.openings.get(kind) or policy.closers.get(kind)) and kind not in policy.states
        for word in sorted(words) if spoken else ():
            yield Finding("note", "code.silent", kind, f"{word}: opens, closes and signals nothing by itself")


def _rules_of(event: Event, known: Any, policy: Policy) -> set[str]:
    rules = {o.rule for o in policy.openings.get(event.kind, ()) if o.test(event.facts, known, event.key)}
    rules |= {o.rule for o in policy.often if event.kind in o.kinds and o.test(event.facts, known, event.key)}
    return rules


def _unreachable(policy: Policy, opened: set[str], closing: set[str], reported: set[str]) -> Iterator[Finding]:
    held = {rule for rows in policy.states.values() for rule, _ in rows}
    for rule in policy.rules.values():
        if rule.enabled and rule.id not in opened | held | ANSWERED:
            yield Finding("error", "rule.unreachable", f"light {rule.id}", "no record that can come opens it")
    for closer in sorted({c.id for closers in policy.closers.values() for c in closers} - closing):
        yield Finding("error", "closer.unreachable", f"closer {closer}", "no record that can come is one")
    for finder in policy.finders:
        if finder.rule not in reported:
            yield Finding(
                "error", "report.unreachable", f"report {finder.rule}", "no record that can come falls under it"
            )


def _records(kind: str) -> Iterator[Event]:
    """Every record of a kind that could come, or an even walk through them: facts, and how old the victim is."""
    spec = KINDS[kind]
    names = [name for name, fact in spec.facts.items() if name in FREE or fact.form in ("code", "flag", "codes")]
    domains: list[Sequence[Fact]] = [_values(kind, name) for name in names]
    carried = CARRIED.get(kind, (None,))
    domains += [carried, (0, 1, 2) if spec.subject == "people" else (0,)]
    total = 1
    for domain in domains:
        total *= len(domain)
    step = 1 if total <= MOST else _coprime(total, total // MOST)
    for n in range(min(total, MOST)):
        index = n * step % total
        picked = []
        for domain in domains:
            index, at = divmod(index, len(domain))
            picked.append(domain[at])
        *values, resolved, who = picked
        facts = dict(zip(names, values, strict=True))
        if resolved is not None:
            facts["resolved_on"] = resolved
        parties = (Party("victim", 1, BORN[int(str(who))]),) if spec.subject == "people" else ()
        yield Event(Key("police", kind, "1"), 1, kind, AT, facts, parties, (), True, AT, AT)


def _values(kind: str, name: str) -> Sequence[Fact]:
    if name in FREE:
        return FREE[name]
    fact = KINDS[kind].facts[name]
    if fact.form == "flag":
        return (None, True, False)
    words: Iterable[str] = dict.fromkeys(word for _, _, word in CODES[fact.table])
    return (None, *words) if fact.form == "code" else (None, *((word,) for word in words))


def _coprime(total: int, near: int) -> int:
    """The first step from ``near`` on that walks through all of ``total``."""
    step = max(near, 1)
    while gcd(step, total) != 1:
        step += 1
    return step


def longer_than_province(province: Policy, candidate: Policy) -> list[Finding]:
    """Clocks that the candidate sets longer than the policy without it, where a province has set them: shorter wins."""
    found = []
    before = compile_book(province.raw).duties
    for name, rule in compile_book(candidate.raw).duties.items():
        if name not in before:
            continue
        for n, (mine, theirs) in enumerate(zip(rule.terms, before[name].terms, strict=False), 1):
            late, allowed = (term.due(AT, candidate.calendar) for term in (mine, theirs))
            if late > allowed:
                detail = f"due {n}: {mine.text} is longer than {theirs.text}, which is in force without this file"
                found.append(Finding("warning", "clock.longer", f"duty {name}", detail))
    return found


def missing_clauses(raw: Mapping[str, Any]) -> list[Finding]:
    """Rows of a file that cite too little: said all at once, also of a file that does not compile for it."""
    return list(_citations(raw))
