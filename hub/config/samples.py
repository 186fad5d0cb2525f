"""The commented files that ``hub init`` writes: what stands in them works, what is commented shows what can be said."""

from __future__ import annotations

from hub.config.durations import write_duration
from hub.sdk.manifest import Manifest, ManifestStream

HUB_TOML = """\
# Family Care Hub: what is the hub's own. Every line shows its default; `hub check` names every mistake with its line.
# Spans of time: "100ms", "20s", "5m", "24h", "3d". Secrets only by reference:
# { env = "NAME" }, { file = "secrets/name" } (0600) or { credential = "name" } (systemd).

[database]
url = "sqlite:///hub.db"            # or postgresql+psycopg://…, or { file = "secrets/database" }

[http]
listen = "127.0.0.1:8080"           # beyond loopback only with behind_proxy = true, behind a TLS proxy
# behind_proxy = false

[keys]
master = { file = "secrets/master.key" }   # keep a copy away from this machine: without it nothing can be read

[district]
communities = []                    # 12-digit codes this hub serves; empty: all

[policy]
file = ""                           # empty: the policy that comes with the hub; several editions: ["a.toml", "b.toml"]
# province = "yunnan"               # the shorter limits of a province, under the overlay; see docs/policy.md
overlay = "overlay.toml"            # the district's own numbers and switches; a province's before it: ["p.toml", "overlay.toml"]

# The ladder of a mandatory report: when the next step is late. Clocks of duties are in the overlay.
# [deadlines]
# received = "5m"
# received_urgent = "1m"
# accepted = "30m"
# accepted_urgent = "10m"
# decided = "24h"
# answered = "3d"

# [retry]
# base = "1s"
# max = "5m"

# [schedule]
# tick = "100ms"
# lease = "30s"

# Who is told when something is late, beside the unit itself.
# [contacts]
# coordinator = "womens_federation"
# police_duty = "police"
# street."310101001" = "…"

# [calendar]
# folder = "calendar"               # YYYY.toml files in place of those that come with the hub

# [limits]
# body_bytes = 16777216
# file_bytes = 536870912
# rows_per_push = 10000

# A private CA that has signed the certificates of systems we call (PEM; several: a list).
# [trust]
# ca = "ca.pem"

# Each connector's process is kept to its own files (Landlock). "require": one that cannot be is not started.
# [connectors]
# confine = "require"

# Who may read over HTTP until there are accounts: SHA-256 of a token, and its role.
# [[tokens]]
# hash = "…"
# role = "station"
# communities = ["310101001001"]
# acts = true                       # it may also decide, object, answer and accept duties, each with a worker's number
"""

_TRANSPORTS = """\
# How a stream arrives is chosen here, stream by stream: rest (polled), table (front-end database), files (drop folder
# or sftp://) or push (the unit posts to /v1/connectors/{name}/streams/STREAM/records). Without any of it the connector
# takes records by push and by `hub ingest {name} STREAM FILE` as soon as it is enabled.
#
# transport = "rest"   url, page, records, total, params, cursor, auth
# transport = "table"  url (SQLAlchemy, by reference), table or query, cursor
# transport = "files"  folder (or sftp://user@host/folder with auth), pattern, ready = "stable" | "ok-file" | "rename";
#                      encoding, delimiter, sheet, header_row and header_rows are found where they are not set
# fields = {{ "our name" = "their header" }} where a header differs.
# Any stream may also promise its volume (expect_rows = "20..400 per day"), be read in parts (partitions = ["a", "b"], and
# {{partition}} in its address or table), and be compared with its source day by day: [streams.STREAM.reconcile].
"""


def connector_sample(manifest: Manifest) -> str:
    """`connectors.d/NAME.toml` for one connector: disabled, every stream and message as a commented example."""
    parts = [
        f"# {manifest.title} — {manifest.owner}\n",
        f'[connector]\nname = "{manifest.name}"\nenabled = false\n',
        _TRANSPORTS.format(name=manifest.name),
        _options(manifest),
        *(_stream(manifest, stream) for stream in manifest.streams.values()),
        f'# [push]\n# token = {{ file = "secrets/{manifest.name}-push" }}   # hub connectors token {manifest.name}\n',
        *(_deliver(manifest, kind) for kind in manifest.receives),
    ]
    return "\n".join(part for part in parts if part)


def _options(manifest: Manifest) -> str:
    """The connector's own options, where it has any."""
    lines = [
        f"# {option.name} = {_EXAMPLES[option.kind].format(name=manifest.name, option=option.name)}"
        f"   # {option.title}{' (required)' if option.required else ''}\n"
        for option in manifest.config.values()
    ]
    return "".join(["# The connector's own options.\n# [config]\n", *lines]) if lines else ""


_EXAMPLES = {
    "text": '"…"', "url": '"https://…"', "folder": '"in/{name}"', "table": '{{ file = "secrets/{name}-{option}" }}',
    "secret": '{{ file = "secrets/{name}-{option}" }}', "whole": "1", "flag": "true", "duration": '"10m"',
}  # fmt: skip


def _stream(manifest: Manifest, stream: ManifestStream) -> str:
    lines = [
        f"[streams.{stream.name}]",
        'transport = "rest"',
        f'url = "https://{manifest.name.replace("_", "-")}.example/api/{stream.name.replace("_", "-")}"',
        'schedule = { every = "10m", jitter = "30s" }',
        'page = { size = 500, param = "page" }',
        'cursor = { field = "更新时间", overlap = "10m" }   # param = "since": the name its interface has for it',
        f'auth = {{ kind = "bearer", token = {{ file = "secrets/{manifest.name}" }} }}',
    ]
    if stream.freshness is not None:
        lines.append(f'freshness = "{write_duration(stream.freshness)}"')
    return f"# {stream.title}\n" + "".join(f"# {line}\n" for line in lines)


def _deliver(manifest: Manifest, kind: str) -> str:
    lines = [
        f"[deliver.{kind}]",
        f'url = "https://{manifest.name.replace("_", "-")}.example/api/{kind.replace("_", "-")}"',
        f'auth = {{ kind = "bearer", token = {{ file = "secrets/{manifest.name}" }} }}',
    ]
    if kind == "mandatory_report":
        lines += ["[deliver.mandatory_report.second]", f'folder = "out/{manifest.name}"']
    return "".join(f"# {line}\n" for line in lines)
