"""Shadow mode: a candidate mapping beside the live one on the same raw input, in two archives that are thrown away.

Nothing is written where the hub lives and nothing is sent: each side has an empty SQLite archive of its own in a private
folder, with the same keys, policy and moment. What differs afterwards is the mapping's doing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.core.freight import Page
from hub.core.message import json_ready
from hub.core.policy import Policy
from hub.core.records import Key, Light
from hub.core.timeline import facts_from_json
from hub.line.land import land
from hub.line.ports import Vault, Worker
from hub.line.writer import WriterPlan, drain
from hub.runtime.again import Tell, original_of
from hub.store.engine import open_store
from hub.store.numbers import new_uid
from hub.store.originals import RawPage
from hub.store.picture import HeldFace, Picture, RecordFace, picture
from hub.store.schema import upgrade

__all__ = ["HomesOf", "compare", "private_folder", "rehearse"]

Home = tuple[frozenset[Key], int, tuple[str, ...]]
HomesOf = Callable[[frozenset[Key]], list[str]]


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder only we can open, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hub-shadow-") as folder:
        yield Path(folder)


def rehearse(
    path: Path,
    raw: Iterable[RawPage],
    workers: Mapping[str, Worker],
    vault: Vault,
    policy: Policy,
    plan: WriterPlan,
    unit: str,
    at: datetime,
    tell: Tell,
) -> Picture:
    """Everything of ``raw`` through the line into a new archive at ``path``, judged as of ``at``; what stands then."""
    store = open_store(f"sqlite:///{path}")
    try:
        upgrade(store)
        for page in raw:
            plain = [original_of(row, vault) for row in page.versions]
            plain += [vault.open_blob(uid, sealed) or b"{}" for uid, sealed in page.waiting.items()]
            land(store, vault, _page(page, plain))
            tell(len(plain))
        drain(store, workers, vault, policy, lambda: at, plan)
        with store.read() as sql:
            return picture(sql, unit)
    finally:
        store.dispose()


def _page(raw: RawPage, plain: Sequence[bytes]) -> Page:
    return Page(
        uid=new_uid(), stream=raw.stream, mode=raw.mode, door="ingest", body=b"[" + b",".join(plain) + b"]",
        rows=len(plain), first_row=0, received_at=raw.received_at,
    )  # fmt: skip


def compare(live: Picture, candidate: Picture, vault: Vault, homes_of: HomesOf) -> dict[str, Any]:
    """What a candidate would change: records, refused rows, lights, reports and duties. Codes and keys, never a name.

    ``homes_of`` names the households of the real archive on which records stand.
    """
    return {
        "records": _records(live, candidate, vault),
        "refused": _refused(live.held, candidate.held),
        "lights": _lights(live.homes, candidate.homes, homes_of),
        "reports": _owed(live, candidate, "M"),
        "duties": _owed(live, candidate, "D"),
    }


def _records(live: Picture, candidate: Picture, vault: Vault) -> dict[str, Any]:
    both = sorted(live.records.keys() & candidate.records.keys())
    changed = [
        {"stream": key.stream, "key": key.no, "fields": fields}
        for key in both
        if (fields := _fields(live.records[key], candidate.records[key], vault))
    ]
    return {
        "same": len(both) - len(changed),
        "changed": changed,
        "only_live": [_named(key) for key in sorted(live.records.keys() - candidate.records.keys())],
        "only_candidate": [_named(key) for key in sorted(candidate.records.keys() - live.records.keys())],
    }


def _fields(was: RecordFace, now: RecordFace, vault: Vault) -> list[dict[str, Any]]:
    """Coded facts with both values; persons and texts by the names of what differs only."""
    found: list[dict[str, Any]] = [
        {"field": name, "was": getattr(was, name), "would_be": getattr(now, name)}
        for name in ("state", "kind")
        if getattr(was, name) != getattr(now, name)
    ]
    old, new = (json_ready(dict(facts_from_json(face.facts))) for face in (was, now))
    found += [
        {"field": name, "was": old.get(name), "would_be": new.get(name)}
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    if was.digest != now.digest and was.body and now.body:
        names = _sealed_names(vault.open_body(was.uid, was.body), vault.open_body(now.uid, now.body))
        found += [{"field": name} for name in names]
    return found


def _sealed_names(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """``victim.phone``, ``narrative``: which sealed parts differ, without what they say."""
    flat = [
        {
            **{f"{n}:{person['role']}.{name}": value for n, person in enumerate(body["persons"]) for name, value in person.items()},
            **{f"0:{name}": value for name, value in body["texts"].items()},
        }
        for body in (was, now)
    ]  # fmt: skip
    differing = {name.partition(":")[2] for name in {*flat[0], *flat[1]} if flat[0].get(name) != flat[1].get(name)}
    return sorted(differing)


def _refused(live: Mapping[bytes, HeldFace], candidate: Mapping[bytes, HeldFace]) -> dict[str, Any]:
    changed = []
    for digest in {**live, **candidate}:
        was, now = live.get(digest), candidate.get(digest)
        face = now or was
        if was != now and face is not None:
            codes = {"was": was.code if was else None, "would_be": now.code if now else None}
            changed.append({"stream": face.stream, "key": face.no, "field": face.field, **codes})
    return {"was": len(live), "would_be": len(candidate), "changed": changed}


def _lights(live: Sequence[Home], candidate: Sequence[Home], homes_of: HomesOf) -> list[dict[str, Any]]:
    """Households that share a record on either side are one place; places whose lights differ."""
    found = []
    for was, now in _places(live, candidate):
        if _told(was) != _told(now):
            keys: frozenset[Key] = frozenset().union(*(home[0] for home in (*was, *now)))
            named = [_named(key) for key in sorted(keys)]
            found.append({"households": homes_of(keys), "records": named, "was": _told(was), "would_be": _told(now)})
    return found


def _told(homes: Sequence[Home]) -> list[dict[str, Any]]:
    return sorted(
        ({"light": Light(light).name, "rules": list(rules)} for _, light, rules in homes),
        key=lambda told: (told["light"], told["rules"]),
    )


def _places(live: Sequence[Home], candidate: Sequence[Home]) -> list[tuple[list[Home], list[Home]]]:
    homes = [*live, *candidate]
    group = list(range(len(homes)))

    def root(n: int) -> int:
        while group[n] != n:
            n = group[n] = group[group[n]]
        return n

    first: dict[Key, int] = {}
    for n, (keys, _, _) in enumerate(homes):
        for key in keys:
            group[root(n)] = root(first.setdefault(key, n))
    found: dict[int, tuple[list[Home], list[Home]]] = {}
    for n, home in enumerate(homes):
        found.setdefault(root(n), ([], []))[n >= len(live)].append(home)
    return list(found.values())


def _owed(live: Picture, candidate: Picture, letter: str) -> dict[str, list[dict[str, Any]]]:
    """What only one side owes, matched by any cause in common as ``settle`` does."""
    told: dict[str, list[dict[str, Any]]] = {"only_live": [], "only_candidate": []}
    for spot in sorted({*live.owed, *candidate.owed}):
        if spot[0][0] != letter:
            continue
        was, now = live.owed.get(spot, []), candidate.owed.get(spot, [])
        for name, ours, theirs in (("only_live", was, now), ("only_candidate", now, was)):
            told[name] += [
                {"rule": spot[0], "to": spot[1], "causes": [_named(key) for key in sorted(causes)]}
                for causes in ours
                if not any(causes & other for other in theirs)
            ]
    return told


def _named(key: Key) -> str:
    return f"{key.unit}.{key.stream} {key.no}"
