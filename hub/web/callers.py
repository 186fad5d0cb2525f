"""Who calls: a bearer credential of a connector, or a read token bound to a role. Default deny."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from hub.web.office import Caller, Office
from hub.web.refusals import RefusedError


def office_of(request: Request) -> Office:
    return cast(Office, request.app.state.office)


TheOffice = Annotated[Office, Depends(office_of)]


def any_caller(request: Request, office: TheOffice) -> Caller:
    """The caller of a bearer credential; 401 when it is missing or unknown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = office.caller(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if caller is None:
        raise RefusedError(401, "credential.unknown", "send Authorization: Bearer TOKEN", WWW_Authenticate="Bearer")
    return caller


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
