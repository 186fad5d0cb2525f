"""Who may know what of an explanation (policy sections 2, 5 and 7)."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.core.explain import FAMILIES, Ground, Heard, Subject, explain, withhold
from hub.core.records import SHANGHAI, Assessment, Concern, Key, Light, Next, StreamKey
from hub.core.sentences import render

AT = datetime(2026, 3, 1, 20, tzinfo=SHANGHAI)
CALL = Key("police", "incident", "J1")


def explanation(*rules: tuple[str, Light], light: Light = Light.red) -> dict[str, object]:
    concerns = tuple(Concern(rule, colour, AT, None, (CALL,), ("review_red",)) for rule, colour in rules)
    assessment = Assessment(light, AT, concerns, (), (), None, (), (), None, frozenset())
    return explain(Subject("h", AT, "v"), assessment, lambda rule, since: ("二(一)", "law"), {CALL: AT})


def rules(told: dict[str, object]) -> list[str]:
    return [concern["rule"] for concern in told["concerns"]]


@pytest.mark.parametrize("reader", ["exporter", "police", "court", "procuratorate"])
def test_a_penalty_is_named_to_those_who_may_know(reader: str) -> None:
    """Police, court, procuratorate and the exporter read the rule itself."""
    assert rules(withhold(explanation(("R2", Light.red)), reader)) == ["R2"]


def test_a_penalty_is_a_police_measure_to_everybody_else() -> None:
    """The coordinator reads other rules, but of a penalty only that the police took a measure, without record or law."""
    told = withhold(explanation(("R2", Light.red), ("O5", Light.orange)), "coordinator")

    assert rules(told) == ["police_measure", "O5"]
    assert told["concerns"][0]["events"] == []
    assert told["concerns"][0]["law"] == ""
    assert "治安" not in render(told, lambda text: text)


@pytest.mark.parametrize("reader", ["education", "station", "womens_federation", "anybody"])
def test_other_units_read_families_of_reasons(reader: str) -> None:
    """No rule, clause, record or way down reaches a unit that need not know."""
    told = withhold(explanation(*((rule, Light.red) for rule in FAMILIES if rule != "G1")), reader)

    assert set(rules(told)) <= set(FAMILIES.values())
    assert all(c["events"] == [] and c["clause"] == "" and c["closes_by"] == [] for c in told["concerns"])


def test_green_is_listed_exactly_when_the_light_is_green() -> None:
    """G1 beside a higher concern is not shown; alone it is."""
    green, yellow = ("G1", Light.green), ("Y1", Light.yellow)

    assert rules(explanation(green, yellow, light=Light.yellow)) == ["Y1"]
    assert rules(explanation(green, light=Light.green)) == ["G1"]


def test_what_changes_next_is_never_missing() -> None:
    """Where nothing is lit, a new concern is what would change it."""
    told = explanation(light=Light.unlit)

    assert (told["next"]["at"], told["next"]["light"], told["next"]["by"]) == (None, None, "new_concern")
    assert "a new concern" in render(told, lambda text: text)


def test_neither_way_nor_stream_tells_what_a_rule_would() -> None:
    """To another unit a step down has a date but no way, coverage has units but no streams; the text still speaks."""
    concern = Concern("O5", Light.orange, AT, None, (CALL,), ("not_substantiated",))
    coming = (Next(AT, Light.unlit, "review_orange"), Next(None, Light.unlit, "not_substantiated"))
    assessment = Assessment(Light.orange, AT, (concern,), (), (), None, coming, (), None, frozenset())
    heard = [Heard(StreamKey("police", "penalty"), AT, False, AT, "P1")]
    told = withhold(
        explain(Subject("h", AT, "v"), assessment, lambda rule, since: ("", ""), {}, Ground(tuple(heard))), "education"
    )

    assert [told["next"]["by"], *(coming["by"] for coming in told["then"])] == ["date", "event"]
    assert told["coverage"] == [{"unit": "police", "stream": None}]
    text = render(told, lambda text: text)
    assert "penalty" not in text
    assert "substantiated" not in text


@pytest.mark.parametrize(
    ("reader", "told"),
    [("procuratorate", True), ("police", True), ("coordinator", True), ("education", False), ("station", False)],
)  # fmt: skip
def test_what_was_not_done_is_told_to_those_who_act_on_it(reader: str, told: bool) -> None:
    """The under-action list and the calls without change reach police, court, procuratorate and coordinator alone."""
    rows = [{"duty": "D21", "why": "month"}]

    assert withhold({"concerns": [], "inaction": rows}, reader)["inaction"] == (rows if told else [])
