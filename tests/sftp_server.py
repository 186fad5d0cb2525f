"""A real SFTP server (asyncssh) on a loopback port, in a thread of the test."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import asyncssh

PASSWORD = "密码 of the test"


class SftpServer:
    """Serves one folder to user ``hub``, who has a password and a key."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._own = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = self._own.export_public_key().decode().strip()
        self.logins = 0
        self._connections: list[Any] = []
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,))
        self._thread.start()
        assert started.wait(120)
        self.url = f"sftp://hub@127.0.0.1:{self.port}"

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        started.set()
        self._loop.run_forever()
        self._loop.close()

    async def _start(self) -> None:
        outer = self

        class Logins(asyncssh.SSHServer):
            def connection_made(self, conn: Any) -> None:
                outer._connections.append(conn)

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("hub", PASSWORD)

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: Any) -> bool:
                return username == "hub" and key.public_data == outer.key.public_data

            def auth_completed(self) -> None:
                outer.logins += 1

        def folder(connection: Any) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(connection, chroot=os.fsencode(self.root))

        self._server = await asyncssh.create_server(
            Logins, "127.0.0.1", 0, server_host_keys=[self._own], sftp_factory=folder
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        for connection in self._connections:
            connection.abort()
            await connection.wait_closed()
        await self._loop.shutdown_asyncgens()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """End the server and its thread."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
