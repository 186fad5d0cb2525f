"""What should have been done and was not, and many calls without change: said in sentences, with calls, rule and date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hub.core import duties, inaction
from hub.core.assess import course
from hub.core.clocks import Moment
from hub.core.records import SHANGHAI
from hub.speech import speak
from tests.core.owed_cases import case, policy


def call(no: str, *at: int, **facts: object) -> dict[str, Any]:
    return {"from": "police.incident", "no": no, "at": datetime(*at), "facts": {"category": "family_dispute", **facts}}


def rows(*events: dict[str, Any], as_of: tuple[int, ...] = (2026, 3, 20)) -> list[dict[str, Any]]:
    read, moment = case({"event": list(events)}), Moment(datetime(*as_of, tzinfo=SHANGHAI))
    owed = duties.owed(read, course(read, policy(), moment), policy(), moment)
    return inaction.found(owed, {event.key: event.at for event in read.events}, policy().raw)


FIERCE = call("J1", 2026, 3, 2, 10, intensity="fierce")
LETTER = {"from": "police.admonition", "no": "G1", "at": datetime(2026, 3, 3), "facts": {"violence": "serious"}}


def test_a_fierce_call_without_letter_penalty_or_case() -> None:
    """The sentence names the call, the hours of the policy, who looks into it and until when."""
    (row,) = rows(FIERCE)

    assert inaction.sentence(row, speak("zh")) == (
        "应办未办：J1 (2026-03-02)，72 小时内未见告诫书、治安处罚或立案。由区检察院核查，应于 2026-03-31 前办结。"
    )
    assert inaction.sentence(row, speak("en")).startswith("Owed and not done: J1 (2026-03-02); within 72 hours no")
    assert (row["state"], row["clause"], [c["key"] for c in row["calls"]]) == ("open", "五(四)", ["J1"])
    assert rows(FIERCE, LETTER) == []


def test_violence_again_after_a_letter() -> None:
    """What happened after the letter is named, at once."""
    (row,) = rows(FIERCE, LETTER, call("J2", 2026, 3, 9, 10, intensity="fierce"))

    assert (row["why"], row["since"][:10], row["due"][:10]) == ("again", "2026-03-09", "2026-03-09")
    assert "J2 (2026-03-09)" in inaction.sentence(row, str)


@pytest.mark.parametrize("count", [2, 3])
def test_many_calls_without_change(count: int) -> None:
    """Three calls in ninety days and the light as it was: all three are named; two are not many."""
    told = rows(*(call(f"J{n}", 2026, 3, n, 10, intensity="general") for n in range(2, count + 2)))

    assert [row["duty"] for row in told if row["duty"] == "D22"] == ["D22"] * (count == 3)
    if count == 3:
        sentence = inaction.sentence(next(row for row in told if row["duty"] == "D22"), str)
        assert sentence.startswith("Many calls, no change: 3 calls within 90 days")
        assert all(f"J{n} (2026-03-0{n})" in sentence for n in (2, 3, 4))


def test_what_was_looked_into_says_when() -> None:
    """A supervised case is told as closed, after the open ones."""
    act = {
        "from": "procuratorate.action",
        "no": "Z1",
        "at": datetime(2026, 3, 10),
        "facts": {"action": "filing_supervised"},
    }
    (row,) = [row for row in rows(FIERCE, act) if row["duty"] == "D21"]

    assert row["state"] == "closed"
    assert inaction.sentence(row, str).endswith(" Looked into: 2026-03-10.")
