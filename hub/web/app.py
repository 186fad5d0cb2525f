"""The application: routers, coded refusals, health."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from hub.core.errors import HubError
from hub.web import edges, meeting, people, push, refusals, work
from hub.web.office import EdgeDesk, MeetingDesk, Office, WorkDesk


def create_app(office: Office, desk: EdgeDesk, work_desk: WorkDesk, meeting_desk: MeetingDesk) -> FastAPI:
    """The HTTP face of one hub; what it knows it asks of ``office``, of edges of ``desk``, of work of ``work_desk``,
    of rulings and months of ``meeting_desk``."""
    app = FastAPI(
        title="Family Care Hub 家事关护枢纽",
        version="1",
        description="Departments push records; a 4xx means *never retry as is* and carries a stable code; 429 and 503 "
        "carry Retry-After. A receipt never returns values.",
    )
    app.state.office = office
    app.state.edges = desk
    app.state.work = work_desk
    app.state.meeting = meeting_desk
    app.add_exception_handler(refusals.RefusedError, refusals.refused)
    app.add_exception_handler(HubError, refusals.hub_error)
    app.add_exception_handler(RequestValidationError, refusals.invalid)
    app.add_exception_handler(HTTPException, refusals.not_found)
    app.include_router(push.router)
    app.include_router(people.router)
    app.include_router(work.router)
    app.include_router(meeting.router)
    app.include_router(edges.router)
    app.add_api_route("/healthz", healthz, tags=["process"])
    app.add_api_route("/readyz", readyz, tags=["process"])
    app.add_api_route("/metrics", metrics, tags=["process"], response_class=PlainTextResponse)
    return app


def healthz() -> JSONResponse:
    """The process lives."""
    return JSONResponse({"status": "alive"})


def readyz(request: Request) -> JSONResponse:
    """200 only while intake, schedule and outbox all run."""
    parts = dict(request.app.state.office.readiness())
    return JSONResponse(parts, status_code=200 if parts and all(parts.values()) else 503)


def metrics(request: Request) -> PlainTextResponse:
    """Counts in Prometheus' text form; no personal data, no household."""
    lines = [f"{name} {value:g}" for name, value in sorted(request.app.state.office.metrics().items())]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
