"""The dated policy: TOML bytes in, one compiled value out.

A policy file is data of five rule shapes (on, while, often, after, again), of ways down (descents) and of the records
that close (closers). A district changes numbers and switches in an overlay; hub.toml ``[deadlines]`` sets the ladder.
The loader refuses a rule that cites neither clause nor law.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, Final

from hub.core.clocks import Calendar
from hub.core.conditions import compile_when
from hub.core.errors import ConfigurationError
from hub.core.records import Light
from hub.core.rules import CONCERNED, SHAPES, Again, Closer, Descent, Finder, Often, Opening, Policy, Rule
from hub.core.visits import rhythms

__all__ = ["Policy", "load_calendar", "load_policy"]

DAYS: Final = {
    "red_days": "review_red_days", "orange_days": "review_orange_days", "yellow_days": "review_yellow_days",
}  # fmt: skip
"""Proof → the number of days it asks for."""
_SPAN: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_SPANS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


ABOUT: Final = ("name", "level", "effective_from", "source")
"""What an overlay says about itself: whose it is, province or district, from which day it is in force."""


def load_policy(
    policy: bytes,
    overlay: bytes | None = None,
    calendars: Mapping[int, bytes] | None = None,
    deadlines: Mapping[str, timedelta] | None = None,
    stands_for: Mapping[str, str] | None = None,
) -> Policy:
    """Compile a policy file, its overlay and the yearly calendars. Raises ``ConfigurationError`` with what was expected.

    ``stands_for``: sources outside the ten units → the unit whose report rules cover them and who takes their duties.
    """
    raw = read_toml(policy, "policy")
    if overlay:
        lay_over(raw, read_toml(overlay, "overlay"))
    return compiled(raw, policy + b"\0" + (overlay or b""), calendars or {}, deadlines or {}, stands_for or {})


def compiled(
    raw: Mapping[str, Any],
    sources: bytes,
    calendars: Mapping[int, bytes],
    deadlines: Mapping[str, timedelta],
    stands_for: Mapping[str, str],
) -> Policy:
    """One document, overlays applied, compiled; ``sources`` and the calendars make its version."""
    digest = hashlib.sha256(sources)
    for year in sorted(calendars):
        digest.update(calendars[year])
    switches = {str(name): bool(value) for name, value in raw.get("switches", {}).items()}
    rules = {row["id"]: _rule(row, switches) for row in raw.get("light", ())}
    rows = [row for row in raw.get("light", ()) if rules[row["id"]].enabled]
    numbers = {str(name): int(value) for name, value in raw.get("numbers", {}).items()}
    descents = [_descent(row, rules) for row in raw.get("descent", ())]
    return Policy(
        version=f"{raw.get('name', 'policy')}-{raw.get('effective_from', '')}+{digest.hexdigest()[:8]}",
        raw=raw,
        numbers=numbers,
        switches=switches,
        ladder=_ladder(raw.get("ladder", {}), deadlines),
        calendar=load_calendar(calendars),
        rules=rules,
        openings=_openings(rows),
        states=_grouped((kind, (row["id"], row["state"])) for row in rows if "state" in row for kind in row["kinds"]),
        often=tuple(_often(row, numbers) for row in rows if row["shape"] == "often"),
        again=next((_again(row, numbers) for row in rows if row["shape"] == "again"), None),
        closers=_grouped((kind, _closer(row)) for row in raw.get("closer", ()) for kind in row["kinds"]),
        descents=_grouped((descent.closer, descent) for descent in descents),
        ways=_grouped((rule, descent) for descent in descents for rule in descent.closes),
        closes_by=_grouped((rule, descent.id) for descent in descents for rule in descent.closes),
        unmediated=_grouped((rule, d.id) for d in descents if not d.exempt for rule in d.closes),
        stated=frozenset(row["id"] for row in rows if "state" in row),
        counted=frozenset(kind for row in rows if row["shape"] == "often" for kind in row["kinds"]),
        signals=_grouped(
            (k, compile_when(row.get("when"), "signal")) for row in raw.get("signal", ()) for k in row["kinds"]
        ),
        finders=tuple(_finder(row, stands_for) for row in raw.get("report", ())),
        rhythms=rhythms(raw),
        clauses=_clauses(raw),
        stands_for=stands_for,
    )


def load_calendar(calendars: Mapping[int, bytes]) -> Calendar:
    """The working days of the given years; each file has ``year``, ``holidays`` and ``working`` (lists of dates)."""
    holidays: list[date] = []
    working: list[date] = []
    for year, text in calendars.items():
        found = read_toml(text, f"calendar {year}")
        holidays += found.get("holidays", ())
        working += found.get("working", ())
    return Calendar(holidays, working, calendars)


# -- compiling ---------------------------------------------------------------------------------------------------------


def _rule(row: Mapping[str, Any], switches: Mapping[str, bool]) -> Rule:
    where = f"light {row['id']}"
    if row.get("shape") not in SHAPES:
        raise _bad(where, f"shape must be one of {', '.join(SHAPES)}")
    enabled = switches.get(row["switch"], False) if "switch" in row else True
    return Rule(
        id=row["id"],
        light=Light[row["light"]],
        shape=row["shape"],
        title=row.get("title", ""),
        clause=row.get("clause", ""),
        law=row.get("law", ""),
        basis=row.get("basis", ""),
        enabled=enabled,
        violent=row.get("violent", False),
        unmediable=row.get("unmediable", False),
    )


def _openings(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Opening, ...]]:
    found = []
    for row in rows:
        for opens in row.get("opens", ()):
            test = compile_when(opens.get("when"), f"light {row['id']}")
            opening = Opening(row["id"], test, row.get("apart", ""), opens.get("only_if", ""))
            found += [(kind, opening) for kind in opens["kinds"]]
    return _grouped(found)


def _often(row: Mapping[str, Any], numbers: Mapping[str, int]) -> Often:
    where = f"light {row['id']}"
    at_once = compile_when(row["at_once"], where) if "at_once" in row else None
    test = compile_when(row.get("when"), where)
    return Often(row["id"], frozenset(row["kinds"]), test, at_once, numbers[row["days"]], numbers[row["window"]])


def _again(row: Mapping[str, Any], numbers: Mapping[str, int]) -> Again:
    return Again(row["id"], frozenset(row["rules"]), frozenset(row["after"]), numbers[row["days"]])


def _closer(row: Mapping[str, Any]) -> Closer:
    return Closer(row["id"], compile_when(row.get("when"), f"closer {row['id']}"), tuple(row["at"]))


def _descent(row: Mapping[str, Any], rules: Mapping[str, Rule]) -> Descent:
    unknown = [rule for rule in (*row["closes"], *filter(None, [row.get("leads_to")])) if rule not in rules]
    if unknown:
        raise _bad(f"descent {row['id']}", f"no rule is called {unknown[0]}")
    return Descent(
        id=row["id"],
        closer=row["closer"],
        closes=tuple(row["closes"]),
        proofs=tuple(row.get("proofs", ())),
        exempt=row.get("except", ""),
        leads_to=row.get("leads_to"),
        judged=row.get("judged", False),
        days=next((DAYS[proof] for proof in row.get("proofs", ()) if proof in DAYS), ""),
    )


def _finder(row: Mapping[str, Any], stands_for: Mapping[str, str]) -> Finder:
    where = f"report {row['id']}"
    if row["whom"] not in CONCERNED:
        raise _bad(where, f"whom must be one of {', '.join(CONCERNED)}")
    listed = [by.partition(".") for by in row["by"]]
    by = {
        *row["by"],
        *(f"{o}{dot}{stream}" for o, unit in stands_for.items() for u, dot, stream in listed if u == unit),
    }
    return Finder(row["id"], frozenset(by), row["whom"], compile_when(row.get("when"), where))


def _ladder(table: Mapping[str, Any], deadlines: Mapping[str, timedelta]) -> dict[str, timedelta]:
    read = {name: _duration(name, value) for name, value in table.items() if isinstance(value, str)}
    return {**read, **deadlines}


def _duration(name: str, text: str) -> timedelta:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise _bad(f"ladder {name}", f"{text!r} is no span of time", "write 5m, 24h or 3d")
    return int(match[1]) * _SPANS[match[2]]


def _clauses(raw: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Clause and law of every row with an id; a row without either is refused."""
    found: dict[str, tuple[str, str]] = {}
    for table in ("light", "descent", "report", "duty"):
        for row in raw.get(table, ()):
            cited = (str(row.get("clause", "")), str(row.get("law", "")))
            if not any(cited):
                raise _bad(f"{table} {row.get('id', '?')}", "cites neither clause nor law")
            found.setdefault(row["id"], cited)
    for row in raw.get("light", ()):
        if not (row.get("clause") and row.get("law")):
            raise _bad(f"light {row['id']}", "must cite both clause and law")
    return found


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


# -- reading -----------------------------------------------------------------------------------------------------------


def read_toml(text: bytes, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(what, f"is not readable as TOML: {error}") from None


def lay_over(raw: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Numbers, switches and ladder by name; ``[duty.D6]`` and the like patch every row with that id.

    What an overlay says about itself (``ABOUT``) changes nothing.
    """
    for table, changes in overlay.items():
        if table in ABOUT:
            continue
        target = raw.get(table)
        if not isinstance(changes, Mapping) or target is None:
            raise _bad("overlay", f"cannot change {table!r}", _nearest(table, raw))
        for name, value in changes.items():
            if isinstance(target, dict):
                if name not in target:
                    raise _bad(f"overlay [{table}]", f"no {name!r}", _nearest(name, target))
                if type(value) is not type(target[name]):
                    raise _bad(f"overlay [{table}]", f"{name} must be written like {target[name]!r}")
                target[name] = value
                continue
            rows = [row for row in target if row.get("id") == name]
            if not rows or not isinstance(value, Mapping):
                raise _bad(f"overlay [{table}]", f"no row {name!r}", _nearest(name, [r.get("id", "") for r in target]))
            for row in rows:
                row.update(value)


FEW = 30
"""Names that a remedy lists in full."""


def _nearest(name: str, known: Iterable[str]) -> str:
    """What may stand there instead; a near one alone, else all of few."""
    names = sorted(filter(None, known))
    if close := get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    return f"write one of {', '.join(names)}" if len(names) <= FEW else "see the policy file"


def _bad(where: str, found: str, remedy: str = "see the policy file") -> ConfigurationError:
    return ConfigurationError(f"{where}: {found}; {remedy}", code="policy.invalid", remedy=remedy)
