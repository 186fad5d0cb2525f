"""Who calls: a bearer credential, or a signed request of a connector's edge. Default deny."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from hub.core.problems import remedy_of
from hub.security.signatures import Message, SignatureError, check, parse
from hub.web.office import Caller, EdgeDesk, Office
from hub.web.refusals import RefusedError


def office_of(request: Request) -> Office:
    return cast(Office, request.app.state.office)


TheOffice = Annotated[Office, Depends(office_of)]


async def limited_body(request: Request, office: TheOffice) -> bytes:
    """The raw body, read once and refused as soon as it passes the limit."""
    known = getattr(request.state, "body", None)
    if known is not None:
        return bytes(known)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > office.limits.body_bytes:
            raise RefusedError(413, "batch.too_large", f"send at most {office.limits.body_bytes} bytes at once")
        chunks.append(chunk)
    request.state.body = b"".join(chunks)
    return bytes(request.state.body)


LimitedBody = Annotated[bytes, Depends(limited_body)]


async def any_caller(request: Request, office: TheOffice) -> Caller:
    """The caller of a bearer credential or a signed request; 503 while its connector is switched off."""
    signed = "signature-input" in request.headers
    caller = await signed_caller(request, office) if signed else await bearer_caller(request, office)
    if caller.kind == "connector" and office.is_off(caller.name):
        raise RefusedError(503, "connector.disabled", "it is switched off here: send it again later", Retry_After="60")
    return caller


async def bearer_caller(request: Request, office: Office) -> Caller:
    """The caller of a bearer credential; 401 when it is missing or unknown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    found = scheme.lower() == "bearer" and token.strip()
    caller = await run_in_threadpool(office.caller, token.strip()) if found else None
    if caller is None:
        raise RefusedError(401, "credential.unknown", "send Authorization: Bearer TOKEN", WWW_Authenticate="Bearer")
    return caller


async def signed_caller(request: Request, office: Office) -> Caller:
    """The edge whose key signed this very request, in time and for the first time. The body is read only for a known key."""
    desk: EdgeDesk = request.app.state.edges
    with signature_errors():
        signature = parse(request.headers)
        connector, public = await run_in_threadpool(desk.recognise, signature)
        check(signature, message_of(request, await limited_body(request, office)), public)
        await run_in_threadpool(desk.take, signature)
    request.state.key = signature.key
    return Caller("connector", connector)


@contextmanager
def signature_errors() -> Iterator[None]:
    """A signature that does not hold is 401 with its code; a revoked key 403."""
    try:
        yield
    except SignatureError as error:
        status = 403 if error.code == "signature.revoked" else 401
        raise RefusedError(status, error.code, remedy_of(error.code)) from error


def message_of(request: Request, body: bytes) -> Message:
    """The request as its sender signed it: path and query undecoded."""
    scope = request.scope
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return Message(request.method, path, query, request.headers.get("host", ""), dict(request.headers.items()), body)


AnyCaller = Annotated[Caller, Depends(any_caller)]


def connector_caller(caller: AnyCaller) -> Caller:
    """A connector's credential; a role's token is refused."""
    if caller.kind != "connector":
        raise RefusedError(403, "credential.foreign", "use a connector's push credential here")
    return caller


def role_caller(caller: AnyCaller) -> Caller:
    """A read token; a connector's credential reads nothing but its own receipts and messages."""
    if caller.kind != "role":
        raise RefusedError(404, "not_found", "ask for something that exists and is yours")
    return caller


ConnectorCaller = Annotated[Caller, Depends(connector_caller)]
RoleCaller = Annotated[Caller, Depends(role_caller)]
