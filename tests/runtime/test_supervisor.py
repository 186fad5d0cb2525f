"""A connector's process: what it does for the hub, and everything a hostile one may try."""

from __future__ import annotations

import os
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import CredentialsError, HubError, RetryError
from hub.core.freight import Parcel
from hub.core.records import Draft, Problem, StreamKey
from hub.runtime.schedule import Schedule
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec
from hub.runtime.supervisor import Bounds, ChildSpec, Pace, Supervisor
from hub.runtime.verbs import Verbs
from hub.runtime.workers import Workers
from hub.settings import ConnectorConfig, StreamConfig
from hub.store.engine import SqlStore
from tests.loaded import connectors, now, worker_of
from tests.local_peer import until

INCIDENT = StreamKey("police", "incident")
WAY = WaySpec(url="http://127.0.0.1:9/")
SPEC = SourceSpec(stream="incident", transport="push")
QUICK = Bounds(load=20.0, page=1.0, map=1.0, render=1.0, send=1.0)
BODY = '[{"接警编号":"J1","更新时间":"2026-11-01 10:00:00","受害人姓名":"林晓梅"}]'.encode()

HOSTILE = """
    import ctypes, os, socket, sys, threading, time
    from dataclasses import replace
    from connectors.police.mapping import CONNECTOR
    from hub.core.errors import StopError
    from hub.sdk import CredentialsError, RetryError, hookimpl

    def rows(n=1, **more):
        return [{"接警编号": f"J{i}", "更新时间": "2026-11-01 10:00:00", **more} for i in range(n)]

    def pipes():
        return [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")
                and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")]

    def fetch(stream, cursor, context):
        BODY
        yield rows(), "c1"

    def spoil(draft, row):
        MAP
        return draft

    def send(parcel, context):
        SEND

    @hookimpl
    def hub_register_connectors(register):
        streams = {**CONNECTOR.streams, "incident": replace(CONNECTOR.streams["incident"], finish=spoil)}
        register(replace(CONNECTOR, streams=streams, fetch=fetch, send=send))
"""

Hostile = Callable[..., Supervisor]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    """A police connector that does what it is told in fetch, map or send."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[Supervisor] = []

    def make(
        body: str = "pass", *, map: str = "pass", send: str = "return ('sent', None, (), '', None)",
        bounds: Bounds = QUICK, pace: Pace | None = None,
    ) -> Supervisor:  # fmt: skip
        name = f"hostile_{len(made)}_{os.getpid()}"
        lines = textwrap.dedent(HOSTILE)
        for word, code in (("BODY", body), ("MAP", map), ("SEND", send)):
            lines = lines.replace(f"    {word}\n", textwrap.indent(textwrap.dedent(code), "    ") + "\n")
        (tmp_path / f"{name}.py").write_text(lines, encoding="utf-8")
        spec = ChildSpec(name="police", entry=name, unit="police", bounds=bounds)
        made.append(Supervisor(spec, pace or Pace(base=0.05, longest=0.2, window=60.0, hold=60.0)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def police() -> Iterator[Supervisor]:
    """Ours, in a process of its own."""
    made = Supervisor(ChildSpec(name="police", entry="connectors.police", unit="police"))
    yield made
    made.close()


def read(one: Supervisor) -> list[Any]:
    return list(one.read(SPEC, None, threading.Event()))


def failure(ask: Callable[[], Any]) -> HubError:
    with pytest.raises(HubError) as caught:
        ask()
    return caught.value


# --- what it does -----------------------------------------------------------------------------------------------------


def test_drafts_are_the_same_on_both_sides_of_the_pipe(police: Supervisor) -> None:
    """All samples of a unit, mapped here and there: equal drafts, problems and originals, row by row."""
    here = Verbs(connectors()["police"], clock=now)
    folder = Path(str(connectors()["police"].manifest.name))
    samples = sorted((Path(__file__).parents[2] / "connectors" / folder / "samples").glob("incident*.*"))
    files = [path for path in samples if path.suffix in (".csv", ".ndjson", ".json", ".xlsx")]
    assert files

    drafts = 0
    for path in files:
        spec = FileSpec(path=str(path), rows_per_page=7)
        ours, theirs = list(here.read_file("incident", spec)), list(police.read_file("incident", spec))
        assert [(*batch[:4], list(batch.drafts)) for batch in theirs] == [(*batch[:4], batch.drafts) for batch in ours]
        drafts += sum(isinstance(draft, Draft) for batch in theirs for draft in batch.drafts)
    assert drafts


def test_map_gives_one_draft_a_row_and_knows_no_other_unit(police: Supervisor) -> None:
    """Key, unit and row are the hub's to say; an unusable row is a problem."""
    body = BODY[:-1] + ',{"报警时间":"2026"},7]'.encode()
    drafts = police.map(INCIDENT, body, 3, 11, {})

    assert [draft.row for draft in drafts] == [11, 12, 13]
    assert isinstance(drafts[0], Draft)
    assert drafts[0].key == ("police", "incident", "J1")
    assert drafts[0].original == BODY[1:-1]
    assert [draft.code for draft in drafts if isinstance(draft, Problem)] == ["key.missing", "row.invalid"]


def test_messages_are_rendered_in_the_child(police: Supervisor) -> None:
    """The same bytes as its own code gives here."""
    body = {"type": "duty", "message_no": "D-1", "body": {"duty": "D2"}}

    assert police.render(None, body) == connectors()["police"].render(None, body)


def test_process_has_no_environment_and_no_other_file(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the hub's environment, its folder and its open files nothing is there: the pipe, and what nobody reads."""
    monkeypatch.setenv("HUB_SECRET", "canary")
    one = hostile("""
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")]
        yield rows(环境=repr(sorted(os.environ)), 目录=os.getcwd(), 文件=repr(names)), "c0"
    """)
    said = read(one)[0].body.decode()

    assert "canary" not in said
    assert "HUB_SECRET" not in said
    assert '"目录":"/"' in said
    assert said.count("socket:") == 1
    assert "hub.db" not in said


def test_reading_stops_where_the_hub_stops_asking(hostile: Hostile) -> None:
    """The second page is fetched only when the first has landed; one that is not asked for is never made."""
    one = hostile("for n in range(5):\n    print(n, file=sys.stderr, flush=True); yield rows(), f'c{n}'")
    pages = one.read(SPEC, None, threading.Event())
    assert next(pages).cursor == "c0"
    pages.close()

    assert one.map(INCIDENT, BODY, 1, 0, {})
    child = one._child
    assert child is not None
    assert until(lambda: b"".join(child._errors)) == b"0\n"


# --- what it may try --------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[str, str, bool]] = {  # what fetch does → the code, and whether the process survives it
    "forks": ("os.fork()", "connector.PermissionError", True),
    "starts_programs": ("os.execv('/bin/true', ['true'])", "connector.PermissionError", True),
    "kills_the_hub": ("os.kill(os.getppid(), 9)", "connector.PermissionError", True),
    "misses_a_file": ("open('/nowhere')", "connector.FileNotFoundError", True),
    "exits": ("sys.exit(3)", "connector.SystemExit", True),
    "raises": ("raise ZeroDivisionError('张三 13800000000')", "connector.ZeroDivisionError", True),
    "interrupts": ("raise KeyboardInterrupt", "connector.KeyboardInterrupt", True),
    "stops_the_hub": ("raise StopError('x', code='keys.missing')", "keys.missing", True),
    "ends": ("os._exit(0)", "connector.died", False),
    "crashes": ("ctypes.string_at(0)", "connector.died", False),
    "sleeps": ("time.sleep(3600)", "connector.hung", False),
    "spins": ("while True: pass", "connector.hung", False),
    "eats_memory": ("x = bytearray(4 * 1024 ** 3)", "connector.MemoryError", True),
    "speaks_garbage": ("os.write(pipes()[0], b'x' * 4096); time.sleep(5)", "connector.broken", False),
    "speaks_too_much": ("os.write(pipes()[0], b'\\xff' * 10); time.sleep(5)", "connector.broken", False),
    "hangs_up": ("socket.socket(fileno=pipes()[0]).shutdown(2); time.sleep(5)", "connector.died", False),
    "gives_numbers": ("yield 5", "connector.TypeError", True),
    "gives_text": ("yield 'ab', 5", "connector.broken", False),
    "gives_a_cursor_that_is_none": ("yield rows(), 5", "connector.broken", False),
    "makes_up_a_code": ("raise RetryError('x', code='林晓梅 310101199005124527')", "connector.unclear", True),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_misdeed_in_fetch_is_named_and_costs_only_its_own_read(name: str, hostile: Hostile) -> None:
    """Each way to fail in a read is a classed error with a code, without values; the next start works again."""
    does, code, survives = CALLS[name]
    one = hostile(does)
    one.start()
    pid = one.pid
    error = failure(lambda: read(one))

    assert error.code == code
    assert not any(
        value in f"{error}{error.remedy}" for value in ("张三", "13800000000", "林晓梅", "310101199005124527")
    )
    assert (one.pid == pid) is survives
    if not survives:
        assert one.state == "waiting"
        assert until(lambda: _mapped(one)) == 1


def _mapped(one: Supervisor) -> int:
    try:
        return len(one.map(INCIDENT, BODY, 1, 0, {}))
    except RetryError:  # it rests before its next start
        return 0


@pytest.mark.parametrize(("verb", "code"), [("map", "connector.hung"), ("send", "connector.hung")])
def test_hang_in_map_or_send_ends_within_its_bound(verb: str, code: str, hostile: Hostile) -> None:
    """The watchdog is on the monotonic clock; a delivery that hangs is *later*, the message stays."""
    one = hostile(map="time.sleep(3600)", send="time.sleep(3600)")
    one.start()
    began = time.monotonic()
    if verb == "map":
        assert failure(lambda: one.map(INCIDENT, BODY, 1, 0, {})).code == code
    else:
        answer = one.send(Parcel("R-1", "police", "duty", b"{}", 1), WAY)
        assert (answer.step, answer.detail) == ("later", code)

    assert time.monotonic() - began < 60


def test_noise_on_stdout_and_stderr_disturbs_nobody(hostile: Hostile) -> None:
    """Twenty megabytes of both: read, dropped, and the page is there."""
    one = hostile("for _ in range(20):\n    sys.stdout.write('x' * 1024 ** 2); sys.stderr.write('y' * 1024 ** 2)")

    assert [batch.rows for batch in read(one)] == [1]


def test_every_process_it_started_ends_with_it(hostile: Hostile) -> None:
    """Whatever a hung connector left running in its session is gone when it is killed."""
    one = hostile("""
        import subprocess
        try:
            child = subprocess.Popen(["sleep", "3600"])
        except OSError:  # it may not even start one
            child = None
        yield rows(进程=str(child.pid if child else 0)), "c0"
        time.sleep(3600)
    """)
    pages = one.read(SPEC, None, threading.Event())
    started = int(next(pages).body.decode().split('"进程":"')[1].split('"')[0])
    assert failure(lambda: next(pages)).code == "connector.hung"

    assert started == 0 or until(lambda: not _lives(started))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_crash_loop_is_held_after_five_deaths_and_released_by_a_person(hostile: Hostile) -> None:
    """Five restarts at most, then nothing is started; the issue's material is told; `enable` lets it try at once."""
    one = hostile("os._exit(1)")
    told: list[str] = []
    one.tell = lambda happening, reason: told.append(happening)
    codes: list[str] = []
    for _ in range(20):
        if one.state == "held":
            break
        error = failure(lambda: read(one))
        codes.append(error.code)
        if error.code == "connector.resting":
            assert isinstance(error, RetryError)
            assert error.after is not None
            threading.Event().wait(error.after)

    assert one.starts == 5
    assert codes.count("connector.died") == 5
    held = failure(lambda: read(one))
    assert (held.code, one.starts) == ("connector.held", 5)
    assert "hub connectors enable police" in held.remedy
    assert told[-2:] == ["loaded", "held"]
    one.release()
    assert len(one.map(INCIDENT, BODY, 1, 0, {})) == 1
    assert one.state == "ready"
    assert told[-1] == "answered"


def test_killed_child_loses_only_what_was_in_flight(hostile: Hostile) -> None:
    """SIGKILL between two pages: the read fails as retry, and the next one starts where the cursor stands."""
    one = hostile("for n in range(int(cursor or 0), 4):\n    yield rows(页=n), str(n + 1)")
    pages = one.read(SPEC, None, threading.Event())
    assert next(pages).cursor == "1"
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)
    assert failure(lambda: next(pages)).code == "connector.died"

    assert until(lambda: _cursors(one, "1")) == ["2", "3", "4", "c1"]


def _cursors(one: Supervisor, cursor: str) -> list[str | None]:
    try:
        return [batch.cursor for batch in one.read(SPEC, cursor, threading.Event())]
    except RetryError:
        return []


def test_errors_keep_their_class_across_the_pipe(hostile: Hostile) -> None:
    """A refused credential is one, with its code and what to do; Retry-After is kept within a day."""
    one = hostile("raise CredentialsError('refused with 401', code='http.401', remedy='renew the credential')")
    error = failure(lambda: read(one))
    other = hostile("raise RetryError('busy', code='http.429', after=1e12)")
    late = failure(lambda: read(other))

    assert (type(error), error.code, error.remedy) == (CredentialsError, "http.401", "renew the credential")
    assert isinstance(late, RetryError)
    assert late.after == 86_400.0


def test_closing_lets_work_in_flight_end(hostile: Hostile) -> None:
    """A drain waits for a delivery; then the process is gone and nothing new is taken."""
    one = hostile(send="time.sleep(0.3); return ('received', 'N1', (), '', None)")
    one.start()
    answers: list[Any] = []
    sender = threading.Thread(target=lambda: answers.append(one.send(Parcel("R", "police", "duty", b"", 1), WAY)))
    sender.start()
    until(lambda: one._child is not None and one._child._calls)
    one.close(5.0)
    sender.join()

    assert answers[0][:2] == ("received", "N1")
    assert (one.pid, one.state) == (None, "disabled")
    assert failure(lambda: read(one)).code == "connector.closed"


def test_a_hung_connector_holds_up_no_other(hostile: Hostile, sqlite_store: SqlStore, vault: Any, serve: Any) -> None:
    """While the police's read hangs in its process, the court is read on its grid again and again, and its rows land."""
    court = serve(lambda asked: (200, {}, b"[]"))
    stuck = hostile("time.sleep(3600)", bounds=Bounds(page=120.0))
    often = timedelta(milliseconds=100)
    ways = {"police": ("incident", "http://127.0.0.1:9/"), "court": ("divorce_suit", court.url)}
    made = {}
    for name, (stream, url) in ways.items():
        polled = StreamConfig(name=stream, transport="rest", url=url, every=often)
        config = ConnectorConfig(name=name, enabled=True, path=Path("none"), streams={stream: polled})
        made[name] = worker_of(name, config)
    made["police"].hands = stuck
    schedule = Schedule(
        sqlite_store, vault, Workers(made), owner="n#1", clock=now, tick=timedelta(milliseconds=50),
        lease=timedelta(seconds=30), retry_base=often, retry_max=often,
    )  # fmt: skip
    stop = threading.Event()
    running = threading.Thread(target=schedule.run, args=(stop,))
    running.start()
    until(lambda: stuck._child is not None and stuck._child._calls)
    before = len(court.asked)
    assert until(lambda: len(court.asked) >= before + 10)
    assert stuck._child is not None
    assert stuck._child._calls  # the same read still hangs
    stuck.close()
    stop.set()
    running.join(120)
    made["court"].close()
    assert not running.is_alive()
