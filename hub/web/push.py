"""The push door: a department posts a batch; it is durable before the answer, and applied if two seconds suffice."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from hub.core.freight import Page
from hub.core.records import SHANGHAI, StreamKey
from hub.sdk import strictjson
from hub.store.numbers import new_uid
from hub.web.callers import ConnectorCaller, LimitedBody, TheOffice
from hub.web.office import Office
from hub.web.refusals import RefusedError

router = APIRouter(tags=["departments"])

RECEIPT = {
    "description": "The receipt: `received = applied + unchanged + quarantined + rejected + pending`.",
    "content": {
        "application/json": {
            "example": {
                "batch": "0197…", "received": 2, "applied": 1, "unchanged": 0, "quarantined": 1, "rejected": 0, "pending": 0,
                "rows": [{"row": 1, "status": "quarantined", "code": "code.unknown", "field": "category", "column": "警情类别",
                          "remedy": "…"}],
            }
        }
    },
}  # fmt: skip
REFUSALS: dict[int | str, dict[str, Any]] = {
    200: RECEIPT,
    202: {"description": "Durable; not applied yet. Ask `GET /v1/batches/{id}` later."},
    401: {"description": "Unknown credential."},
    403: {"description": "The credential belongs to another connector, or the connector has no such stream."},
    409: {"description": "The Idempotency-Key was used for another body."},
    413: {"description": "The body or the batch is too large."},
    422: {"description": "Not a batch: `{\"records\": [ … ]}` in strict JSON."},
    503: {"description": "Not stored. Send it again after Retry-After seconds."},
}  # fmt: skip


MOST_DAYS = 92
STATEMENT = 'send {"days": [{"day": "2026-11-02", "count": 120}]}, or "keys" with your own numbers, 92 days at most'


@router.post("/v1/connectors/{name}/streams/{stream}/records", responses=REFUSALS)
async def push(
    name: str,
    stream: str,
    request: Request,
    caller: ConnectorCaller,
    body: LimitedBody,
    office: TheOffice,
) -> JSONResponse:
    """Take one batch `{"records": [ … ]}` in the department's own field names."""
    if caller.name != name or not office.takes(name, stream):
        raise RefusedError(403, "stream.foreign", "use the credential of this connector, and one of its streams")
    page = page_of(office, name, stream, body, request.headers.get("Idempotency-Key"))
    wait = 0.0 if "respond-async" in request.headers.get("Prefer", "") else office.limits.push_wait
    done, receipt = await run_in_threadpool(_taken, office, page, wait)
    return JSONResponse(receipt, status_code=200 if done else 202)


def _taken(office: Office, page: Page, wait: float) -> tuple[bool, dict[str, Any]]:
    """(applied within ``wait`` seconds, the receipt then) of a page that is durable by now."""
    uid = office.land(page)
    done = office.applied(uid, wait)
    return done, dict(office.receipt(uid) or {})


@router.post(
    "/v1/connectors/{name}/streams/{stream}/days",
    responses={
        200: {"description": "Each day beside what the hub holds; `missing_keys` are to be pushed again."},
        403: REFUSALS[403], 422: {"description": "No statement of days."},
        503: {"description": "What was pushed is not applied yet. State the days again after Retry-After seconds."},
    },
)  # fmt: skip
def state_days(name: str, stream: str, caller: ConnectorCaller, body: LimitedBody, office: TheOffice) -> JSONResponse:
    """Take the department's own account of its days: `{"days": [{"day": "2026-11-02", "count": 120, "keys": [ … ]}]}`."""
    if caller.name != name or not office.takes(name, stream):
        raise RefusedError(403, "stream.foreign", "use the credential of this connector, and one of its streams")
    return JSONResponse({"days": office.compare(name, stream, days_of(body, office.limits.json_depth))})


def days_of(body: bytes, depth: int) -> list[tuple[date, int | None, list[str] | None]]:
    """The days of a statement; raises RefusedError 422."""
    try:
        told = strictjson.loads(body, depth)
        days = [(date.fromisoformat(day["day"]), day.get("count"), day.get("keys")) for day in told["days"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(422, "reconcile.statement", STATEMENT) from error
    if not 0 < len(days) <= MOST_DAYS or not all(_is_statement(count, keys) for _, count, keys in days):
        raise RefusedError(422, "reconcile.statement", STATEMENT)
    return days


def _is_statement(count: Any, keys: Any) -> bool:
    """A count, or keys, or both; a number of records is no truth value."""
    is_count = count is None or (type(count) is int and count >= 0)
    is_keys = keys is None or (isinstance(keys, list) and all(type(key) is str for key in keys))
    return is_count and is_keys and (count, keys) != (None, None)


def page_of(office: Office, name: str, stream: str, body: bytes, key: str | None) -> Page:
    """The page of a pushed body; raises RefusedError 422 or 413 when it is not a batch."""
    if key is not None and not 0 < len(key) <= 255:
        raise RefusedError(422, "idempotency.invalid", "send an Idempotency-Key of 1 to 255 characters")
    rows = rows_of(body, office.limits.json_depth)
    if len(rows) > office.limits.rows_per_push:
        raise RefusedError(413, "batch.too_many_rows", f"send at most {office.limits.rows_per_push} records at once")
    kept = office.strip(name, stream, rows)
    return Page(
        uid=new_uid(),
        stream=StreamKey(name, stream),
        mode="live",
        door="push",
        body=orjson.dumps(kept),
        rows=len(kept),
        first_row=0,
        received_at=datetime.now(UTC).astimezone(SHANGHAI),
        idempotency_key=key,
        digest=hashlib.sha256(body).hexdigest(),
    )


def rows_of(body: bytes, depth: int) -> list[Any]:
    """The records of a batch; raises RefusedError 422."""
    try:
        batch = strictjson.loads(body, depth)
    except ValueError as error:
        code = getattr(error, "code", "json.invalid")
        raise RefusedError(422, code, 'send {"records": [ … ]} as strict JSON in UTF-8') from error
    if not isinstance(batch, dict) or not isinstance(batch.get("records"), list):
        raise RefusedError(422, "batch.invalid", 'send {"records": [ … ]}')
    return list(batch["records"])


@router.get("/v1/batches/{batch}", responses={200: RECEIPT})
def batch_receipt(batch: str, caller: ConnectorCaller, office: TheOffice) -> JSONResponse:
    """The receipt of a batch as it stands now: a redriven row counts where it went."""
    receipt = office.receipt(batch)
    if receipt is None or receipt.get("unit", caller.name) != caller.name:
        raise RefusedError(404, "not_found", "ask for a batch that this connector sent")
    return JSONResponse(dict(receipt))
