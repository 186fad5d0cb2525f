"""The whole test of a connector: the hub's kit, level by level."""

from hub.sdk.testing import conformance


def test_conformance() -> None:
    """The connector reaches gold: its records are mapped as promised, and no trouble of its source loses one."""
    conformance("hotline_12345", level="gold")
