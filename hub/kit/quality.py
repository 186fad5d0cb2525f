"""Checks of what a connector promises of itself: quality.toml calls done only what was proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub.core.codes import CODES
from hub.core.words import KINDS
from hub.kit import declared, mapped
from hub.kit.declared import quality_rules
from hub.kit.mapped import samples_of
from hub.kit.work import Exempt, Work
from hub.sdk.connector import Stream
from hub.sdk.fields import fold

__all__ = ["codes_both_ways", "identity_samples", "proved"]


def codes_both_ways(work: Work) -> Iterator[str]:
    """A number and a word for at least one code of each stream that numbers its codes."""
    for stream, sample in samples_of(work):
        words, numbers = _spellings(stream)
        cells = {
            (stream.own.get(fold(header)), str(cell).strip()) for row in sample.rows for header, cell in row.items()
        }
        if words and not cells & words:
            yield f"{stream.name}: no code as a word"
        if numbers and not cells & numbers:
            yield f"{stream.name}: no code as a number"


def _spellings(stream: Stream) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(column, cell) by which the codes of a stream can be written: words, numbers."""
    words: set[tuple[str, str]] = set()
    numbers: set[tuple[str, str]] = set()
    for field in stream.fields:
        declared_as = KINDS[stream.kind].facts.get(field.to.removeprefix("fact:"))
        if declared_as is None or declared_as.form not in ("code", "codes"):
            continue
        if not isinstance(field.codes, str):
            for cell in field.codes:
                (numbers if cell.isdigit() else words).add((field.name, cell))
            continue
        for number, zh, en in CODES[field.codes or declared_as.table]:
            words |= {(field.name, zh), (field.name, en)}
            numbers |= {(field.name, number)} if number else set()
    return words, numbers


def identity_samples(work: Work) -> Iterator[str]:
    """A masked ID number, and somebody without one, in each sample that has persons with numbers."""
    for stream, sample in samples_of(work):
        entries = work.map(stream.name, sample.rows).entries
        numbers = [person.get("id_number") or "" for entry in entries for person in entry.get("persons", ())]
        if any(numbers) and not any("*" in number for number in numbers):
            yield f"{stream.name}: no masked ID number"
        columns = {field.name for field in stream.fields if field.to.endswith(".id_number")}
        cells = [cell for row in sample.rows for header, cell in row.items() if stream.own.get(fold(header)) in columns]
        if any(numbers) and all(cells):
            yield f"{stream.name}: no empty ID number"


def _manifest_complete(work: Work) -> Iterator[str]:
    yield from declared.valid(work)
    yield from declared.legal_basis(work)


def _golden_samples(work: Work) -> Iterator[str]:
    yield from mapped.present(work)
    yield from mapped.golden(work)


def _two_headers(work: Work) -> Iterator[str]:
    """Two headers for each column (紧急 of a protection order is another column's)."""
    for stream in work.streams.values():
        for field in stream.fields:
            if not field.header and field.name != "immediate_danger":
                yield f"{stream.name}: {field.name} has no Chinese header"


def _never_store(work: Work) -> Iterator[str]:
    if not any(stream.never_store for stream in work.manifest.streams.values()):
        yield "no stream names columns that may never be stored"


def _real_headers(work: Work) -> Iterator[str]:
    readme = work.target.folder / "samples" / "README.md"
    if not readme.is_file() or "fields" not in readme.read_text(encoding="utf-8"):
        yield "samples/README.md does not show the headers of the real system"


RULES: dict[str, Callable[[Work], Iterator[str]]] = {
    "folder_layout": declared.layout,
    "manifest_complete": _manifest_complete,
    "tables_only": declared.imports,
    "both_headers": _two_headers,
    "golden_samples": _golden_samples,
    "codes_both_ways": codes_both_ways,
    "retraction_sample": mapped.retraction,
    "identity_samples": identity_samples,
    "hostile_rows": mapped.one_per_row,
    "never_store": _never_store,
    "real_headers": _real_headers,
}
"""Rules of quality.toml: what proves each."""


def proved(work: Work) -> Iterator[str]:
    """Every rule is declared; done is proved, exempt has a reason, and nothing is left to do."""
    rules = quality_rules(work.target.folder)
    for rule in RULES.keys() - rules.keys():
        yield f"{rule} is not declared"
    for rule, state in rules.items():
        if rule not in RULES:
            yield f"{rule} is no rule"
        elif state == "done":
            yield from (f"{rule} is called done: {what}" for what in _found(RULES[rule], work))
        elif not isinstance(state, dict) or list(state) not in (["exempt"], ["todo"]):
            yield f'{rule}: expected "done", {{ exempt = "…" }} or {{ todo = "…" }}'
        elif "todo" in state:
            yield f"{rule}: {state['todo']}"


def _found(run: Callable[[Work], Iterator[str]], work: Work) -> list[str]:
    try:
        return list(run(work))[:1]
    except Exempt as exempt:
        return [str(exempt)]
