"""The day statements of a REST interface, by configuration: where counts and keys are asked for, where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from hub.core.errors import PersonError
from hub.sdk.cursor import Tally, day_of, header_names, is_higher, like, spell, value_of
from hub.sdk.rest import PageStyle, RestSource
from hub.sdk.statements import Statements, as_count, days_between, midnight

__all__ = ["PLACES", "rest_statements"]

PLACES = ("{day}", "{next}", "{from}", "{to}", "{key}")
"""What may stand in an address or a parameter: the day, the one after, the first and the last asked for, one key."""
USUAL_CURSOR = "2026-01-01 00:00:00"
BARE = "\x00"
"""Under which a key is found that is no object but stands in a list by itself."""


def rest_statements(source: RestSource, told: Mapping[str, Any], cursor: str | None) -> Statements:
    """By the table ``reconcile`` of a stream: ``counts``, ``keys``, ``rows``; ``cursor`` shows how it spells a time."""
    days = _Days(source, told, cursor)
    return Statements(
        counts=days.counts if "counts" in told else None, keys=days.keys if "keys" in told else None, rows=days.rows
    )


class _Days:
    def __init__(self, source: RestSource, told: Mapping[str, Any], cursor: str | None) -> None:
        self._source = source
        self._told = told
        self._cursor = cursor or USUAL_CURSOR

    def counts(self, first: date, last: date) -> Iterator[tuple[date, int]]:
        """One question for all days, or, where ``{day}`` is asked for, one for each."""
        how = self._told["counts"]
        if _mentions(how, "{day}"):
            for day in days_between(first, last):
                answer = self._at(how, day, day).answer()
                yield day, as_count(_found(answer, how.get("count", "")))
            return
        for rows, _ in self._at(how, first, last).pages(None):
            for row in rows:
                if (day_told := day_of(str(row.get(how.get("day", ""), "")))) is None:
                    raise PersonError(
                        "the source's counts name no day", code="reconcile.answer", remedy="set `day` to its header"
                    )
                yield day_told, as_count(row.get(how.get("count", "")))

    def keys(self, day: date) -> Iterable[Any]:
        """The keys of one day: the value under ``key``, or the row, which holds the key's columns."""
        how = self._told["keys"]
        name = how.get("key", "")
        for rows, _ in replace(self._at(how, day, day), bare=BARE).pages(None):
            for row in rows:
                yield row[BARE] if BARE in row else row.get(name) if name else row

    def rows(self, day: date, keys: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Each missing record by its key, or a day's records, or the stream read again from that day on."""
        how = self._told.get("rows")
        if how is None:
            yield from self._from_day_on(day)
        elif not _mentions(how, "{key}"):
            yield from (rows for rows, _ in self._at(how, day, day).pages(None))
        else:
            for key in keys:
                yield from (rows for rows, _ in self._at(how, day, day, key).pages(None))

    def _from_day_on(self, day: date) -> Iterator[list[dict[str, Any]]]:
        start, end = (like(self._cursor, midnight(at)) for at in (day, day + timedelta(days=1)))
        if start is None or end is None:
            raise PersonError(
                "the stream's cursor is no time, so that a day cannot be read again by it",
                code="reconcile.window",
                remedy="set `rows` in [streams.….reconcile]: where one day's records, or one record, can be asked for",
            )
        names = header_names(self._source.cursor_field, self._source.renamed)
        tally, seen = Tally(None, names), 0
        for rows, _ in self._source.pages(start):
            yield rows
            tally.see(rows)
            seen += len(rows)
            values = [value for row in rows if (value := value_of(row, names)) is not None]
            is_past = bool(values) and all(is_higher(value, end) for value in values)
            if is_past and seen > 1 and tally.ascending and self._told.get("by") != "event":
                return

    def _at(self, how: Mapping[str, Any], first: date, last: date, key: str = "") -> RestSource:
        """The source that answers one question."""
        pattern = how.get("format", "")
        days = {"{day}": first, "{next}": first + timedelta(days=1), "{from}": first, "{to}": last}
        values = {place: spell(day.isoformat(), pattern) for place, day in days.items()} | {"{key}": key}
        own, base = how.get("params", {}), {} if "url" in how else self._source.params
        return replace(
            self._source,
            url=_filled(how.get("url") or self._source.url, {place: quote(v, safe="") for place, v in values.items()}),
            params={**base, **{name: _filled(value, values) for name, value in own.items()}},
            page=PageStyle.of(how["page"]) if "page" in how else PageStyle() if "url" in how else self._source.page,
            records=how.get("records", "") if "url" in how else how.get("records") or self._source.records,
            total=how.get("total", ""),
            cursor_field="",
        )


def _mentions(how: Mapping[str, Any], place: str) -> bool:
    return any(place in str(text) for text in (how.get("url", ""), *how.get("params", {}).values()))


def _filled(text: Any, values: Mapping[str, str]) -> Any:
    if isinstance(text, str):
        for place, value in values.items():
            text = text.replace(place, value)
    return text


def _found(answer: Any, place: str) -> Any:
    for name in place.split(".") if place else ():
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer
