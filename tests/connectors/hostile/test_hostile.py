"""Every check of the kit bites: for each there is a misdeed that it, run alone, finds in an otherwise golden connector."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.kit.bench import Forge
from hub.kit.checks import CHECKS
from hub.kit.golden import write_golden
from hub.kit.target import Target, find_target
from hub.kit.verdict import Verdict, examine

PACKAGE = Path(__file__).with_name("package")

IN_CODE = {
    # misdeed (source.py): the check that is meant for it
    "exits_at_import": "load.alone",
    "ends_at_import": "load.alone",
    "sleeps_at_import": "load.alone",
    "writes_at_import": "load.alone",
    "asks_at_import": "load.alone",
    "raises_on_bad_rows": "map.one_per_row",
    "drops_rows": "map.one_per_row",
    "doubles_rows": "map.one_per_row",
    "numbers_anew": "map.one_per_row",
    "keeps_undeclared": "map.undeclared_dropped",
    "renames_what_is_forbidden": "map.never_store",
    "speaks_for_the_police": "map.own_words",
    "calls_it_a_penalty": "map.own_words",
    "invents_facts": "map.own_words",
    "invents_roles": "map.own_words",
    "prints_people": "canary.mapping",
    "logs_people": "canary.mapping",
    "quotes_people": "canary.mapping",
    "swaps_parties": "samples.golden",
    "reads_one_header": "samples.both_headers",
    "writes_its_own_codes": "samples.accepted",
    "draws_lots": "map.deterministic",
    "reads_the_clock": "map.deterministic",
    "counts_on": "map.deterministic",
    "looks_at_neighbours": "map.deterministic",
    "orders_by_chance": "map.deterministic",
    "alters_rows": "map.input_untouched",
    "leaves_a_file": "map.pure",
    "asks_a_stranger": "map.pure",
    "starts_a_program": "map.pure",
    "renders_the_time": "render.stable",
    "renders_in_no_order": "render.stable",
    "never_ends": "fault.calm",
    "never_moves": "fault.calm",
    "promises_too_much": "fault.kill",
    "trusts_the_order": "fault.pages",
    "asks_after_the_border": "fault.border",
    "forgets_latecomers": "fault.late",
    "invents_keys": "fault.cursor_regress",
    "believes_the_future": "fault.clock",
    "knocks_again_and_again": "fault.storm",
    "forgets_retry_after": "fault.storm",
    "takes_refusal_for_the_end": "fault.credentials",
    "takes_garbage_for_nothing": "fault.answers",
    "raises_bare_errors": "fault.answers",
    "reads_half_files": "fault.half_file",
    "waits_for_ever": "fault.drip",
    "chokes_on_giants": "fault.giant",
    "counts_wrongly": "days.account",
    "counts_by_other_days": "days.account",
    "names_other_keys": "days.account",
    "takes_refusal_for_an_empty_day": "days.account",
    "gives_nothing_again": "days.lost",
    "never_stops_giving": "days.lost",
    "sends_other_bytes": "send.mirrored",
    "sends_under_another_number": "send.mirrored",
    "raises_when_refused": "send.mirrored",
    "says_received_to_everything": "send.mirrored",
    "sleeps": "life.answers",
    "sleeps_in_fetch": "life.answers",
    "ends_the_process": "life.lives",
    "exits": "life.lives",
    "hoards": "life.leak",
    "takes_all_the_memory": "life.in_the_hub",
    "puts_objects_into_drafts": "life.in_the_hub",
    "reads_the_hubs_keys": "life.own_files",
    "reads_the_database": "life.own_files",
    "reads_anothers_secret": "life.own_files",
    "tells_the_credential": "canary.faults",
    "quotes_the_answer": "canary.faults",
}
EVERYTHING = {"promises_too_much": "fault.everything"}


def edit(name: str, *changes: str) -> Callable[[Path], None]:
    """Change places of one file: what stands there, what shall stand there, and so on."""

    def do(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")

    return do


IN_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    # misdeed of what lies there: how it is done, the check that is meant for it
    "other_name": (edit("manifest.toml", 'name = "hostile_line"', 'name = "kind_line"'), "manifest.valid"),
    "other_api": (edit("manifest.toml", ">=1,<2", ">=2"), "manifest.valid"),
    "takes_anothers_unit": (edit("manifest.toml", 'unit = "hostile_line"\nstands_for = "community_grid"', 'unit = "community_grid"'), "manifest.valid"),
    "no_law": (edit("manifest.toml", "反家庭暴力法第13条", "工作需要"), "manifest.legal_basis"),
    "no_classes": (edit("manifest.toml", '["identity", "contact", "family"]', "[]"), "manifest.legal_basis"),
    "no_quality": (lambda folder: (folder / "quality.toml").unlink(), "layout.files"),
    "reads_the_archive": (
        edit("mapping.py", "CONNECTOR =", "def peep():\n    import hub.store.engine\n\n\nCONNECTOR ="), "imports.sdk_only",
    ),
    "clock_in_the_mapping": (edit("mapping.py", "from pathlib", "import time\nfrom pathlib"), "imports.sdk_only"),
    "few_samples": (edit("samples/conflict.csv", "HL3,2026-11-03 10:00:00,2,家中吵闹,陈某,,,,,,,2026-11-03 11:00:00,,310101001002,\n", ""), "samples.present"),
    "real_person": (edit("samples/conflict.csv", "13900000103", "13816543210"), "samples.invented"),
    "nothing_retracted": (edit("samples/conflict.csv", ",是,", ",,"), "samples.retraction"),
    "says_nothing": (edit("__init__.py", "Legal basis:", "Somehow:"), "docs.package"),
    "numbers_only": (edit("samples/conflict.csv", ",一般矛盾,", ",1,", ",疑似家暴,", ",3,"), "samples.codes_both_ways"),
    "numbers_for_all": (edit("samples/conflict.csv", "3101****3242", ""), "samples.identity"),
    "much_to_do": (edit("quality.toml", '{ exempt = "there is no real system" }', '{ todo = "ask" }'), "quality.proved"),
    "boasts": (edit("quality.toml", '{ exempt = "there is no real system" }', '"done"'), "quality.proved"),
}  # fmt: skip


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    """One set of processes that fork children, for the whole module."""
    made = Forge()
    yield made
    made.close()


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calm connector with its golden drafts."""
    folder = tmp_path_factory.mktemp("hostile") / "package"
    shutil.copytree(PACKAGE, folder)
    (folder / "hostile_line" / "misdeed.txt").write_text("", encoding="ascii")
    write_golden(find_target(str(folder)))
    return folder


@pytest.fixture
def make(golden: Path, tmp_path: Path) -> Callable[[str], Target]:
    """A copy of the connector with one misdeed switched on."""

    def copy(misdeed: str) -> Target:
        folder = tmp_path / "package"
        shutil.copytree(golden, folder)
        (folder / "hostile_line" / "misdeed.txt").write_text(misdeed, encoding="ascii")
        return find_target(str(folder))

    return copy


def failed(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    """What failed or was skipped, and what was found."""
    return {r.check.id: r.found for r in verdict.results if r.state in ("failed", "skipped")}


def test_calm_it_is_platinum(make: Callable[[str], Target], forge: Forge) -> None:
    """Without a misdeed nothing is found: whatever the other tests find is the misdeed's."""
    verdict = examine(make(""), forge=forge)

    assert failed(verdict) == {}
    assert verdict.level == "platinum"


@pytest.mark.parametrize(("misdeed", "check"), [*IN_CODE.items(), *EVERYTHING.items()])
def test_misdeed_is_found(make: Callable[[str], Target], forge: Forge, misdeed: str, check: str) -> None:
    """The check that is meant for a misdeed finds it, alone."""
    patience = 1.5 if "sleeps" in misdeed else 3.0 if misdeed == "waits_for_ever" else 10.0

    assert list(failed(examine(make(misdeed), only={check}, patience=patience, forge=forge))) == [check]


@pytest.mark.parametrize("misdeed", IN_FILES)
def test_misdeed_in_files_is_found(make: Callable[[str], Target], forge: Forge, misdeed: str) -> None:
    """So does the check of what lies there."""
    do, check = IN_FILES[misdeed]
    target = make("")
    do(target.folder)

    assert list(failed(examine(target, only={check}, forge=forge))) == [check]


def test_every_check_bites() -> None:
    """No check is without a misdeed that it finds."""
    assert {check for _, check in IN_FILES.values()} | {*IN_CODE.values(), *EVERYTHING.values()} == {
        check.id for check in CHECKS
    }
