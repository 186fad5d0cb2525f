"""A comb at the desk: a source read and sealed batch by batch, judged by groups, and the review list written.

Sources: whatever `hub ingest` reads (CSV, XLSX, NDJSON), Parquet, and a table of a database. Nothing of it lands.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson
from sqlalchemy import MetaData, Table, create_engine, select

from hub.bulk.comb import Household, Pair, comb, rank, row_of
from hub.bulk.engine import Engine, Kept, Row
from hub.core.errors import ConfigurationError, HubError
from hub.core.freight import Drafts
from hub.core.normalise import normalise
from hub.core.records import Draft, Light, Problem, StreamKey
from hub.core.rules import Policy
from hub.runtime.specs import FileSpec
from hub.runtime.unit_worker import UnitWorker, page_of_rows
from hub.security.vault import Vault, people_of
from hub.settings import StreamConfig
from hub.store import history
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from hub.store.times import from_us

BATCH = 2_000
Step = Callable[[int], None]


class Source(NamedTuple):
    """What is combed: a file, or a database's table."""

    name: str
    table: str = ""


def read(source: Source, worker: UnitWorker, stream: str, config: StreamConfig, at: datetime) -> Iterator[Drafts]:
    """The source's rows as drafts, a batch at a time. Raises what reading raises."""
    if "://" in source.name:
        yield from _mapped(_table_rows(source), worker, stream, config, at)
    elif source.name.lower().endswith((".parquet", ".pq")):
        yield from _mapped(_parquet_rows(Path(source.name)), worker, stream, config, at)
    else:
        spec = FileSpec(path=str(Path(source.name).absolute()), options=config.options, fields=config.fields)
        for _, drafts in worker.ingest(stream, spec, mode="shadow", source=""):
            yield drafts


def _mapped(
    batches: Iterator[list[dict[str, Any]]], worker: UnitWorker, stream: str, config: StreamConfig, at: datetime
) -> Iterator[Drafts]:
    first = 1
    for rows in batches:
        page = page_of_rows(
            worker.manifest, stream, rows, uid=new_uid(), received_at=at, mode="shadow", door="ingest", first_row=first,
            renames=config.fields,
        )  # fmt: skip
        yield worker.map(page)
        first += len(rows)


def _table_rows(source: Source) -> Iterator[list[dict[str, Any]]]:
    if not source.table:
        raise ConfigurationError("which table?", code="comb.table", remedy="add --table NAME")
    engine = create_engine(source.name)
    try:
        table = Table(source.table, MetaData(), autoload_with=engine)
        with engine.connect() as connection:
            found = connection.execution_options(yield_per=BATCH).execute(select(table)).mappings()
            for part in found.partitions(BATCH):
                yield [{name: _plain(value) for name, value in row.items()} for row in part]
    finally:
        engine.dispose()


def _parquet_rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    try:
        import duckdb
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs the embedded engine", code="bulk.engine", remedy="install family-care-hub[bulk]"
        ) from error
    if not path.is_file():
        raise HubError(f"{path}: no such file", code="comb.source", remedy="name a file that exists")
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [str(column[0]) for column in found.description]
        while part := found.fetchmany(BATCH):
            yield [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in part]


def _plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return (
        value.isoformat(sep=" ")
        if isinstance(value, datetime)
        else value.isoformat()
        if isinstance(value, date)
        else str(value)
    )


# -- sealing -----------------------------------------------------------------------------------------------------------


class Sealer:
    """Drafts → sealed rows, counted: what was read, what cannot be read, what is not ours."""

    def __init__(self, vault: Vault, lenient: Callable[[str], bool], at: datetime) -> None:
        self._vault = vault
        self._lenient = lenient
        self._at = at
        self.counts: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()

    def rows(self, drafts: Drafts) -> list[Row]:
        """The rows of a batch that can be judged."""
        found = []
        for draft in drafts:
            self.counts["received"] += 1
            done = self._clean(draft)
            if isinstance(done, Problem):
                self.counts["rejected" if done.rejected else "quarantined"] += 1
                self.codes[done.code] += 1
            else:
                self.counts["taken"] += 1
                found.append(row_of(self._vault.seal(done, "shadow", self._at), self._mark(done)))
        return found

    def _clean(self, draft: Draft | Problem) -> Draft | Problem:
        if isinstance(draft, Problem):
            return draft
        return normalise(draft, received_at=self._at, lenient=self._lenient(draft.kind))

    def _mark(self, draft: Draft) -> str:
        """The address as a keyed mark, spelt one way; empty: none given."""
        text = "".join(c for c in unicodedata.normalize("NFKC", draft.texts.get("place", "")) if c.isalnum())
        return self._vault.mark_of(b"comb|place|" + text.casefold().encode()).hex()[:32] if text else ""


# -- the list ----------------------------------------------------------------------------------------------------------


def write_list(
    engine: Engine,
    out: BinaryIO,
    store: SqlStore,
    vault: Vault,
    stream: StreamKey,
    policy: Policy,
    now: datetime,
    days: int,
) -> dict[str, Any]:
    """Households worth a file, then repeat addresses, then pairs: one JSON object a line; the counts."""
    households: list[Household] = []
    pairs: list[Pair] = []
    lights: Counter[Light] = Counter()
    for found in comb(engine, stream, policy, now):
        lights.update(household.light for household in found.households)
        households += [household for household in found.households if household.light >= Light.yellow]
        pairs += found.pairs
    households.sort(key=lambda household: rank(household, now))
    known = _known(store, stream, households)
    count: Counter[str] = Counter()

    def put(kind: str, told: Mapping[str, Any]) -> None:
        count[kind] += 1
        out.write(orjson.dumps({"type": kind, **told}, option=orjson.OPT_APPEND_NEWLINE))

    for household in households:
        numbers = [kept.no for kept in household.records]
        put(
            "household",
            {
                **_household(household),
                "known": any(no in known for no in numbers),
                "people": _people(vault, household.records),
            },
        )
    for place in engine.places(days):
        text = vault.open_body(place.uid, place.body)["texts"].get("place")
        span = {"first": _day(place.first), "last": _day(place.last)}
        put(
            "address", {"place": text, "calls": place.calls, "days": place.days, **span, "records": list(place.numbers)}
        )
    for pair in sorted(pairs, key=lambda pair: (-pair.days, pair.last)):
        span = {"first": pair.first.date().isoformat(), "last": pair.last.date().isoformat()}
        put(
            "pair",
            {
                "days": pair.days,
                **span,
                "records": [k.no for k in pair.records],
                "people": _people(vault, pair.records),
            },
        )
    return {
        "lights": {light.name: lights[light] for light in reversed(Light)},
        "households": count["household"],
        "addresses": count["address"],
        "pairs": count["pair"],
        "already_known": sum(any(kept.no in known for kept in h.records) for h in households),
    }


def _known(store: SqlStore, stream: StreamKey, households: list[Household]) -> set[str]:
    """Numbers that the archive has already."""
    with store.read() as sql:
        keys = [(*stream, kept.no) for household in households for kept in household.records]
        return {no for _, _, no in history.numbers_taken(sql, keys)}


def _household(household: Household) -> dict[str, Any]:
    return {
        "light": household.light.name,
        "since": household.since.isoformat() if household.since else None,
        "rules": list(household.rules),
        "was_red": household.was_red,
        "community": household.community,
        "days": household.days,
        "first": household.first.isoformat(),
        "last": household.last.isoformat(),
        "persons": household.persons,
        "records": [kept.no for kept in household.records],
    }


def _people(vault: Vault, records: tuple[Kept, ...]) -> list[dict[str, str | None]]:
    """Who is named, each once, the newest record first; a reporter is never among them."""
    found: dict[tuple[str | None, str | None], str] = {}
    for kept in reversed(records):
        for person in people_of(vault.open_body(kept.uid, kept.body)):
            if person.name or person.id_number:
                found.setdefault((person.name, person.id_number), person.role)
    return [{"name": name, "id_number": number, "role": role} for (name, number), role in found.items()]


def _day(at: int) -> str:
    return from_us(at).date().isoformat()
