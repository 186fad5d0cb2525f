"""The hub's doors for edges: each way in which a request is not a known edge's own, with its code."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.security.signatures import Message, public_bytes, sign
from tests.edge.conftest import RunningHub, call, request

PATH = "/v1/connectors/police/streams/incident/records"
EMPTY = b'{"records":[]}'


@pytest.fixture(scope="module")
def hub(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    made = RunningHub(template, tmp_path_factory.mktemp("doors") / "hub")
    made.start()
    yield made
    made.daemon.kill()
    made.daemon.client.close()


def signed(
    key: Ed25519PrivateKey, method: str, path: str, body: bytes = b"", *, skew: int = 0, nonce: str = "", **more: str
) -> dict[str, str]:
    """The headers of one signed request."""
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    message = Message(method, path, "", "hub", headers, body)
    made = sign(message, key, created=int(time.time()) + skew, nonce=nonce or f"n{time.monotonic_ns()}")
    return {**headers, **made}


def enrolled(hub: RunningHub) -> Ed25519PrivateKey:
    """A key that has joined for the police."""
    key = Ed25519PrivateKey.generate()
    assert joined(hub, key, hub.enrol()).status_code == 200
    return key


def joined(
    hub: RunningHub, key: Ed25519PrivateKey, code: str, proof: Ed25519PrivateKey | None = None
) -> httpx.Response:
    public = base64.b64encode(public_bytes(key)).decode()
    body = httpx.Request("POST", hub.url, json={"code": code, "public_key": public}).content
    return request(
        hub.url, "POST", "/v1/edges/join", content=body, headers=signed(proof or key, "POST", "/v1/edges/join", body)
    )


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json().get("code", ""))


def post(hub: RunningHub, headers: dict[str, str], body: bytes = EMPTY, path: str = PATH) -> tuple[int, str]:
    return told(request(hub.url, "POST", path, content=body, headers=headers))


@pytest.fixture(scope="module")
def key(hub: RunningHub) -> Ed25519PrivateKey:
    return enrolled(hub)


def test_signed_batch_is_taken(hub: RunningHub, key: Ed25519PrivateKey) -> None:
    """The push door takes it as it takes a bearer's; a repeat under its number gives the first receipt."""
    answers = [
        request(hub.url, "POST", PATH, content=EMPTY, headers=signed(key, "POST", PATH, EMPTY, idempotency_key="b1"))
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["batch"] == answers[1].json()["batch"]


def test_replayed_request_is_refused(hub: RunningHub, key: Ed25519PrivateKey) -> None:
    """The very same bytes a second time."""
    headers = signed(key, "POST", PATH, EMPTY)

    assert post(hub, headers)[0] == 200
    assert post(hub, headers) == (401, "signature.replayed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": b'{"records":[{}]}'}, "signature.digest"),
        ({"path": "/v1/connectors/police/streams/admonition/records"}, "signature.invalid"),
        ({"headers": {"Idempotency-Key": "other"}}, "signature.components"),
        ({"headers": {"Signature": "hub=:AAAA:"}}, "signature.invalid"),
        ({"headers": {"Signature-Input": "hub=()"}}, "signature.malformed"),
    ],
)
def test_changed_request_is_refused(hub: RunningHub, key: Ed25519PrivateKey, change: dict[str, Any], code: str) -> None:
    """Body, path or fields that differ from what was signed."""
    headers = {**signed(key, "POST", PATH, EMPTY), **change.pop("headers", {})}

    assert post(hub, headers, **change) == (401, code)


@pytest.mark.parametrize("skew", [-900, 900])
def test_stale_request_is_refused(hub: RunningHub, key: Ed25519PrivateKey, skew: int) -> None:
    """A quarter of an hour old, or ahead."""
    assert post(hub, signed(key, "POST", PATH, EMPTY, skew=skew)) == (401, "signature.stale")


def test_unknown_key_is_refused(hub: RunningHub) -> None:
    """A key that never joined."""
    assert post(hub, signed(Ed25519PrivateKey.generate(), "POST", PATH, EMPTY)) == (401, "signature.unknown_key")


def test_foreign_connector_is_refused(hub: RunningHub, key: Ed25519PrivateKey) -> None:
    """An edge sends for its own connector alone, and reads its own messages alone."""
    for method, path in (
        ("POST", "/v1/connectors/court/streams/notice/records"),
        ("GET", "/v1/connectors/court/parcels"),
        ("PUT", "/v1/connectors/court/edge"),
    ):
        answer = request(hub.url, method, path, content=b"{}", headers=signed(key, method, path, b"{}"))
        assert answer.status_code == 403, path


def test_code_is_used_once_by_whoever_holds_the_key(hub: RunningHub) -> None:
    """The same key again gets the same answer, for the first may have been lost; another key gets nothing."""
    code, first, second = hub.enrol(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    assert told(joined(hub, first, code, proof=second)) == (401, "signature.invalid")
    assert [joined(hub, first, code.lower().replace("-", " ")).json()["connector"] for _ in range(2)] == ["police"] * 2
    assert told(joined(hub, second, code)) == (403, "edge.code")
    assert told(joined(hub, second, "0000-0000-0000-0000")) == (403, "edge.code")


def test_new_edge_ends_the_former_and_revocation_ends_all(hub: RunningHub) -> None:
    """A connector has one edge; after `hub edge revoke` the very next request is refused."""
    former, present = enrolled(hub), enrolled(hub)

    assert post(hub, signed(former, "POST", PATH, EMPTY)) == (403, "signature.revoked")
    assert post(hub, signed(present, "POST", PATH, EMPTY))[0] == 200
    call(hub.folder, "edge", "revoke", "police")
    assert post(hub, signed(present, "POST", PATH, EMPTY)) == (403, "signature.revoked")


def test_told_state_is_seen_and_holds_no_text(hub: RunningHub) -> None:
    """A full spool is an issue here until it is told otherwise; whatever is no number or code is dropped."""
    key, path = enrolled(hub), "/v1/connectors/police/edge"
    for state, issues in (("full", ["edge.full"]), ("idle", [])):
        body = httpx.Request(
            "PUT", hub.url, json={"state": state, "waiting": 7, "code": "张三 的记录", "x": "y"}
        ).content
        assert request(hub.url, "PUT", path, content=body, headers=signed(key, "PUT", path, body)).status_code == 200
        shown = hub.json("connectors", "show", "police")["edge"]
        assert (shown["state"], shown["waiting"], shown["code"], "x" in shown) == (state, 7, "", False)
        assert [i["cause"] for i in hub.json("status")["issues"] if i["subject"] == "edge.police"] == issues


def test_join_refuses_plain_http_beyond_this_machine(tmp_path: Path) -> None:
    """Records of persons never leave unencrypted."""
    call(tmp_path, "edge", "join", "http://hub.example", "0000", code=2)
