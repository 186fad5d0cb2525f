"""How the hub identifies itself to a peer: none, basic, bearer, signature (a recipe) and national_platform.

Every platform signs differently, so ``signature`` is a small recipe of named parts. Nonces are never used twice: each
attempt is signed anew. The clock skew against the peer's ``Date`` header is measured, because a signature that is
refused is most often a clock that is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx

from hub.core.errors import ConfigurationError

__all__ = ["Recipe", "SignatureAuth", "make_auth"]

Clock = Callable[[], float]
"""Seconds since 1970."""

PARTS = ("key", "service", "time", "nonce", "params", "body", "method", "path")
ALGORITHMS = ("hmac-sha256", "md5")
ENCODINGS = ("base64", "hex", "hex-upper")
ALLOWED_SKEW = 600.0
"""Provincial platforms accept a time stamp for ten minutes."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is signed, how, and where it is put. ``names`` maps key, service, time, nonce, sign to header or query names."""

    parts: Sequence[str] = ("key", "time", "nonce")  # in order; see PARTS
    join: str = ""  # between parts
    algorithm: str = "hmac-sha256"  # or md5 over text + secret_join + secret
    secret_join: str = ""  # md5 only, e.g. "&key="
    encoding: str = "base64"
    unit: str = "ms"  # or "s"
    place: str = "header"  # or "query"
    names: Mapping[str, str] = field(
        default_factory=lambda: {
            "key": "X-Client-Id",
            "time": "X-Timestamp",
            "nonce": "X-Nonce",
            "sign": "X-Signature",
        }
    )
    key: str = ""
    service: str = ""
    skew: float = ALLOWED_SKEW  # seconds

    def check(self) -> Recipe:
        """Raise ``ConfigurationError`` for a word that is not in its table."""
        for value, allowed, name in (
            (self.algorithm, ALGORITHMS, "algorithm"),
            (self.encoding, ENCODINGS, "encoding"),
            (self.unit, ("ms", "s"), "time unit"),
            (self.place, ("header", "query"), "place"),
            *((part, PARTS, "part") for part in self.parts),
        ):
            if value not in allowed:
                raise ConfigurationError(
                    f"signature {name}: expected one of {', '.join(allowed)}, found {value}", code="auth.recipe"
                )
        if "sign" not in self.names:
            raise ConfigurationError("signature names: expected a name for sign", code="auth.recipe")
        return self


NATIONAL_NAMES = {
    "key": "gjgxjhpt_rid",
    "service": "gjgxjhpt_sid",
    "time": "gjgxjhpt_rtime",
    "sign": "gjgxjhpt_sign",
}
"""Headers of the national exchange platform: requester, service, time in ms, signature over sid + rid + rtime."""


class SignatureAuth(httpx.Auth):
    """Signs each attempt anew. ``skew`` is the peer's clock minus ours in seconds, once it has answered."""

    requires_request_body = True

    def __init__(self, recipe: Recipe, secret: str, clock: Clock = time.time) -> None:
        self.recipe = recipe.check()
        self.skew: float | None = None
        self._secret = secret.encode()
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's hook: sign, send, read the peer's clock."""
        self._sign(request)
        response = yield request
        self.skew = _skew(response.headers.get("date"), self._clock())

    @property
    def skew_is_too_large(self) -> bool:
        """Whether the peer would refuse our time stamps."""
        return self.skew is not None and abs(self.skew) > self.recipe.skew

    def _sign(self, request: httpx.Request) -> None:
        recipe = self.recipe
        now = self._clock()
        values = {
            "key": recipe.key,
            "service": recipe.service,
            "time": str(int(now * 1000) if recipe.unit == "ms" else int(now)),
            "nonce": secrets.token_hex(16),
        }
        shown = {recipe.names[part]: value for part, value in values.items() if part in recipe.names}
        if recipe.place == "query":
            request.url = request.url.copy_merge_params(shown)
        else:
            request.headers.update(shown)
        values["params"] = _sorted_params(request.url.query)
        values["body"] = hashlib.sha256(request.content).hexdigest()
        values["method"] = request.method
        values["path"] = request.url.path
        sign = self._digest(recipe.join.join(values[part] for part in recipe.parts))
        if recipe.place == "query":
            request.url = request.url.copy_merge_params({recipe.names["sign"]: sign})
        else:
            request.headers[recipe.names["sign"]] = sign

    def _digest(self, text: str) -> str:
        if self.recipe.algorithm == "md5":
            whole = text.encode() + self.recipe.secret_join.encode() + self._secret
            raw = hashlib.md5(whole, usedforsecurity=False).digest()
        else:
            raw = hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        if self.recipe.encoding == "base64":
            return base64.b64encode(raw).decode()
        return raw.hex().upper() if self.recipe.encoding == "hex-upper" else raw.hex()


def _sorted_params(query: bytes) -> str:
    pairs = parse_qsl(query.decode(), keep_blank_values=True)
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _skew(date: str | None, now: float) -> float | None:
    try:
        theirs = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    if theirs is None:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return (theirs - datetime.fromtimestamp(now, UTC)).total_seconds()


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def make_auth(kind: str, options: Mapping[str, Any], secret: str = "", clock: Clock = time.time) -> httpx.Auth | None:
    """The httpx auth of one ``auth`` table; ``options`` are its keys but ``kind`` and the secret.

    basic: ``username`` (or ``key``). signature: the fields of ``Recipe``. national_platform: ``requester`` (or ``key``)
    and ``service``. Raises ``ConfigurationError`` for an unknown kind or part.
    """
    if kind == "none":
        return None
    if kind == "basic":
        return httpx.BasicAuth(str(options.get("username") or options.get("key") or ""), secret)
    if kind == "bearer":
        return _Bearer(secret)
    if kind == "signature":
        return SignatureAuth(_recipe(options), secret, clock)
    if kind == "national_platform":
        return SignatureAuth(_national(options), secret, clock)
    raise ConfigurationError(
        f"auth kind: expected none, basic, bearer, signature or national_platform, found {kind}", code="auth.kind"
    )


def _recipe(options: Mapping[str, Any]) -> Recipe:
    known = {name: value for name, value in options.items() if name in Recipe.__dataclass_fields__}
    unknown = set(options) - set(known) - {"time_unit"}
    if unknown:
        raise ConfigurationError(
            f"signature: unknown keys {', '.join(sorted(unknown))}; known: {', '.join(Recipe.__dataclass_fields__)}",
            code="auth.recipe",
        )
    if "time_unit" in options:
        known["unit"] = options["time_unit"]
    if "skew" in known:
        known["skew"] = _seconds(known["skew"])
    return Recipe(**known)


def _seconds(value: Any) -> float:
    """A number of seconds, or text such as ``90s`` or ``10m``."""
    if isinstance(value, (int, float)):
        return float(value)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    text = str(value).strip()
    unit = next((name for name in units if text.endswith(name) and text[: -len(name)].strip().isdigit()), "")
    if not unit:
        raise ConfigurationError('signature skew: expected a duration such as "10m"', code="auth.recipe")
    return int(text[: -len(unit)]) * units[unit]


def _national(options: Mapping[str, Any]) -> Recipe:
    return Recipe(
        parts=("service", "key", "time"),
        names=NATIONAL_NAMES,
        key=str(options.get("requester") or options.get("key") or ""),
        service=str(options.get("service") or ""),
    )
