"""The one door: what a connector may use of the hub, and all it may use.

    from hub.sdk import Connector, Field, Stream, hookimpl, read_manifest

Tables      Field, Stream, person_block, COMMON and the columns that several units send alike; Connector puts them together
Records     Draft, Person, Key, Problem. A record with a newer 更新时间 is a correction, one with 删除标志 a retraction:
            both are columns of COMMON, neither needs code
Hook        hookimpl on ``hub_register_connectors(register)``: it hands over the Connector and does nothing else
Manifest    read_manifest; what the unit sends and receives, by which law, what may never be stored, its own options
Transports  RestSource, TableSource, FolderSource, Peer, PostSender … for a source of the connector's own (``Connector.fetch``);
            a stream that fits rest, table, files or push needs none of them
Statements  what a source can say of its own whole days (``Connector.reconcile``): counts, keys, the records once more
Errors      RetryError, CredentialsError, PersonError, ConfigurationError, QuarantineError: named by what happens next

The conformance kit is ``hub.sdk.testing``. What stands in ``__all__`` is promised for API version ``API``
(docs/adr/0006); modules below this one are not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, QuarantineError, RetryError
from hub.core.freight import Parcel
from hub.core.records import Draft, Key, Owed, Person, Problem
from hub.sdk.connector import Connector, Context, Drafts, Fetch, Pages, Reconcile, Send, Stream, canonical_json
from hub.sdk.fields import Field, cell_text, is_stated, person_block, split_list
from hub.sdk.hookspecs import hookimpl, hookspec, hub_register_connectors
from hub.sdk.manifest import (
    API,
    Manifest,
    ManifestStream,
    Option,
    Receives,
    find_manifest,
    parse_manifest,
    read_manifest,
    strip,
)
from hub.sdk.outcome import Outcome
from hub.sdk.statements import Statements
from hub.sdk.streams import (
    ABUSER,
    ACTIVITY,
    CALL_NO,
    COMMON,
    DANGER,
    DUTY_ANSWER,
    GUARDIAN,
    INJURY,
    NARRATIVE,
    PARTIES,
    RELATION,
    REPORTER,
    SITUATION,
    SPECIAL_HOUSEHOLD,
    VICTIM,
    VIOLENCE,
    WORKER,
    concern,
    mediation,
    streams_of,
    visit,
)

if TYPE_CHECKING:
    from hub.sdk.auth import Recipe, SignatureAuth, make_auth
    from hub.sdk.database import open_table_engine
    from hub.sdk.files import FileSender, FolderSource
    from hub.sdk.peer import Peer, Reply
    from hub.sdk.post import PostSender
    from hub.sdk.rest import PageStyle, RestSource
    from hub.sdk.table import TableSender, TableSource

__all__ = [
    "ABUSER",
    "ACTIVITY",
    "API",
    "CALL_NO",
    "COMMON",
    "DANGER",
    "DUTY_ANSWER",
    "GUARDIAN",
    "INJURY",
    "NARRATIVE",
    "PARTIES",
    "RELATION",
    "REPORTER",
    "SITUATION",
    "SPECIAL_HOUSEHOLD",
    "VICTIM",
    "VIOLENCE",
    "WORKER",
    "ConfigurationError",
    "Connector",
    "Context",
    "CredentialsError",
    "Draft",
    "Drafts",
    "Fetch",
    "Field",
    "FileSender",
    "FolderSource",
    "HubError",
    "Key",
    "Manifest",
    "ManifestStream",
    "Option",
    "Outcome",
    "Owed",
    "PageStyle",
    "Pages",
    "Parcel",
    "Peer",
    "Person",
    "PersonError",
    "PostSender",
    "Problem",
    "QuarantineError",
    "Receives",
    "Recipe",
    "Reconcile",
    "Reply",
    "RestSource",
    "RetryError",
    "Send",
    "SignatureAuth",
    "Statements",
    "Stream",
    "TableSender",
    "TableSource",
    "canonical_json",
    "cell_text",
    "concern",
    "find_manifest",
    "hookimpl",
    "hookspec",
    "hub_register_connectors",
    "is_stated",
    "make_auth",
    "mediation",
    "open_table_engine",
    "parse_manifest",
    "person_block",
    "read_manifest",
    "split_list",
    "streams_of",
    "strip",
    "visit",
]

_TRANSPORTS = {
    "FileSender": "hub.sdk.files",
    "FolderSource": "hub.sdk.files",
    "PageStyle": "hub.sdk.rest",
    "Peer": "hub.sdk.peer",
    "PostSender": "hub.sdk.post",
    "Recipe": "hub.sdk.auth",
    "Reply": "hub.sdk.peer",
    "RestSource": "hub.sdk.rest",
    "SignatureAuth": "hub.sdk.auth",
    "TableSender": "hub.sdk.table",
    "TableSource": "hub.sdk.table",
    "make_auth": "hub.sdk.auth",
    "open_table_engine": "hub.sdk.database",
}
"""Loaded when first asked for: a connector that is tables pays for no HTTP client and no database driver."""


def __getattr__(name: str) -> Any:
    if name in _TRANSPORTS:
        return getattr(import_module(_TRANSPORTS[name]), name)
    raise AttributeError(f"hub.sdk promises no {name}; see hub.sdk.__all__")
