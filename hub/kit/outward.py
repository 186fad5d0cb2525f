"""Checks of the way out: a message arrives as it was rendered, and what its receiver said is what is reported."""

from __future__ import annotations

from collections.abc import Iterator

from hub.kit.bench import PEER_SECONDS, Child
from hub.kit.outputs import message
from hub.kit.peer import RECEIPT, Peer
from hub.kit.sites import SECRET
from hub.kit.work import Exempt, Work, attempt
from hub.runtime.specs import AuthSpec, WaySpec

ANSWERS = {"storm": ("later",), "refuse": ("refused", "later"), "cut": ("later", "sent")}
"""What a receiver does → what may be said of it. Received is what it has given a number for, and nothing else."""


def mirrored(work: Work) -> Iterator[str]:
    """Sent twice, the same bytes arrive twice; a receipt is passed on; trouble is an answer, never an error."""
    if not work.manifest.receives:
        raise Exempt("the unit receives no messages")
    peer = Peer(work.main[0], "")
    try:
        spec = _way(work, peer)
        child = work.start()
        for kind in work.manifest.receives:
            yield from _sent(child, peer, spec, kind)
        kind = next(iter(work.manifest.receives))
        for trouble, steps in ANSWERS.items():
            peer.trouble(trouble)
            yield from _troubled(child, spec, kind, trouble, steps)
    finally:
        peer.close()


def _way(work: Work, peer: Peer) -> WaySpec:
    given = {"url": peer.url, "secret": SECRET}
    options = {name: given[option.kind] for name, option in work.manifest.config.items() if option.kind in given}
    if work.has_own_way and "url" not in {option.kind for option in work.manifest.config.values()}:
        raise Exempt("no option of kind url leads its own way out to the kit")
    auth = AuthSpec(kind="bearer", secret=SECRET)
    return WaySpec(url=peer.url, auth=auth, config=options, peer_seconds=PEER_SECONDS)


def _sent(child: Child, peer: Peer, spec: WaySpec, kind: str) -> Iterator[str]:
    found: list[str] = []
    body = attempt(found, f"render {kind}", child.render, message(kind))
    del peer.received[:]
    for _ in range(2):
        answer = attempt(found, f"send {kind}", child.send, "M-0001", kind, body or "", spec)
        if answer is not None and (answer["step"], answer["number"]) != ("received", RECEIPT):
            found.append(f"{kind}: the receiver gave {RECEIPT}, reported is {answer['step']} {answer['number']}")
    yield from found
    if not found and {arrived for _, arrived in peer.received} != {body.encode("utf-8", "surrogateescape")}:
        yield f"{kind}: what arrives is not what was rendered"
    elif not found and len({key for key, _ in peer.received}) != 1:
        yield f"{kind}: sent again, it has another Idempotency-Key"


def _troubled(child: Child, spec: WaySpec, kind: str, trouble: str, steps: tuple[str, ...]) -> Iterator[str]:
    found: list[str] = []
    answer = attempt(found, f"{kind}: {trouble}", child.send, "M-0002", kind, "{}", spec)
    yield from found
    if answer is not None and answer["step"] not in steps:
        yield f"{kind}: {trouble}: expected {' or '.join(steps)}, reported is {answer['step']}"
