"""`hub init`, `hub check` and `hub connectors`: a folder that works at once and says what is wrong with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import tomlkit

from hub.config.toml_lines import find_lines
from hub.settings import StreamConfig
from tests.cli.conftest import District, Hub, call
from tests.end_to_end.story import call as police_call

CONNECTORS = {
    "civil_affairs", "community_grid", "court", "education", "health", "justice", "police", "procuratorate",
    "womens_federation", "youth_league",
}  # fmt: skip


def edit(folder: Path, name: str, text: str) -> None:
    """Append to a connector's TOML, or to hub.toml."""
    path = folder / ("hub.toml" if name == "hub" else f"connectors.d/{name}.toml")
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_init_writes_a_folder_that_checks_clean(folder: Path, hub: Hub) -> None:
    """Everything of the contract is there, secrets are private, every connector has a sample, and check finds nothing."""
    assert {path.stem for path in (folder / "connectors.d").glob("*.toml")} == CONNECTORS
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (folder / "secrets" / "master.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "hub.db").stat().st_mode & 0o077 == 0
    told = hub("check", "--json")

    assert (told.code, told.json["ok"], told.json["mistakes"]) == (0, True, [])


def test_init_never_overwrites(folder: Path, hub: Hub) -> None:
    """A folder that holds a configuration is refused, and not a byte of it changes."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = hub("init", str(folder))

    assert told.code == 2
    assert "nothing was written" in told.err
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_commented_sample_is_valid(folder: Path, hub: Hub) -> None:
    """With all its examples uncommented, every connector file is read without a mistake but the missing secrets."""
    for path in (folder / "connectors.d").glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        kept = [re.sub(r"^# (?=\[|\w+ = )", "", line) for line in text.splitlines()]
        lines = [line for line in kept if not re.match(r"^(transport = \"\w+\" {2,}|fields = \{ \"our)", line)]
        path.write_text("\n".join(lines), encoding="utf-8")
        assert tomllib.loads(path.read_text(encoding="utf-8"))["streams"]
    told = hub("check", "--json")

    assert told.json["mistakes"] == []


def test_enable_keeps_comments_and_needs_no_transport(folder: Path, hub: Hub) -> None:
    """Enabling changes one word of the file; the connector then has all its streams by push and ingest."""
    path = folder / "connectors.d" / "police.toml"
    before = path.read_text(encoding="utf-8")
    told = hub("connectors", "enable", "police", "--json")

    assert told.json == {"connector": "police", "enabled": True, "changed": True}
    assert path.read_text(encoding="utf-8") == before.replace("enabled = false", "enabled = true")
    assert hub("connectors", "enable", "police", "--json").json["changed"] is False
    assert hub("connectors", "disable", "police").code == 0
    assert path.read_text(encoding="utf-8") == before


def test_a_misspelt_connector_is_answered_with_the_nearest(hub: Hub) -> None:
    """The command names what was probably meant and exits as wrong usage."""
    told = hub("connectors", "enable", "polise")

    assert told.code == 2
    assert 'did you mean "police"?' in told.err


def test_list_and_show(hub: Hub) -> None:
    """Every installed connector is listed, switched off, with streams as its manifest has them."""
    listed = hub("connectors", "list", "--json").json

    assert {row["name"] for row in listed} == CONNECTORS
    assert not any(row["enabled"] for row in listed)
    shown = hub("connectors", "show", "court", "--json").json
    assert "protection_order" in {stream["stream"] for stream in shown["streams"]}


def test_token_is_shown_once_and_kept_as_a_hash(folder: Path, hub: Hub) -> None:
    """What stands in the folder is no credential; the TOML names the file."""
    token = hub("connectors", "token", "health").out.strip()

    kept = folder / "secrets" / "health-push"
    assert token.startswith("fch_")
    assert token not in kept.read_text(encoding="utf-8")
    assert kept.stat().st_mode & 0o777 == 0o600
    table = tomllib.loads((folder / "connectors.d" / "health.toml").read_text(encoding="utf-8"))
    assert table["push"]["token"] == {"file": "secrets/health-push"}
    assert hub("check", "--json").json["mistakes"] == []


def test_check_lists_every_mistake_at_once(folder: Path, hub: Hub) -> None:
    """Mistakes in two files, an unreadable secret and a wrong field name come in one answer, with their lines."""
    edit(folder, "hub", '\n[retri]\nbase = "1s"\n')
    edit(
        folder,
        "police",
        '\n[streams.incident]\ntransport = "rest"\nurl = "https://x.example"\nfields = { "接警编好" = "JJBH" }\n'
        'auth = { kind = "bearer", token = { file = "secrets/none" } }\n',
    )
    hub("connectors", "enable", "police")
    told = hub("check", "--json")

    found = {(m["file"], m["key"].split(".")[-1], m["nearest"]) for m in told.json["mistakes"]}
    assert told.code == 2
    assert found == {
        ("hub.toml", "retri", "retry"),
        ("connectors.d/police.toml", "接警编好", "接警编号"),
        ("connectors.d/police.toml", "secret", ""),
    }
    text = (folder / "connectors.d/police.toml").read_text(encoding="utf-8").splitlines()
    secret = next(m for m in told.json["mistakes"] if m["key"] == "secret")
    assert "secrets/none" in text[secret["line"] - 1]
    assert "hub.toml" in hub("check").out


def test_check_shouts_when_reports_reach_nobody(folder: Path, hub: Hub) -> None:
    """A school's concerns can be mandatory reports: without a police delivery the check ends with 1 and says so first."""
    hub("connectors", "enable", "education")
    told = hub("check")

    assert told.code == 1
    assert told.out.startswith("MANDATORY REPORTS REACH NOBODY")
    first = hub("check", "--json").json["unreceived"][0]
    assert (first["message"], first["unit"]) == ("mandatory_report", "police")
    assert "education.concern" in first["streams"]


def test_check_is_content_when_everybody_receives(folder: Path, hub: Hub) -> None:
    """With every connector enabled, reports to the police and duties to every unit delivered, nothing is missing."""
    for name in CONNECTORS:
        hub("connectors", "enable", name)
        edit(folder, name, f'\n[deliver.duty]\nfolder = "out/{name}"\n')
    edit(folder, "police", '[deliver.mandatory_report]\nfolder = "out/police"\n')
    told = hub("check", "--json")

    assert (told.code, told.json["unreceived"]) == (0, [])


def test_a_broken_overlay_is_a_mistake(folder: Path, hub: Hub) -> None:
    """An overlay that changes what does not exist is named with the file and the nearest name."""
    (folder / "overlay.toml").write_text("[numbers]\nred_day = 3\n", encoding="utf-8")
    told = hub("check", "--json")

    assert told.code == 2
    assert [m["file"] for m in told.json["mistakes"]] == ["overlay.toml"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """Every command says what is missing and what to do, as text and as JSON."""
    told = call(tmp_path, "check", "--json")

    assert told.code == 2
    assert told.json["error"]["code"] == "configuration.missing"
    assert "hub init" in told.err


def test_lines_of_toml() -> None:
    """Keys of tables, dotted keys, quoted keys and arrays of tables have their lines; multi-line texts hold no keys."""
    lines = find_lines('[a."b c"]\nx = 1\n[[t]]\ny = """\nz = 1\n"""\n[[t]]\ny = 2\nq.r = 3\n')

    assert lines[("a", "b c", "x")] == 2
    assert lines[("t", "1", "y")] == 8
    assert lines[("t", "1", "q", "r")] == 9
    assert ("t", "0", "z") not in lines


def test_a_stream_without_table_is_pushed() -> None:
    """Nothing has to be written for a stream that is pushed or ingested."""
    assert StreamConfig(name="incident", transport="push").every is None


def test_a_missing_policy_file_and_an_unknown_role_are_mistakes(district: District) -> None:
    """Both are told at once with their lines; neither is a defect of the hub."""
    path = district.folder / "hub.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    document["policy"]["file"] = "none.toml"
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    district.append("hub", '\n[[tokens]]\nhash = "ab"\nrole = "coordinater"\n')
    told = district("check")

    assert told.code == 2
    assert "none.toml" in told.out + told.err
    assert 'did you mean "coordinator"' in told.out + told.err


def test_init_tells_what_it_made_as_json(hub: Hub, tmp_path: Path) -> None:
    """Folder and connectors, for scripts."""
    told = hub("init", str(tmp_path / "new"), "--json").json

    assert told["folder"] == str(tmp_path / "new")
    assert "police" in told["connectors"]


def test_another_archive_s_master_key_opens_nothing(district: District, hub: Hub, tmp_path: Path) -> None:
    """Beside a foreign key nothing is read and nothing taken: what it would seal and index were doubles."""
    row = police_call("J1", "2026-03-01 20:00:00")
    assert district.ingest("police", "incident", row)["applied"] == 1
    hub("init", str(tmp_path / "other"))
    key = district.folder / "secrets" / "master.key"
    key.write_bytes((tmp_path / "other" / "secrets" / "master.key").read_bytes())

    told = district("ingest", "police", "incident", str(district.file(row)))
    assert told.code == 2
    assert "does not open this archive" in told.err
    assert district("households", "list").code == 2


def test_an_encoding_may_be_found_out(district: District) -> None:
    """`encoding = "auto"` is no mistake."""
    district.append("police", '\n[streams.admonition]\ntransport = "files"\nfolder = "in"\nencoding = "auto"\n')

    assert district("check", "--json").json["mistakes"] == []


def test_mistakes_inside_a_transport_s_tables_are_named(district: District) -> None:
    """Page styles, encodings and addresses are read as keys are: each mistake with its line and the nearest valid word."""
    district.append(
        "police",
        '\n[streams.incident]\ntransport = "rest"\nurl = "not a url"\npage = { siez = 500, style = "pages" }\n'
        '[streams.admonition]\ntransport = "files"\nfolder = "in"\nencoding = "gbk9"\n[deliver.duty]\nurl = "foo"\n',
    )
    told = district("check", "--json")
    places = {wrong["key"] for wrong in told.json["mistakes"]}

    assert told.code == 2
    assert {
        "streams.incident.url", "streams.incident.page.siez", "streams.incident.page.style",
        "streams.admonition.encoding", "deliver.duty.url",
    } <= places  # fmt: skip
