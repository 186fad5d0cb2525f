"""Refusals with a stable code: what is wrong and what to do, never a value that came in."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.core.acts import ActError
from hub.core.errors import HubError, RetryError

STATUS = {
    "idempotency.conflict": 409, "batch.invalid": 422, "batch.too_large": 413, "batch.too_many_rows": 413,
    "act.scope": 403, "act.foreign": 403, "act.own": 403, "act.ended": 409,
}  # fmt: skip


class RefusedError(Exception):
    """An answer that is not 2xx: status, stable code, remedy, extra headers."""

    def __init__(self, status: int, code: str, remedy: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.remedy = status, code, remedy
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def answer(status: int, code: str, remedy: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": code, "remedy": remedy}, status_code=status, headers=headers)


async def refused(_: Request, error: Any) -> JSONResponse:
    return answer(error.status, error.code, error.remedy, error.headers)


async def hub_error(_: Request, error: Any) -> JSONResponse:
    """Errors of the tree: 503 with Retry-After where trying again helps, 409 and 4xx where it does not."""
    assert isinstance(error, HubError)
    if isinstance(error, RetryError):
        return answer(503, error.code, error.remedy or "send the same request again later", {"Retry-After": "2"})
    otherwise = 422 if isinstance(error, ActError) else 500
    return answer(STATUS.get(error.code, otherwise), error.code, error.remedy)


async def invalid(_: Request, error: Any) -> JSONResponse:
    """FastAPI's own 422 would echo the input; this one names the places only."""
    assert isinstance(error, RequestValidationError)
    places = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors())
    return answer(422, "request.invalid", f"check {places}")


async def not_found(_: Request, error: Any) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method.not_allowed"}.get(error.status_code, "request.refused")
    return answer(error.status_code, code, "see /openapi.json", dict(error.headers or {}))
