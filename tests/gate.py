"""A door on a loopback port to a real server behind it, which can be shut: whoever comes then is cut off, and counted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path

__all__ = ["Gate"]


class Gate:
    """``behind``: a port of this machine, or the path of a socket; ``tls``: it speaks TLS, as a proxy before a server."""

    def __init__(self, behind: int | Path, tls: ssl.SSLContext | None = None) -> None:
        self._behind = behind
        self._tls = tls
        self._open = True
        self.came = 0
        self._pairs: list[socket.socket] = []
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        """The server is gone: connections break, new ones come to nothing."""
        with self._lock:
            self._open = False
            for one in self._pairs:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._pairs.clear()

    def unlock(self) -> None:
        """It is there again."""
        self._open = True

    def close(self) -> None:
        """Give the port back."""
        self.shut()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inside, _ = self._door.accept()
                self.came += 1
                if not self._open:
                    inside.close()
                    continue
                threading.Thread(target=self._let_in, args=(inside,), daemon=True).start()

    def _let_in(self, inside: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                inside = self._tls.wrap_socket(inside, server_side=True)
            outside = self._reach()
            with self._lock:
                self._pairs += [inside, outside]
            threading.Thread(target=_pour, args=(outside, inside), daemon=True).start()
            _pour(inside, outside)

    def _reach(self) -> socket.socket:
        if isinstance(self._behind, int):
            return socket.create_connection(("127.0.0.1", self._behind))
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(self._behind))
        return made


def _pour(here: socket.socket, there: socket.socket) -> None:
    with contextlib.suppress(OSError), here:
        while piece := here.recv(65_536):
            there.sendall(piece)
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)
