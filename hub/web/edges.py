"""Doors for edges: enrolment, their own state, and the messages that a unit fetches instead of being sent."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from hub.core.freight import Answer
from hub.sdk import strictjson
from hub.security.signatures import SignatureError, check, check_time, key_id, parse
from hub.web.callers import ConnectorCaller, LimitedBody, TheOffice, message_of, signature_errors
from hub.web.office import EdgeDesk
from hub.web.refusals import RefusedError

router = APIRouter(tags=["edges"])

STEPS = ("sent", "received", "refused", "later")
LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer to a message, with the records that came along."""


def desk_of(request: Request) -> EdgeDesk:
    return cast(EdgeDesk, request.app.state.edges)


TheDesk = Annotated[EdgeDesk, Depends(desk_of)]


@router.post("/v1/edges/join")
async def join(request: Request, body: LimitedBody, office: TheOffice, desk: TheDesk) -> JSONResponse:
    """Enrol an edge: `{"code", "public_key"}` (Ed25519, 32 bytes in Base64), signed with the key itself."""
    asked = _object(body, office.limits.json_depth)
    public = _public_key(asked.get("public_key"))
    with signature_errors():
        signature = parse(request.headers)
        check_time(signature, time.time())
        if signature.key != key_id(public):
            raise SignatureError("signed with another key", code="signature.invalid")
        check(signature, message_of(request, body), public)
    told = await run_in_threadpool(desk.join, str(asked.get("code", "")), public)
    if told is None:
        raise RefusedError(403, "edge.code", "ask the hub for a new code: `hub edge enrol NAME`")
    return JSONResponse(dict(told))


def _public_key(value: object) -> bytes:
    try:
        public = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        public = b""
    if len(public) != 32:
        raise RefusedError(422, "edge.key", "send the 32 bytes of an Ed25519 public key in Base64")
    return public


def _object(body: bytes, depth: int) -> Mapping[str, Any]:
    try:
        found = strictjson.loads(body, depth)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError(422, "request.invalid", "send one JSON object")
    return found


@router.put("/v1/connectors/{name}/edge")
async def told(
    name: str, request: Request, caller: ConnectorCaller, body: LimitedBody, office: TheOffice, desk: TheDesk
) -> JSONResponse:
    """An edge's own state: how much waits, whether its disk is full, what its clock says. Only edges have one."""
    key = getattr(request.state, "key", None)
    if caller.name != name or key is None:
        raise RefusedError(403, "credential.foreign", "sign as the edge of this connector")
    await run_in_threadpool(desk.told, key, name, _object(body, office.limits.json_depth))
    return JSONResponse({"connector": name})


@router.get("/v1/connectors/{name}/parcels")
def parcels(name: str, caller: ConnectorCaller, desk: TheDesk) -> JSONResponse:
    """Messages that this unit fetches (`pull = true`): `{"parcels": [{"message_no", "kind", "channel", "body"}]}`.

    `body` is Base64 of the very bytes to deliver; a message stays here until its answer has come.
    """
    if caller.name != name:
        raise RefusedError(403, "credential.foreign", "use the credential of this connector")
    return JSONResponse({"parcels": desk.parcels(name)})


@router.post("/v1/connectors/{name}/parcels/{message_no}/answers")
async def answer(
    name: str, message_no: str, caller: ConnectorCaller, body: LimitedBody, office: TheOffice, desk: TheDesk
) -> JSONResponse:
    """What the delivery of one message gave: `{"step": sent | received | refused | later, "number", "rows", "detail"}`."""
    if caller.name != name:
        raise RefusedError(403, "credential.foreign", "use the credential of this connector")
    if len(body) > LONGEST_ANSWER:
        raise RefusedError(413, "batch.too_large", f"send at most {LONGEST_ANSWER} bytes")
    found = _answer(_object(body, office.limits.json_depth))
    if not await run_in_threadpool(desk.answered, name, message_no, found):
        raise RefusedError(404, "not_found", "answer a message that waits for this connector")
    return JSONResponse({"message_no": message_no, "step": found.step})


def _answer(told: Mapping[str, Any]) -> Answer:
    step, number, rows = told.get("step"), told.get("number"), told.get("rows") or []
    detail, after = str(told.get("detail") or ""), told.get("after")
    fits = (number is None or (isinstance(number, str) and len(number) <= 200)) and isinstance(rows, list)
    if step not in STEPS or not fits or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(422, "request.invalid", f"send step as one of {', '.join(STEPS)}, rows as a list of objects")
    detail = detail if detail.isascii() and detail.isprintable() else ""
    return Answer(str(step), number, rows, detail[:64], float(after) if isinstance(after, int | float) else None)
