"""The real daemon in its own process, and the real commands beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

READY_SECONDS = 120.0
"""How long a start may take on a slow machine; the goal is 5 s."""


class Daemon:
    """``hub --config FOLDER run``: started, killed, started again."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.log = folder / "daemon.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=address, timeout=5.0)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "hub.cli", "--config", str(self.folder), "run"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait_ready(self) -> None:
        """Returns when ``/readyz`` answers 200; raises RuntimeError when the process ends or stays silent."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended before it was ready; see {self.log}")
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the daemon was not ready within {READY_SECONDS:.0f} s; see {self.log}")

    def kill(self) -> None:
        """SIGKILL to the whole process group: what a power cut looks like to a process."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code of a drained daemon (0)."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL
        finally:
            self.client.close()


class Commands:
    """The ``hub`` command on one configuration folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def text(self, *arguments: str, ok: tuple[int, ...] = (0, 1)) -> str:
        """Standard output; raises RuntimeError with standard error when the exit code is not among ``ok``."""
        command = [sys.executable, "-m", "hub.cli", "--config", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in ok:
            raise RuntimeError(f"hub {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "--json"))

    def lines(self, what: str) -> list[dict[str, Any]]:
        """``hub export WHAT``, row by row."""
        out = self.text("export", what, "--jsonl", "-")
        return [json.loads(line) for line in out.splitlines() if line.strip()]
