"""Drop folders on another machine: everything against a real SFTP server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import ConfigurationError, CredentialsError, PersonError, RetryError
from hub.runtime.specs import AuthSpec, SourceSpec, WaySpec
from hub.runtime.transports import make_folder, make_sender
from hub.sdk.files import FileSender, FolderSource
from hub.sdk.sftp import SftpPlace, folder_of
from tests.sdk.office_kit import row, workbook
from tests.sftp_server import PASSWORD, SftpServer


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    server = SftpServer(tmp_path_factory.mktemp("sftp"))
    yield server
    server.close()


@pytest.fixture
def served(running: SftpServer, request: pytest.FixtureRequest) -> tuple[SftpServer, str, Path]:
    """The server, a folder of its own for this test, and where that lies."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    (running.root / name).mkdir()
    return running, f"/{name}", running.root / name


def place(server: SftpServer, **other: Any) -> SftpPlace:
    return SftpPlace(
        **{"url": server.url, "kind": "basic", "secret": PASSWORD, "host_key": server.host_key, "seconds": 10, **other}
    )


def source(server: SftpServer, folder: str, **options: Any) -> FolderSource:
    return FolderSource(
        **{"folder": folder, "place": place(server), "pattern": "*.csv", "settle": timedelta(0), **options}
    )


def collect(source: FolderSource, cursor: str | None = None) -> list[tuple[list[Any], str | None]]:
    return [([row["no"] for row in rows], at) for rows, at in source.pages(cursor)]


def test_files_are_read_in_pages_and_moved_there(served: tuple[SftpServer, str, Path]) -> None:
    """Pages with a cursor, done/ and failed/ on the server, a bad file holds up no other, and one login a read."""
    server, folder, there = served
    (there / "a.csv").write_text("no\nJ1\nJ2\nJ3\n", encoding="gb18030")
    (there / "b.csv").write_bytes(b'no\n"open\n')
    (there / "c.txt").write_text("no\nJ9\n")
    made, before = source(server, folder, rows_per_page=2), server.logins
    pages: list[tuple[list[Any], str | None]] = []

    with pytest.raises(PersonError) as caught:
        pages.extend(([row["no"] for row in rows], at) for rows, at in made.pages(None))

    assert [rows for rows, _ in pages] == [["J1", "J2"], ["J3"]]
    assert (caught.value.code, server.logins - before) == ("file.unreadable", 1)
    assert sorted(path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()) == [
        "c.txt", "done/.a.csv.waiting", "done/a.csv", "failed/.b.csv.waiting", "failed/b.csv",
    ]  # fmt: skip
    assert [(due.path, due.rows, due.code) for due in made.waiting()] == [
        (f"{folder}/done/a.csv", 3, ""),
        (f"{folder}/failed/b.csv", 0, "file.unreadable"),
    ]


def test_a_broken_read_resumes_at_the_next_row(served: tuple[SftpServer, str, Path]) -> None:
    """Another process with the stored cursor reads on where the last landed page ended."""
    server, folder, there = served
    (there / "a.csv").write_text("no\n" + "".join(f"J{n}\n" for n in range(5)))
    reading = source(server, folder, rows_per_page=2).pages(None)
    _, cursor = next(reading)
    reading.close()

    assert [rows for rows, _ in collect(source(server, folder, rows_per_page=2), cursor)] == [["J2", "J3"], ["J4"]]


def test_receipts_and_faulty_rows_are_written_there(served: tuple[SftpServer, str, Path]) -> None:
    """A workbook is read from memory; receipts and the rows to mend lie beside it, the note goes."""
    server, folder, there = served
    workbook(there / "a.xlsx", [row(1, "no", "text"), row(2, "J1", "a"), row(3, "J2", "b")])
    made = source(server, folder, pattern="*.xlsx", ready="rename")
    assert [rows for rows, _ in collect(made)] == [["J1", "J2"]]
    [due] = made.waiting()

    made.answer(due.path, {"received": 2, "rows": [{"row": 2, "status": "quarantined", "code": "date.invalid"}]}, str)

    assert sorted(path.name for path in (there / "done").iterdir()) == [
        "a.returned.xlsx", "a.xlsx", "a.xlsx.receipt.csv", "a.xlsx.receipt.json", "a.xlsx.receipt.xlsx",
    ]  # fmt: skip
    assert json.loads((there / "done" / "a.xlsx.receipt.json").read_bytes())["rows"][0]["line"] == 3
    assert made.waiting() == []


def test_an_ok_file_announces_a_whole_file(served: tuple[SftpServer, str, Path]) -> None:
    """Without its .ok a file waits; with it the digest must fit."""
    server, folder, there = served
    (there / "a.csv").write_text("no\nJ1\n")
    made = source(server, folder, ready="ok-file")
    assert collect(made) == []
    (there / "a.csv.ok").write_text(hashlib.sha256((there / "a.csv").read_bytes()).hexdigest())

    assert [rows for rows, _ in collect(made)] == [["J1"]]
    assert (there / "done" / "a.csv.ok").is_file()


def test_messages_are_dropped_there_whole(served: tuple[SftpServer, str, Path]) -> None:
    """NAME.json and NAME.ok in a folder that is made, a repeat writes the same, no temporary file stays."""
    server, folder, there = served
    sender = FileSender(f"{folder}/out/police", place(server))

    assert [sender.send("R-2026/1", b'{"x": 1}').step for _ in range(2)] == ["sent", "sent"]
    assert sorted(path.name for path in (there / "out/police").iterdir()) == ["R-2026_1.json", "R-2026_1.ok"]
    assert (there / "out/police/R-2026_1.json").read_bytes() == b'{"x": 1}'


def test_a_key_logs_in_and_configuration_makes_both_ways(served: tuple[SftpServer, str, Path]) -> None:
    """An OpenSSH private key in place of a password; a stream and a way out are made from what TOML says."""
    server, folder, there = served
    auth = AuthSpec(
        kind="key", secret=server.key.export_private_key().decode(), options={"host_key": f"[h]:1 {server.host_key}"}
    )
    spec = SourceSpec(
        stream="s", transport="files", auth=auth, options={"folder": f"{server.url}/{folder}", "settle": timedelta(0)}
    )
    (there / "a.csv").write_text("no\nJ1\n")

    from threading import Event

    assert make_folder(spec, Event()).probe() == 1
    way = make_sender(WaySpec(folder=f"{server.url}/{folder}", auth=auth), lambda: None)
    assert way.send("M-1", "duty", b"{}").step == "sent"
    assert (there / "M-1.json").is_file()


def test_what_is_wrong_is_named_by_what_happens_next(served: tuple[SftpServer, str, Path]) -> None:
    """Unknown or changed host key: a person. Wrong password: credentials. No folder: a person. No server: later."""
    server, folder, _ = served
    (other,) = (SftpServer.__new__(SftpServer),)
    other.url, other.host_key = "sftp://hub@127.0.0.1:9", server.host_key
    cases: list[tuple[SftpPlace, str, type[Exception], str]] = [
        (place(server, host_key=""), folder, PersonError, "sftp.host_key"),
        (place(server, host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42), folder, PersonError, "sftp.host_key"),
        (place(server, secret="wrong"), folder, CredentialsError, "sftp.denied"),
        (place(server), f"{folder}/none", PersonError, "files.folder"),
        (place(other), folder, RetryError, "sftp.unavailable"),
    ]  # fmt: skip
    for made, where, kind, code in cases:
        with pytest.raises(kind) as caught:
            collect(FolderSource(folder=where, place=made))
        assert getattr(caught.value, "code", "") == code
    for made, outcome in (
        (place(server, secret="wrong"), ("later", "credentials.sftp.denied")),
        (place(other), ("later", "sftp.unavailable")),
        (place(server, host_key=""), ("refused", "sftp.host_key")),
    ):
        assert FileSender(folder, made).send("M-1", b"{}")[::3] == outcome
    for url, options in (("sftp://h/x", {}), ("sftp://u:p@h/x", {}), ("sftp://u@h:x/", {}), ("sftp://u@h/x", {"kind": "key"})):  # fmt: skip
        with pytest.raises(ConfigurationError):
            place(server, url=url, **options)
    assert [folder_of(f"sftp://u@h/{path}") for path in ("", "in/b/", "/srv/in")] == [".", "in/b", "/srv/in"]
