"""The same commands on PostgreSQL: one story through every reading command."""

from __future__ import annotations

import json

from tests.cli.conftest import District
from tests.conftest import PostgresServer
from tests.end_to_end.story import CHILD, HUSBAND
from tests.end_to_end.story import call as police_call

AT = "2026-03-01 20:00:00"


def test_the_commands_read_and_write_postgres(district: District, postgres: PostgresServer) -> None:
    """Ingest, lists, explanation, exports, status, quarantine and acknowledgement do on PostgreSQL what they do on SQLite."""
    url = postgres.fresh()
    path = district.folder / "hub.toml"
    address = url.render_as_string(hide_password=False)
    path.write_text(path.read_text(encoding="utf-8").replace("sqlite:///hub.db", address), encoding="utf-8")
    try:
        assert district("check", "--json").json["mistakes"] == []
        bad = police_call("J2", AT, category="77")
        assert district.ingest("police", "incident", police_call("J1", AT, intensity="2"), bad)["applied"] == 1
        district.ingest("education", "concern", {
            "concern_no": "E1", "found_at": AT, "updated_at": AT, "kind": "1", "relation": "子女",
            **CHILD.block("student"), **HUSBAND.block("abuser"),
        })  # fmt: skip

        households = district("households", "list", "--light", "red", "--json").json
        assert len(households) == 1
        assert district("households", "explain", households[0]["household"][:30], "--json").json["light"] == "red"
        assert district("households", "show", households[0]["household"], "--json").json["members"]
        exported = {
            what: district("export", what).out.splitlines() for what in ("households", "events", "reports", "duties")
        }
        assert [len(exported[what]) for what in ("events", "reports")] == [2, 1]
        number = json.loads(exported["reports"][0])["report_no"]
        assert district("reports", "acknowledge", number, "--step", "received", "--receipt-no", "HZ1").code == 0
        assert district("reports", "show", number, "--json").json["step"] == "received"
        assert district("reports", "retry", number, "--json").json["report_no"] == number
        assert district("duties", "list", "--json").json
        assert district("quarantine", "list", "--json").json[0]["count"] == 1
        assert district("quarantine", "redrive", "code.unknown", "--json").json["quarantined"] == 1
        assert district("quarantine", "discard", "code.unknown", "--json").json == {"discarded": 1}
        counts = district("status", "--json").json["counts"]
        assert (counts["received"], counts["applied"], counts["rejected"]) == (3, 2, 1)
    finally:
        postgres.drop(url)
