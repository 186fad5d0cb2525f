"""A front-end table on a real MariaDB, configured by files and polled by the command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from tests.cli.conftest import District
from tests.end_to_end.story import HUSBAND, WIFE
from tests.mariadb_server import MariaServer

NOW = (datetime.now(UTC) + timedelta(hours=8)).replace(tzinfo=None, microsecond=0)


@pytest.fixture
def front(mariadb: MariaServer) -> Iterator[URL]:
    """A police table as such tables are: Chinese columns, DATETIME, and three calls of one second."""
    blocks = {**HUSBAND.block("party_a"), **WIFE.block("party_b")}
    columns = {"call_no": "varchar(32)", "called_at": "datetime", "updated_at": "datetime", "category": "tinyint",
               "intensity": "tinyint", "relation": "varchar(10)", "community_code": "decimal(12,0)"}  # fmt: skip
    with mariadb.database() as url:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        columns |= dict.fromkeys(blocks, "varchar(100)")
        made = ", ".join(f"`{name}` {kind}" for name, kind in columns.items())
        rows = [
            {"call_no": f"J{n}", "called_at": NOW, "updated_at": NOW, "category": 1, "intensity": 1,
             "relation": "配偶", "community_code": 310101001001, **blocks}
            for n in range(3)
        ]  # fmt: skip
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE t_jjd ({made})"))
            values = ", ".join(f":{name}" for name in columns)
            connection.execute(sa.text(f"INSERT INTO t_jjd VALUES ({values})"), rows)
        yield url


def test_a_mysql_table_is_polled_by_its_secret_url(district: District, front: URL) -> None:
    """Probe reaches it, poll applies its calls, a second poll finds the same second and changes nothing."""
    secret = district.folder / "secrets" / "front"
    secret.write_text(front.render_as_string(hide_password=False).replace("mysql+pymysql", "mysql"))
    secret.chmod(0o600)
    district.append(
        "police",
        '\n[streams.incident]\ntransport = "table"\nurl = { file = "secrets/front" }\ntable = "t_jjd"\n'
        'cursor = { field = "更新时间", overlap = "10m" }\nschedule = { every = "1h" }\n'
        '\n[deliver.duty]\nurl = { file = "secrets/front" }\ntable = "hub_message"\n',
    )

    assert district("check").code in (0, 1)  # 1: other units have no way out
    assert district("connectors", "probe", "police", "--json").json["streams"][0]["reached"]
    first, second = (district("connectors", "poll", "police", "--json") for _ in range(2))

    assert (first.code, first.json["streams"][0]["rows"], second.code) == (0, 3, 0)
    counts = district("status", "--json").json["counts"]
    assert (counts["applied"], counts["quarantined"], counts["pending"]) == (3, 0, 0)
    lights = {row["light"] for row in district("households", "list", "--json").json}
    assert lights == {"orange"}  # three calls in a year
