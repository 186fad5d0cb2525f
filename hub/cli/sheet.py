"""A report on paper: what the second channel carries when no line works. The reporter stands on it only when it goes to the police."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from hub.cli.moments import short
from hub.core.sentences import Say

WIDTH = 72
DOCUMENTS = {
    "111": "resident ID card", "414": "passport", "511": "Taiwan compatriot permit",
    "516": "Hong Kong and Macao permit",
}  # fmt: skip
"""Numbers of document types (GA/T 517) in words; another number stands as it is."""
_CODED = frozenset({"sex", "capacity", "relation", "id_type"})
_PERSON = (
    "role",
    "name",
    "sex",
    "birth_date",
    "age",
    "id_type",
    "id_number",
    "capacity",
    "relation",
    "phone",
    "address",
)


def page(sheet: str) -> str:
    """A sheet as one HTML page, for a browser to print."""
    title = escape(sheet.partition("\n")[0])
    style = "pre{font:12pt/1.5 monospace;white-space:pre-wrap}@page{size:A4;margin:20mm}"
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>'
        f"<body><pre>{escape(sheet)}</pre></body></html>\n"
    )


def report_sheet(told: Mapping[str, Any], say: Say, *, full: bool, reporter: Mapping[str, Any] | None = None) -> str:
    """The report as lines of text; ``full`` adds room for the receiver's number, name and time.

    ``reporter`` stands on a sheet addressed to the police and on no other.
    """
    lines = [
        say("Mandatory report {no}").format(no=told["report_no"]),
        "=" * WIDTH,
        *_pairs(
            say,
            {
                "rule": told.get("rule"),
                "clause": told.get("clause"),
                "kind": _word(told.get("kind"), say),
                "urgency": _word(told.get("urgency"), say),
                "reporting unit": _word(told.get("reporting_unit"), say),
                "found": short(told.get("found_at")),
                "taken in": short(told.get("received_at")),
                "made": short(told.get("created_at")),
                "step": say(str(told["step"])),
                "due": short(told.get("due")),
            },
        ),
        "",
        *_person(say("victim"), told.get("victim"), say),
        *_person(say("alleged"), told.get("alleged"), say),
        *((say("For the police only: keep who reported confidential."),) if reporter else ()),
        *_person(say("reporter"), reporter, say),
        *(line for party in told.get("parties", ()) for line in _person(say("party"), party, say)),
        *_pairs(
            say,
            {
                "place": told.get("place"),
                "narrative": told.get("narrative"),
                "injury": _word(told.get("injury"), say),
                "situation": _word(told.get("situation"), say),
                "contact": told.get("contact"),
            },
        ),
        "",
        say("evidence"),
        *(f"  {say(e['unit'])} {say(e['stream'])} {e['key']}" for e in told.get("evidence", ())),
        "",
        say("steps"),
        *(f"  {short(s['at'])}  {say(s['step'])}  {say(str(s['by']))}" for s in told["steps"]),
        *(f"  {say('addendum')} {a['addendum']}  {short(a['created_at'])}" for a in told["addenda"]),
    ]
    return "\n".join([*lines, *(_receiver(say) if full else ())])


def _word(value: object, say: Say) -> str | None:
    return None if value is None else say(str(value))


def _pairs(say: Say, pairs: Mapping[str, object]) -> Iterator[str]:
    for name, value in pairs.items():
        if value not in (None, "", []):
            yield f"{say(name)}: {value}"


def _person(title: str, person: Mapping[str, Any] | None, say: Say) -> Iterator[str]:
    if not person:
        return
    yield title
    for name in _PERSON:
        if person.get(name) not in (None, ""):
            value = DOCUMENTS.get(str(person[name]), person[name]) if name == "id_type" else person[name]
            yield f"  {say(name)}: {say(str(value)) if name in _CODED else value}"


def _receiver(say: Say) -> list[str]:
    blank = "_" * 24
    return [
        "",
        "-" * WIDTH,
        say("For the receiver: please fill in and give the number back to the station."),
        *(f"{say(name)}: {blank}" for name in ("receipt number", "received by", "time")),
    ]
