"""What transports say of their sources' whole days: tables of every spelling, REST answers of several shapes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.errors import HubError, PersonError
from hub.core.records import SHANGHAI
from hub.sdk.database import open_table_engine
from hub.sdk.files import FolderSource
from hub.sdk.files_days import files_statements
from hub.sdk.rest import PageStyle, RestSource
from hub.sdk.rest_days import rest_statements
from hub.sdk.statements import Statements
from hub.sdk.table import TableSource
from hub.sdk.table_days import table_statements
from tests.loaded import connectors
from tests.local_peer import Asked, LocalPeer, caller
from tests.mariadb_server import MariaServer

DAY, NEXT = date(2026, 11, 2), date(2026, 11, 3)
Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]


def police(renames: dict[str, str] | None = None) -> Any:
    return connectors()["police"].key_columns("incident", renames)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


SPELLINGS: dict[str, Callable[[datetime], Any]] = {
    "text": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    "text with T and zone": lambda t: t.isoformat(),
    "text in UTC": lambda t: t.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    "text with slashes": lambda t: t.strftime("%Y/%m/%d %H:%M"),
    "compact text": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "milliseconds": lambda t: int(t.timestamp() * 1000),
    "seconds": lambda t: int(t.timestamp()),
    "a day": lambda t: t.strftime("%Y-%m-%d"),
}


def table(path: Path, times: list[Any], day: str = "更新时间") -> Statements:
    """Records J0, J1 … with these times, the last one twice."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE t ("接警编号", "{day}")')
        rows = [(f"J{n}", time) for n, time in enumerate(times)]
        database.executemany("INSERT INTO t VALUES (?,?)", [*rows, rows[-1]])
    source = TableSource(engine=open_table_engine(f"sqlite:///{path}"), table="t", cursor_field=day, rows_per_page=2)
    return table_statements(source, "", police())


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_days_of_a_table_are_counted_in_its_own_spelling(tmp_path: Path, spelling: str) -> None:
    """From midnight to midnight in Shanghai, records and not rows, however the column says its times."""
    write = SPELLINGS[spelling]
    moments = ["2026-11-01 23:59:00", "2026-11-02 00:00:00", "2026-11-02 23:59:00", "2026-11-03 00:00:00"]
    told = table(tmp_path / "front.db", [write(at(moment)) for moment in moments])

    assert told.counts is not None
    assert told.keys is not None
    assert list(told.counts(DAY, NEXT)) == [(DAY, 2), (NEXT, 1)]
    assert [row["接警编号"] for row in told.keys(DAY)] == ["J1", "J2"]
    assert [len(rows) for rows in told.rows(NEXT, ())] == [2]


def test_a_table_that_cannot_be_counted_says_why(tmp_path: Path) -> None:
    """No times in the column, no column of the key, no such column: errors of their own; an empty table has nothing."""
    told = table(tmp_path / "a.db", ["gestern", "heute"])
    assert told.counts is not None
    with pytest.raises(PersonError, match="holds no times"):
        list(told.counts(DAY, DAY))
    source = TableSource(engine=open_table_engine(f"sqlite:///{tmp_path / 'a.db'}"), table="t")
    for day, columns, why in (
        ("更新时间", lambda headers: [], "no columns for this stream's key"),
        ("别的", police(), "not in the table"),
    ):
        wrong = table_statements(source, day, columns)
        assert wrong.counts is not None
        with pytest.raises(HubError, match=why):
            list(wrong.counts(DAY, DAY))
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("DELETE FROM t")
    assert list(told.counts(DAY, DAY)) == [(DAY, 0)]


def test_a_renamed_key_column_is_found() -> None:
    """The unit's own header stands for the key's column; without one of them there is no key."""
    assert police({"接警编号": "JJBH"})(["XM", "JJBH"]) == ["JJBH"]
    assert police()(["姓名"]) == []


def test_days_of_a_mysql_table_are_counted(mariadb: MariaServer) -> None:
    """DATETIME columns, on a real MariaDB."""
    with mariadb.database() as url:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE t (`接警编号` varchar(9), `更新时间` datetime)"))
            connection.execute(
                sa.text("INSERT INTO t VALUES (:no, :at)"),
                [{"no": f"J{n}", "at": datetime(2026, 11, 1, 12) + timedelta(hours=12 * n)} for n in range(5)],
            )
        source = TableSource(
            engine=open_table_engine(url.render_as_string(hide_password=False)), table="t", cursor_field="更新时间"
        )
        told = table_statements(source, "", police())

        assert told.counts is not None
        assert told.keys is not None
        assert list(told.counts(DAY, NEXT)) == [(DAY, 2), (NEXT, 2)]
        assert [row["接警编号"] for row in told.keys(DAY)] == ["J1", "J2"]
        assert [row["接警编号"] for rows in told.rows(DAY, ()) for row in rows] == ["J1", "J2"]


# --- REST


def rest(peer: LocalPeer, told: dict[str, Any], cursor: str | None = "2026-11-05 08:00:00") -> Statements:
    source = RestSource(
        peer=caller(seconds=5), url=f"{peer.url}/api", cursor_field="更新时间", since_param="since",
        params={"area": "310101"}, page=PageStyle.of({"param": "page", "size": 2, "size_param": "size"}),
    )  # fmt: skip
    return rest_statements(source, told, cursor)


def answering(**answers: Any) -> Callable[[Asked], tuple[int, dict[str, str], Any]]:
    def answer(asked: Asked) -> tuple[int, dict[str, str], Any]:
        found = answers[asked.path.strip("/").replace("/", "_")]
        return 200, {}, json.dumps(found(asked) if callable(found) else found).encode()

    return answer


def test_counts_come_by_a_list_or_day_by_day(serve: Serve) -> None:
    """A list names its days in any spelling; a number alone is asked for each day, in the format the peer wants."""
    peer = serve(answering(list=[{"d": "20261102", "n": 3}, {"d": "2026/11/03", "n": "4"}], one={"data": {"total": 7}}))
    listed = rest(
        peer,
        {"counts": {"url": f"{peer.url}/list", "day": "d", "count": "n", "params": {"from": "{from}", "to": "{to}"}}},
    )
    single = rest(peer, {"counts": {"url": peer.url + "/one?d={day}", "format": "%Y%m%d", "count": "data.total"}})

    assert listed.counts is not None
    assert single.counts is not None
    assert list(listed.counts(DAY, NEXT)) == [(DAY, 3), (NEXT, 4)]
    assert list(single.counts(DAY, NEXT)) == [(DAY, 7), (NEXT, 7)]
    assert peer.asked[0].query == {"from": "2026-11-02", "to": "2026-11-03"}
    assert [a.query["d"] for a in peer.asked[1:]] == ["20261102", "20261103"]
    assert listed.keys is None


@pytest.mark.parametrize(
    "answer", [{"data": {"total": "many"}}, {"data": {"total": -1}}, {"data": {}}, {"data": {"total": True}}]
)
def test_a_count_that_is_none_is_an_error(serve: Serve, answer: Any) -> None:
    """Nothing that is no number is taken for zero."""
    peer = serve(answering(one=answer))
    told = rest(peer, {"counts": {"url": peer.url + "/one?d={day}", "count": "data.total"}})

    assert told.counts is not None
    with pytest.raises(PersonError, match="number of records"):
        list(told.counts(DAY, DAY))


def test_keys_come_bare_or_in_rows(serve: Serve) -> None:
    """A list of numbers, a column of rows, or rows with the key's columns."""
    peer = serve(answering(bare={"data": {"ids": ["J1", 2]}}, rows=[{"id": "J1"}, {"id": "J2"}]))
    bare = rest(peer, {"keys": {"url": f"{peer.url}/bare", "records": "data.ids"}})
    column = rest(peer, {"keys": {"url": f"{peer.url}/rows", "key": "id"}})
    whole = rest(peer, {"keys": {"url": f"{peer.url}/rows"}})

    found = [list(told.keys(DAY)) for told in (bare, column, whole) if told.keys is not None]
    assert found == [["J1", 2], ["J1", "J2"], [{"id": "J1"}, {"id": "J2"}]]


def test_missing_records_are_asked_for_by_key_or_by_day(serve: Serve) -> None:
    """``rows`` with ``{key}`` asks for each missing one; with ``{day}`` once for the day."""
    peer = serve(answering(one=lambda a: [{"接警编号": a.query["id"]}], day=[{"接警编号": "J1"}, {"接警编号": "J2"}]))
    by_key = rest(peer, {"rows": {"url": f"{peer.url}/one", "params": {"id": "{key}"}}})
    by_day = rest(peer, {"rows": {"url": f"{peer.url}/day", "params": {"day": "{day}", "until": "{next}"}}})

    assert list(by_key.rows(DAY, ["J7", "J8"])) == [[{"接警编号": "J7"}], [{"接警编号": "J8"}]]
    assert list(by_day.rows(DAY, ["J7"])) == [[{"接警编号": "J1"}, {"接警编号": "J2"}]]
    assert (peer.asked[-1].query["day"], peer.asked[-1].query["until"]) == ("2026-11-02", "2026-11-03")


def test_a_day_is_read_again_by_the_cursor_until_it_is_over(serve: Serve) -> None:
    """In the cursor's spelling from midnight on; pages in order end the read once they are past the day."""
    moments = [at("2026-11-02 10:00:00") + timedelta(hours=6 * n) for n in range(10)]
    rows = [{"接警编号": f"J{n}", "更新时间": str(int(m.timestamp() * 1000))} for n, m in enumerate(moments)]
    peer = serve(answering(api=lambda a: rows[2 * (int(a.query["page"]) - 1) :][:2]))
    told = rest(peer, {}, cursor="1794000000000")

    found = [row["接警编号"] for page in told.rows(DAY, ()) for row in page]

    assert found[:3] == ["J0", "J1", "J2"]
    assert len(found) < len(rows)
    assert peer.asked[0].query["since"] == str(int(at("2026-11-02 00:00:00").timestamp() * 1000))


def test_a_cursor_that_is_no_time_cannot_be_read_from_a_day_on(serve: Serve) -> None:
    """Serial numbers know no days: the error says what to set."""
    told = rest(serve(answering(api=[])), {}, cursor="48213")

    with pytest.raises(PersonError) as error:
        list(told.rows(DAY, ()))
    assert (error.value.code, "`rows`" in error.value.remedy) == ("reconcile.window", True)


# --- files


def test_a_statement_file_says_a_count_or_names_records(tmp_path: Path) -> None:
    """JSON with a count or keys; a day without a file is not spoken of; one that says nothing is an error."""
    (tmp_path / "2026-11-02.json").write_text('{"count": 3}', encoding="ascii")
    (tmp_path / "2026-11-03.json").write_text('{"keys": ["J1", "J2"]}', encoding="ascii")
    told = files_statements(FolderSource(folder=tmp_path, statement="{day}.json"), "")

    assert told.counts is not None
    assert told.keys is not None
    assert list(told.counts(date(2026, 11, 1), NEXT)) == [(DAY, 3), (NEXT, 2)]
    assert [list(told.keys(day)) for day in (DAY, NEXT)] == [[], ["J1", "J2"]]
    assert list(told.rows(DAY, ())) == []
    for content in ("[]", "{}", '{"keys": "J1"}', '{"count": "many"}', "no json"):
        (tmp_path / "2026-11-02.json").write_text(content, encoding="ascii")
        with pytest.raises(PersonError):
            list(told.counts(DAY, DAY))
