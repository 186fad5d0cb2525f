from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import HubError, RetryError
from hub.core.freight import Page
from hub.core.records import StreamKey
from hub.runtime.local_socket import LocalServer, ask, is_served, page_from_json, page_to_json
from tests.runtime.conftest import now

PAGE = Page(
    "u", StreamKey("police", "incident"), "live", "ingest", '[{"姓名":"张三"}]'.encode(), 1, 1, now(), source="abc"
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A socket that knows three words, in a folder whose path is longer than the system takes."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    landed: list[Page] = []

    def land(asked: Mapping[str, Any]) -> dict[str, Any]:
        landed.append(page_from_json(asked["page"]))
        return {"uid": landed[-1].uid, "same": landed[-1] == PAGE}

    def busy(asked: Mapping[str, Any]) -> dict[str, Any]:
        raise RetryError("the disk is full", code="store.full", remedy="make room")

    def broken(asked: Mapping[str, Any]) -> dict[str, Any]:
        raise KeyError("张三")

    server = LocalServer(folder / "hub.sock", {"land": land, "busy": busy, "broken": broken})
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    yield folder / "hub.sock"
    stop.set()
    thread.join()


def test_page_goes_through_the_socket_unchanged(served: Path) -> None:
    """A command hands its page to the daemon; body, times and stream arrive as they were."""
    assert ask(served, "land", page=page_to_json(PAGE)) == {"uid": "u", "same": True}
    assert is_served(served)


def test_only_the_owner_may_open_the_socket(served: Path) -> None:
    """0600, whatever the umask."""
    assert stat.S_IMODE(served.stat().st_mode) == 0o600


def test_errors_come_back_as_they_were(served: Path) -> None:
    """Try-again stays try-again with its code; a defect has no text; an unknown word is named."""
    with pytest.raises(RetryError, match="disk is full") as caught:
        ask(served, "busy")
    assert (caught.value.code, caught.value.remedy) == ("store.full", "make room")
    with pytest.raises(HubError) as defect:
        ask(served, "broken")
    assert defect.value.code == "hub.defect"
    assert "张三" not in str(defect.value)
    with pytest.raises(HubError, match="does not know"):
        ask(served, "dance")
    with pytest.raises(HubError):
        ask(served, "land", page={"uid": 1})


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x05{{{{{", b"\x00"])
def test_garbage_ends_its_own_connection_only(served: Path, sent: bytes) -> None:
    """Oversized, malformed and cut-off frames: the next caller is served."""
    import os

    folder = os.open(served.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(f"/proc/self/fd/{folder}/hub.sock")
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        caller.settimeout(5)
        while caller.recv(1024):
            pass
    os.close(folder)

    assert ask(served, "land", page=page_to_json(PAGE))["same"]


def test_no_daemon_is_said_so(tmp_path: Path) -> None:
    """Without a socket, and with one left behind by a killed daemon."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "left.sock"))
    left.close()

    for name in ("none.sock", "left.sock"):
        assert not is_served(tmp_path / name)
        with pytest.raises(RetryError) as caught:
            ask(tmp_path / name, "land")
        assert caught.value.code == "daemon.absent"
