"""The edge's link to its hub: every request signed, every answer bounded and classed by what happens next."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, RetryError
from hub.runtime.edge_spool import Batch
from hub.sdk.peer import RETRY_STATUS, Peer, Reply, retry_after
from hub.security.signatures import WINDOW, Message, sign

__all__ = ["EdgeLink", "address"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANSWER_BYTES = 8 * 1024 * 1024


def address(url: str) -> str:
    """The hub's address without a trailing slash. Raises ConfigurationError: not https, and not this machine."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            f"expected the hub's address such as https://hub.example, found {url!r}", code="edge.url"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(
            "records of persons never leave this machine unencrypted: expected https://",
            code="edge.url",
            remedy="give the hub's https address; http is for this machine alone",
        )
    return url.strip().rstrip("/")


class _Signing(httpx.Auth):
    """Signs each request as it leaves; ``offset`` are seconds to add to our clock to have the hub's."""

    requires_request_body = True

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self.offset = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        path, _, query = request.url.raw_path.decode().partition("?")
        authority = request.url.netloc.decode()
        message = Message(request.method, path, query, authority, dict(request.headers.items()), request.content)
        created = int(self._clock() + self.offset)
        request.headers.update(sign(message, self._key, created=created, nonce=secrets.token_urlsafe(16)))
        yield request


class EdgeLink:
    """One connector's edge, seen from itself. ``skew``: seconds by which the hub's clock is ahead of ours, None unknown."""

    def __init__(
        self,
        to: str,
        connector: str,
        key: Ed25519PrivateKey,
        *,
        clock: Callable[[], float] = time.time,
        seconds: float = 60.0,
    ) -> None:
        self._to = address(to)
        self._base = f"{self._to}/v1/connectors/{quote(connector)}"
        self._clock = clock
        self._signing = _Signing(key, clock)
        self._peer = Peer(auth=self._signing, seconds=seconds, max_bytes=ANSWER_BYTES)
        self.skew: float | None = None

    def close(self) -> None:
        """Give connections back."""
        self._peer.close()

    def join(self, code: str, public: str) -> dict[str, Any]:
        """Enrol: use the one-time code for this key. Raises HubError."""
        return self._object(self._call("POST", f"{self._to}/v1/edges/join", {"code": code, "public_key": public}))

    def post(self, batch: Batch) -> str:
        """One batch; its number at the hub, which has it durably now. Raises HubError by what happens next."""
        headers = {"Idempotency-Key": batch.uid, "Prefer": "respond-async"}
        url = f"{self._base}/streams/{quote(batch.stream)}/records"
        told = self._object(self._call("POST", url, b'{"records":' + batch.body + b"}", headers))
        return str(told.get("batch", ""))

    def receipt(self, number: str) -> dict[str, Any]:
        """The receipt of a batch as it stands now."""
        return self._object(self._call("GET", f"{self._to}/v1/batches/{quote(number, safe='')}"))

    def tell(self, state: Mapping[str, Any]) -> None:
        """The edge's own state, for `hub status`."""
        self._call("PUT", f"{self._base}/edge", state)

    def parcels(self) -> list[dict[str, Any]]:
        """Messages this department's system should be sent by us."""
        found = self._object(self._call("GET", f"{self._base}/parcels")).get("parcels", [])
        return [parcel for parcel in found if isinstance(parcel, dict)]

    def answer(self, message_no: str, answer: Mapping[str, Any]) -> None:
        """What the delivery of one message gave."""
        self._call("POST", f"{self._base}/parcels/{quote(message_no, safe='')}/answers", answer)

    def _call(
        self,
        method: str,
        url: str,
        content: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A signed request; a stale one is signed again once by the hub's clock."""
        body = orjson.dumps(content) if isinstance(content, Mapping) else content
        sent = {"Content-Type": "application/json", **(headers or {})}
        for again in (True, False):
            reply = self._peer.call(method, url, content=body, headers=sent)
            self._measure(reply)
            error = self._error(reply)
            if error is None:
                return reply
            if error.code != "signature.stale" or not again or self.skew is None or abs(self.skew) < WINDOW / 10:
                raise error
            self._signing.offset = self.skew
        raise AssertionError("unreachable")

    def _measure(self, reply: Reply) -> None:
        try:
            at = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
        except ValueError:
            return
        skew = at - self._clock()
        self.skew = 0.0 if abs(skew) <= 2.0 else round(skew, 1)  # the field counts whole seconds

    def _error(self, reply: Reply) -> HubError | None:
        if 200 <= reply.status < 300:
            return None
        told = self._object(reply)
        code, remedy = str(told.get("code") or f"http.{reply.status}"), str(told.get("remedy", ""))
        text = f"the hub answered {reply.status} {code}"
        if reply.status in RETRY_STATUS or reply.status >= 500:
            return RetryError(text, code=code, remedy=remedy, after=retry_after(reply.headers))
        if reply.status in (401, 403):
            return CredentialsError(text, code=code, remedy=remedy)
        return PersonError(text, code=code, remedy=remedy)

    def _object(self, reply: Reply) -> dict[str, Any]:
        try:
            found = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}
