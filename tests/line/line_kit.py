"""A whole line for tests: real connectors, vault, policy and store, and a clock that stands where it is put."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from hub.core.freight import Page
from hub.core.policy import Policy, load_policy
from hub.core.records import SHANGHAI, Light, StreamKey
from hub.line.land import land
from hub.line.letters import Outward
from hub.line.writer import WriterPlan, drain
from hub.runtime.station import station_page
from hub.runtime.workers import Workers
from hub.security.keys import Keys, MasterKey
from hub.security.vault import Vault
from hub.store import pages
from hub.store.engine import SqlStore
from hub.store.numbers import new_uid
from tests.loaded import connectors, worker_of

POLICIES = Path(__file__).parents[2] / "hub" / "policies"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
WIFE, HUSBAND, CHILD = "310101199005124527", "310101198803154419", "310101201505083020"


def the_policy() -> Policy:
    """Ours, with its calendars."""
    calendars = {int(f.stem): f.read_bytes() for f in (POLICIES / "calendar").glob("[0-9]*.toml")}
    return load_policy((POLICIES / "district-2021-08-30.toml").read_bytes(), None, calendars)


def the_vault() -> Vault:
    """A vault with a key of its own."""
    return Vault(Keys([MasterKey(1, frozenset({"active", "index"}), b"k" * 32)]))


POLICY = the_policy()
VAULT = the_vault()
EVERYWHERE = Outward(
    frozenset(
        (unit, kind)
        for unit in ("police", "community_grid", "womens_federation", "justice", "education", "health", "civil_affairs",
                     "court", "procuratorate", "youth_league")
        for kind in ("mandatory_report", "duty", "light_change", "answer", "addendum", "cancellation", "report_copy",
                     "notice", "escalation")
    ),
    copies=dict.fromkeys(("justice", "education"), ("name", "birth_date", "phone")),
)  # fmt: skip


class Line:
    """One hub in miniature."""

    def __init__(self, store: SqlStore, now: datetime = NOW, outward: Outward = EVERYWHERE) -> None:
        self.store = store
        self.now = now
        self.plan = WriterPlan(outward=outward)
        self.workers = Workers({c.unit: worker_of(c, clock=self.clock) for c in connectors().values()})

    def clock(self) -> datetime:
        return self.now

    def page(self, unit: str, stream: str, rows: Sequence[Mapping[str, Any]], **more: Any) -> Page:
        """Rows as a page; ``more`` are fields of Page."""
        body = orjson.dumps(list(rows))
        return Page(
            **{
                "uid": new_uid(), "stream": StreamKey(unit, stream), "mode": "live", "door": "push", "body": body,
                "rows": len(rows), "first_row": 0, "received_at": self.now, "digest": hashlib.sha256(body).hexdigest(),
            } | more
        )  # fmt: skip

    def land(self, unit: str, stream: str, *rows: Mapping[str, Any], **more: Any) -> str:
        """Land rows; the page's uid."""
        return land(self.store, VAULT, self.page(unit, stream, rows, **more))

    def drain(self) -> None:
        """Apply everything that is pending or due."""
        assert drain(self.store, self.workers, VAULT, POLICY, self.clock, self.plan)

    def send(self, unit: str, stream: str, *rows: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Land rows, apply, and give the whole receipt."""
        uid = self.land(unit, stream, *rows, **more)
        self.drain()
        return self.receipt(uid)

    def act(self, stream: str, *rows: dict[str, Any]) -> dict[str, Any]:
        """What people or the hub do."""
        uid = land(self.store, VAULT, station_page(stream, list(rows), self.now))
        self.drain()
        return self.receipt(uid)

    def receipt(self, uid: str) -> dict[str, Any]:
        with self.store.read() as sql:
            found = pages.receipt(sql, uid, all_rows=True)
        assert found is not None
        return found

    def later(self, **span: float) -> None:
        """Let time pass, and apply what falls due."""
        self.now += timedelta(**span)
        self.drain()

    def rows(self, sql_text: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as sql:
            return sql.rows(sql_text, params)

    def lights(self) -> list[str]:
        """Lights of the living households that stand for something, sorted."""
        found = self.rows(
            "SELECT light FROM household h WHERE successor_id IS NULL"
            " AND EXISTS (SELECT 1 FROM event_place e WHERE e.household_id = h.id)"
        )
        return sorted(Light(light).name for (light,) in found)

    def owed(self, letter: str = "") -> list[tuple[str, str, str]]:
        """(what, to, state) of owed things whose name begins with ``letter``."""
        rows = self.rows(
            'SELECT what, "to", state FROM owed WHERE what LIKE ? ORDER BY what, "to", state', f"{letter}%"
        )
        return [(what, to, state) for what, to, state in rows]


def call(no: str = "C1", **facts: Any) -> dict[str, Any]:
    """A 110 call between two spouses, general conflict unless told otherwise."""
    return {
        "call_no": no, "called_at": "2026-11-20 21:00:00", "category": "1", "intensity": "1", "relation": "配偶",
        "community_code": "310101001001", "updated_at": "2026-11-20 22:00:00",
        "party_a_name": "赵大伟", "party_a_id_number": HUSBAND, "party_b_name": "林晓梅", "party_b_id_number": WIFE,
        "victim_name": "林晓梅", "victim_id_number": WIFE, "narrative": "夫妻争吵",
    } | facts  # fmt: skip


def mediation(no: str = "J1", **facts: Any) -> dict[str, Any]:
    """A mediation case of the justice bureau between the same spouses, violence suspected."""
    return {
        "mediation_no": no, "opened_on": "2026-11-21", "origin": "2", "violence": "1", "status": "1", "relation": "配偶",
        "community_code": "310101001001", "updated_at": "2026-11-21 10:00:00",
        "party_a_name": "林晓梅", "party_a_id_number": WIFE, "party_b_name": "赵大伟", "party_b_id_number": HUSBAND,
        "victim_name": "林晓梅", "victim_id_number": WIFE, "narrative": "女方称被打",
    } | facts  # fmt: skip
