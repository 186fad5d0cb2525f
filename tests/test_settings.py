"""Reading the configuration folder: every mistake at once, with file and line."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from hub.config.configuration import ConfigurationMistakes, examine, load
from hub.config.durations import parse_duration, write_duration
from hub.config.secret_files import SecretError, read_secret, write_secret
from hub.core.errors import ConfigurationError
from hub.sdk.rest import STYLES, PageStyle
from hub.settings import Installed, SecretRef

INSTALLED = {
    "police": Installed(("incident", "report_feedback"), ("mandatory_report", "duty")),
    "court": Installed(("protection_order",)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connectors.d").mkdir()
    (tmp_path / "hub.toml").write_text("", encoding="utf-8")
    return tmp_path


def write_connector(folder: Path, text: str, name: str = "police") -> None:
    (folder / "connectors.d" / f"{name}.toml").write_text(text, encoding="utf-8")


def test_an_empty_file_is_a_whole_configuration(folder: Path) -> None:
    """Everything in hub.toml has a default; paths are the folder's."""
    settings = load(folder, INSTALLED)

    assert settings.database_url == f"sqlite:///{folder}/hub.db"
    assert settings.listen == "127.0.0.1:8080"
    assert settings.keys["master"].file == str(folder / "secrets" / "master.key")


def test_everything_in_the_contract_can_be_said(folder: Path) -> None:
    """The examples of the contract are read as they stand."""
    (folder / "calendar").mkdir()
    (folder / "overlay.toml").touch()
    (folder / "hub.toml").write_text(
        """
[database]
url = "sqlite:///hub.db"
[http]
listen = "127.0.0.1:8080"
[district]
communities = ["310101001001"]
[policy]
file = ""
overlay = "overlay.toml"
[deadlines]
received = "5m"
received_urgent = "100ms"
[retry]
base = "1s"
max = "5m"
[schedule]
tick = "100ms"
lease = "30s"
[contacts]
coordinator = "womens_federation"
police_duty = "police"
street."310101001" = "街道办"
[calendar]
folder = "calendar"
[[tokens]]
hash = "abc"
role = "station"
communities = ["310101001001"]
""",
        encoding="utf-8",
    )
    write_connector(
        folder,
        """
[connector]
name = "police"
enabled = true
[streams.incident]
transport = "rest"
url = "https://example.invalid/api/incidents"
schedule = { every = "2m", jitter = "20s" }
page = { size = 500, param = "pageNo" }
cursor = { field = "更新时间", overlap = "10m" }
auth = { kind = "signature", key = "hub", secret = { file = "secrets/police" } }
fields = { "接警编号" = "JJBH" }
freshness = "1d"
live_from = "2026-11-01"
[streams.report_feedback]
transport = "files"
folder = "in/b"
pattern = "*.csv"
ready = "ok-file"
[push]
token = { file = "secrets/push" }
[deliver.mandatory_report]
url = "https://example.invalid/api/reports"
auth = { kind = "bearer", token = { env = "OUT" } }
[deliver.mandatory_report.second]
folder = "out/second"
""",
    )
    settings = load(folder, INSTALLED)

    police = settings.connectors["police"]
    incident = police.streams["incident"]
    assert settings.deadlines["received_urgent"] == timedelta(milliseconds=100)
    assert settings.contacts["street"] == {"310101001": "街道办"}
    assert (incident.every, incident.overlap) == (timedelta(minutes=2), timedelta(minutes=10))
    assert incident.options["page"] == {"size": 500, "param": "pageNo"}
    assert incident.auth.options == {"key": "hub"}
    assert incident.auth.secret == SecretRef(file=str(folder / "secrets" / "police"))
    assert police.streams["report_feedback"].options["folder"] == str(folder / "in" / "b")
    second = police.deliver["mandatory_report"].second
    assert second is not None
    assert second.folder == str(folder / "out" / "second")


def test_every_mistake_at_once_with_its_line(folder: Path) -> None:
    """Unknown keys, wrong values and unknown words are all listed, each with line and nearest key."""
    (folder / "hub.toml").write_text('[htpp]\nlisten = "x"\n\n[retry]\nbase = "5"\n', encoding="utf-8")
    write_connector(
        folder,
        '[connector]\nname = "police"\nenabled = "yes"\n\n[streams.incidents]\n\n[streams.incident]\n'
        'transport = "rests"\nfreshnes = "1d"\nauth = { kind = "bearer", token = "topsecretvalue" }\n',
    )
    _, mistakes = examine(folder, INSTALLED)

    found = {(m.file, m.line, m.key, m.nearest) for m in mistakes}
    assert found == {
        ("hub.toml", 1, "htpp", "http"),
        ("hub.toml", 5, "retry.base", ""),
        ("connectors.d/police.toml", 3, "connector.enabled", ""),
        ("connectors.d/police.toml", 5, "streams.incidents", "incident"),
        ("connectors.d/police.toml", 8, "streams.incident.transport", "rest"),
        ("connectors.d/police.toml", 9, "streams.incident.freshnes", "freshness"),
        ("connectors.d/police.toml", 10, "streams.incident.auth.token", ""),
        ("connectors.d/police.toml", 10, "streams.incident.auth.kind", ""),
    }
    assert "topsecretvalue" not in str(mistakes)


def test_a_transport_gets_its_own_keys_only(folder: Path) -> None:
    """A key of another transport, and a missing one of its own, are mistakes."""
    write_connector(
        folder,
        '[connector]\nname = "police"\nenabled = true\n[streams.incident]\ntransport = "rest"\nfolder = "in"\n',
    )
    _, mistakes = examine(folder, INSTALLED)

    assert {(m.line, m.expected) for m in mistakes} == {
        (6, 'transport = "files" with this key'),
        (5, 'url beside transport = "rest"'),
    }


@pytest.mark.parametrize("style", STYLES)
def test_a_page_says_what_the_sdk_knows_of_pages(folder: Path, style: str) -> None:
    """The configuration takes every key and style of `PageStyle`."""
    told = ", ".join(
        f"{f.name} = {1 if f.type == 'int' else repr('x')}" for f in fields(PageStyle) if f.name != "style"
    )
    stream = '[connector]\nname = "police"\nenabled = true\n[streams.incident]\ntransport = "rest"\nurl = "https://x.example"\n'
    write_connector(folder, stream + f'page = {{ style = "{style}", {told} }}\n')

    assert examine(folder, INSTALLED)[1] == []


def test_a_schedule_is_read_whole(folder: Path) -> None:
    """A cron pattern that is none, and both ways at once, are mistakes."""
    stream = '[connector]\nname = "police"\nenabled = true\n[streams.incident]\ntransport = "rest"\nurl = "https://x.example"\n'
    write_connector(folder, stream + 'schedule = { cron = "every day", every = "2m" }\n')
    _, mistakes = examine(folder, INSTALLED)

    assert {m.key for m in mistakes} == {"streams.incident.schedule", "streams.incident.schedule.cron"}


def test_broken_toml_is_named_by_line(folder: Path) -> None:
    """A file that is no TOML is one mistake with its line, and the other files are still read."""
    (folder / "hub.toml").write_text('[http]\nlisten = "127.0.0.1:1\n', encoding="utf-8")
    write_connector(folder, '[connector]\nname = "court"\nenabled = true\n', "court")
    with pytest.raises(ConfigurationMistakes) as caught:
        load(folder, INSTALLED)

    assert [(m.file, m.line) for m in caught.value.mistakes] == [("hub.toml", 2)]


def test_connector_that_is_not_installed(folder: Path) -> None:
    """A file for an unknown connector names the nearest installed one."""
    write_connector(folder, '[connector]\nname = "polise"\nenabled = true\n', "polise")
    _, mistakes = examine(folder, INSTALLED)

    assert [(m.line, m.nearest) for m in mistakes] == [(2, "police")]


def test_beyond_loopback_needs_a_proxy(folder: Path) -> None:
    """An open address is refused until a TLS proxy is declared."""
    (folder / "hub.toml").write_text('[http]\nlisten = "0.0.0.0:80"\n', encoding="utf-8")
    _, mistakes = examine(folder, INSTALLED)
    (folder / "hub.toml").write_text('[http]\nlisten = "0.0.0.0:80"\nbehind_proxy = true\n', encoding="utf-8")

    assert [m.key for m in mistakes] == ["http.listen"]
    assert load(folder, INSTALLED).behind_proxy


def test_no_folder_says_what_to_do(tmp_path: Path) -> None:
    """A folder without hub.toml is refused with the remedy."""
    with pytest.raises(ConfigurationError, match=r"hub\.toml is missing") as caught:
        load(tmp_path, INSTALLED)

    assert "hub init" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "span"),
    [("100ms", 0.1), ("20s", 20), ("2m", 120), ("1h30m", 5400), ("3d", 259200), ("0.5s", 0.5)],
)
def test_durations(text: str, span: float) -> None:
    """A duration is numbers with units, and is written back in its shortest form."""
    assert parse_duration(text) == timedelta(seconds=span)
    assert parse_duration(write_duration(timedelta(seconds=span))) == timedelta(seconds=span)


@pytest.mark.parametrize("text", ["5", "", "5 minutes", 5, "-1s", None])
def test_a_number_without_unit_is_no_duration(text: object) -> None:
    """Nobody has to guess whether 5 means seconds or minutes."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_secret_files_are_private(tmp_path: Path) -> None:
    """A secret is made 0600, never overwritten, and refused once others can read it."""
    path = tmp_path / "secrets" / "x"
    write_secret(path, b"value")

    assert read_secret(SecretRef(file=str(path))) == b"value"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_secret(path, b"other")
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        read_secret(SecretRef(file=str(path)))


def test_options_of_a_connector_of_its_own(folder: Path) -> None:
    """[config] is read by the kinds of the manifest: secrets by reference, spans with a unit, folders as the folder's."""
    kinds = {"url": "url", "token": "secret", "drop": "folder", "every": "duration", "depth": "whole"}
    installed = {"police": Installed(("incident",), config=kinds, required=("url",))}
    write_connector(
        folder,
        """
[connector]
name = "police"
enabled = true
[config]
url = "https://x.example"
token = { env = "POLICE_TOKEN" }
drop = "in/x"
every = "90s"
depth = 3
""",
    )

    config = load(folder, installed).connectors["police"].config

    assert config["token"] == SecretRef(env="POLICE_TOKEN")
    assert str(config["drop"]) == str(folder / "in" / "x")
    assert (config["url"], config["every"], config["depth"]) == ("https://x.example", timedelta(seconds=90), 3)


def test_options_of_a_connector_are_checked(folder: Path) -> None:
    """An unknown option is named with the nearest one, a secret in plain is refused, a required one is asked for."""
    installed = {"police": Installed(("incident",), config={"url": "url", "token": "secret"}, required=("url",))}
    write_connector(folder, '[connector]\nname = "police"\nenabled = true\n[config]\nurk = "x"\ntoken = "plain"\n')

    _, mistakes = examine(folder, installed)

    told = "\n".join(map(str, mistakes))
    assert "urk" in told
    assert "token" in told
    assert "plain" not in told
    assert "url, which this connector cannot do without" in told


def test_an_sftp_folder_needs_a_login(folder: Path) -> None:
    """Streams and ways out alike; receipts come in by a folder of this machine."""
    write_secret(folder / "secrets" / "sftp", b"x")
    auth = 'auth = { kind = "basic", password = { file = "secrets/sftp" } }'
    text = (
        '[connector]\nname = "police"\nenabled = true\n[streams.incident]\ntransport = "files"\n'
        'folder = "sftp://hub@h/in"\n%s\n[deliver.duty]\nfolder = "sftp://hub@h/out"\n%s\n'
    )
    write_connector(folder, text % ("", 'receipts = "sftp://hub@h/receipts"'))
    wrong = [mistake.found for mistake in examine(folder, INSTALLED)[1]]
    write_connector(folder, text % (auth, auth))

    assert sorted(wrong) == ["an address", 'kind = "none"', 'kind = "none"']
    assert examine(folder, INSTALLED)[1] == []
