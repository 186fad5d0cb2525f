"""Editions side by side: the event's date picks the law, the day picks the counts, the citation is that of its time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from hub.core.assess import assess, course
from hub.core.clocks import Moment, opening
from hub.core.editions import load_editions
from hub.core.errors import ConfigurationError
from hub.core.records import SHANGHAI, Course, Light
from hub.core.rules import Policy
from tests.core.light_cases import event, policy, when
from tests.core.test_light_properties import DAYS, SEEDS, Seed, at_day, build, case_of

FOLDER = Path(__file__).parents[2] / "hub" / "policies"
TEXT = (FOLDER / "district-2021-08-30.toml").read_bytes()
LAW = (FOLDER / "laws" / "2026-01-01.toml").read_bytes()
FROM_MARCH = (
    b'level = "district"\neffective_from = 2026-03-01\n[switches]\nR2 = false\n[numbers]\nobservation_days = 30\n'
)
PROVINCE = b'level = "province"\n[duty.D6]\ndue = ["7d", "1mo"]\n'
PENALTY = "{day} police.penalty P1 domestic_violence=yes decided_on={day}"


def both() -> Policy:
    return load_editions([TEXT], [FROM_MARCH, PROVINCE, LAW])


def look(rows: list[str], at: str, by: Policy) -> Course:
    return course(case_of([event(row) for row in rows]), by, Moment(opening(when(at))))


def test_the_events_date_picks_the_law() -> None:
    """A penalty of February lights red for good, one of March lights nothing, whenever it is asked."""
    february, march = (PENALTY.format(day=day) for day in ("2026-02-28", "2026-03-01"))

    assert look([february], "2026-04-01", both()).light == Light.red
    assert look([march], "2026-04-01", both()).light == Light.unlit
    assert look([march], "2026-04-01", policy()).light == Light.red


def test_the_day_picks_the_counts_and_the_change_is_foreseen() -> None:
    """An observation under way ends by the shorter count once that is in force; before, its end is not yet known."""
    order = "2026-01-01 court.protection_order B1 result=issued decided_on=2026-01-01 valid_until=2026-01-10"
    visits = [f"2026-01-{day} community_grid.visit V{day} finding=calm mode=home" for day in (12, 14, 16)]
    rows = [order, *visits]

    assert look(rows, "2026-02-20", both()).light == Light.orange
    assert look(rows, "2026-02-28T23:59", both()).light == Light.orange
    assert look(rows, "2026-03-01", both()).light == Light.yellow
    assert look(rows, "2026-03-01", policy()).light == Light.orange
    moment = Moment(opening(when("2026-02-20")))
    course(case_of([event(row) for row in rows]), both(), moment)
    assert moment.valid_until == datetime(2026, 3, 1, tzinfo=SHANGHAI)


def test_an_edition_that_counts_shorter_ends_nothing_before_its_first_day() -> None:
    """Green that the new count would have ended long ago lapses on the edition's first day; until then it was green."""
    shorter = load_editions([TEXT], [b"effective_from = 2026-03-01\n[numbers]\ngreen_days = 30\n"])
    rows = ["2026-01-05 justice.mediation M1 origin=applied violence=none status=resolved closed_on=2026-01-06"]

    assert look(rows, "2026-02-28T23:59", shorter).light == Light.green
    spans = look(rows, "2026-04-01", shorter).spans
    assert [(span.light, span.since.date().isoformat()) for span in spans[-2:]] == [
        (Light.green, "2026-01-06"),
        (Light.unlit, "2026-03-01"),
    ]


def test_an_order_without_end_lasts_as_its_first_day_says() -> None:
    """Made in February it lasts six months, made in March three, whatever edition is in force when it is asked."""
    shorter = load_editions([TEXT], [b"effective_from = 2026-03-01\n[numbers]\norder_months = 3\n"])
    orders = {
        day: f"{day} court.protection_order B1 result=issued decided_on={day}" for day in ("2026-02-20", "2026-03-10")
    }

    assert look([orders["2026-02-20"]], "2026-08-20T23:59", shorter).light == Light.red
    assert look([orders["2026-03-10"]], "2026-06-10T23:59", shorter).light == Light.red
    assert look([orders["2026-03-10"]], "2026-06-11", shorter).light == Light.orange


def test_citations_are_those_of_the_day() -> None:
    """The shipped edition of the security law changes words only: no edition, but the clause of a concern of its time."""
    laws = load_editions([TEXT], [LAW])

    assert laws.later == ()
    before, after = (laws.clause("R2", datetime(year, 6, 1, tzinfo=SHANGHAI))[1] for year in (2025, 2026))
    assert "43" in before
    assert "136" in after
    assert laws.clause("R3", datetime(2026, 6, 1, tzinfo=SHANGHAI)) == laws.clause("R3")


def test_a_province_is_laid_before_its_district() -> None:
    """What both set is the district's; what only the province sets holds; the version names every layer."""
    district = b'level = "district"\n[duty.D6]\ndue = ["7d", "2mo"]\n'
    rows = {row["id"]: row for row in load_editions([TEXT], [district, PROVINCE]).raw["duty"]}
    assert rows["D6"]["due"] == ["7d", "2mo"]
    alone = load_editions([TEXT], [PROVINCE])
    assert {row["id"]: row for row in alone.raw["duty"]}["D6"]["due"] == ["7d", "1mo"]
    assert alone.version != policy().version


@pytest.mark.parametrize("name", sorted(file.name for file in (FOLDER / "provinces").glob("*.toml")))
def test_every_shipped_province_compiles(name: str) -> None:
    """Provincial overlays change what is there."""
    assert load_editions([TEXT], [(FOLDER / "provinces" / name).read_bytes()]).raw != policy().raw


@pytest.mark.parametrize("text", [b'level = "county"', b'effective_from = "soon"', b"[duty.D99]\ndue = []"])
def test_a_mistaken_overlay_is_refused(text: bytes) -> None:
    """An unknown level, day or row says what was expected."""
    with pytest.raises(ConfigurationError):
        load_editions([TEXT], [text])


@given(SEEDS, DAYS)
@settings(max_examples=60, deadline=None)
def test_an_edition_that_changes_nothing_changes_nothing(seeds: list[Seed], day: int) -> None:
    """Two whole files that say the same, one in force from the middle of the history: the same course and duties."""
    renamed = TEXT.replace(b"effective_from = 2021-08-30", b"effective_from = 2025-09-01").replace(
        b"calls_window = 90", b"calls_window = 91", 1
    )
    back = renamed.replace(b"2025-09-01", b"2025-09-02").replace(b"calls_window = 91", b"calls_window = 90", 1)
    three = load_editions([TEXT, renamed, back], [], {})
    one = load_editions([TEXT], [], {})
    case = case_of(build(seeds))
    assert len(three.later) == 2

    mine, theirs = (assess(case, p, Moment(at_day(day))) for p in (three, one))
    assert mine.spans == theirs.spans
    assert mine.concerns == theirs.concerns
    assert {(o.what, o.to, o.slot, o.due) for o in mine.owed} == {(o.what, o.to, o.slot, o.due) for o in theirs.owed}
