"""An assessment → the explanation as data: the stable JSON of ``households explain`` and of the HTTP door.

``sentences.render`` speaks the same data to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.core.foresight import Foresight, Way
from hub.core.records import Assessment, Concern, Key, Light, Next, StreamKey

Clause = Callable[[str, datetime | None], tuple[str, str]]
"""Rule and the time of its event → (clause of the district document, law in the edition of that day)."""

FAMILIES: dict[str, str] = {
    **dict.fromkeys(("R1", "R2", "R6", "R7", "R8", "O1", "O2", "E1"), "police_measure"),
    **dict.fromkeys(("R3", "O6"), "court_measure"),
    "R4": "notice",
    **dict.fromkeys(("R5", "O3"), "mediation"),
    **dict.fromkeys(("O4", "O5", "R9", "Y3", "E2"), "concern"),
    **dict.fromkeys(("Y1", "Y2"), "divorce"),
    **dict.fromkeys(("T1", "Y4", "G1"), "observation"),
    **dict.fromkeys(("P1", "P2"), "decision"),
}
"""Rule → family of reasons: all that units outside police, court, procuratorate and coordinator are told (section 7)."""

FULL_READERS = frozenset({"exporter", "police", "court", "procuratorate", "police_duty", "prosecutor"})
"""Who may read that a penalty was given (R2): sealed since 2026 for everybody else (section 2)."""


COORDINATOR = "coordinator"
SEALED = frozenset({"R2"})
SEALED_STREAM = ("police", "penalty")


class Heard(NamedTuple):
    """When a stream was last heard, and what it last said about this household."""

    stream: StreamKey
    heard_at: datetime | None
    overdue: bool
    last_at: datetime | None = None
    last_key: str | None = None
    silent_since: datetime | None = None  # overdue: since when it was not heard


class Subject(NamedTuple):
    """Which household, as of when, under which policy."""

    household: str
    as_of: datetime
    policy_version: str
    community: str | None = None
    known_at: datetime | None = None  # what the hub knew then; None: everything known now


class Link(NamedTuple):
    """Why one record counts on this household: the decision that put it there, and what of it a person should look at."""

    key: Key
    why: str  # a word of ``place``: register, own, linked, standing …
    open_reviews: tuple[str, ...] = ()


class Ground(NamedTuple):
    """What a light rests on beside its records: what was heard, who said nothing, which links put the records there."""

    coverage: tuple[Heard, ...] = ()
    unheard: tuple[Heard, ...] = ()  # units of which nothing is on this timeline: their newest stream
    links: tuple[Link, ...] = ()
    thin: tuple[
        tuple[str, datetime], ...
    ] = ()  # unit.stream or community that has far fewer records than before, since


def explain(
    subject: Subject,
    assessment: Assessment,
    clause: Clause,
    times: Mapping[Key, datetime],
    ground: Ground | None = None,
    foresight: Foresight | None = None,
) -> dict[str, Any]:
    """The explanation as JSON-ready data; instants are ISO text with zone, lights are words."""
    foresight = foresight or Foresight(assessment.next, {})
    ground = ground or Ground()
    concerns = shown(assessment)
    coming = coming_next(assessment, foresight)
    return {
        "household": subject.household,
        "community": subject.community,
        "as_of": _iso(subject.as_of),
        "known_at": _iso(subject.known_at),
        "light": assessment.light.name,
        "since": _iso(assessment.since),
        "concerns": [_concern(concern, clause, times, foresight.of(concern)) for concern in concerns],
        "held": assessment.held
        and {
            "since": _iso(assessment.held.since),
            "streams": [".".join(stream) for stream in assessment.held.streams],
            "would_be": assessment.held.would_be.name,
        },
        "next": coming[0],
        "then": coming[1:],
        "evidence": _evidence(ground.coverage),
        "coverage": [_heard(heard) for heard in ground.coverage],
        "unheard": [_heard(heard) for heard in ground.unheard],
        "identity": [_link(link) for link in ground.links],
        "thin": [{"subject": subject, "since": _iso(since)} for subject, since in ground.thin],
        "categories": [
            {"category": word, "from": since and since.isoformat(), "until": until and until.isoformat()}
            for word, since, until in assessment.categories
        ],
        "notes": list(assessment.notes),
        "no_evidence_of_safety": assessment.light <= Light.yellow,
        "valid_until": _iso(assessment.valid_until),
        "policy_version": subject.policy_version,
    }


def _evidence(coverage: Iterable[Heard]) -> dict[str, Any]:
    """Whether everything on this timeline was heard, and since when not: silence proves nothing."""
    silent = [heard for heard in coverage if heard.overdue]
    since = min((heard.silent_since for heard in silent if heard.silent_since), default=None)
    return {
        "complete": not silent,
        "since": _iso(since),
        "streams": [".".join(heard.stream) for heard in silent],
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "unit": link.key.unit,
        "stream": link.key.stream,
        "key": link.key.no,
        "why": link.why,
        "open_reviews": list(link.open_reviews),
    }


def shown(assessment: Assessment) -> list[Concern]:
    """Concerns in the order people read them: open before closed, the gravest first; G1 only when the light is green."""
    green = assessment.light == Light.green
    kept = [c for c in assessment.concerns if c.rule != "G1" or (green and c.until is None)]
    return sorted(kept, key=lambda c: (c.until is not None, -c.light, c.since, c.rule))


def standing(assessment: Assessment) -> list[Concern]:
    """The concerns that hold now: what lists and exports show."""
    return [concern for concern in shown(assessment) if concern.until is None]


def withhold(explanation: Mapping[str, Any], reader: str) -> dict[str, Any]:
    """The same explanation with only what this reader may know (sections 2, 5 and 7).

    A unit outside police, court, procuratorate and coordinator is told families of reasons, never rules or records; the
    coordinator is told all but that a penalty was given.
    """
    if reader in FULL_READERS:
        return dict(explanation)
    if reader == COORDINATOR:
        concerns = [_family(c) if c["rule"] in SEALED else _unsealed(c) for c in explanation["concerns"]]
        open_rows = {
            name: [row for row in explanation.get(name, ()) if (row["unit"], row["stream"]) != SEALED_STREAM]
            for name in ("coverage", "identity")
        }
        sealed = ".".join(SEALED_STREAM) + "/"
        open_rows["identity_decisions"] = [
            {**one, **{name: None for name in ("record", "other") if str(one[name]).startswith(sealed)}}
            for one in explanation.get("identity_decisions", ())
        ]
        open_rows["overrides"] = [
            {**one, "ended_because_of": None} if _is_sealed(one["ended_because_of"]) else one
            for one in explanation.get("overrides", ())
        ]
        recorded = explanation.get("recorded")
        if recorded and recorded["rule"] in SEALED:
            recorded = {**recorded, "rule": FAMILIES[recorded["rule"]]}
        return _with(explanation, concerns=concerns, recorded=recorded, **open_rows)
    units = {c["unit"]: {"unit": c["unit"], "stream": None} for c in explanation.get("coverage", ())}
    unheard = {c["unit"]: {"unit": c["unit"], "stream": None} for c in explanation.get("unheard", ())}
    return _with(
        explanation,
        concerns=[_family(c) for c in explanation["concerns"]],
        coverage=list(units.values()),
        unheard=list(unheard.values()),
        evidence=explanation.get("evidence") and {**explanation["evidence"], "streams": []},
        identity=[],
        overrides=[_without_words(one) for one in explanation.get("overrides", ())],
        objections=[],
        custody=None,
        identity_decisions=[],
        inaction=[],
        thin=[{**thin, "subject": thin["subject"].split(".")[0]} for thin in explanation.get("thin", ())],
        recorded=explanation.get("recorded") and {**explanation["recorded"], "rule": ""},
        next=explanation.get("next") and _without_way(explanation["next"]),
        then=[_without_way(coming) for coming in explanation.get("then", ())],
        notes=[],
    )


def _is_sealed(event: Mapping[str, Any] | None) -> bool:
    return event is not None and (event["unit"], event["stream"]) == SEALED_STREAM


def _unsealed(concern: Mapping[str, Any]) -> dict[str, Any]:
    """The same concern without the penalty among its records (of an observation after it, or what ended one)."""
    events = [event for event in concern.get("events", ()) if not _is_sealed(event)]
    closing = concern.get("closing")
    return _with(concern, events=events, closing=None if _is_sealed(closing) else closing)


def _without_words(override: Mapping[str, Any]) -> dict[str, Any]:
    """That people decided, which light and until when; not who, why, or what ended it."""
    return {name: override[name] for name in ("light", "direction", "state", "at", "until")}


def _with(explanation: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """The explanation with what it has replaced; nothing is added."""
    return {**explanation, **{name: value for name, value in changed.items() if name in explanation}}


def _without_way(coming: Mapping[str, Any]) -> dict[str, Any]:
    """When and to which light, not by what: a way down tells of a report or a measure."""
    return {**coming, "by": "date" if coming["at"] else "event", "missing": [], "owed_by": []}


_TOLD = ("light", "state", "since", "until")
"""What of a concern is left when its reason is only a family."""


def _family(concern: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, emptied but for light and time; texts stay texts and lists stay lists."""
    blank = {name: type(value)() if isinstance(value, str | list) else None for name, value in concern.items()}
    told = {name: concern[name] for name in _TOLD if name in concern}
    return {**blank, **told, "rule": FAMILIES.get(concern["rule"], "concern")}


def _concern(
    concern: Concern, clause: Clause, times: Mapping[Key, datetime], ways: Sequence[Way] = ()
) -> dict[str, Any]:
    where, law = clause(concern.rule, concern.since)
    return {
        "rule": concern.rule,
        "light": concern.light.name,
        "state": "open" if concern.until is None else "closed",
        "since": _iso(concern.since),
        "until": _iso(concern.until),
        "clause": where,
        "law": law,
        "events": [_event(key, times) for key in concern.events],
        "closes_by": list(concern.closes_by),
        "ways": [_way(way) for way in ways],
        "missing": list(concern.missing),
        "closed_by": concern.closed_by,
        "closing": concern.closing_key and _event(concern.closing_key, times),
        "notes": list(concern.notes),
    }


def _event(key: Key, times: Mapping[Key, datetime]) -> dict[str, Any]:
    return {"unit": key.unit, "stream": key.stream, "key": key.no, "at": _iso(times.get(key))}


def _heard(heard: Heard) -> dict[str, Any]:
    return {
        "unit": heard.stream.unit,
        "stream": heard.stream.stream,
        "heard_at": _iso(heard.heard_at),
        "overdue": heard.overdue,
        "last_at": _iso(heard.last_at),
        "last_key": heard.last_key,
        "silent_since": _iso(heard.silent_since),
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "by": way.way,
        "light": way.light.name,
        "at": _iso(way.at),
        "not_before": _iso(way.not_before),
        "missing": [{"proof": lack.proof, "owed_by": list(lack.owed_by)} for lack in way.missing],
        "owed_by": list(way.owed_by),
    }


def coming_next(assessment: Assessment, foresight: Foresight) -> list[dict[str, Any]]:
    """What would change the light next: the dated changes that happen by themselves, then the records that are missing.

    Never empty, because every answer names it. Of ways that a record opens only those of the concerns that set the light
    and that would change it are listed; each says which unit owes it and what is missing.
    """
    found = [_coming(n) for n in foresight.changes]
    if assessment.held is not None:
        streams = [".".join(stream) for stream in assessment.held.streams]
        owed = sorted({stream.unit for stream in assessment.held.streams})
        heard = {"at": None, "light": assessment.held.would_be.name, "by": "stream_heard", "owed_by": owed}
        found = [{**heard, "not_before": None, "missing": streams, "together": False}, *found]
    setting = [way for c in standing(assessment) if c.light >= assessment.light for way in foresight.of(c)]
    for way in setting:
        if way.at is None and way.light != assessment.light:
            _add(found, way, way.light, together=False)
    if not found:  # no one record would do: everything that stands so high has to end
        for way in setting:
            _add(found, way, way.last or way.light, together=True)
    return found or [_coming(Next(None, None, "new_concern"))]


def _add(found: list[dict[str, Any]], way: Way, light: Light, *, together: bool) -> None:
    """A way as something to come, once; ``together``: it changes the light only with the others of that height."""
    told = {**_way(way), "light": light.name, "missing": [lack.proof for lack in way.missing], "together": together}
    told["at"] = None  # of a date that alone changes nothing only the concern itself tells
    if told not in found:
        found.append(told)


def _coming(coming: Next) -> dict[str, Any]:
    light = None if coming.light is None else coming.light.name
    told = {"at": _iso(coming.at), "light": light, "by": coming.by, "not_before": None}
    return {**told, "missing": [], "owed_by": [], "together": False}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
