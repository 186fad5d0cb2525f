from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.core.errors import RetryError
from hub.runtime.daemon import grouped, hub_lock, listen
from tests.local_peer import until

SCRIPT = """
    import sys, threading, time
    from pathlib import Path
    from hub.core.errors import ConfigurationError
    from hub.runtime.daemon import Daemon, SideTask, hub_lock
    said = Path(sys.argv[1])

    def say(word):
        with said.open("a") as out:
            out.write(word + "\\n")

    def loop(name, *, dies=None, hangs=False, drains=0.0):
        def run(stop):
            say("start " + name)
            if dies is not None:
                time.sleep(0.2)
                raise dies
            stop.wait()
            while hangs:
                time.sleep(1)
            time.sleep(drains)
            say("stop " + name)
        return SideTask(name, run)

    def reload():
        say("reload")
        raise ConfigurationError("wrong")

    with hub_lock(said.parent):
        sys.exit({expression})
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """A real process that runs ``Daemon(…).run()``; what its tasks say is in ``said``."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(expression: str) -> subprocess.Popen[bytes]:
        code = textwrap.dedent(SCRIPT).replace("{expression}", expression)
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, str(tmp_path / "said")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()


def said(tmp_path: Path) -> list[str]:
    path = tmp_path / "said"
    return path.read_text().splitlines() if path.exists() else []


def started(tmp_path: Path, count: int) -> None:
    until(lambda: len([line for line in said(tmp_path) if line.startswith("start")]) == count)


Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_drains_in_order_and_ends_with_zero(start: Start, tmp_path: Path, number: int) -> None:
    """Tasks stop one after the other, intake first; what needs a moment gets it."""
    process = start('Daemon([loop("web", drains=0.2), loop("tick"), loop("writer")]).run()')
    started(tmp_path, 3)

    process.send_signal(number)

    assert process.wait(120) == 0
    assert said(tmp_path)[3:] == ["stop web", "stop tick", "stop writer"]


def test_second_signal_ends_at_once(start: Start, tmp_path: Path) -> None:
    """A task that hangs holds the first signal for the drain time, the second for none."""
    process = start('Daemon([loop("web", hangs=True)]).run()')
    started(tmp_path, 1)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)

    process.send_signal(signal.SIGTERM)

    assert process.wait(120) == 128 + signal.SIGTERM


def test_drain_has_a_limit(start: Start, tmp_path: Path) -> None:
    """A task that never stops is left behind: the others have stopped, the exit code says so."""
    process = start('Daemon([loop("web", hangs=True), loop("writer")], drain=0.5).run()')
    started(tmp_path, 2)
    begun = time.monotonic()

    process.send_signal(signal.SIGTERM)

    assert process.wait(120) == 1
    assert time.monotonic() - begun < 60
    assert "stop web" not in said(tmp_path)


@pytest.mark.parametrize("dies", ["ValueError('x')", "SystemExit(0)", "KeyboardInterrupt()"])
def test_death_of_one_task_stops_the_others_and_the_process(start: Start, tmp_path: Path, dies: str) -> None:
    """Whatever a task dies of, SystemExit(0) too: the others stop in order and the process exits non-zero."""
    process = start(f'Daemon([loop("web"), loop("tick", dies={dies}), loop("writer")]).run()')

    assert process.wait(120) == 1
    assert said(tmp_path)[3:] == ["stop web", "stop writer"]


def test_task_that_returns_unasked_is_dead_too(start: Start, tmp_path: Path) -> None:
    """A loop that ends by itself is as bad as one that raises."""
    process = start('Daemon([SideTask("tick", lambda stop: say("start tick")), loop("writer")]).run()')

    assert process.wait(120) == 1


def test_hup_reloads_and_a_wrong_configuration_changes_nothing(start: Start, tmp_path: Path) -> None:
    """SIGHUP calls reload, which refuses: the daemon runs on and still ends well."""
    process = start('Daemon([loop("web")], reload=reload).run()')
    started(tmp_path, 1)

    process.send_signal(signal.SIGHUP)
    until(lambda: "reload" in said(tmp_path))
    process.send_signal(signal.SIGTERM)

    assert process.wait(120) == 0


def test_lock_admits_one_process_and_dies_with_it(start: Start, tmp_path: Path) -> None:
    """A second process is refused while the first lives, and admitted as soon as it is killed."""
    process = start('Daemon([loop("web")]).run()')
    started(tmp_path, 1)
    with pytest.raises(RetryError) as caught, hub_lock(tmp_path):
        pass
    assert caught.value.code == "hub.locked"

    process.kill()
    process.wait()

    with hub_lock(tmp_path, seconds=5):
        assert (tmp_path / "hub.lock").read_text().strip() == str(os.getpid())


def test_taken_port_is_said_at_start() -> None:
    """Another program on the port: try again later, with a remedy, before any task has started."""
    with listen("127.0.0.1:0") as first:
        address = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(RetryError) as caught:
            listen(address)

    assert caught.value.code == "http.busy"


def test_readiness_names_intake_schedule_and_outbox() -> None:
    """Intake needs the door and the writer; each part alone can be not ready."""
    parts = {"web": True, "writer": False, "tick": True, "relay": True}

    assert grouped(parts) == {"intake": False, "schedule": True, "outbox": True}
