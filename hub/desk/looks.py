"""Looks of commands at personal data: on the audit chain before anything is shown, by the daemon where one runs."""

from __future__ import annotations

from getpass import getuser

from hub import bootstrap
from hub.custody import audit
from hub.custody.audit import Look
from hub.runtime.local_socket import ask
from hub.runtime.service import SOCKET, sole_process


def look(hub: bootstrap.Hub, act: str, subject: str = "", purpose: str = "") -> None:
    """Write on the audit chain that the account's owner looks at personal data, before anything is shown.

    Raises HubError when it cannot be written: then nothing may be read.
    """
    seen = Look(account(), "exporter", act, subject, purpose)
    if not hub.store.postgres and bootstrap.daemon_answers(hub.settings):
        ask(hub.settings.folder / SOCKET, "look", **seen._asdict())
        return
    with sole_process(hub.settings.folder, hub.store):
        audit.record(hub.store, hub.vault.mark_of, seen, bootstrap.now(), hub.settings.folder)


def account() -> str:
    """The account's name: on the hub's own machine a command acts under it."""
    try:
        return getuser()[:64]
    except (KeyError, OSError):
        return "unknown"
