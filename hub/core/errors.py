"""The error tree, named by what happens next.

    HubError
    ├── RetryError              try again later (bounded, with back-off)
    ├── CredentialsError        a person must renew a credential; the feed pauses, nothing is lost
    ├── PersonError             a person must decide or repair something; the feed pauses
    │   └── ConfigurationError  the configuration is wrong: where, what was expected, what was found
    ├── QuarantineError         this record waits for a fix, its neighbours go on
    └── StopError               the process must not go on (no keys, corrupt store, stale lease)
        └── StaleLeaseError     somebody else holds the lease now: nothing was stored

An exception outside this tree is unknown: bounded retry, then an open issue, never a silent end.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "CredentialsError",
    "HubError",
    "PersonError",
    "QuarantineError",
    "RetryError",
    "StaleLeaseError",
    "StopError",
]


class HubError(Exception):
    """Base of all errors the hub raises itself; ``code`` is the stable dotted problem code, never personal data."""

    def __init__(self, message: str, *, code: str = "hub.error", remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy


class RetryError(HubError):
    """Try again later; ``after`` is the number of seconds the peer asked for, if it did."""

    def __init__(self, message: str, *, code: str = "peer.unavailable", remedy: str = "", after: float | None = None):
        super().__init__(message, code=code, remedy=remedy)
        self.after = after


class CredentialsError(HubError):
    """The peer refused our credential."""


class PersonError(HubError):
    """A person must look at this before it can go on."""


class ConfigurationError(PersonError):
    """The configuration is wrong."""


class QuarantineError(HubError):
    """One record cannot be taken as it is."""


class StopError(HubError):
    """The process must stop rather than go on."""


class StaleLeaseError(StopError):
    """The lease was taken over: nothing was stored."""
