"""How the bench and the children it starts talk: length-prefixed JSON over a socket, one request, one answer.

Nothing that a child says is ever unpickled: it runs foreign code. What a child is started with comes from us and is.
"""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from hub.core.records import Draft, Problem
from hub.kit.target import Target
from hub.sdk.connector import Connector
from hub.settings import ConnectorConfig, Limits

__all__ = ["Closed", "Start", "describe", "plain", "receive", "send"]

LENGTH = struct.Struct(">I")
LARGEST = 256 * 1024 * 1024


class Start(NamedTuple):
    """What one child is: which connector, how its streams arrive, and an empty folder of its own."""

    target: Target
    config: ConnectorConfig
    limits: Limits
    folder: Path


class Closed(Exception):
    """The other side has gone."""


def send(pipe: socket.socket, message: dict[str, Any]) -> None:
    """One message. Raises Closed."""
    try:
        body = orjson.dumps(message, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, orjson.JSONEncodeError):  # half a character, a number without end
        body = json.dumps(message, default=str, skipkeys=True).encode()
    try:
        pipe.sendall(LENGTH.pack(len(body)) + body)
    except OSError as error:
        raise Closed from error


def receive(pipe: socket.socket) -> dict[str, Any]:
    """The next message. Raises Closed, or TimeoutError by the socket's own limit."""
    (length,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    if length > LARGEST:
        raise Closed
    return dict(json.loads(_exactly(pipe, length)))


def _exactly(pipe: socket.socket, size: int) -> bytes:
    body = bytearray()
    while len(body) < size:
        try:
            piece = pipe.recv(min(size - len(body), 1 << 20))
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed from error
        if not piece:
            raise Closed
        body += piece
    return bytes(body)


def plain(entry: object) -> dict[str, Any]:
    """A draft or a problem as JSON values; anything else by the name of its type."""
    if isinstance(entry, Draft):
        persons = [
            {name: value for name, value in person._asdict().items() if value not in (None, "")}
            for person in entry.persons
        ]
        key = list(entry.key)
        return {"what": "draft", **entry._asdict(), "key": key, "persons": persons, "original": _text(entry.original)}
    if isinstance(entry, Problem):
        told = {"key": list(entry.key or ()), "original": _text(entry.original), "draft": None}
        return {"what": "problem", **entry._asdict(), **told}
    return {"what": type(entry).__name__}


def describe(connector: Connector) -> dict[str, Any]:
    """The tables of a connector as data, so that the bench knows them without running any of its code."""
    streams = [
        {
            "name": stream.name, "title": stream.title, "kind": stream.kind, "key": list(stream.key),
            "fields": [[field.name, field.header, field.to, field.codes, field.block] for field in stream.fields],
        }
        for stream in connector.streams.values()
    ]  # fmt: skip
    return {
        "streams": streams,
        "renders": list(connector.renderers),
        "fetches": connector.fetch is not None,
        "sends": connector.send is not None,
        "reconciles": connector.reconcile is not None,
    }


def _text(body: object) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
