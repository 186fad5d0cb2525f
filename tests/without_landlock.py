"""``python -m tests.without_landlock COMMAND …``: the command on a kernel that knows no Landlock.

The kernel itself refuses the call, by a filter that is inherited: everything the command starts is without it too.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

CREATE_RULESET = 444
ENOSYS = 38


def main() -> None:
    """Refuse the call, then become the command."""
    lines = [(0x20, 0, 0, 0), (0x15, 0, 1, CREATE_RULESET), (0x06, 0, 0, 0x00050000 | ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
    program = b"".join(struct.pack("HBBI", *line) for line in lines)
    kept = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(kept))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(38, 1, 0, 0, 0) == 0
    assert prctl(22, 2, ctypes.create_string_buffer(whole), 0, 0) == 0
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
