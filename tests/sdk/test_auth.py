from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from hub.core.errors import ConfigurationError, CredentialsError
from hub.sdk.auth import SignatureAuth, make_auth
from tests.local_peer import Asked, LocalPeer, caller

Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]


def ask(serve: Serve, kind: str, options: dict[str, Any], secret: str, **request: Any) -> Asked:
    peer = serve(lambda a: (200, {}, b"[]"))
    caller(auth=make_auth(kind, options, secret), seconds=5).call("GET", f"{peer.url}/api", **request)
    return peer.asked[0]


def hmac64(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def test_none_basic_and_bearer(serve: Serve) -> None:
    """The three plain kinds set the Authorization header, or none."""
    assert "Authorization" not in ask(serve, "none", {}, "").headers
    assert (
        "Basic " + base64.b64encode(b"hub:pass").decode()
        == ask(serve, "basic", {"username": "hub"}, "pass").headers["Authorization"]
    )
    assert ask(serve, "bearer", {}, "token").headers["Authorization"] == "Bearer token"


def test_national_platform_signs_service_requester_and_time(serve: Serve) -> None:
    """Base64 of HMAC-SHA256 over sid + rid + rtime, time in milliseconds, in the four headers."""
    headers = {
        k.lower(): v
        for k, v in ask(serve, "national_platform", {"requester": "R1", "service": "S1"}, "key").headers.items()
    }

    moment = headers["gjgxjhpt_rtime"]
    assert abs(int(moment) / 1000 - time.time()) < 60
    assert (headers["gjgxjhpt_rid"], headers["gjgxjhpt_sid"]) == ("R1", "S1")
    assert hmac64("key", f"S1R1{moment}") == headers["gjgxjhpt_sign"]


def test_provincial_recipe_uses_a_fresh_nonce_each_time(serve: Serve) -> None:
    """The default recipe signs id + timestamp + nonce; no nonce is used twice."""
    peer = serve(lambda a: (200, {}, b"[]"))
    client = caller(auth=make_auth("signature", {"key": "hub"}, "s3"), seconds=5)
    for _ in range(3):
        client.call("GET", peer.url)

    sent = [{k.lower(): v for k, v in asked.headers.items()} for asked in peer.asked]
    assert len({h["x-nonce"] for h in sent}) == 3
    for h in sent:
        assert hmac64("s3", h["x-client-id"] + h["x-timestamp"] + h["x-nonce"]) == h["x-signature"]


def test_city_recipe_signs_sorted_pairs_with_upper_case_md5_in_the_query(serve: Serve) -> None:
    """appId, nonceStr and timeStamp (seconds) go into the query; MD5 over all sorted pairs and the secret."""
    options = {
        "key": "app", "parts": ["params"], "algorithm": "md5", "encoding": "hex-upper", "secret_join": "&key=", "time_unit": "s",
        "place": "query", "names": {"key": "appId", "nonce": "nonceStr", "time": "timeStamp", "sign": "sign"},
    }  # fmt: skip
    query = dict(ask(serve, "signature", options, "s3", params={"pageNo": "1", "b": "中 文"}).query)

    sign = query.pop("sign")
    text = "&".join(f"{name}={query[name]}" for name in sorted(query)) + "&key=s3"
    assert {"appId", "nonceStr", "timeStamp", "pageNo", "b"} == set(query)
    assert len(query["timeStamp"]) == 10
    assert hashlib.md5(text.encode()).hexdigest().upper() == sign


def test_body_digest_method_and_path_can_be_signed(serve: Serve) -> None:
    """A recipe may name the body's SHA-256, the method and the path, joined as configured."""
    peer = serve(lambda a: (200, {}, b"{}"))
    options = {
        "key": "hub",
        "parts": ["method", "path", "body", "service"],
        "join": "\n",
        "service": "S",
        "encoding": "hex",
    }
    caller(auth=make_auth("signature", options, "s3"), seconds=5).call("POST", f"{peer.url}/a/b", content=b'{"x":1}')

    text = "\n".join(["POST", "/a/b", hashlib.sha256(b'{"x":1}').hexdigest(), "S"])
    assert hmac.new(b"s3", text.encode(), hashlib.sha256).hexdigest() == peer.asked[0].headers["X-Signature"]


def test_clock_skew_is_measured_and_named_when_refused(serve: Serve) -> None:
    """A peer an hour ahead that refuses us: the message speaks of the clock, not of the secret."""
    ahead = time.time() + 3600

    def refuse(handler: Any) -> None:
        date = formatdate(ahead, usegmt=True)
        handler.wfile.write(f"HTTP/1.1 401 No\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())

    peer = serve(lambda a: (401, {}, refuse))
    auth = make_auth("signature", {"key": "hub", "skew": "10m"}, "s3")

    with pytest.raises(CredentialsError) as caught:
        caller(auth=auth, seconds=5).ask("GET", peer.url)

    assert isinstance(auth, SignatureAuth)
    assert caught.value.code == "credentials.clock"
    assert 3590 < (auth.skew or 0) < 3610


@pytest.mark.parametrize(
    ("kind", "options"),
    [("oauth", {}), ("signature", {"parts": ["tea"]}), ("signature", {"algorithm": "sha1"}), ("signature", {"algoritm": "md5"}),
     ("signature", {"place": "body"}), ("signature", {"skew": "soon"}), ("signature", {"names": {"key": "X"}})],
)  # fmt: skip
def test_unknown_words_of_a_recipe_are_configuration_errors(kind: str, options: dict[str, Any]) -> None:
    """Every misspelt kind, part or key is refused when the auth is made, without showing the secret."""
    with pytest.raises(ConfigurationError) as caught:
        make_auth(kind, options, "hunter2")

    assert "hunter2" not in str(caught.value)


def test_secret_is_not_in_the_repr_of_anything(serve: Serve) -> None:
    """What a log could print of an auth holds no secret."""
    auths = [make_auth(kind, {"key": "k"}, "hunter2") for kind in ("basic", "bearer", "signature", "national_platform")]

    assert "hunter2" not in repr(auths) + json.dumps([str(auth) for auth in auths])
