"""Whose certificates we believe: Mozilla's list, the machine's own, and those a configuration adds (a private CA)."""

from __future__ import annotations

import ssl
from functools import lru_cache

__all__ = ["believe", "trust", "usable"]

_also: list[str] = []


def usable(authorities: str) -> bool:
    """Whether this is PEM with at least one certificate."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=authorities)
    except (ssl.SSLError, ValueError):
        return False
    return True


def believe(authorities: str) -> None:
    """Trust these authorities (PEM) beside the others from now on; for this whole process, before its first call."""
    _also[:] = [authorities] if authorities else []
    trust.cache_clear()


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Read once for all peers of a process, because it costs more than a call."""
    import httpx  # by who calls: the configuration is read without it

    context = httpx.create_ssl_context()
    context.load_default_certs()
    for authorities in _also:
        context.load_verify_locations(cadata=authorities)
    return context
