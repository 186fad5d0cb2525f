"""The shared schema fits itself."""

from __future__ import annotations

from hub.core.codes import CODES
from hub.core.fields import readers_of
from hub.core.words import (
    COMMON,
    FAMILY_KIN,
    HOUSEHOLD_KIN,
    KIN_BY_DIGIT,
    KIN_BY_WORD,
    KIND_WITH_STATE,
    KINDS,
    public_kind,
)

FORMS = {"when", "flag", "code", "codes", "count", "kin", "units", "word", "number"}


def test_every_fact_has_a_form_and_its_table() -> None:
    """Each declared fact can be read: its form is known and its code table exists."""
    for spec in KINDS.values():
        for form in {**COMMON, **spec.facts}.values():
            assert form.form in FORMS
            if form.form in ("code", "codes"):
                assert form.table in CODES


def test_times_suspicions_and_required_fields_are_facts_of_their_kind() -> None:
    """What a kind says about its facts names facts that it has."""
    for kind, spec in KINDS.items():
        for name in (*spec.at, *spec.ends, *spec.suspicion, *spec.required):
            assert name in spec.facts, (kind, name)
        for name in (*spec.at, *spec.ends):
            assert spec.facts[name].form == "when"


def test_readers_cover_what_a_kind_declares() -> None:
    """Every fact of every kind has a reader; ends of states may lie ahead, other times may not."""
    for kind, spec in KINDS.items():
        readers = readers_of(kind, "police")
        assert set(readers) == set(COMMON) | set(spec.facts)
        for name, reader in readers.items():
            form = {**COMMON, **spec.facts}[name].form
            assert reader.bounded == (form == "when" and name not in spec.ends)


def test_units_that_number_a_table_in_their_own_way() -> None:
    """Code 4 is sexual assault for the women's federation; for the youth league it is 2."""
    womens = readers_of("complaint_received", "womens_federation")["kind"]
    youth = readers_of("complaint_received", "youth_league")["kind"]
    assert womens.read("4") == youth.read("2") == "sexual_assault"
    assert womens.read("2") == youth.read("家暴") == "domestic_violence"


def test_relations_are_known_classes() -> None:
    """Words and digits lead to the same few classes, and former spouses are family but no household."""
    classes = {*KIN_BY_WORD.values(), *KIN_BY_DIGIT.values()}
    assert classes == FAMILY_KIN | {"self", "none"}
    assert {"former_spouse"} == FAMILY_KIN - HOUSEHOLD_KIN


def test_kinds_that_carry_their_state() -> None:
    """A kind is exported with its state, when it has one."""
    for kind, fact in KIND_WITH_STATE.items():
        assert fact in KINDS[kind].facts
    assert public_kind("mediation", {"status": "resolved"}) == "mediation_resolved"
    assert public_kind("mediation", {}) == "mediation"
    assert public_kind("police_call", {"outcome": "left"}) == "police_call"
