"""HTTP message signatures (RFC 9421) with Ed25519 over a body digest (RFC 9530): made at the edge, checked at the hub.

Only what the hub needs: requests, one signature, derived components ``@method``, ``@path``, ``@query``, ``@authority``
and plain fields. What is not understood exactly is refused; nothing is guessed. Pure: the clock and the set of known
keys come from outside.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.core.errors import HubError

__all__ = ["COVERED", "WINDOW", "Message", "Signature", "SignatureError", "check", "key_id", "parse", "sign"]

WINDOW: Final = 300
"""Seconds a signature may live, and by which clocks may differ: outside it a request is stale."""
COVERED: Final = ("@method", "@path", "@query", "content-digest")
"""What every signature must cover; ``idempotency-key`` too where the request has one."""
LABEL: Final = "hub"
ALGORITHM: Final = "ed25519"
DIGESTS: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
LONGEST: Final = 2048
"""Characters of a signature field; ours have about 300."""


class SignatureError(HubError):
    """A request's signature is missing, damaged, stale or wrong; ``code`` begins with ``signature.``."""


class Message(NamedTuple):
    """A request as both sides see it: header names in lower case, the path and query as they stand in the request line."""

    method: str
    path: str
    query: str  # without the question mark
    authority: str
    headers: Mapping[str, str]
    body: bytes


class Signature(NamedTuple):
    """A signature as it came, not yet checked."""

    components: tuple[str, ...]
    parameters: str  # the inner list with its parameters, exactly as sent: it is signed itself
    created: int
    expires: int
    nonce: str
    key: str  # keyid
    bytes: bytes


# --- making


def key_id(public: bytes) -> str:
    """The name of a public key (32 bytes): the same on both sides, so that people can compare it."""
    return "edge-" + base64.b32encode(hashlib.sha256(public).digest())[:16].decode().lower()


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def content_digest(body: bytes) -> str:
    """The value of the field ``Content-Digest`` (SHA-256)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign(
    message: Message, key: Ed25519PrivateKey, *, created: int, nonce: str, lifetime: int = WINDOW
) -> dict[str, str]:
    """The three fields to add to a request; whatever stands in ``message.headers`` under ``idempotency-key`` is covered."""
    headers = {**message.headers, "content-digest": content_digest(message.body)}
    covered = (*COVERED, *(("idempotency-key",) if "idempotency-key" in headers else ()))
    listed = " ".join(f'"{name}"' for name in covered)
    keyid = key_id(public_bytes(key))
    parameters = (
        f'({listed});created={created};expires={created + lifetime};nonce="{nonce}";alg="{ALGORITHM}";keyid="{keyid}"'
    )
    made = key.sign(signature_base(message._replace(headers=headers), covered, parameters))
    return {
        "Content-Digest": headers["content-digest"],
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{base64.b64encode(made).decode()}:",
    }


def signature_base(message: Message, components: Iterable[str], parameters: str) -> bytes:
    """The octets that are signed (RFC 9421, 2.5). Raises SignatureError when a component is not in the message."""
    lines = [f'"{name}": {_value(message, name)}' for name in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("utf-8", "surrogatepass")


def _value(message: Message, name: str) -> str:
    derived = {
        "@method": message.method,
        "@path": message.path or "/",
        "@query": "?" + message.query,
        "@authority": message.authority.lower(),
    }
    if name in derived:
        return derived[name]
    value = message.headers.get(name)
    if value is None or name.startswith("@"):
        raise SignatureError(f"the signature covers {name}, which is not in the request", code="signature.components")
    return " ".join(value.strip().splitlines())


# --- checking

_MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)=(\([^()]*\)[^,]*)")
_LIST = re.compile(
    r'\(((?:"[!#-\[\]-~]+"(?: "[!#-\[\]-~]+")*)?)\)((?:;[a-z*][a-z0-9_.*-]*=(?:-?[0-9]{1,15}|"[ !#-\[\]-~]*"))*)'
)
_PARAMETER = re.compile(r';([a-z*][a-z0-9_.*-]*)=(?:(-?[0-9]{1,15})|"([ !#-\[\]-~]*)")')
_BYTES = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):")


def parse(headers: Mapping[str, str]) -> Signature:
    """The one signature of a request. Raises SignatureError (signature.missing, signature.malformed)."""
    field, made = headers.get("signature-input", "").strip(), headers.get("signature", "").strip()
    if not field or not made:
        raise SignatureError("the request is not signed", code="signature.missing")
    if max(len(field), len(made)) > LONGEST:
        raise _malformed()
    member, value = _MEMBER.fullmatch(field), _BYTES.fullmatch(made)
    inner = _LIST.fullmatch(member[2]) if member else None
    if member is None or inner is None or value is None or value[1] != member[1]:
        raise _malformed()
    components = tuple(name.strip('"') for name in inner[1].split(" ")) if inner[1] else ()
    found: dict[str, str] = {}
    for name, number, text in _PARAMETER.findall(inner[2]):
        if name in found:
            raise _malformed()
        found[name] = number or text
    if len(set(components)) != len(components) or found.get("alg", ALGORITHM) != ALGORITHM:
        raise _malformed()
    try:
        return Signature(
            components, member[2], int(found["created"]), int(found["expires"]), found["nonce"], found["keyid"],
            base64.b64decode(value[2], validate=True),
        )  # fmt: skip
    except (KeyError, ValueError, binascii.Error):
        raise _malformed() from None


def _malformed() -> SignatureError:
    return SignatureError("the signature fields cannot be read", code="signature.malformed")


def check_time(signature: Signature, now: float) -> None:
    """Raises SignatureError (signature.stale) when the signature is outside its window by the hub's clock."""
    short = 0 < signature.expires - signature.created <= WINDOW
    if not short or not signature.created - WINDOW <= now <= signature.expires:
        raise SignatureError("the signature is outside its five minutes", code="signature.stale")


def check(signature: Signature, message: Message, public: bytes) -> None:
    """Whether the holder of the key signed this very request. Raises SignatureError otherwise.

    ``signature.components``: something that must be covered is not. ``signature.digest``: the body is another.
    ``signature.invalid``: another key, or something covered was changed. Time and nonce are checked apart.
    """
    must = {*COVERED, *(("idempotency-key",) if "idempotency-key" in message.headers else ())}
    if missing := sorted(must - set(signature.components)):
        raise SignatureError(f"the signature does not cover {', '.join(missing)}", code="signature.components")
    if not _is_digest_of(message.headers.get("content-digest", ""), message.body):
        raise SignatureError("the body differs from its digest", code="signature.digest")
    base = signature_base(message, signature.components, signature.parameters)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature.bytes, base)
    except InvalidSignature:
        raise SignatureError("the signature is not this key's for this request", code="signature.invalid") from None


def _is_digest_of(field: str, body: bytes) -> bool:
    """Whether at least one digest of the field is of a kind we know, and every such one is the body's."""
    known = []
    for member in field.split(","):
        found = re.fullmatch(r"\s*([a-z0-9-]+)=:([A-Za-z0-9+/=]*):\s*", member)
        if found is None:
            return False
        if found[1] in DIGESTS:
            known.append(base64.b64encode(DIGESTS[found[1]](body).digest()).decode() == found[2])
    return bool(known) and all(known)
