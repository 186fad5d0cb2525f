"""Signed requests: the RFC's own example, and each way in which a request is not what was signed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.security.signatures import (
    WINDOW,
    Message,
    SignatureError,
    check,
    check_time,
    content_digest,
    key_id,
    parse,
    public_bytes,
    sign,
    signature_base,
)

# RFC 9421, B.1.4 and B.2: the example key and the example request
SEED = base64.b64decode("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=")
PUBLIC = base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
BODY = b'{"hello": "world"}'
SHA512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
REQUEST = Message(
    "POST", "/foo", "param=Value&Pet=dog", "example.com",
    {"date": "Tue, 20 Apr 2021 02:07:55 GMT", "content-type": "application/json", "content-digest": SHA512,
     "content-length": "18"},
    BODY,
)  # fmt: skip
COMPONENTS = ("date", "@method", "@path", "@authority", "content-type", "content-length")
PARAMETERS = '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"'
SIGNED = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PLAIN = Message("POST", "/v1/x", "", "hub.example", {"idempotency-key": "b1"}, b'{"records":[]}')


def signed(message: Message = PLAIN, key: Ed25519PrivateKey = KEY, **options: int) -> Message:
    made = sign(
        message, key, created=options.get("created", 1000), nonce="n1", lifetime=options.get("lifetime", WINDOW)
    )
    return message._replace(headers={**message.headers, **{name.lower(): value for name, value in made.items()}})


def refused(message: Message, key: Ed25519PrivateKey = KEY) -> str:
    with pytest.raises(SignatureError) as caught:
        check(parse(message.headers), message, public_bytes(key))
    return caught.value.code


def test_the_rfc_example_is_signed_alike() -> None:
    """B.2.6: the same signature base, and from the RFC's private key the very signature it prints."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    base = signature_base(REQUEST, COMPONENTS, PARAMETERS)

    assert public_bytes(key) == PUBLIC
    assert base.decode().splitlines() == [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT', '"@method": POST', '"@path": /foo', '"@authority": example.com',
        '"content-type": application/json', '"content-length": 18', f'"@signature-params": {PARAMETERS}',
    ]  # fmt: skip
    assert base64.b64encode(key.sign(base)).decode() == SIGNED


def test_digests_are_those_of_the_rfcs() -> None:
    """SHA-256 as RFC 9530 prints it; SHA-512, as in RFC 9421's request, is taken too."""
    assert content_digest(BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    made = sign(REQUEST, KEY, created=1000, nonce="n1")
    message = signed(REQUEST._replace(headers={}))

    assert made["Content-Digest"] == content_digest(BODY)
    assert refused(message._replace(headers={**message.headers, "content-digest": SHA512})) == "signature.invalid"


def test_what_was_signed_is_taken() -> None:
    """Key, nonce and times are read back, and the check passes."""
    message = signed()
    found = parse(message.headers)

    check(found, message, public_bytes(KEY))
    assert (found.key, found.nonce, found.created, found.expires) == (
        key_id(public_bytes(KEY)),
        "n1",
        1000,
        1000 + WINDOW,
    )
    assert found.components == ("@method", "@path", "@query", "content-digest", "idempotency-key")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": b"{}"}, "signature.digest"),
        ({"body": b"{}", "headers": {"content-digest": content_digest(b"{}")}}, "signature.invalid"),
        ({"method": "GET"}, "signature.invalid"),
        ({"path": "/v1/y"}, "signature.invalid"),
        ({"query": "a=b"}, "signature.invalid"),
        ({"headers": {"idempotency-key": "b2"}}, "signature.invalid"),
        ({"headers": {"content-digest": ""}}, "signature.digest"),
        ({"headers": {"content-digest": "md5=:abc=:"}}, "signature.digest"),
    ],
)
def test_changed_request_is_refused(change: dict[str, object], code: str) -> None:
    """Whatever is covered cannot be changed, nor can the body behind its digest."""
    message = signed()
    headers = {**message.headers, **change.pop("headers", {})}

    assert refused(message._replace(headers=headers, **change)) == code


def test_another_key_is_refused() -> None:
    """A signature of one key is none of another's."""
    assert refused(signed(), Ed25519PrivateKey.generate()) == "signature.invalid"


def test_idempotency_key_must_be_covered() -> None:
    """A field that decides what is stored cannot be added after signing."""
    message = signed(PLAIN._replace(headers={}))

    assert refused(message._replace(headers={**message.headers, "idempotency-key": "b2"})) == "signature.components"


@pytest.mark.parametrize("now", [1000, 1000 - WINDOW, 1000 + WINDOW])
def test_window_is_five_minutes_either_way(now: int) -> None:
    """At its edges a signature still holds."""
    check_time(parse(signed().headers), now)


@pytest.mark.parametrize(
    ("now", "lifetime"), [(1000 - WINDOW - 1, 300), (1000 + WINDOW + 1, 300), (1000, 301), (1000, 0)]
)
def test_stale_or_long_lived_signature_is_refused(now: int, lifetime: int) -> None:
    """Too old, from the future, or meant to live longer than five minutes."""
    with pytest.raises(SignatureError) as caught:
        check_time(parse(signed(lifetime=lifetime).headers), now)
    assert caught.value.code == "signature.stale"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signature", "hub=:!!:"),
        ("signature", "other=:AAAA:"),
        ("signature", 'hub="AAAA"'),
        ("signature", "hub=:A:"),
        ("signature-input", "hub=()"),
        ("signature-input", 'hub=("@method");created=1;expires=2;nonce="n";keyid="k";alg="hmac-sha256"'),
        ("signature-input", 'hub=("@method" "@method");created=1;expires=2;nonce="n";keyid="k"'),
        ("signature-input", 'hub=("@method");created=1;created=2;expires=2;nonce="n";keyid="k"'),
        ("signature-input", 'hub=("@method"),more=("@path")'),
        ("signature-input", 'hub=("@method");created=1;expires=2;nonce="n";keyid="k"' + " " * 2048 + "x"),
    ],
)
def test_fields_that_cannot_be_read_exactly_are_refused(field: str, value: str) -> None:
    """Nothing is guessed: two signatures, other algorithms, repeated parameters and garbage are malformed."""
    with pytest.raises(SignatureError) as caught:
        parse({**signed().headers, field: value})
    assert caught.value.code == "signature.malformed"


def test_unsigned_request_says_so() -> None:
    """Without both fields there is no signature."""
    with pytest.raises(SignatureError) as caught:
        parse({"signature-input": "hub=()"})
    assert caught.value.code == "signature.missing"
