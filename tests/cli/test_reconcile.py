"""`hub connectors reconcile`: days of a table and of a REST interface beside what the hub holds, on real sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import District
from tests.end_to_end.story import call as police_call
from tests.local_peer import Asked, LocalPeer

TODAY = (datetime.now(UTC) + timedelta(hours=8)).date()
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
Row = dict[str, Any]


def row(no: str, day: Any, clock: str = "20:00:00", **cells: Any) -> Row:
    """A call of one day, reported and changed at one time."""
    at = f"{day} {clock}"
    return {**police_call(no, at, **cells), "updated_at": at}


class Front:
    """A front-end table, every column text."""

    def __init__(self, path: Path, *rows: Row) -> None:
        self.path = path
        self.rows = list(rows)
        self.put()

    def put(self, *rows: Row) -> None:
        self.rows += rows
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("DROP TABLE IF EXISTS t_jjd")
            database.execute(f"CREATE TABLE t_jjd ({', '.join(columns)})")
            marks = ", ".join("?" for _ in columns)
            cells = [[one.get(name, "") for name in columns] for one in self.rows]
            database.executemany(f"INSERT INTO t_jjd VALUES ({marks})", cells)


def days(told: Any) -> dict[str, tuple[Any, ...]]:
    """Day → source, hub, missing, only here, read again, state; days with nothing left out."""
    return {
        d["day"]: (d["theirs"], d["ours"], d["missing"], d["extra"], d["pulled"], d["state"])
        for d in told.json["days"]
        if d["theirs"] or d["ours"] or d["missing"]
    }


def issues(district: District) -> list[tuple[str, str]]:
    return [
        (i["cause"], i["subject"]) for i in district("status", "--json").json["issues"] if "reconcile" in i["cause"]
    ]


@pytest.fixture
def front(district: District, tmp_path: Path) -> Front:
    """A table of three calls, polled once: two of yesterday, one of the day before."""
    made = Front(tmp_path / "front.db", row("J1", BEFORE), row("J2", YESTERDAY), row("J3", YESTERDAY, "21:00:00"))
    (district.folder / "secrets" / "front").write_text(f"sqlite:///{made.path}")
    (district.folder / "secrets" / "front").chmod(0o600)
    district.append(
        "police",
        '\n[streams.incident]\ntransport = "table"\nurl = { file = "secrets/front" }\ntable = "t_jjd"\n'
        'cursor = { field = "更新时间", overlap = "10m" }\nschedule = { every = "1h" }\n'
        "[streams.incident.reconcile]\ndays = 3\n",
    )
    assert district("connectors", "poll", "police", "--json").json["streams"][0]["rows"] == 3
    return made


def test_a_row_that_came_behind_the_cursor_is_found_and_read_again(district: District, front: Front) -> None:
    """A table's own counts show a lost row; it is applied, the cursor stays, and status tells what was compared."""
    front.put(row("J4", BEFORE, "08:00:00"), row("J4", BEFORE, "08:00:00"))  # twice in the table, one record
    assert district("connectors", "poll", "police", "--json").json["streams"][0]["rows"] == 1  # the overlap alone

    told = district("connectors", "reconcile", "police", "--json")

    assert (told.code, days(told)) == (0, {
        str(YESTERDAY): (2, 2, 0, 0, 0, "agrees"), str(BEFORE): (2, 2, 0, 0, 2, "agrees"),
    })  # fmt: skip
    assert {"J1", "J2", "J3", "J4"} == {
        json.loads(line)["key"] for line in district("export", "events").out.splitlines()
    }
    police = next(c for c in district("status", "--json").json["connectors"] if c["name"] == "police")
    compared = next(s["reconciled"] for s in police["streams"] if s["stream"] == "incident")
    assert (compared["days"], compared["differ"], compared["missing"]) == (3, [], 0)
    shown = district("connectors", "show", "police")
    assert str(BEFORE) in shown.out
    assert issues(district) == []
    with closing(sqlite3.connect(district.folder / "hub.db")) as database:
        cursors = database.execute("SELECT cursor FROM schedule WHERE stream = 'incident'").fetchall()
    assert cursors == [(f"{YESTERDAY} 21:00:00",)]


def test_waiting_and_rejected_rows_are_known(district: District, front: Front) -> None:
    """Rows in quarantine, given up or not ours are not missing; nothing is read again for them."""
    front.put(
        row("J5", YESTERDAY, "22:00:00", category="77"),  # quarantined
        {**row("J6", YESTERDAY, "22:00:00"), "called_at": "昨天"},  # quarantined
        row("J7", YESTERDAY, "22:00:00", category="9"),  # no family matter
    )
    district("connectors", "poll", "police")

    told = district("connectors", "reconcile", "police", "--days", "2", "--json")

    assert (told.code, days(told)[str(YESTERDAY)]) == (0, (5, 5, 0, 0, 0, "agrees"))
    assert district("quarantine", "discard", "code.unknown").code == 0
    again = district("connectors", "reconcile", "police", "incident", "--days", "1", "--json")
    assert days(again) == {str(YESTERDAY): (5, 5, 0, 0, 0, "agrees")}


def test_a_missed_correction_is_missing(district: District, front: Front) -> None:
    """The hub has the record as it was before: its newer version, behind the cursor, is read again."""
    front.rows[0] = row("J1", YESTERDAY, "06:00:00", intensity="2")
    front.put()
    district("connectors", "poll", "police")

    told = district("connectors", "reconcile", "police", "--json")

    assert days(told) == {str(YESTERDAY): (3, 3, 0, 0, 1, "agrees")}
    event = next(line for line in map(json.loads, district("export", "events").out.splitlines()) if line["key"] == "J1")
    assert event["version"] == 2


def test_records_gone_from_the_source_stay_and_are_told(district: District, front: Front) -> None:
    """What only the hub has is counted and kept: a retraction is a record, a deletion is none."""
    del front.rows[1]
    front.put()

    told = district("connectors", "reconcile", "police", "--json")

    assert (told.code, days(told)[str(YESTERDAY)]) == (0, (1, 2, 0, 1, 0, "extra"))
    assert len(district("export", "events").out.splitlines()) == 3
    assert issues(district) == []


# --- REST


class Interface:
    """A department's interface: records since a time, counts from day to day, keys of a day."""

    def __init__(self) -> None:
        self.rows = [row(f"J{n}", YESTERDAY, f"10:00:0{n}") for n in range(3)] + [row("J9", TODAY, "00:00:01")]
        self.hidden: set[str] = set()  # never given as a record
        self.peer = LocalPeer(self.answer)

    def answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        told: Any
        if asked.path == "/counts":
            first, last = asked.query["from"], asked.query["to"]
            found = sorted({r["updated_at"][:10] for r in self.rows} & {str(YESTERDAY), str(BEFORE)})
            told = {
                "code": 0,
                "data": [
                    {"日期": d.replace("-", "/"), "数量": str(self.count(d))} for d in found if first <= d <= last
                ],
            }
        elif asked.path.startswith("/keys/"):
            told = {
                "code": 0,
                "data": {"ids": [r["call_no"] for r in self.rows if r["updated_at"].startswith(asked.path[6:])]},
            }
        else:
            since = asked.query.get("updated_at", "")
            told = [r for r in self.rows if r["updated_at"] >= since and r["call_no"] not in self.hidden]
        return 200, {}, json.dumps(told, ensure_ascii=False).encode()

    def count(self, day: str) -> int:
        return sum(r["updated_at"].startswith(day) for r in self.rows)


@pytest.fixture
def interface() -> Iterator[Interface]:
    made = Interface()
    yield made
    made.peer.close()


Rest = Callable[[str], None]
COUNTS = 'counts = { url = "URL/counts", params = { from = "{from}", to = "{to}" }, records = "data", day = "日期", count = "数量" }\n'
KEYS = 'keys = { url = "URL/keys/{day}", records = "data.ids" }\n'


@pytest.fixture
def rest(district: District, interface: Interface) -> Rest:
    """Read the interface once, compared as the given lines say."""

    def make(lines: str) -> None:
        district.append(
            "police",
            f'\n[streams.incident]\ntransport = "rest"\nurl = "{interface.peer.url}/api"\nschedule = {{ every = "1h" }}\n'
            'cursor = { field = "updated_at", overlap = "10m" }\n[streams.incident.reconcile]\ndays = 2\n'
            + lines.replace("URL", interface.peer.url),
        )
        assert district("connectors", "poll", "police").code == 0

    return make


def test_a_lost_record_of_a_rest_interface_is_read_again(district: District, interface: Interface, rest: Rest) -> None:
    """Counts differ, keys name the lost one, the day is read again from its beginning: that record alone lands."""
    rest(COUNTS + KEYS)
    interface.rows.insert(0, row("J4", YESTERDAY, "00:00:00"))
    del interface.peer.asked[:]

    told = district("connectors", "reconcile", "police", "--json")

    assert (told.code, days(told)) == (0, {str(YESTERDAY): (4, 4, 0, 0, 1, "agrees")})
    assert [a.path for a in interface.peer.asked] == ["/counts", f"/keys/{YESTERDAY}", "/api"]
    assert interface.peer.asked[-1].query["updated_at"] == f"{BEFORE} 23:50:00"


def test_a_record_that_is_counted_and_never_given_is_an_issue_until_it_comes(
    district: District, interface: Interface, rest: Rest
) -> None:
    """It is told with its day and exit code 1; once the source gives it, it is applied and the issue closes."""
    rest(COUNTS + KEYS)
    interface.rows.append(row("J5", YESTERDAY, "11:00:00"))
    interface.hidden.add("J5")

    told = district("connectors", "reconcile", "police", "--json")
    assert (told.code, days(told)) == (1, {str(YESTERDAY): (4, 3, 1, 0, 0, "differs")})
    assert issues(district) == [("reconcile.missing", "police.incident")]
    assert district("connectors", "poll", "police").code == 0
    assert issues(district) == [("reconcile.missing", "police.incident")]

    interface.hidden.clear()
    again = district("connectors", "reconcile", "police", "--json")
    assert (again.code, days(again)) == (0, {str(YESTERDAY): (4, 4, 0, 0, 1, "agrees")})
    assert issues(district) == []


def test_counts_alone_have_the_whole_day_read_again(district: District, interface: Interface, rest: Rest) -> None:
    """Without keys everything of that day lands once more, and what was there is unchanged."""
    rest(COUNTS)
    interface.rows.insert(0, row("J4", YESTERDAY, "09:00:00"))

    told = district("connectors", "reconcile", "police", "--json")

    assert (told.code, days(told)) == (0, {str(YESTERDAY): (4, 4, 0, 0, 5, "agrees")})
    counts = district("status", "--json").json["counts"]
    assert (counts["applied"], counts["unchanged"], counts["pending"]) == (5, 4, 0)


def test_a_source_that_cannot_be_asked_is_named(district: District, interface: Interface, rest: Rest) -> None:
    """An answer that is no count says where to look; nothing is written down."""
    rest(COUNTS.replace("数量", "总数"))

    told = district("connectors", "reconcile", "police")

    assert told.code != 0
    assert "number of records" in told.err
    assert district("connectors", "show", "police", "--json").json["days"] == []


def test_a_drop_folder_is_compared_by_a_file_for_each_day(district: District, tmp_path: Path) -> None:
    """Statements beside the data are no data: keys or a count of a day; what is missing is told until it is dropped again."""
    drop = tmp_path / "drop"
    drop.mkdir()
    district.append(
        "police",
        f'\n[streams.incident]\ntransport = "files"\nfolder = "{drop}"\nschedule = {{ every = "1h" }}\nready = "rename"\n'
        '[streams.incident.reconcile]\nfile = "对账{day}.*"\n'.replace(".*", ".csv")
        + 'format = "%Y%m%d"\ndays = 3\n',
    )
    (drop / "a.ndjson").write_text(json.dumps(row("J1", YESTERDAY)) + "\n", encoding="utf-8")
    statement = drop / f"对账{YESTERDAY:%Y%m%d}.csv"
    statement.write_bytes("接警编号\r\nJ1\r\nJ2\r\n".encode("gb18030"))
    assert district("connectors", "poll", "police", "--json").json["streams"][0]["rows"] == 1

    told = district("connectors", "reconcile", "police", "--json")
    assert (told.code, days(told)) == (1, {str(YESTERDAY): (2, 1, 1, 0, 0, "differs")})
    assert statement.exists()

    (drop / "b.ndjson").write_text(json.dumps(row("J2", YESTERDAY)) + "\n", encoding="utf-8")
    district("connectors", "poll", "police")
    again = district("connectors", "reconcile", "police", "--json")
    assert (again.code, days(again)) == (0, {str(YESTERDAY): (2, 2, 0, 0, 0, "agrees")})


def test_check_names_the_line_of_a_wrong_setting(district: District) -> None:
    """A misspelt key, another transport's key, no {day} in a file's name: mistakes with file, line and nearest key."""
    district.append(
        "police",
        '\n[streams.incident]\ntransport = "table"\nurl = "sqlite:///x.db"\ntable = "t"\ncursor = { field = "更新时间" }\n'
        '[streams.incident.reconcile]\ndays = 0\nevry = "1d"\nkeys = { url = "http://x/" }\n'
        '[streams.penalty]\ntransport = "files"\nfolder = "in"\n[streams.penalty.reconcile]\nfile = "day.csv"\n',
    )

    mistakes = {m["key"]: m for m in district("check", "--json").json["mistakes"]}

    assert mistakes["streams.incident.reconcile.evry"]["nearest"] == "every"
    assert {
        "streams.incident.reconcile.days", "streams.incident.reconcile.keys", "streams.penalty.reconcile",
    } <= mistakes.keys()  # fmt: skip
    assert all(m["line"] > 0 for m in mistakes.values())


def test_check_names_the_line_of_a_wrong_promise(district: District) -> None:
    """A misspelt span of `expect_rows` is a mistake with its line and the promise that was meant."""
    district.append("police", '\n[streams.incident]\nexpect_rows = "20..400 per dya"\n')

    [mistake] = district("check", "--json").json["mistakes"]

    assert (mistake["key"], mistake["nearest"]) == ("streams.incident.expect_rows", "20..400 per day")
    assert mistake["line"] > 0


def test_a_stream_without_the_setting_is_wrong_usage(district: District) -> None:
    """Nothing to compare: the command says what to set."""
    told = district("connectors", "reconcile", "police")

    assert (told.code, "reconcile]" in told.err) == (2, True)
