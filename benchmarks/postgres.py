"""A real PostgreSQL for a benchmark: the server the tests start, with ``fsync`` on."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.conftest import start_postgres


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="hubpg", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield start_postgres(folder, stack, durable=True).render_as_string(hide_password=False)
