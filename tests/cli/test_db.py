"""The archive's schema: brought up by command, and one that is newer than the hub left alone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command

from hub.store.engine import open_store
from hub.store.schema import _config, newest
from tests.cli.conftest import Hub


def schema(folder: Path, becomes: str = "") -> str:
    archive = sqlite3.connect(folder / "hub.db")
    if becomes:
        archive.execute("UPDATE alembic_version SET version_num = ?", (becomes,))
        archive.commit()
    (found,) = archive.execute("SELECT version_num FROM alembic_version").fetchone()
    archive.close()
    return str(found)


@pytest.mark.parametrize("asked", [("status",), ("run",), ("db", "upgrade"), ("households", "list")])
def test_an_archive_of_a_newer_hub_is_left_alone(hub: Hub, folder: Path, asked: tuple[str, ...]) -> None:
    """The message says which archive, what it has, what this version knows and what to do; nothing is changed; exit code 2."""
    schema(folder, "9001")
    told = hub(*asked)

    assert told.code == 2
    said = " ".join(told.err.split())
    assert str(folder / "hub.db") in said
    assert "schema 9001" in said
    assert f"knows {newest()}" in said
    assert "install the version" in said
    assert "Traceback" not in said
    assert schema(folder) == "9001"


def test_upgrade_brings_an_older_archive_up(hub: Hub, folder: Path) -> None:
    """In one command, which says from where to where; again it changes nothing."""
    for file in folder.glob("hub.db*"):
        file.unlink()
    store = open_store(f"sqlite:///{folder}/hub.db")
    with store.claim() as sql:
        command.upgrade(_config(sql.connection), "0003")
    store.dispose()

    assert hub("db", "upgrade", "--json").json == {"was": "0003", "now": newest(), "changed": True}
    assert hub("db", "upgrade", "--json").json == {"was": newest(), "now": newest(), "changed": False}
    assert hub("status").code in (0, 1)
    shutil.rmtree(folder)
