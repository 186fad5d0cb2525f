"""``hub demo``: a simulated district with real parts, and the real daemon in its own process."""

from hub.demo.play import main

__all__ = ["main"]
