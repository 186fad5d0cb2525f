"""`hub.toml` and `connectors.d/*.toml` → frozen settings, or every mistake at once with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from apscheduler.triggers.cron import CronTrigger

from hub.config import toml_reader as toml
from hub.config.secret_files import SecretError, read_secret
from hub.config.stream_settings import PAGE, RECONCILE_KEYS, address, check_partitions, codec, read_reconcile
from hub.config.toml_lines import Place
from hub.config.toml_reader import Mistake, Reader, section
from hub.core.errors import ConfigurationError
from hub.sdk.trust import usable
from hub.settings import (
    ROLES,
    Auth,
    ConnectorConfig,
    DeliverConfig,
    EdgeConfig,
    Installed,
    Limits,
    SecretRef,
    Settings,
    StreamConfig,
    is_role,
)

LADDER = ("received", "received_urgent", "accepted", "accepted_urgent", "decided", "answered")
TRANSPORTS = ("rest", "table", "files", "push")
AUTHS = ("none", "basic", "bearer", "signature", "national_platform", "key")
MESSAGES = (
    "mandatory_report", "duty", "light_change", "answer", "addendum", "cancellation", "report_copy", "notice",
    "escalation", "category_change",
)  # fmt: skip
"""Kinds of outward message a connector can be given a way for."""

_LIMITS: dict[str, toml.Parse] = {
    field.name: toml.number if isinstance(field.default, float) else toml.whole for field in fields(Limits)
}


def provinces() -> tuple[str, ...]:
    """Provinces whose limits come with the hub."""
    folder = files("hub") / "policies" / "provinces"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def _role(reader: Reader, value: Any, place: Place) -> str:
    """A role of a read token, or ``unit:NAME``."""
    role = toml.text(reader, value, place)
    return role if is_role(role) else toml.one_of(*ROLES)(reader, role, place)


HUB_KEYS: dict[str, toml.Parse] = {
    "database": section({"url": toml.text_or_secret}),
    "http": section({"listen": toml.text, "behind_proxy": toml.flag}),
    "district": section({"communities": toml.texts, "name": toml.text}),
    "policy": section(
        {"file": toml.one_or_more, "overlay": toml.one_or_more, "province": toml.one_of("", *provinces())}
    ),
    "deadlines": section(dict.fromkeys(LADDER, toml.duration)),
    "retry": section({"base": toml.duration, "max": toml.duration}),
    "schedule": section({"tick": toml.duration, "lease": toml.duration}),
    "contacts": toml.each(
        lambda reader, value, place: (
            toml.each(toml.text)(reader, value, place)
            if isinstance(value, Mapping)
            else toml.text(reader, value, place)
        )
    ),
    "calendar": section({"folder": toml.text}),
    "keys": toml.each(toml.secret),
    "limits": section(_LIMITS),
    "edge": section({"to": toml.text, "spool_bytes": toml.whole, "beat": toml.duration}),
    "trust": section({"ca": toml.one_or_more}),
    "connectors": section({"confine": toml.one_of("", "require")}),
    "tokens": toml.rows({"hash": toml.text, "role": _role, "communities": toml.texts, "acts": toml.flag}),
}


def _auth(reader: Reader, value: Any, place: Place) -> Auth:
    """An ``auth`` table: its kind, one secret (under ``secret``, ``token`` or ``password``), and the recipe's own keys."""
    if not isinstance(value, Mapping):
        raise toml.Wrong('a table such as { kind = "bearer", token = { file = "secrets/name" } }', secret=True)
    taken: dict[str, Any] = {}
    for key, inner in value.items():
        parse = toml.one_of(*AUTHS) if key == "kind" else toml.secret if key in _SECRET_KEYS else toml.free
        reader.take(taken, key, inner, (*place, key), parse)
    secrets = [taken.pop(key) for key in _SECRET_KEYS if key in taken]
    kind = taken.pop("kind", "none")
    if kind != "none" and not secrets and "kind" in value:
        reader.wrong((*place, "kind"), f"a secret beside kind = {kind}", "none")
    return Auth(kind=kind, options=taken, secret=secrets[0] if secrets else None)


_SECRET_KEYS = ("secret", "token", "password")


_CURSOR = section({"field": toml.text, "overlap": toml.duration, "param": toml.text, "format": toml.text})
_OPTIONS: dict[str, dict[str, toml.Parse]] = {
    "rest": {
        "page": PAGE, "records": toml.text, "total": toml.text, "params": toml.each(toml.free),
        "headers": toml.each(toml.text), "method": toml.one_of("GET", "POST"), "body": toml.free, "code": toml.text,
        "since_param": toml.text, "next": toml.text, "timeout": toml.duration,
    },
    "table": {"table": toml.text, "query": toml.text, "batch": toml.whole},
    "files": {
        "folder": toml.folder_path, "pattern": toml.text, "encoding": codec, "sheet": toml.scalar,
        "header_row": toml.whole, "header_rows": toml.whole, "ready": toml.one_of("stable", "ok-file", "rename"), "done": toml.folder_path,
        "failed": toml.folder_path, "settle": toml.duration, "delimiter": toml.text,
    },
    "push": {},
}  # fmt: skip
STREAM_KEYS: dict[str, toml.Parse] = {
    "transport": toml.one_of(*TRANSPORTS),
    "url": address,
    "schedule": section({"every": toml.duration, "jitter": toml.duration, "cron": toml.text}),
    "cursor": _CURSOR,
    "auth": _auth,
    "fields": toml.each(toml.text),
    "freshness": toml.duration,
    "expect_rows": toml.expected,
    "partitions": toml.texts,
    "live_from": toml.day,
    "reconcile": section(RECONCILE_KEYS),
    **{key: parse for options in _OPTIONS.values() for key, parse in options.items()},
}
_CHANNEL: dict[str, toml.Parse] = {
    "url": address, "table": toml.text, "folder": toml.folder_path, "receipts": toml.folder_path, "pull": toml.flag,
    "auth": _auth, "passphrase": toml.secret,
}  # fmt: skip
DELIVER_KEYS: dict[str, toml.Parse] = {**_CHANNEL, "second": section(_CHANNEL)}


_OPTION_KINDS: dict[str, toml.Parse] = {
    "text": toml.text, "url": toml.text_or_secret, "folder": toml.folder_path, "table": toml.text_or_secret,
    "secret": toml.secret, "whole": toml.whole, "flag": toml.flag, "duration": toml.duration,
}  # fmt: skip
"""How an option of a connector's own is read, by its kind in the manifest."""


class ConfigurationMistakes(ConfigurationError):
    """Everything that is wrong with the configuration folder, at once."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
        super().__init__(
            f"{count} in the configuration:\n" + "\n".join(f"  {mistake}" for mistake in mistakes),
            code="configuration.invalid",
            remedy="mend the lines named above; `hub check` lists them again",
        )
        self.mistakes = tuple(mistakes)


def load(folder: Path, installed: Mapping[str, Installed], texts: Path | None = None) -> Settings:
    """The settings of a configuration folder, or of a copy of its ``texts``. Raises ConfigurationMistakes with every mistake."""
    settings, mistakes = examine(folder, installed, texts)
    if mistakes:
        raise ConfigurationMistakes(mistakes)
    return settings


def examine(
    folder: Path, installed: Mapping[str, Installed], texts: Path | None = None
) -> tuple[Settings, list[Mistake]]:
    """The settings as far as they can be read, and every mistake. Raises ConfigurationError where no folder is.

    ``texts``: a folder with a copy of hub.toml and connectors.d; paths in them are ``folder``'s all the same.
    """
    folder = folder.absolute()
    texts = texts or folder
    path = texts / "hub.toml"
    if not path.is_file():
        raise ConfigurationError(
            f"{folder} is no configuration folder: hub.toml is missing there",
            code="configuration.missing",
            remedy="make one with `hub init DIR`, or name yours with `hub --config DIR` (or HUB_CONFIG)",
        )
    reader = Reader(path, folder)
    hub = reader.table(reader.load(), (), HUB_KEYS)
    mistakes = reader.mistakes
    connectors: dict[str, ConnectorConfig] = {}
    for file in sorted((texts / "connectors.d").glob("*.toml")):
        connector, wrong = _connector(file, folder, installed)
        mistakes.extend(wrong)
        if connector is not None:
            connectors[connector.name] = connector
    settings = _settings(folder, hub, connectors, reader)
    return settings, mistakes


def _settings(
    folder: Path, hub: Mapping[str, Any], connectors: Mapping[str, ConnectorConfig], reader: Reader
) -> Settings:
    """Typed tables → settings; relative paths are the folder's."""
    retry, schedule, http = (hub.get(name, {}) for name in ("retry", "schedule", "http"))
    policy, calendar = hub.get("policy", {}), hub.get("calendar", {})
    return Settings(
        folder=folder,
        database_url=_database_url(folder, hub.get("database", {}).get("url", "sqlite:///hub.db"), reader),
        listen=_listen(http, reader),
        behind_proxy=http.get("behind_proxy", False),
        communities=hub.get("district", {}).get("communities", ()),
        province=policy.get("province", ""),
        policy_files=_files(folder, policy.get("file", ()), ("policy", "file"), reader),
        overlay_files=_files(folder, policy.get("overlay", ()), ("policy", "overlay"), reader),
        deadlines=hub.get("deadlines", {}),
        retry_base=toml.above(retry.get("base", Settings.retry_base), ("retry", "base"), reader),
        retry_max=retry.get("max", Settings.retry_max),
        tick=toml.above(schedule.get("tick", Settings.tick), ("schedule", "tick"), reader),
        lease=toml.above(schedule.get("lease", Settings.lease), ("schedule", "lease"), reader),
        contacts=hub.get("contacts", {}),
        calendar_folder=_file(folder, calendar.get("folder", ""), ("calendar", "folder"), reader),
        keys=hub.get("keys") or {"master": SecretRef(file=str(folder / "secrets" / "master.key"))},
        tokens=tuple(_token(row) for row in hub.get("tokens", ())),
        limits=Limits(**hub.get("limits", {})),
        edge=EdgeConfig(**hub.get("edge", {})),
        authorities=_authorities(folder, hub.get("trust", {}).get("ca", ()), reader),
        confine_required=hub.get("connectors", {}).get("confine") == "require",
        connectors=connectors,
    )


def _token(row: Mapping[str, Any]) -> dict[str, str]:
    """A read token as flat text; ``acts`` is "yes" where it may also decide."""
    return {**row, "communities": ",".join(row.get("communities", ())), "acts": "yes" if row.get("acts") else ""}


def _file(folder: Path, name: str, place: Place, reader: Reader) -> Path | None:
    if not name:
        return None
    path = folder / name
    if not path.exists():
        reader.wrong(place, "a path that exists (relative to the configuration folder)", f'"{name}"')
        return None
    return path


def _files(folder: Path, names: Sequence[str], place: Place, reader: Reader) -> tuple[Path, ...]:
    found = (_file(folder, name, place, reader) for name in names)
    return tuple(path for path in found if path is not None)


def _authorities(folder: Path, names: Sequence[str], reader: Reader) -> str:
    """The certificates of private CAs."""
    texts = [path.read_text("ascii", "replace") for path in _files(folder, names, ("trust", "ca"), reader)]
    for text in texts:
        if not usable(text):
            reader.wrong(("trust", "ca"), "PEM files with a CA's certificate (-----BEGIN CERTIFICATE-----)", "another")
    return "\n".join(texts)


def _listen(http: Mapping[str, Any], reader: Reader) -> str:
    """``host:port``; beyond loopback only behind a declared TLS proxy."""
    listen = str(http.get("listen", Settings.listen))
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        reader.wrong(("http", "listen"), 'an address and port such as "127.0.0.1:8080"', f'"{listen}"')
    elif host not in ("127.0.0.1", "localhost", "[::1]") and not http.get("behind_proxy"):
        expected = "a loopback address, or behind_proxy = true once a TLS proxy stands in front"
        reader.wrong(("http", "listen"), expected, f'"{listen}"')
    return listen


def _database_url(folder: Path, url: str | SecretRef, reader: Reader) -> str:
    """An SQLAlchemy URL; a relative SQLite path is the folder's."""
    if isinstance(url, SecretRef):
        try:
            url = read_secret(url).decode().strip()
        except SecretError as error:
            reader.wrong(("database", "url"), error.expected, error.found)
            return ""
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    scheme = url.partition(":")[0]
    if scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        reader.wrong(("database", "url"), "a sqlite:/// or postgresql+psycopg:// address", f'scheme "{scheme}"')
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def read_candidate(path: Path, name: str, folder: Path, installed: Mapping[str, Installed]) -> ConnectorConfig:
    """The configuration a connector would have by a file that lies anywhere. Raises ConfigurationMistakes."""
    config, mistakes = _connector(path, folder.absolute(), installed, name)
    if config is None or mistakes:
        raise ConfigurationMistakes(mistakes)
    return config


def _connector(
    path: Path, folder: Path, installed: Mapping[str, Installed], name: str = ""
) -> tuple[ConnectorConfig | None, list[Mistake]]:
    """One file of `connectors.d`; the name in it, the file's name and the installed connector's are one."""
    reader = Reader(path, folder)
    name = name or path.stem
    known = installed.get(name)
    streams = _streams(known.streams if known else ())
    keys: dict[str, toml.Parse] = {
        "connector": section({"name": toml.one_of(name), "enabled": toml.flag, "reads": toml.one_or_more}),
        "streams": streams if known else toml.each(section(STREAM_KEYS)),
        "push": section({"token": toml.secret}),
        "deliver": section(dict.fromkeys(MESSAGES, section(DELIVER_KEYS))),
        "config": section({key: _OPTION_KINDS[kind] for key, kind in known.config.items()}) if known else toml.free,
    }
    data = reader.load()
    if known is None:
        near = difflib.get_close_matches(name, installed, 1, 0.5)
        expected = f"an installed connector ({', '.join(sorted(installed)) or 'none is installed'})"
        reader.wrong(("connector", "name"), expected, f'"{name}"', near[0] if near else "")
    table = reader.table(data, (), keys)
    if data and "connector" not in data:
        reader.wrong(("connector",), "a [connector] table with name and enabled", "none")
    enabled = known is not None and table.get("connector", {}).get("enabled", False)
    for key in known.required if known and enabled else ():
        if key not in table.get("config", {}):
            reader.wrong(("config",), f"{key}, which this connector cannot do without", f"no {key}")
    config = ConnectorConfig(
        name=name,
        enabled=enabled,
        path=path,
        streams={
            key: _stream(key, value, reader, has_own_source=bool(known and known.config))
            for key, value in table.get("streams", {}).items()
        },
        push_token=table.get("push", {}).get("token"),
        deliver={key: _deliver(key, value, reader) for key, value in table.get("deliver", {}).items()},
        config=table.get("config", {}),
        reads=tuple(str((folder / name).absolute()) for name in table.get("connector", {}).get("reads", ())),
    )
    return config, reader.mistakes


def _streams(known: tuple[str, ...]) -> toml.Parse:
    return section(dict.fromkeys(known, section(STREAM_KEYS)))


def _stream(name: str, table: Mapping[str, Any], reader: Reader, *, has_own_source: bool = False) -> StreamConfig:
    """One stream's table; keys of another transport, and what its own needs, are checked here."""
    place = ("streams", name)
    transport = table.get("transport", "push")
    schedule, cursor = table.get("schedule", {}), table.get("cursor", {})
    options = {key: table[key] for key in _OPTIONS[transport] if key in table}
    for other, theirs in _OPTIONS.items():
        for key in theirs.keys() & table.keys() - _OPTIONS[transport].keys():
            reader.wrong((*place, key), f'transport = "{other}" with this key', f'transport = "{transport}"')
    needs = {"rest": ("url",), "table": ("url",), "files": ("folder",), "push": ()}[transport]
    for key in needs:
        if not table.get(key):
            reader.wrong((*place, "transport"), f'{key} beside transport = "{transport}"', f"no {key}")
    _check_sftp(table, place, reader)
    check_partitions(table, transport, place, reader, has_own_source=has_own_source)
    if transport == "table" and ("table" in table) == ("query" in table):
        reader.wrong((*place, "transport"), "either table or query", "both" if "table" in table else "neither")
    if "every" in schedule and "cron" in schedule:
        reader.wrong((*place, "schedule"), "either every or cron", "both")
    if "every" in schedule:
        toml.above(schedule["every"], (*place, "schedule", "every"), reader)
    if schedule.get("cron") and not _is_cron(schedule["cron"]):
        expected = 'five fields such as "*/10 8-18 * * mon-fri"'
        reader.wrong((*place, "schedule", "cron"), expected, toml.show(schedule["cron"]))
    return StreamConfig(
        name=name,
        transport=transport,
        every=schedule.get("every"),
        cron=schedule.get("cron", ""),
        jitter=schedule.get("jitter", timedelta(0)),
        url=table.get("url", ""),
        options={**options, **{f"cursor_{key}": cursor[key] for key in ("param", "format") if key in cursor}},
        cursor_field=cursor.get("field", ""),
        overlap=cursor.get("overlap", timedelta(0)),
        auth=table.get("auth", Auth()),
        fields=table.get("fields", {}),
        freshness=table.get("freshness"),
        live_from=table.get("live_from", ""),
        expect_rows=table.get("expect_rows"),
        partitions=table.get("partitions", ()),
        reconcile=read_reconcile(table, transport, (*place, "reconcile"), reader),
    )


def _check_sftp(table: Mapping[str, Any], place: Place, reader: Reader) -> None:
    """A folder on another machine needs a login (without its host key, ``probe`` shows the one to compare)."""
    kind = table.get("auth", Auth()).kind
    if table.get("folder", "").startswith("sftp://") and kind not in ("basic", "key"):
        expected = 'auth = { kind = "basic" or "key", password or secret, host_key = "…" } beside an sftp:// folder'
        reader.wrong((*place, "folder"), expected, f'kind = "{kind}"')


def _is_cron(text: str) -> bool:
    try:
        CronTrigger.from_crontab(text)
    except ValueError:
        return False
    return True


def _deliver(kind: str, table: Mapping[str, Any], reader: Reader, place: Place = ()) -> DeliverConfig:
    """One way out: ``url``, ``folder`` or ``pull``, and perhaps a second channel."""
    place = place or ("deliver", kind)
    ways = [way for way in ("url", "folder", "pull") if table.get(way)]
    if len(ways) != 1:
        reader.wrong(place, "one of url, folder or pull = true", " and ".join(ways) or "none")
    if "://" in table.get("receipts", ""):
        expected = "a folder of this machine (or feedback by a stream of its own)"
        reader.wrong((*place, "receipts"), expected, "an address")
    if table.get("passphrase") and not table.get("folder"):
        reader.wrong((*place, "passphrase"), "folder beside it: it seals files", "none")
    _check_sftp(table, place, reader)
    second = table.get("second")
    return DeliverConfig(
        kind=kind,
        url=table.get("url", ""),
        table=table.get("table", DeliverConfig.table),
        folder=table.get("folder", ""),
        receipts=table.get("receipts", ""),
        pull=table.get("pull", False),
        passphrase=table.get("passphrase"),
        auth=table.get("auth", Auth()),
        second=None if second is None else _deliver(kind, second, reader, (*place, "second")),
    )
