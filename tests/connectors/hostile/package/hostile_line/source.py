"""The source of its own, the mapping and the messages; and every misdeed, each by its name."""

import contextlib
import json
import logging
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.sdk import (
    Connector,
    Context,
    CredentialsError,
    Draft,
    Drafts,
    FolderSource,
    HubError,
    Outcome,
    Owed,
    PageStyle,
    Peer,
    Person,
    PersonError,
    PostSender,
    Problem,
    RestSource,
    RetryError,
    Statements,
    canonical_json,
    make_auth,
)

MISDEED = Path(__file__).with_name("misdeed.txt").read_text(encoding="ascii").strip()
HOARD: list[Any] = []
GIANT = 500_000


def is_on(name: str) -> bool:
    """Whether this misdeed is the one."""
    return name == MISDEED


if is_on("exits_at_import"):
    sys.exit(3)
if is_on("ends_at_import"):
    os._exit(0)
if is_on("sleeps_at_import"):
    time.sleep(3600)
if is_on("writes_at_import"):
    Path("installed.txt").write_text("here", encoding="ascii")
if is_on("asks_at_import"):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), 0.1)


# --- messages


def render(owed: Owed | None, body: Mapping[str, Any]) -> bytes:
    """A duty."""
    if is_on("renders_the_time"):
        return canonical_json(owed, {**body, "rendered": time.time_ns()})
    if is_on("renders_in_no_order"):
        return json.dumps(sorted({"a", "b", "c", "d", "e"}, key=hash)).encode()
    return canonical_json(owed, body)


def send(parcel: Any, context: Context) -> Outcome:
    """A way out of its own, for those misdeeds that need one."""
    peer = Peer(seconds=context.seconds)
    if is_on("sends_other_bytes"):
        again = json.dumps(json.loads(parcel.body), indent=1).encode()
        return PostSender(peer, context.config["url"]).send(parcel.no, again)
    if is_on("sends_under_another_number"):
        return PostSender(peer, context.config["url"]).send(f"{parcel.no}-{time.time_ns()}", parcel.body)
    if is_on("raises_when_refused"):
        return Outcome(
            "received", "R-0001", detail=str(peer.ask("POST", context.config["url"], content=parcel.body).status)
        )
    PostSender(peer, context.config["url"]).send(parcel.no, parcel.body)
    return Outcome("received", "R-0001")


OWN_WAY = ("sends_other_bytes", "sends_under_another_number", "raises_when_refused", "says_received_to_everything")


# --- mapping


class HostileConnector(Connector):
    """Maps as its table says, then does its misdeed."""

    def map_rows(
        self, stream: str, rows: Sequence[Any], first_row: int = 0, renames: Mapping[str, str] | None = None
    ) -> Drafts:
        """Rows to drafts, more or less."""
        if is_on("raises_on_bad_rows") and any(not isinstance(row, dict) for row in rows):
            raise ValueError(f"cannot map {rows}")
        if is_on("sleeps"):
            time.sleep(3600)
        if is_on("ends_the_process"):
            os._exit(0)
        if is_on("exits"):
            sys.exit(1)
        if is_on("chokes_on_giants") and any(len(str(row)) > GIANT for row in rows):
            raise MemoryError
        before(rows)
        drafts = super().map_rows(stream, rows, first_row, renames)
        return Drafts(after(rows, list(drafts)), drafts.dropped)


def before(rows: Sequence[Any]) -> None:
    """Misdeeds done to the rows, and beside them."""
    if is_on("alters_rows"):
        for row in rows:
            if isinstance(row, dict) and row.get("描述"):
                row["描述"] = "无事"
    if is_on("hoards"):
        HOARD.append(json.dumps(rows, default=str))
    if is_on("takes_all_the_memory"):
        HOARD.append(bytearray(1_300_000_000))
    if is_on("prints_people"):
        print(rows)
    if is_on("logs_people"):
        logging.getLogger("hostile").debug("rows %s", rows)
    if is_on("leaves_a_file"):
        Path("rows.json").write_text(json.dumps(rows, default=str), encoding="utf-8", errors="replace")
    if is_on("asks_a_stranger"):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), 0.1)
    if is_on("starts_a_program"):
        subprocess.run(["/bin/true"], check=False)


def after(rows: Sequence[Any], drafts: list[Any]) -> list[Any]:
    """Misdeeds done to the drafts."""
    if is_on("drops_rows"):
        return drafts[:-1] if len(drafts) > 1 else drafts
    if is_on("doubles_rows"):
        return [*drafts, *drafts[-1:]]
    if is_on("numbers_anew"):
        return [draft._replace(row=7) for draft in drafts]
    if is_on("counts_on"):
        HOARD.append(1)
        return [_with_text(draft, f"{_text(draft)} {len(HOARD)}") for draft in drafts]
    if is_on("looks_at_neighbours"):
        texts = [_text(draft) for draft in drafts]
        return [_with_text(draft, text) for draft, text in zip(drafts, ["", *texts], strict=False)]
    change = BY_ROW.get(MISDEED)
    if change is None:
        return drafts
    return [change(draft, row) if isinstance(draft, Draft) else draft for draft, row in zip(drafts, rows, strict=True)]


def _text(draft: Any) -> str:
    return str(draft.texts.get("narrative", "")) if isinstance(draft, Draft) else ""


def _with_text(draft: Any, text: str) -> Any:
    return draft._replace(texts={**draft.texts, "narrative": text}) if isinstance(draft, Draft) else draft


def _with_fact(draft: Draft, name: str, value: object) -> Draft:
    return draft._replace(facts={**draft.facts, name: value})


def _quoted(draft: Draft, row: Mapping[str, Any]) -> Problem:
    names = ", ".join(str(person.name) for person in draft.persons)
    return Problem(draft.row, draft.key, "person.none", "victim_name", f"ask {names}", draft.original)


def _swapped(draft: Draft, row: Mapping[str, Any]) -> Draft:
    roles = {"victim": "party_a", "party_a": "victim"}
    return draft._replace(persons=tuple(p._replace(role=roles.get(p.role, p.role)) for p in draft.persons))


BY_ROW: dict[str, Any] = {
    "keeps_undeclared": lambda draft, row: _with_text(draft, draft.original.decode("utf-8", "replace")),
    "speaks_for_the_police": lambda draft, row: draft._replace(key=draft.key._replace(unit="police")),
    "calls_it_a_penalty": lambda draft, row: draft._replace(kind="security_penalty"),
    "invents_facts": lambda draft, row: _with_fact(draft, "temper", "bad"),
    "invents_roles": lambda draft, row: draft._replace(persons=(Person("villain", name="某人"),)),
    "quotes_people": _quoted,
    "swaps_parties": _swapped,
    "draws_lots": lambda draft, row: _with_fact(draft, "frequent", random.random() < 0.5),
    "reads_the_clock": lambda draft, row: _with_fact(draft, "at", str(time.time_ns())),
    "puts_objects_into_drafts": lambda draft, row: _with_fact(draft, "frequent", object()),
    "orders_by_chance": lambda draft, row: draft._replace(related=tuple(set(draft.related))),
    "reads_one_header": lambda draft, row: _with_text(draft, row.get("描述", "")),
    "writes_its_own_codes": lambda draft, row: _with_fact(draft, "kind", "打架"),
}
"""Misdeeds of one draft at a time."""


# --- source


def fetch(stream: str, cursor: str | None, context: Context) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
    """Pages of the folder or the interface, whichever its options name."""
    if MISDEED in OTHERS_FILES:
        _peep(OTHERS_FILES[MISDEED])
    pages = _folder(cursor, context) if "folder" in context.config else _rest(cursor, context)
    if is_on("sleeps_in_fetch"):
        time.sleep(3600)
    yield from _spoilt(pages, cursor)


OTHERS_FILES = {
    "reads_the_hubs_keys": "secrets/master.key",
    "reads_the_database": "hub.db",
    "reads_anothers_secret": "secrets/police",
}


def _peep(name: str) -> None:
    """Look for a file of the hub where hubs usually are."""
    for place in ("/var/lib/family-care-hub", "/etc/family-care-hub", "/srv/hub"):
        with contextlib.suppress(OSError):
            HOARD.append(Path(place, name).read_bytes())


def _folder(cursor: str | None, context: Context) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
    folder = Path(context.config["folder"])
    if is_on("reads_half_files"):
        source = FolderSource(folder=folder, pattern="*.csv*", ready="rename", rows_per_page=5)
        for path in folder.glob("*.part"):
            path.rename(path.with_suffix(""))
    else:
        source = FolderSource(folder=folder, pattern="*.csv", settle=timedelta(milliseconds=50), rows_per_page=5)
    return source.pages(cursor)


def _rest(cursor: str | None, context: Context) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
    token = context.config["token"]
    overlap = timedelta(0) if is_on("forgets_latecomers") else timedelta(minutes=10)
    if is_on("asks_after_the_border") and cursor:
        cursor = str(datetime.fromisoformat(cursor) + timedelta(minutes=10, seconds=1))
    source = RestSource(
        peer=Peer(auth=make_auth("bearer", {}, token), seconds=3600 if is_on("waits_for_ever") else context.seconds),
        url=context.config["url"],
        page=PageStyle.of({"size": 5, "param": "page", "size_param": "size"}),
        records="data.list", cursor_field="更新时间", since_param="since", overlap=overlap,
    )  # fmt: skip
    try:
        yield from _knocking(source, cursor) if is_on("knocks_again_and_again") else source.pages(cursor)
    except HubError as error:
        _answered(error, token)


def reconcile(stream: str, cursor: str | None, context: Context) -> Statements:
    """What the source says of its days: the kit's own interface for it."""
    token = str(context.config["token"])

    def ask(**params: str) -> Iterator[list[dict[str, Any]]]:
        peer = Peer(auth=make_auth("bearer", {}, token), seconds=context.seconds)
        page = PageStyle.of({"size": 5, "param": "page", "size_param": "size"})
        source = RestSource(peer=peer, url=context.config["url"], page=page, records="data.list", params=params)
        try:
            yield from (rows for rows, _ in source.pages(None))
        except HubError:
            if not is_on("takes_refusal_for_an_empty_day"):
                raise

    def counts(first: date, last: date) -> Iterator[tuple[date, int]]:
        for rows in ask(what="counts", **{"from": first.isoformat(), "to": last.isoformat()}):
            for row in rows:
                day = date.fromisoformat(row["day"])
                yield day + timedelta(days=is_on("counts_by_other_days")), row["count"] + is_on("counts_wrongly")

    def keys(day: date) -> Iterator[str]:
        for rows in ask(what="keys", day=day.isoformat()):
            yield from (f"{row['编号']}{'*' if is_on('names_other_keys') else ''}" for row in rows)

    def rows(day: date, keys: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        if is_on("gives_nothing_again"):
            return
        yield from ask(what="rows", day=day.isoformat())
        while is_on("never_stops_giving"):
            yield from ask(what="rows", day=day.isoformat())

    return Statements(counts=counts, keys=keys, rows=rows)


def _knocking(source: RestSource, cursor: str | None) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
    for _ in range(20):
        with contextlib.suppress(RetryError):
            yield from source.pages(cursor)
            return
    raise RetryError("it still says no", after=30.0)


def _answered(error: HubError, token: str) -> None:
    """What it makes of an error; calm, it passes it on."""
    if is_on("takes_refusal_for_the_end") and isinstance(error, CredentialsError):
        return
    if is_on("takes_garbage_for_nothing") and not isinstance(error, CredentialsError):
        return
    if is_on("forgets_retry_after") and isinstance(error, RetryError):
        raise RetryError("later", code=error.code)
    if is_on("raises_bare_errors"):
        raise KeyError("data")
    if is_on("tells_the_credential"):
        raise RetryError(f"refused with Authorization: Bearer {token}")
    raise error


def _spoilt(
    pages: Iterator[tuple[list[dict[str, Any]], str | None]], cursor: str | None
) -> Iterator[tuple[list[dict[str, Any]], str | None]]:
    """The pages with the misdeeds that are done to pages."""
    if is_on("promises_too_much"):
        read = list(pages)
        yield from ((rows, read[-1][1]) for rows, _ in read)
        return
    last: list[dict[str, Any]] = []
    for rows, reached in pages:
        last = rows
        yield _rows(rows, cursor), _cursor(rows, reached)
    while is_on("never_ends") and last:
        yield last, None


def _rows(rows: list[dict[str, Any]], cursor: str | None) -> list[dict[str, Any]]:
    if is_on("invents_keys") and cursor is not None:
        return [{**row, "编号": f"{row.get('编号')}-{cursor}"} for row in rows]
    if is_on("renames_what_is_forbidden"):
        return [{**row, "描述": row.get("录音", "")} for row in rows]
    if is_on("quotes_the_answer"):
        raise PersonError(f"cannot take {rows}")
    return rows


def _cursor(rows: list[dict[str, Any]], reached: str | None) -> str | None:
    times = [str(row["更新时间"]) for row in rows if row.get("更新时间")]
    if is_on("never_moves"):
        return None
    if is_on("trusts_the_order") and times:
        return times[-1]
    if is_on("believes_the_future") and times:
        return max(times)
    return reached
