"""What the system lets a connector's process do: memory, files, no other process. ``limit`` and ``forbid`` are called in the child
before it loads anything, ``hide`` in the hub.

Limits by ``setrlimit``; and where the system has it (Linux, x86-64 and arm64), a filter of system calls: the process starts
no other, signals no other and looks into no other, whatever account it runs under. None of it can be undone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["forbid", "hide", "limit"]


def limit(told: Mapping[str, Any]) -> None:
    """Set the limits for good: they cannot be raised again.

    ``memory`` is bytes of private memory (data, heap, stacks); what lies beyond raises MemoryError in the connector.
    """
    bounds = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, told["memory"]),
        (resource.RLIMIT_NOFILE, told["files"]),
    )
    for kind, most in bounds:
        with contextlib.suppress(ValueError, OSError):  # a lower one is in force already
            resource.setrlimit(kind, (most, most))


class _Machine(NamedTuple):
    """Numbers of system calls of one kind of machine (Linux: include/uapi/asm/unistd.h)."""

    arch: int
    clone: int
    tgkill: int
    socket: int
    refused: tuple[int, ...]


_CLONE3 = 435
_ANY = (424, 438, 425)  # pidfd_send_signal, pidfd_getfd; io_uring_setup (it opens sockets past this filter)
_MACHINES: Mapping[str, _Machine] = {
    # fork, vfork, execve, execveat, kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, ptrace, process_vm_readv, …_writev
    "x86_64": _Machine(0xC000003E, 56, 234, 41, (57, 58, 59, 322, 62, 200, 129, 297, 101, 310, 311, *_ANY)),
    # execve, execveat, kill, tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, ptrace, process_vm_readv, …_writev
    "aarch64": _Machine(0xC00000B7, 220, 131, 198, (221, 281, 129, 130, 138, 240, 117, 270, 271, *_ANY)),
}
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST = (
    0,
    4,
    16,
)  # offsets in struct seccomp_data: the call, the machine, its first argument (low half)
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_THREAD = 0x00010000  # CLONE_THREAD: a thread of its own is no other process
_X32 = 0x40000000
_LOCAL = 1  # AF_UNIX
_NO_NEW_PRIVILEGES, _SET_FILTER, _MODE_FILTER, _SET_DUMPABLE = 38, 22, 2, 4


def forbid(*, local: bool = True) -> bool:
    """Let this process start, signal and inspect no other from now on; False: this system has no such filter.

    Without ``local`` it opens no socket of this machine either: the hub's own door is one, and so is its database's.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or os.name != "posix":
        return False
    program = _program(machine, local)
    lines = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(lines))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(
        prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        and prctl(_SET_FILTER, _MODE_FILTER, ctypes.create_string_buffer(whole), 0, 0) == 0
    )


def hide() -> bool:
    """Keep this process's memory from others of its account, and out of core dumps; False: not on this system.

    Called by the hub itself: its keys are in that memory. It does not stop root.
    """
    if platform.system() != "Linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0) == 0)


def _program(machine: _Machine, local: bool) -> bytes:
    """The filter: each line is (code, when true skip, when false skip, value)."""
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, machine.arch),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_ABOVE, 0, 1, _X32),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_JUMP_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),  # the library then asks for clone, whose flags can be read
    ]
    for number in machine.refused:
        lines += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    if not local:
        lines += [
            (_JUMP_EQUAL, 0, 4, machine.socket),
            (_LOAD, 0, 0, _FIRST),
            (_JUMP_EQUAL, 0, 1, _LOCAL),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
            (_LOAD, 0, 0, _NUMBER),
        ]
    lines += [
        (_JUMP_EQUAL, 0, 3, machine.clone),
        (_LOAD, 0, 0, _FIRST),
        (_JUMP_SET, 5, 0, _THREAD),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_JUMP_EQUAL, 0, 3, machine.tgkill),
        (_LOAD, 0, 0, _FIRST),
        (_JUMP_EQUAL, 1, 0, os.getpid()),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
