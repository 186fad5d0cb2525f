"""A manifest is read as data, and every mistake in it is told at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.sdk import API, ConfigurationError, find_manifest, read_manifest, strip

GOOD = """
name = "police"
unit = "police"
title = "公安分局"
owner = "某支队"
api = ">=1,<2"

[streams.incident]
title = "110接处警"
freshness = "12h"
legal_basis = "反家庭暴力法第15条"
data_classes = ["identity", "police"]

[streams.feedback]
title = "反馈"
freshness = "none"
legal_basis = "高检发〔2020〕9号"
data_classes = []
never_store = ["*住址*", "地址"]

[receives.mandatory_report]
person_fields = ["name", "age"]
legal_basis = "未成年人保护法第11条"
answers = "feedback"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_manifest_is_read(tmp_path: Path) -> None:
    """Streams with their promises and messages with the fields they need."""
    manifest = read_manifest(written(tmp_path, GOOD))

    assert (manifest.name, manifest.unit, manifest.owner, manifest.api) == ("police", "police", "某支队", ">=1,<2")
    assert manifest.streams["incident"].freshness == timedelta(hours=12)
    assert manifest.streams["feedback"].freshness is None
    assert manifest.streams["feedback"].never_store == ("*住址*", "地址")
    assert manifest.receives["mandatory_report"].person_fields == ("name", "age")
    assert manifest.receives["mandatory_report"].answers == "feedback"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """File, place, what was expected and what was found, for all mistakes in one error."""
    text = (
        GOOD.replace('unit = "police"', 'unit = "polise"')
        .replace('freshness = "12h"', 'freshness = "soon"')
        .replace('owner = "某支队"', 'ownr = "某支队"')
        .replace('answers = "feedback"', 'answers = "nowhere"')
        .replace('"age"', '"shoe_size"')
    )

    with pytest.raises(ConfigurationError) as caught:
        read_manifest(written(tmp_path, text))

    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    for said in (
        "unit: expected",
        "streams.incident.freshness: ",
        "ownr: ",
        "owner?",
        "receives.mandatory_report.answers: ",
        "'shoe_size'",
    ):
        assert any(said in line for line in lines), said
    assert all(line.startswith(str(tmp_path)) for line in lines)


@pytest.mark.parametrize(
    "text", ["", "name = ", 'name = "x"\nstreams = 3', "[streams]\nincident = 1", "[receives.gossip]"]
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    """An empty, broken or oddly shaped file is a configuration error, never another one."""
    with pytest.raises(ConfigurationError):
        read_manifest(written(tmp_path, text))


@pytest.mark.parametrize(
    ("api", "fits"), [(">=1,<2", True), ("==1", True), (">=1", True), (">=2", False), ("<1", False), ("1.x", False)]
)
def test_api_range_holds_ours(tmp_path: Path, api: str, fits: bool) -> None:
    """A connector written for another version of the SDK is refused at the door."""
    path = written(tmp_path, GOOD.replace(">=1,<2", api))

    assert API == 1
    if fits:
        assert read_manifest(path).api == api
    else:
        with pytest.raises(ConfigurationError, match="api") as refused:
            read_manifest(path)
        assert refused.value.code == "connector.api"
        assert "hub connectors test" in refused.value.remedy


def test_missing_manifest_is_told(tmp_path: Path) -> None:
    """No file and no such package are configuration errors that say what to do."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_manifest(tmp_path / "manifest.toml")
    with pytest.raises(ConfigurationError, match=r"no manifest\.toml found"):
        find_manifest("connectors.no_such_unit")


def test_finding_a_manifest_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that would end the process on import is found all the same."""
    package = tmp_path / "outside_unit" / "inner"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    written(package, GOOD)
    monkeypatch.syspath_prepend(str(tmp_path))

    assert find_manifest("outside_unit.inner") == package / "manifest.toml"


def test_strip_drops_by_header_and_by_renamed_name(tmp_path: Path) -> None:
    """A listed column goes under its own header, the unit's header for it, and inside nested objects; rows stay whole."""
    promise = read_manifest(written(tmp_path, GOOD)).streams["feedback"]
    rows = [
        {"编号": "1", "受害人住址": "a", "ZZ": "b", "地址": "c", "地址簿": "d", "详情": [{"现住址": "e", "f": 1}]},
        "no row",
    ]

    kept, counts = strip(promise, rows, {"受害人住址": "zz"})

    assert kept == [{"编号": "1", "地址簿": "d", "详情": [{"f": 1}]}, "no row"]
    assert counts == {"受害人住址": 1, "ZZ": 1, "地址": 1, "现住址": 1}
    assert rows[0]["受害人住址"] == "a"


def test_strip_without_a_list_changes_nothing(tmp_path: Path) -> None:
    """A stream without never_store columns keeps its rows as they are."""
    rows = [{"地址": "a"}, None]

    assert strip(read_manifest(written(tmp_path, GOOD)).streams["incident"], rows) == (rows, {})


@pytest.mark.parametrize(
    ("unit", "stands_for", "wrong"),
    [
        ("hotline_12345", "community_grid", ""),
        ("hotline_12345", "", "unit: expected one of police"),
        ("hotline_12345", "the_grid", "stands_for: expected one of police"),
        ("police", "community_grid", "stands_for: expected nothing beside unit = police"),
        ("12345", "community_grid", "unit: expected a name of small letters"),
        ("coordinator", "community_grid", "unit: expected a name of small letters"),
    ],
)
def test_source_outside_the_ten_says_whom_it_stands_for(tmp_path: Path, unit: str, stands_for: str, wrong: str) -> None:
    """A unit of its own needs one of the ten beside it, and one of the ten needs none."""
    line = f'stands_for = "{stands_for}"\n' if stands_for else ""
    path = written(tmp_path, GOOD.replace('unit = "police"\n', f'unit = "{unit}"\n{line}'))

    if not wrong:
        assert read_manifest(path).stands_for == stands_for
        return
    with pytest.raises(ConfigurationError) as caught:
        read_manifest(path)
    assert wrong in str(caught.value)


OPTION = """
[config.url]
title = "接口地址"
kind = "url"
required = true
[config.token]
title = "令牌"
kind = "secret"
"""


def test_options_of_its_own(tmp_path: Path) -> None:
    """A connector with a source of its own says what IT staff must set, by kind."""
    options = read_manifest(written(tmp_path, GOOD + OPTION)).config

    assert {name: (option.kind, option.required) for name, option in options.items()} == {
        "url": ("url", True),
        "token": ("secret", False),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [('kind = "url"', 'kind = "number"'), ("required = true", 'required = "yes"'), ('title = "令牌"', "")],
)
def test_options_are_checked(tmp_path: Path, old: str, new: str) -> None:
    """An unknown kind, a word where true or false stands, an option without a title: all are mistakes."""
    with pytest.raises(ConfigurationError, match=r"config\."):
        read_manifest(written(tmp_path, GOOD + OPTION.replace(old, new)))
