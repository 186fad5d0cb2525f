"""A hub folder driven as IT staff would drive it: ``init``, ``enable``, ``ingest``, ``explain``, ``export``."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hub.cli import app

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CONNECTORS = (
    "police", "court", "procuratorate", "justice", "civil_affairs", "education", "health", "womens_federation",
    "youth_league", "community_grid",
)  # fmt: skip


def resident_id(born: date, sequence: int) -> str:
    """An invented resident ID number with the right check character; an odd ``sequence`` is a man."""
    body = f"310101{born:%Y%m%d}{sequence:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


class Human:
    """An invented person whose block of columns can stand under any prefix."""

    def __init__(self, name: str, born: date, sequence: int, phone: str = "") -> None:
        self.name, self.born, self.phone = name, born, phone
        self.id_number = resident_id(born, sequence)

    def block(self, prefix: str, *, identified: bool = True, **extra: str) -> dict[str, str]:
        out = {f"{prefix}_name": self.name, f"{prefix}_phone": self.phone}
        if identified:
            out[f"{prefix}_id_number"] = self.id_number
        return out | {f"{prefix}_{key}": value for key, value in extra.items()}


HUSBAND = Human("林志远", date(1985, 3, 2), 11, "13900000011")
WIFE = Human("苏婉清", date(1987, 7, 9), 22, "13900000022")
CHILD = Human("林小舟", date(2015, 5, 20), 33)
OTHER_MAN = Human("韩立群", date(1979, 1, 15), 55, "13900000055")
OTHER_WOMAN = Human("白若兰", date(1981, 11, 30), 66, "13900000066")
GRANDMOTHER = Human("杜秀珍", date(1950, 2, 1), 88, "13900000088")
COMMUNITY = "310101001001"


class Hub:
    """One configuration folder with all ten connectors enabled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "district"
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.count = 0
        self.run("init", str(self.folder))
        for name in CONNECTORS:
            self.run("connectors", "enable", name)

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Standard output of ``hub --config FOLDER …``; ``code`` None accepts any exit code."""
        result = CliRunner().invoke(app, ["--config", str(self.folder), *arguments], catch_exceptions=False)
        if code is not None:
            assert result.exit_code == code, (arguments, result.output)
        return result.stdout

    def ingest(self, unit: str, stream: str, *rows: dict[str, Any], mode: str = "live") -> dict[str, Any]:
        """The receipt of one NDJSON file of ``rows``."""
        self.count += 1
        file = self.inbox / f"{self.count}.ndjson"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        out = self.run("ingest", unit, stream, str(file), "--mode", mode, "--json", code=None)
        return dict(json.loads(out))

    def households(self) -> list[dict[str, Any]]:
        return self.export("households")

    def export(self, what: str) -> list[dict[str, Any]]:
        out = self.run("export", what, "--jsonl", "-")
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def explain(self, household: str, as_of: str | None = None) -> dict[str, Any]:
        extra = ["--as-of", as_of] if as_of else []
        return dict(json.loads(self.run("households", "explain", household, *extra, "--json")))

    def household_of(self, human: Human) -> str:
        """The one living household in which ``human`` is a member."""
        found = [
            home["household"]
            for home in self.households()
            if any(member["id_number"] == human.id_number for member in home["members"])
        ]
        assert len(found) == 1, found
        return str(found[0])

    def light(self, human: Human, as_of: str) -> tuple[str, set[str]]:
        """The light of ``human``'s household at ``as_of`` and the rules open then."""
        told = self.explain(self.household_of(human), as_of)
        return told["light"], {c["rule"] for c in told["concerns"] if c["state"] == "open"}


def call(number: str, at: str, /, **columns: Any) -> dict[str, Any]:
    """A 110 call between husband and wife."""
    return {
        "call_no": number, "called_at": at, "updated_at": at, "category": "1", "intensity": "1", "relation": "配偶",
        "community_code": COMMUNITY, **HUSBAND.block("party_a"), **WIFE.block("party_b"), **columns,
    }  # fmt: skip


def by_couple(key: str, number: str, at: str, /, **columns: Any) -> dict[str, Any]:
    """A record about the wife as victim and the husband as abuser."""
    return {
        key: number, "updated_at": at, "relation": "配偶", "community_code": COMMUNITY,
        **WIFE.block("victim"), **HUSBAND.block("abuser"), **columns,
    }  # fmt: skip


def between(key: str, number: str, at: str, /, **columns: Any) -> dict[str, Any]:
    """A record with husband and wife as parties."""
    return {
        key: number, "updated_at": at, "relation": "配偶", "community_code": COMMUNITY,
        **HUSBAND.block("party_a"), **WIFE.block("party_b"), **columns,
    }  # fmt: skip
