"""The hub's desk for edges: who is known by which key, what they tell, and the messages they carry."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from hub.core.freight import Answer, Parcel
from hub.core.problems import remedy_of
from hub.core.records import Owed, StreamKey
from hub.line.deliver import Retry, deliver, fixed_bytes
from hub.line.ports import Worker
from hub.runtime.local_socket import ask, is_served
from hub.runtime.service import SOCKET, sole_process
from hub.sdk.manifest import Manifest
from hub.security.credentials import hash_token
from hub.security.signatures import Signature, SignatureError, check_time, key_id
from hub.security.vault import Vault
from hub.settings import Settings
from hub.store import edges
from hub.store.engine import SqlStore
from hub.store.issues import close_issues, open_issue
from hub.store.parcels import waiting_for
from hub.store.times import from_us

AT_ONCE = 50
"""Messages handed to an edge in one answer."""
TROUBLE = {"full": "edge.full", "held": "edge.held", "clock": "edge.clock"}
"""States of an edge that are issues here."""
WORD = 64


class _Sent:
    """A worker whose message has been delivered by somebody else: what that gave is its answer."""

    def __init__(self, inner: Worker, answer: Answer) -> None:
        self.unit = inner.unit
        self.fetch, self.map = inner.fetch, inner.map
        self._inner = inner
        self._answer = answer

    def render(self, owed: Owed, body: Mapping[str, Any]) -> bytes:
        return self._inner.render(owed, body)

    def send(self, parcel: Parcel) -> Answer:
        return self._answer


class HubEdges:
    """``web/edges.py``'s port. ``settings`` and ``workers`` are asked for anew each time: a reload swaps them."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        manifests: Callable[[], Mapping[str, Manifest]],
        settings: Callable[[], Settings],
        workers: Callable[[], Mapping[str, Worker]],
        clock: Callable[[], datetime],
        applied: Callable[[], None],
    ) -> None:
        self._store = store
        self._vault = vault
        self._manifests = manifests
        self._settings = settings
        self._workers = workers
        self._clock = clock
        self._applied = applied

    # --- who asks

    def recognise(self, signature: Signature) -> tuple[str, bytes]:
        """Connector and public key of a signature in time. Raises SignatureError: stale, unknown, revoked."""
        check_time(signature, self._clock().timestamp())
        with self._store.read() as sql:
            known = edges.known_key(sql, signature.key)
        if known is None:
            raise SignatureError("no edge has this key", code="signature.unknown_key")
        if known.state != edges.ACTIVE:
            raise SignatureError("this edge was revoked", code="signature.revoked")
        return known.connector, known.public

    def take(self, signature: Signature) -> None:
        """Once only: remember the nonce of a checked signature. Raises SignatureError: replayed."""
        until = from_us(signature.expires * 1_000_000) + timedelta(seconds=1)
        if not edges.use_nonce(self._store, signature.key, signature.nonce, until, self._clock()):
            raise SignatureError("this request was seen before", code="signature.replayed")

    def join(self, code: str, public: bytes) -> Mapping[str, Any] | None:
        """Use up a one-time code for a public key (32 bytes); what the edge is told, None: no such code.

        Asked again with the same key, the same answer: the first one may have been lost on the way.
        """
        name = key_id(public)
        with self._store.read() as sql:
            known = edges.known_key(sql, name)
        if known is None:
            connector = edges.join(self._store, hash_token(normal(code)), name, public, self._clock())
        else:
            connector = known.connector if known.state == edges.ACTIVE else None
        if connector is None or connector not in self._manifests():
            return None
        return {"connector": connector, "key_id": name, "streams": list(self._manifests()[connector].streams)}

    # --- what it tells

    def told(self, key: str, connector: str, state: Mapping[str, Any]) -> None:
        """Keep an edge's own state, and what it is to us: an issue, or the end of one."""
        now, told = self._clock(), _clean(state)
        unit = self._manifests()[connector].unit
        heard = [(StreamKey(unit, name), at) for name, at in _heard(state, self._manifests()[connector].streams)]
        edges.keep_told(self._store, key, orjson.dumps(told), heard, now)
        trouble = TROUBLE.get(told["state"])
        if trouble:
            open_issue(self._store, trouble, f"edge.{connector}", now, remedy_of(trouble))
        else:
            close_issues(self._store, f"edge.{connector}", now)

    # --- what it carries

    def parcels(self, connector: str) -> list[dict[str, str]]:
        """Messages that this connector's unit fetches, with the bytes to deliver (base64)."""
        worker, unit = self._worker(connector)
        if worker is None:
            return []
        with self._store.read() as sql:
            waiting = waiting_for(sql, unit)
        found: list[dict[str, str]] = []
        for one in waiting:
            if len(found) >= AT_ONCE:
                break
            if not self._is_fetched(connector, one.kind, one.channel):
                continue
            body = fixed_bytes(self._store, self._vault, one.id, worker)
            if body is not None:
                told = {"message_no": one.no, "kind": one.kind, "channel": one.channel}
                found.append({**told, "body": base64.b64encode(body).decode()})
        return found

    def answered(self, connector: str, message_no: str, answer: Answer) -> bool:
        """What a delivery gave; False: no such message waits for this connector."""
        worker, unit = self._worker(connector)
        with self._store.read() as sql:
            waiting = waiting_for(sql, unit, message_no)
        mine = [one for one in waiting if self._is_fetched(connector, one.kind, one.channel)]
        if worker is None or not mine:
            return False
        settings = self._settings()
        retry = Retry(settings.retry_base, settings.retry_max)
        deliver(self._store, self._vault, mine[0].id, _Sent(worker, answer), self._clock(), retry)
        self._applied()
        return True

    def _worker(self, connector: str) -> tuple[Worker | None, str]:
        unit = self._manifests()[connector].unit
        return self._workers().get(unit), unit

    def _is_fetched(self, connector: str, kind: str, channel: str) -> bool:
        config = self._settings().connectors.get(connector)
        way = config.deliver.get(kind) if config is not None and config.enabled else None
        way = way if way is None or channel == "first" else way.second
        return way is not None and way.pull


def change(store: SqlStore, folder: Path, now: datetime, **asked: Any) -> int:
    """Invite or revoke, from a command: by the daemon that holds the archive, else by ourselves. Raises RetryError."""
    if not store.postgres and is_served(folder / SOCKET):
        return int(ask(folder / SOCKET, "edge", **asked)["count"])
    with sole_process(folder, store):
        return edges.act(store, asked, now)


def normal(code: str) -> str:
    """A one-time code as it is kept: read over the telephone, with or without dashes, in any case."""
    return "".join(code.upper().replace("O", "0").replace("I", "1").replace("L", "1").replace("-", " ").split())


def _clean(state: Mapping[str, Any]) -> dict[str, Any]:
    """Only what we know, in its own type: an edge cannot leave texts here."""
    sent, held = state.get("sent"), state.get("held")
    return {
        "state": _word(state.get("state")),
        "code": _word(state.get("code")),
        "skew": _number(state.get("skew")),
        "waiting": _number(state.get("waiting")),
        "bytes": _number(state.get("bytes")),
        "limit": _number(state.get("limit")),
        "oldest": _word(state.get("oldest")),
        "held": {_word(code): _number(count) for code, count in list(held.items())[:16]}
        if isinstance(held, dict)
        else {},
        "sent": {name: _number(sent.get(name)) for name in ("batches", "rows")} if isinstance(sent, dict) else {},
    }


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= WORD and value.isascii() and value.isprintable() else ""


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None


def _heard(state: Mapping[str, Any], known: Iterable[str]) -> list[tuple[str, datetime]]:
    streams = state.get("streams")
    found = []
    for name in known if isinstance(streams, dict) else ():
        told = streams.get(name) if isinstance(streams, dict) else None
        try:
            at = datetime.fromisoformat(str(told["heard_at"])) if isinstance(told, dict) else None
        except (KeyError, ValueError):
            continue
        if at is not None and at.tzinfo is not None:
            found.append((name, at))
    return found
