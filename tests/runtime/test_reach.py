"""Which files a configuration names, and how what nobody may reach is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.runtime.landlock import LIST, READ
from hub.runtime.reach import Reach, _around, places_of
from hub.runtime.specs import FileSpec, SourceSpec, WaySpec


def table(url: str) -> SourceSpec:
    return SourceSpec(stream="a", transport="table", url=url)


@pytest.mark.parametrize(
    ("spec", "reach"),
    [
        (None, Reach()),
        (FileSpec(path="/drop/a.csv"), Reach(reads=("/drop/a.csv",))),
        (SourceSpec(stream="a", transport="rest", url="https://example/"), Reach()),
        (SourceSpec(stream="a", transport="files", options={"folder": "/drop"}), Reach(works=("/drop",))),
        (
            SourceSpec(stream="a", transport="files", options={"folder": "/drop", "done": "/old/done"}),
            Reach(works=("/drop",), makes=("/old/done",)),
        ),
        (SourceSpec(stream="a", transport="files", options={"folder": "sftp://hub@host//drop"}), Reach()),
        (WaySpec(folder="/out"), Reach(makes=("/out",))),
        (table("sqlite:////front/a.db"), Reach(bases=("/front/a.db",))),
        (WaySpec(url="sqlite:////front/a.db"), Reach(works=("/front",))),
        (table("mysql+pymysql://u:p@db/x?charset=gbk"), Reach()),
        (table("mysql+pymysql://u@/x?unix_socket=/run/m.sock"), Reach(local=True)),
        (table("postgresql+psycopg:///x?host=/run/pg"), Reach(local=True)),
        (
            table("postgresql+psycopg://u@db/x?sslmode=verify-full&sslrootcert=/ca/front.pem"),
            Reach(reads=("/ca/front.pem",)),
        ),
        (
            SourceSpec(stream="a", transport="push", config={"folder": "/own", "base": "sqlite:////b/c.db", "n": 3}),
            Reach(works=("/own",), bases=("/b/c.db",)),
        ),
    ],
)
def test_places_are_those_the_configuration_names(spec: SourceSpec | WaySpec | FileSpec | None, reach: Reach) -> None:
    """Folders on this machine, SQLite files, certificates, sockets; nothing for what lies elsewhere."""
    assert places_of(spec) == reach


def test_a_folder_above_the_hub_is_opened_around_it(tmp_path: Path) -> None:
    """Names may be seen, every other entry read; nothing of the hub's, not by a link either."""
    for name in ("lib", "opt/other", "opt/hub/secrets"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "opt/hub/hub.toml").touch()
    (tmp_path / "link").symlink_to(tmp_path / "opt/hub/hub.toml")

    rules = {
        str(Path(rule.path).relative_to(tmp_path)): rule.rights
        for rule in _around(str(tmp_path), [f"{tmp_path}/opt/hub"])
    }

    assert rules == {".": LIST, "lib": READ, "opt": LIST, "opt/other": READ}


def test_more_is_held_when_it_is_added() -> None:
    """A reach holds what it was joined with, and nothing it was not."""
    one, other = Reach(works=("/a",)), Reach(reads=("/b",), local=True)
    assert not one.holds(other)
    assert one.with_more(other).holds(other)
    assert one.with_more(other) == Reach(works=("/a",), reads=("/b",), local=True)
    assert Reach.from_wire(one.to_wire()) == one
