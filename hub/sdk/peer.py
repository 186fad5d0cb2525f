"""One bounded HTTP client per endpoint: total deadline, byte cap, redirects off, retries with full jitter.

httpx limits each read, not the whole call, and no body; both are wrapped here once. Errors are named by what happens
next: 401/403 ``CredentialsError``, other 4xx ``PersonError``, 429, 5xx, time-outs and garbage ``RetryError``.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpcore
import httpx
import tenacity

from hub.core.errors import CredentialsError, HubError, PersonError, RetryError
from hub.sdk.auth import SignatureAuth
from hub.sdk.endpoint import Endpoint
from hub.sdk.trust import trust

__all__ = ["Peer", "Reply", "classify", "retry_after"]

# httpx prints every URL, with its query, at INFO: personal data by default.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

RETRY_STATUS = (408, 425, 429, 500, 502, 503, 504)
ATTEMPTS = 3
"""Quick tries inside one call; everything longer is the schedule's business."""
LONGEST_WAIT = 2.0
"""Seconds; a peer that asks for more is asked again by the schedule, no thread waits for it."""
FIRST_WAIT = 0.2
"""Seconds; the upper bound of the first random wait, doubled with each try."""

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class Reply(NamedTuple):
    """A whole answer, already bounded and decompressed."""

    status: int
    headers: httpx.Headers
    body: bytes


def _left(timeout: float | None, error: type[Exception]) -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise error("deadline")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends at the call's deadline, so dripping headers cannot outlast it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))


def _transport() -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(verify=trust())
    transport._pool = httpcore.ConnectionPool(  # httpx gives no other door for a network backend (0.28)
        ssl_context=trust(), max_connections=4, keepalive_expiry=30.0, network_backend=_Backend()
    )
    return transport


class Peer:
    """A client for one source or way out; ``endpoint`` is the health it shares with others at that address.

    ``seconds`` bounds one call from connect to last byte, ``max_bytes`` its answer.
    """

    def __init__(
        self,
        *,
        auth: httpx.Auth | None = None,
        seconds: float = 60.0,
        max_bytes: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        max_age: float | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.auth = auth
        self._endpoint = endpoint
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._max_age = seconds if max_age is None else max_age
        self._client = httpx.Client(
            transport=_transport(),
            auth=auth,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "family-care-hub", **(headers or {})},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One attempt; any status is an answer. Raises ``RetryError`` (unreachable, deadline, resting) or ``PersonError``."""
        if self._endpoint is None:
            return self._call(method, url, params, content, headers)
        with self._endpoint.turn(self._seconds):
            try:
                reply = self._call(method, url, params, content, headers)
            except RetryError as error:
                self._endpoint.met(error.code)
                raise
            failed = reply.status in RETRY_STATUS or reply.status >= 500
            self._endpoint.met(f"http.{reply.status}" if failed else "", retry_after(reply.headers))
            return reply

    def _call(
        self, method: str, url: str, params: Any, content: bytes | None, headers: Mapping[str, str] | None
    ) -> Reply:
        token = _deadline.set(time.monotonic() + self._seconds)
        try:
            with self._client.stream(method, url, params=params, content=content, headers=headers) as response:
                return Reply(response.status_code, response.headers, self._read(response))
        except (httpx.TimeoutException, httpcore.TimeoutException):
            raise RetryError(f"{_host(url)} did not answer in time", code="peer.timeout") from None
        except httpx.InvalidURL:
            raise PersonError("the configured URL is not valid", code="peer.url") from None
        except (httpx.HTTPError, httpcore.NetworkError, zlib.error, OSError, UnicodeError) as error:
            if _is_distrusted(error):
                raise _distrusted() from None
            why = type(error).__name__
            raise RetryError(f"{_host(url)} cannot be reached: {why}", code="peer.unavailable") from None
        finally:
            _deadline.reset(token)

    def ask(self, method: str, url: str, **request: Any) -> Reply:
        """``call`` until 2xx: quick retries with full jitter, Retry-After honoured within bounds, else the error."""
        started = time.monotonic()

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = getattr(error, "after", None)
            jitter = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)(state)
            return jitter if asked is None else float(asked)

        def stop(state: tenacity.RetryCallState) -> bool:
            sleep = state.upcoming_sleep or 0.0
            too_old = time.monotonic() - started + sleep > self._max_age
            return state.attempt_number >= ATTEMPTS or sleep > LONGEST_WAIT or too_old

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RetryError), wait=wait, stop=stop, reraise=True
        )
        return retrying(self._ask_once, method, url, request)

    def _ask_once(self, method: str, url: str, request: dict[str, Any]) -> Reply:
        reply = self.call(method, url, **request)
        error = classify(reply, self.auth)
        if error is not None:
            raise error
        return reply

    def _read(self, response: httpx.Response) -> bytes:
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise _too_large(self._max_bytes)
        unpack = _unpacker(response.headers.get("content-encoding", ""))
        body = bytearray()
        for piece in response.iter_raw():
            _left(None, httpcore.ReadTimeout)
            body += piece if unpack is None else unpack.decompress(piece, self._max_bytes - len(body) + 1)
            if len(body) > self._max_bytes or (unpack is not None and unpack.unconsumed_tail):
                raise _too_large(self._max_bytes)
        return bytes(body)


def _host(url: str) -> str:
    """Host and port of an address: no path and no query, which may hold a key."""
    parts = httpx.URL(url)
    return f"{parts.host}:{parts.port}" if parts.port else parts.host or "the peer"


def _is_distrusted(error: BaseException | None) -> bool:
    """Whether what lies below an error is a certificate that nobody we trust has signed, or for another name."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _distrusted() -> PersonError:
    return PersonError(
        "nobody we trust has signed the peer's certificate, or it is for another name, or too old",
        code="peer.certificate",
        remedy='name its own CA: [trust] ca = "ca.pem" in hub.toml; then reload',
    )


def _unpacker(encoding: str) -> Any:
    """We ask for identity; a peer that packs all the same is unpacked in bounds."""
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47)
    raise RetryError("the peer answers in an unknown content encoding", code="peer.garbage")


def _too_large(limit: int) -> PersonError:
    return PersonError(
        f"the answer is larger than {limit} bytes", code="peer.too_large", remedy="ask for smaller pages"
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the peer asks us to wait (number or HTTP date), None if it does not."""
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None


def classify(reply: Reply, auth: httpx.Auth | None = None) -> HubError | None:
    """The error a status stands for; None for 2xx. Codes are ``http.<status>``, a wrong clock ``credentials.clock``."""
    status = reply.status
    if 200 <= status < 300:
        return None
    code = f"http.{status}"
    if status in (401, 403):
        if isinstance(auth, SignatureAuth) and auth.skew_is_too_large:
            return CredentialsError(
                f"refused with {status}; the clocks differ by {auth.skew:.0f} s",
                code="credentials.clock",
                remedy="set the clock of the machine whose time is wrong",
            )
        return CredentialsError(f"refused with {status}", code=code, remedy="renew the credential")
    if status in RETRY_STATUS or status >= 500:
        return RetryError(f"the peer answered {status}", code=code, after=retry_after(reply.headers))
    remedy = "configure the address it has moved to" if 300 <= status < 400 else "check URL and parameters"
    return PersonError(f"the peer answered {status}", code=code, remedy=remedy)
