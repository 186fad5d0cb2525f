"""A department's REST interface, read page by page. Needs no code in a connector: everything is configuration.

Page styles: ``page`` (number + size), ``offset``, ``cursor`` (token), ``link`` (header), ``none``. The start is the
cursor minus the overlap, inclusive; repeats at the boundary are recognised by the line (same key, same content).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from hub.core.errors import ConfigurationError, CredentialsError, HubError, PersonError, RetryError
from hub.sdk.cursor import Tally, earlier, header_names, spell
from hub.sdk.peer import Peer, Reply
from hub.sdk.strictjson import StrictJSONError, dumps, loads

__all__ = ["PageStyle", "RestSource", "rows_in"]

Rows = list[dict[str, Any]]

STYLES = ("page", "offset", "cursor", "link", "none")
OK_CODES = ("0", "200", "00", "000", "0000", "00000", "success", "ok")
"""What ``code`` of a wrapped answer says when all is well; anything else is an error of the peer."""
USUAL_PLACES = ("records", "data", "data.list", "data.records", "data.rows", "rows", "list", "items")
"""Where records are looked for when ``records`` is not configured."""
USUAL_TOTALS = ("total", "data.total")
MAX_PAGES = 100_000
"""A read of more pages is a peer that never ends."""


@dataclass(frozen=True, kw_only=True)
class PageStyle:
    """How a peer pages. ``param`` carries number, offset or token; ``size_param`` how many rows we want."""

    style: str = "none"
    size: int = 0
    param: str = ""
    size_param: str = ""
    first: int = 1  # number of the first page
    next: str = ""  # where the next token is in the answer

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PageStyle:
        """From the ``page`` table: ``{ size, param, size_param, style, first, next }``."""
        known = {name: options[name] for name in cls.__dataclass_fields__ if name in options}
        if "style" not in known:
            known["style"] = "cursor" if known.get("next") else "page" if known.get("param") else "none"
        if known["style"] not in STYLES:
            raise ConfigurationError(
                f"page style: expected one of {', '.join(STYLES)}, found {known['style']}", code="rest.page_style"
            )
        if known["style"] in ("page", "offset", "cursor") and not known.get("param"):
            known["param"] = {"page": "page", "offset": "offset", "cursor": "cursor"}[known["style"]]
        if known["style"] == "page":
            known["first"] = known.get("first", 1)
        return cls(**known)


@dataclass(kw_only=True)
class RestSource:
    """One REST stream. ``pages`` asks the peer; nothing is kept between two reads but the connections of ``peer``."""

    peer: Peer
    url: str
    page: PageStyle = field(default_factory=PageStyle)
    records: str = ""  # dotted place of the records; empty: the answer itself or a usual place
    total: str = ""  # dotted place of the total
    code: str = "code"  # member of a wrapped answer that says whether it worked
    cursor_field: str = ""
    overlap: timedelta = timedelta(0)
    since_param: str = ""  # empty: the cursor field's name
    since_format: str = ""  # ms, s, iso or a strftime pattern; empty: as sent
    params: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    body: Any = None  # POST: members sent beside the parameters, as JSON
    renamed: Mapping[str, str] = field(default_factory=dict)  # our name = their header
    rows_per_page: int = 2000  # larger answers are cut
    bare: str = ""  # records that are single values become rows with the value under this name; empty: they are refused

    def pages(self, cursor: str | None) -> Iterator[tuple[Rows, str | None]]:
        """Pages from ``cursor`` on, each with the cursor that says we have it (None: not yet).

        Raises the classes of ``hub.core.errors``; what was yielded before stays good.
        """
        tally = Tally(cursor, header_names(self.cursor_field, self.renamed)) if self.cursor_field else None
        held = False
        for answer in self._answers(self._since(cursor)):
            for start in range(0, len(answer), self.rows_per_page):
                rows = answer[start : start + self.rows_per_page]
                if tally is not None:
                    tally.see(rows)
                held = tally is not None and not tally.ascending
                yield rows, tally.highest if tally is not None and tally.ascending else None
        if held and tally is not None:
            yield [], tally.highest

    def probe(self) -> int:
        """Ask for the first page and write nothing; returns how many rows it had."""
        return len(next(iter(self._answers(self._since(None))), []))

    def answer(self) -> Any:
        """Ask once and give the whole answer, for a number that stands in it. Raises by what its wrapper's code says."""
        answer = _json(self._ask(self.url, self.params))
        raise_wrapped(answer, self.code)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self.peer.close()

    def _since(self, cursor: str | None) -> dict[str, str]:
        if not cursor or not self.cursor_field:
            return {}
        name = self.since_param or self.renamed.get(self.cursor_field) or self.cursor_field
        return {name: spell(earlier(cursor, self.overlap), self.since_format)}

    def _answers(self, since: Mapping[str, str]) -> Iterator[Rows]:
        url: str | None = self.url
        more: dict[str, Any] = self._first_page()
        fetched, before, longest = 0, b"", 0
        for number in range(MAX_PAGES):
            try:
                reply = self._ask(str(url), {**self.params, **since, **more} if self._sends_params(number) else {})
            except PersonError as error:
                if error.code == "http.404" and fetched > 0 and longest < self.page.size:
                    return  # some peers say so of a page after the last one
                raise
            digest = hashlib.sha256(reply.body).digest()
            answer = _json(reply)
            rows = rows_in(answer, self.records, self.code, self.bare)
            if rows and digest == before and self.page.style in ("page", "offset"):
                if len(rows) < self.page.size:
                    return  # a peer that does not page at all answers the same short list again
                raise PersonError("the peer sends one page again and again", code="rest.page_repeats")
            if rows:
                yield rows
            fetched, before, longest = fetched + len(rows), digest, max(longest, len(rows))
            url, more = self._next(reply, answer, len(rows), fetched, number)
            if url is None:
                return
        raise PersonError(f"the peer has not ended after {MAX_PAGES} pages", code="rest.endless")

    def _sends_params(self, number: int) -> bool:
        return self.page.style != "link" or number == 0

    def _first_page(self) -> dict[str, Any]:
        page = self.page
        size = {page.size_param: page.size} if page.size_param and page.size else {}
        if page.style == "page":
            return {page.param: page.first, **size}
        return {page.param: 0, **size} if page.style == "offset" else size

    def _next(
        self, reply: Reply, answer: Any, count: int, fetched: int, number: int
    ) -> tuple[str | None, dict[str, Any]]:
        """Where the next page is; None: this was the last one."""
        page = self.page
        more = self._first_page()
        if page.style == "link":
            return self._link(reply), {}
        if page.style == "cursor":
            token = _at(answer, page.next or "next")
            return (self.url, {**more, page.param: token}) if token not in (None, "", False) else (None, {})
        if page.style == "none" or count == 0 or not self._goes_on(answer, count, fetched):
            return None, {}
        return self.url, {**more, page.param: fetched if page.style == "offset" else page.first + number + 1}

    def _goes_on(self, answer: Any, count: int, fetched: int) -> bool:
        """By the total if there is one; else until an empty page where the peer chooses the size, or a full page where
        we do; a round number below it may be the peer's own cap."""
        places = (self.total,) if self.total else USUAL_TOTALS
        for total in (_at(answer, place) for place in places):
            if isinstance(total, (int, str)) and not isinstance(total, bool) and str(total).isdigit():
                return fetched < int(total)
        if not self.page.size_param:
            return True
        return count >= self.page.size or (count >= 10 and count % 10 == 0)

    def _link(self, reply: Reply) -> str | None:
        """The ``next`` link, on the configured host only: our credential goes nowhere else."""
        found = httpx.Response(200, headers=reply.headers).links.get("next", {}).get("url")
        if not found:
            return None
        url = urljoin(self.url, found)
        if urlsplit(url)[:2] != urlsplit(self.url)[:2]:
            raise PersonError("the next page lies on another host", code="rest.foreign_link")
        return url

    def _ask(self, url: str, params: Mapping[str, Any]) -> Reply:
        if self.method == "POST":
            content = dumps({**(self.body or {}), **params})
            return self.peer.ask("POST", url, content=content, headers={"Content-Type": "application/json"})
        whole = (
            httpx.URL(url).copy_merge_params(_texts(params)) if params else url
        )  # an address may have a query already
        return self.peer.ask("GET", str(whole))


def _texts(params: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else str(value) for name, value in params.items()}


def _json(reply: Reply) -> Any:
    try:
        return loads(reply.body) if reply.body.strip() else []
    except StrictJSONError as error:
        raise RetryError("the peer's answer is not JSON as we accept it", code=f"peer.{error.code}") from None


def _at(answer: Any, place: str) -> Any:
    for name in place.split(".") if place else ():
        if not isinstance(answer, dict) or name not in answer:
            return None
        answer = answer[name]
    return answer


def raise_wrapped(answer: Any, code: str) -> None:
    """Raise what the wrapper's code says, if it says that something is wrong."""
    if isinstance(answer, dict) and code and not isinstance(answer.get(code, "0"), (dict, list)):
        error = _wrapped_error(str(answer.get(code, "0")).lower())
        if error is not None:
            raise error


def rows_in(answer: Any, records: str = "", code: str = "code", bare: str = "") -> Rows:
    """The rows of one answer, wrapped or not. Raises by what the wrapper's code says, or ``PersonError`` (no records)."""
    raise_wrapped(answer, code)
    if records:
        holder, _, name = records.rpartition(".")
        within = _at(answer, holder)
        if not isinstance(within, dict) or name not in within:
            raise PersonError(
                f"no {records} in the answer", code="rest.no_records", remedy="set records to their place"
            )
        return _objects(within[name], records, bare)
    if isinstance(answer, list):
        return _objects(answer, "", bare)
    for place in USUAL_PLACES:
        if isinstance(_at(answer, place), list):
            return _objects(_at(answer, place), place, bare)
    if isinstance(answer, dict) and "data" in answer and answer["data"] is None:
        return []
    raise PersonError(
        "no records where they are expected", code="rest.no_records", remedy='set records = "…" to their place'
    )


def _objects(rows: Any, place: str, bare: str = "") -> Rows:
    if rows is None or rows == {}:
        return []
    if bare and isinstance(rows, list):
        rows = [{bare: row} if isinstance(row, (str, int)) else row for row in rows]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PersonError(f"{place or 'the answer'} is not a list of records", code="rest.no_records")
    return rows


def _wrapped_error(code: str) -> HubError | None:
    if code in OK_CODES or code in ("none", ""):
        return None
    if code in ("401", "403"):
        return CredentialsError(f"refused with code {code}", code="peer.refused", remedy="renew the credential")
    if code in ("408", "429") or (code.isdigit() and 500 <= int(code) < 600):
        return RetryError(f"the peer answered code {code[:8]}", code="peer.busy")
    return PersonError("the peer answered with an error code", code="peer.code", remedy="ask the peer what it means")
