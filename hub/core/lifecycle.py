"""The life of a connector in nine states, each with who acts next: tables, and the fold over them.

Two things move a connector: its own process (started, loaded, died, held …) and the answers of its streams' sources. The
state that is shown is the process's own, moved on by the worst of what its streams met last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.core.faults import action_of

__all__ = ["HAPPENINGS", "NEXT", "STATES", "State", "after", "met", "shown"]


class State(NamedTuple):
    """One state in words: who acts next, what it means, and what to do."""

    who: str  # nobody, it, department, maker
    english: str
    chinese: str
    todo: str


STATES: Mapping[str, State] = {
    "disabled": State("nobody", "switched off", "已停用", "`hub connectors enable NAME` switches it on"),
    "starting": State("nobody", "its process is being started", "正在启动", "nothing: it takes a second"),
    "ready": State("nobody", "it works, or waits to be needed", "正常", "nothing"),
    "waiting": State("nobody", "in trouble, tried again by itself", "等待重试", "nothing yet: after five failures there is an issue"),
    "needs_credentials": State("it", "the source refuses our credential", "需更新凭据", "renew the secret; it is read anew at the next try"),
    "needs_person": State("it", "the configuration does not fit the source", "需人工处理", "do what the issue says; it is tried again by itself"),
    "held": State("maker", "its process only crashes: not started for a while", "反复崩溃，已暂停",
                  "tell its maker; after an update `hub connectors enable NAME` starts it at once"),
    "refused": State("maker", "it cannot be loaded", "无法加载", "install a package that loads, then `hub connectors enable NAME`"),
    "draining": State("nobody", "it finishes its work and ends", "正在停止", "nothing"),
}  # fmt: skip
"""The nine states. ``department`` acts instead when a ready connector's source is silent beyond its promise."""

HAPPENINGS = (
    "enabled",  # by a person: start at the next need, whatever was
    "started",  # its process is being started
    "loaded",  # and has loaded the connector
    "refused",  # or cannot
    "died",  # the process ended, hung or broke the protocol
    "held",  # it did so too often
    "rested",  # the time to wait is over
    "answered",  # a source answered
    "troubled",  # a source is in trouble that passes by itself
    "stuck",  # a source needs a person
    "locked_out",  # a source refuses our credential
    "draining",  # no new work
    "ended",  # switched off and over
)
"""What can happen to a connector."""

_BUSY = {"started": "starting", "refused": "refused", "died": "waiting", "held": "held", "draining": "draining", "ended": "disabled"}  # fmt: skip
_FEED = {"answered": "ready", "troubled": "waiting", "stuck": "needs_person", "locked_out": "needs_credentials"}


def _row(state: str, **moves: str) -> dict[str, str]:
    return {**dict.fromkeys(HAPPENINGS, state), **moves}


_ENDS = {"draining": "draining", "ended": "disabled", "enabled": "ready"}

NEXT: Mapping[str, Mapping[str, str]] = {
    "disabled": _row("disabled", enabled="ready"),
    "starting": _row("starting", **_BUSY, **_FEED, loaded="ready", enabled="starting"),
    "ready": _row("ready", **_BUSY, **_FEED),
    "waiting": _row("waiting", **_BUSY, **_FEED, loaded="ready", rested="ready", enabled="ready"),
    "needs_credentials": _row("needs_credentials", **_BUSY, answered="ready", enabled="ready"),
    "needs_person": _row("needs_person", **_BUSY, answered="ready", locked_out="needs_credentials", enabled="ready"),
    "held": _row("held", **_ENDS, rested="ready"),
    "refused": _row("refused", **_ENDS, rested="ready"),
    "draining": _row("draining", ended="disabled"),
}
"""State → happening → state, with an entry for every pair."""

_MET = {
    "retry": "troubled",
    "unknown": "troubled",
    "quarantine": "answered",
    "credentials": "locked_out",
    "person": "stuck",
    "stop": "stuck",
}
"""Action → what it means for the connector. A record in quarantine is no trouble of its source."""


def after(state: str, happening: str) -> str:
    """The state that follows."""
    return NEXT[state][happening]


def met(code: str) -> str:
    """What the coded result of a stream's last read was; empty: it answered."""
    return _MET[action_of(code).word] if code else "answered"


def shown(process: str, results: Iterable[str]) -> str:
    """The state to show: the process's, moved on by what its streams met last, the worst of it last."""
    order = ("troubled", "stuck", "locked_out")
    state = process
    for happening in sorted({met(code) for code in results} & set(order), key=order.index):
        state = after(state, happening)
    return state
