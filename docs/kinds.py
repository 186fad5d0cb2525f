"""The page about kinds: what a column may go to, so that nobody has to read the tables in the code."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.codes import CODES
from hub.core.records import Person
from hub.core.words import COMMON, KINDS, ROLES, FactType
from hub.runtime.station import STREAMS
from hub.sdk.fields import PERSON_COLUMNS

FORMS = {
    "when": "time", "flag": "yes/no", "count": "number", "kin": "relation",
    "units": "names of units", "number": "number given by the hub", "word": "short code, no personal data",
    "code": "code", "codes": "codes", "persons": "persons",
}  # fmt: skip


def kinds_page() -> Iterator[str]:
    """Kinds with their facts and texts, persons, and the code tables."""
    yield from (
        "# What a column may go to", "",
        "A stream has one kind; the kind says which facts and texts it has ([writing-a-connector.md](writing-a-connector.md), section 4).",
        "**Bold**: a row without it is held. *First of* gives the time of the event.", "",
        "Times are days or instants, relations GB/T 4761 codes or words.", "",
        f"Every kind also has {_facts(COMMON, ())}.", "",
        "| kind | facts (`fact:NAME`) | texts (`text:NAME`) | time is the first of |", "|---|---|---|---|",
    )  # fmt: skip
    for name, kind in KINDS.items():
        if name in STREAMS.values():  # what people do and the hub observes
            continue
        texts = ", ".join(f"`{text}`" for text in kind.texts) or "none"
        yield f"| `{name}` | {_facts(kind.facts, kind.required) or 'none'} | {texts} | {', '.join(kind.at)} |"
    yield from (
        "", "## Persons (`person:ROLE.ATTRIBUTE`)", "",
        f"Roles: {', '.join(f'`{role}`' for role in ROLES)}.", "",
        "Attributes: " + ", ".join(
            f"`{attribute}`" + (f" (or `{column}`)" if column != attribute else "") + f" {zh}"
            for column, zh, attribute in PERSON_COLUMNS
        ) + ".",
        f"All of them: {', '.join(f'`{name}`' for name in Person._fields[1:])}.",
        "An age is no attribute: it changes. Where a source has an age and no day of birth, leave it out; the hub then takes the side",
        "that protects a child and says so (`why` in the report). A birth year is no day of birth either.", "",
        "## Codes", "",
        "Your own codes become these words (`Field(codes={yours: ours})`); a number or word of the table is taken as it is.", "",
        "| table | words |", "|---|---|",
    )  # fmt: skip
    for name, table in CODES.items():
        yield f"| {name} | {', '.join(f'{number} {chinese} `{word}`'.strip() for number, chinese, word in table)} |"


def _facts(facts: dict[str, FactType], required: tuple[str, ...]) -> str:
    return ", ".join(
        (f"**`{name}`**" if name in required else f"`{name}`") + f" ({_form(kind)})" for name, kind in facts.items()
    )


def _form(kind: FactType) -> str:
    said = FORMS[kind.form]
    return f"{said} of {kind.table}" if kind.form in ("code", "codes") else said
