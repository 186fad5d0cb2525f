"""A real MariaDB for the tests that read and write a department's MySQL tables."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
START_SECONDS = 60
MISSING = "MariaDB is not installed: apt-get install mariadb-server-core, or name a server with HUB_TEST_MYSQL_URL"

_numbers = count(1)


class MariaServer:
    """A server with a database for each test; ``url`` is its administrator's."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)

    def run(self, *statements: str) -> None:
        """Execute as the administrator."""
        with self.admin.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    @contextmanager
    def database(self) -> Iterator[URL]:
        """A new database (utf8mb4), dropped afterwards."""
        name = f"front_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield self.url.set(database=name)
        finally:
            self.run(f"DROP DATABASE {name}")


def _program() -> str | None:
    return shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _start(folder: Path, program: str, stack: ExitStack) -> URL:
    """Own data directory, own socket, no network, no rights beyond those of an ordinary account."""
    folder.chmod(0o755)
    account = "nobody" if os.geteuid() == 0 else None
    place = folder / "m"
    place.mkdir(mode=0o700)
    if account:
        entry = pwd.getpwnam(account)
        os.chown(place, entry.pw_uid, entry.pw_gid)
    data, socket_path = place / "data", place / "s"
    base = [
        program, "--no-defaults", f"--datadir={data}", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        subprocess.run(["mkdir", "-m", "700", str(data)], check=True, user=account, cwd="/")
        script = b"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n" + b"".join(
            (Path("/usr/share/mysql") / name).read_bytes() for name in SYSTEM_TABLES
        )
        subprocess.run([*base, "--bootstrap"], input=script, check=True, user=account, cwd="/", stdout=log, stderr=log, timeout=60)  # fmt: skip
        server = subprocess.Popen(
            [*base, f"--socket={socket_path}", "--skip-networking", "--skip-log-bin"],
            user=account, cwd="/", stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    stack.callback(server.wait, 30)
    stack.callback(server.terminate)
    url = URL.create("mysql+pymysql", username="root", database="mysql", query={"unix_socket": str(socket_path), "charset": "utf8mb4"})  # fmt: skip
    end, pause = monotonic() + START_SECONDS, Event()
    while not _listens(socket_path):
        if server.poll() is not None or monotonic() > end:
            pytest.fail(f"MariaDB did not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")
        pause.wait(0.02)
    return url


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(path))
        except OSError:
            return False
        return True


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaServer]:
    """One MariaDB for the session; ``HUB_TEST_MYSQL_URL`` names one that already runs."""
    with ExitStack() as stack:
        given, program = os.environ.get("HUB_TEST_MYSQL_URL"), _program()
        if given:
            url = make_url(given).set(drivername="mysql+pymysql")
        elif program is not None:
            folder = Path(tempfile.mkdtemp(prefix="hubmy", dir="/tmp"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            url = _start(folder, program, stack)
        elif os.environ.get("CI"):
            pytest.fail(MISSING)
        else:
            pytest.skip(MISSING)
        yield MariaServer(url)
