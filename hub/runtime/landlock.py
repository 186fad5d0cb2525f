"""Landlock: a process gives up every file but those under the folders it names, for good, whatever account it runs under.

Raw calls, for no library wraps them; their numbers are the same on every machine (Linux: include/uapi/linux/landlock.h).
Each version of the kernel's interface knows more rights; what it does not know it does not restrict.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["LEAST", "LIST", "MAKE", "READ", "WRITE", "Rule", "restrict", "version"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION, _BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38

LIST = 1 << 3  # READ_DIR: names, no content
READ = 1 << 2 | LIST
WRITE = 1 << 1 | 1 << 14  # WRITE_FILE, TRUNCATE
MAKE = (
    1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13
)  # REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG, REFER (move between folders)
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14  # what can be allowed of a single file
_HANDLED = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # version → rights on files it brought
_BIND = 1 << 0  # version 4: to be called by others (TCP)
_SCOPED = 1 << 0 | 1 << 1  # version 6: abstract sockets of others, signals to others

LEAST = 2
"""The first version under which files can be moved from one folder to another (Linux 5.19)."""


class Rule(NamedTuple):
    """What is allowed of one file, or of everything under one folder."""

    path: str
    rights: int


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    return int(_libc().syscall(ctypes.c_long(number), *arguments))


def version() -> int:
    """Which version of Landlock this kernel has; 0: none, or it is switched off."""
    if os.name != "posix" or os.uname().sysname != "Linux":
        return 0
    return max(0, _call(_CREATE, ctypes.c_void_p(0), ctypes.c_size_t(0), ctypes.c_uint32(_VERSION)))


def _handled(known: int) -> int:
    return sum(rights for since, rights in _HANDLED.items() if since <= known)


def restrict(rules: Iterable[Rule]) -> bool:
    """Let this process (one thread so far) open nothing but what the rules allow; False: this kernel cannot.

    Paths that are not there are left out.
    """
    known = version()
    if known < LEAST:
        return False
    handled = _handled(known)
    attributes = struct.pack("QQQ", handled, _BIND, _SCOPED)[: 8 if known < 4 else 16 if known < 6 else 24]
    ruleset = _call(_CREATE, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for rule in rules:
            _allow(ruleset, rule, handled)
        return (
            _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
            and _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
        )
    finally:
        os.close(ruleset)


def _allow(ruleset: int, rule: Rule, handled: int) -> None:
    with _opened(rule.path) as place:
        if place is None:
            return
        rights = rule.rights & handled
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        if rights:
            told = struct.pack("=Qi", rights, place)
            _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), ctypes.c_char_p(told), ctypes.c_uint32(0))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int | None]:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield place
    finally:
        os.close(place)
