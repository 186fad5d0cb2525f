"""The HTTP face: departments push, units read what is addressed to them, machines ask how the process is."""

from hub.web.app import create_app
from hub.web.office import Caller, Office

__all__ = ["Caller", "Office", "create_app"]
