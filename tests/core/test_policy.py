"""The policy file is data: it loads, cites, can be overlaid, and refuses what it does not know."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.core.conditions import compile_when
from hub.core.errors import ConfigurationError
from hub.core.policy import load_policy
from hub.core.proofs import PROOFS
from hub.core.records import Key, Light
from hub.core.states import STATES
from hub.core.timeline import derive
from tests.core.light_cases import event, policy

FOLDER = Path(__file__).parents[2] / "hub" / "policies"
TEXT = (FOLDER / "district-2021-08-30.toml").read_bytes()


def overlaid(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(TEXT, text.encode())
    return caught.value


def test_every_rule_of_the_document_is_there_and_cites_clause_and_law() -> None:
    """R1–R9, O1–O6, Y1–Y4, G1, T1, E1, E2, P1, P2, each with clause, law and basis."""
    expected = {f"R{n}" for n in range(1, 10)} | {f"O{n}" for n in range(1, 7)} | {f"Y{n}" for n in range(1, 5)}
    rules = policy().rules

    assert set(rules) == expected | {"G1", "T1", "E1", "E2", "P1", "P2"}
    assert all(rule.clause and rule.law and rule.basis and rule.title for rule in rules.values())


@pytest.mark.parametrize(
    ("rule", "light"),
    [("R1", Light.red), ("O1", Light.orange), ("T1", Light.orange), ("Y4", Light.yellow), ("G1", Light.green)],
)
def test_rules_light_what_the_table_says(rule: str, light: Light) -> None:
    """The light of a rule is the light of the policy's table."""
    assert policy().rules[rule].light == light


def test_a_rule_without_clause_or_law_is_refused() -> None:
    """A light must cite both; a report or duty at least one."""
    bare = TEXT.replace('law = "人民检察院组织法 21"'.encode(), b'law = ""')
    with pytest.raises(ConfigurationError, match="light R4"):
        load_policy(bare)
    with pytest.raises(ConfigurationError, match="neither clause nor law"):
        load_policy(b'[[duty]]\nid = "D1"\nclause = ""\nlaw = ""\n')


def test_an_overlay_changes_numbers_switches_ladder_and_duties() -> None:
    """What a district may change, changed; everything else as it was."""
    text = '[numbers]\nobservation_days = 30\n[switches]\nE1 = true\n[ladder]\nreceived = "2m"\n[duty.D2]\ndue = ["12h", "48h", "5d"]\n'
    changed = load_policy(TEXT, text.encode())

    assert changed.numbers["observation_days"] == 30
    assert changed.switch("E1")
    assert not policy().switch("E1")
    assert changed.ladder["received"] == timedelta(minutes=2)
    assert next(row for row in changed.raw["duty"] if row["id"] == "D2")["due"] == ["12h", "48h", "5d"]
    assert changed.rhythms[Light.red].later == 5
    assert changed.version != policy().version


def test_deadlines_of_the_configuration_rule_over_the_file() -> None:
    """hub.toml [deadlines] set the ladder."""
    assert load_policy(TEXT, None, {}, {"accepted": timedelta(seconds=1)}).ladder["accepted"] == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[numbers]\nobservation_day = 3", "observation_days"),
        ("[number]\na = 3", "numbers"),
        ("[switches]\nE1 = 1", "E1"),
        ("[duty.D99]\ndue = []", "no row 'D99'"),
        ("not toml", "TOML"),
    ],
)
def test_a_mistaken_overlay_is_refused_with_what_was_meant(text: str, words: str) -> None:
    """The message names what was found and the nearest valid name."""
    assert words in str(overlaid(text))


def test_the_sample_overlay_says_nothing_until_it_is_edited() -> None:
    """All of its lines are comments, and with them taken away it is a valid overlay."""
    sample = (FOLDER / "sample-overlay.toml").read_text(encoding="utf-8")
    edited = "\n".join(
        line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line
        for line in sample.splitlines()
    )

    assert load_policy(TEXT, sample.encode()).numbers == policy().numbers
    assert load_policy(TEXT, edited.encode()).switch("E2")


def test_every_name_in_the_file_has_a_meaning() -> None:
    """Proofs, states and the rules that descents close or lead to exist; no descent is unreachable."""
    loaded = policy()

    assert {p for ds in loaded.descents.values() for d in ds for p in d.proofs} <= set(PROOFS) | {
        "observation_days",
        "observation_visits",
    }
    assert {state for states in loaded.states.values() for _, state in states} == set(STATES)
    assert set(loaded.closes_by) == set(loaded.rules) - {"E2"}


@pytest.mark.parametrize("atom", ["no_such_fact", "score > 4", "score >= four", "grade == general", ""])
def test_a_condition_that_cannot_be_read_is_refused(atom: str) -> None:
    """An unknown fact or a slip of the pen is found when the file is loaded, never later."""
    with pytest.raises(ConfigurationError):
        compile_when({"all": [atom]}, "test")


def test_unrecorded_equals_nothing() -> None:
    """A4: an unrecorded fact is neither its words nor "no"."""
    call = event("2026-03-01 police.incident J1 category=family_dispute")
    facts, derived, key = call.facts, derive(call), call.key

    assert not compile_when({"all": ["intensity = general"]}, "t")(facts, derived, key)
    assert not compile_when({"all": ["injury = none"]}, "t")(facts, derived, key)
    assert not compile_when({"all": ["weapon = no"]}, "t")(facts, derived, key)
    assert compile_when({"all": ["intensity unrecorded", "unit = police"]}, "t")(facts, derived, key)
    assert compile_when({"none": ["intensity = general"], "any": ["category recorded"]}, "t")(facts, derived, key)


@pytest.mark.parametrize(
    ("unit", "kind", "reporting"),
    [
        ("education", "concern_found", True), ("education", "visit_recorded", True), ("health", "treatment_recorded", True),
        ("civil_affairs", "shelter", True), ("community_grid", "mediation", True), ("community_grid", "conflict_found", True),
        ("police", "police_call", False), ("police", "visit_recorded", False), ("justice", "forensic_result", False),
        ("court", "protection_order", False), ("womens_federation", "review_concluded", False),
    ],
)  # fmt: skip
def test_streams_with_a_report_rule(unit: str, kind: str, reporting: bool) -> None:
    """S23: which streams are taken leniently."""
    assert policy().is_reporting(unit, kind) is reporting


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        ("2026-03-01 justice.mediation M1 origin=applied violence=suspected", ("M1",)),
        ("2026-03-01 justice.mediation M1 origin=transferred", ()),
        ("2026-03-01 community_grid.mediation M1 origin=offered sexual_assault_suspected=yes", ("M1",)),
        ("2026-03-01 education.concern K1 kind=suspected_dv victim=3 situation=abandoned", ("M2", "M7")),
        ("2026-03-01 health.treatment H1 violence_suspected=yes victim=1", ()),
        ("2026-03-01 health.treatment H1 harm_suspected=yes victim=5", ("M3",)),
        ("2026-03-01 health.treatment H1 harm_suspected=yes victim=6", ("M3",)),
        ("2026-03-01 youth_league.complaint Q1 kind=domestic_violence victim=3", ("M4",)),
        ("2026-03-01 youth_league.complaint Q1 kind=sexual_assault victim=3", ("M5",)),
        ("2026-03-01 youth_league.intervention Q1 finding=violence victim=3", ("M4",)),
        ("2026-03-01 womens_federation.complaint W1 kind=domestic_violence", ()),
        ("2026-03-01 womens_federation.complaint W1 kind=sexual_assault victim=3", ("M7",)),
        ("2026-03-01 womens_federation.danger_scale D1 score=4 victim=5", ("M6",)),
        ("2026-03-01 womens_federation.visit V1 finding=violence a=2 b=3", ("M6",)),
        ("2026-03-01 education.visit V1 finding=violence a=2 b=1", ()),
        ("2026-03-01 police.check_visit V1 finding=violence a=2 b=3", ()),
        ("2026-03-01 civil_affairs.shelter S1 victim=1 child=3", ()),
        ("2026-03-01 civil_affairs.shelter S1 victim=3", ("M6",)),
        ("2026-03-01 community_grid.conflict X1 kind=suspected_violence a=2 b=1", ()),
    ],
)  # fmt: skip
def test_report_rules_of_one_record(row: str, rules: tuple[str, ...]) -> None:
    """Sections 5 and S21, S22, S28: which M rules a record falls under, in table order."""
    found = event(row)

    assert policy().report_rules(found, derive(found)) == rules


@pytest.mark.parametrize(
    ("row", "signal"),
    [
        ("2026-03-01 education.concern K1 kind=neglect victim=3", True),
        ("2026-03-01 health.treatment H1 injury=slight relation=spouse", True),
        ("2026-03-01 justice.forensic F1 injury=minor", True),
        ("2026-03-01 womens_federation.complaint W1 kind=other", True),
        ("2026-03-01 youth_league.complaint Q1 kind=bullying victim=3", True),
        ("2026-03-01 community_grid.conflict X1 kind=general_conflict", True),
        ("2026-03-01 community_grid.visit V1 finding=calm", False),
        ("2026-03-01 police.incident J1 category=family_dispute", False),
        ("2026-03-01 education.concern K1 kind=suspected_dv victim=3", False),
    ],
)
def test_minor_signals(row: str, signal: bool) -> None:
    """S13: rows the table calls so, or that open only Y3."""
    found = event(row)

    assert policy().is_signal(found, derive(found)) is signal


def test_clauses_of_rules_descents_reports_and_duties() -> None:
    """``clause`` answers for every id of the file, and with nothing for an unknown one."""
    loaded = policy()

    assert loaded.clause("R3") == ("关护〔二(一)〕", "反家庭暴力法 30")
    assert loaded.clause("review_red")[1]
    assert loaded.clause("M6")[1]
    assert loaded.clause("X9") == ("", "")
    assert Key("a", "b", "c").no == "c"
