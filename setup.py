"""The optional compiled build (ADR 0019): with ``HUB_COMPILE=1`` the wheel carries the modules of ``[tool.hub.compiled]``
compiled by mypyc, beside the same modules as plain Python. Without it nothing here does anything, and nobody needs a compiler.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from setuptools import Extension, setup

COMPILER = ["mypy>=1.15,<3"]
"""What pip fetches for the build alone."""


def extensions() -> list[Extension]:
    """The modules that are compiled, as one extension and a door for each."""
    try:
        from mypyc.build import mypycify
    except ImportError:
        if "egg_info" in sys.argv:  # pip asks first what the build needs
            return []
        raise
    listed = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["hub"]["compiled"]
    modules = [name.replace(".", "/") + ".py" for name in listed["modules"]]
    level = os.environ.get("HUB_COMPILE_LEVEL", "1")
    return list(mypycify(modules, opt_level=level, debug_level="0", group_name="hub.compiled"))


if os.environ.get("HUB_COMPILE") == "1":
    setup(ext_modules=extensions(), setup_requires=COMPILER)
else:
    setup()
