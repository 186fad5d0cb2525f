"""The key file: made once, never printed, never replaced by accident."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hub.core.errors import StopError
from hub.security.keys import add_key, create_key_file, load_keys, read_key_file

SECRET = base64.urlsafe_b64encode(bytes(range(32))).decode()
OTHER = base64.urlsafe_b64encode(bytes(range(1, 33))).decode()


def test_a_new_file_is_private_and_reads_back(tmp_path: Path) -> None:
    """The first key is written 0600 and gives the same working keys when read again."""
    path = tmp_path / "master"
    made = create_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path).derive(1, "x") == made.derive(1, "x")
    with pytest.raises(FileExistsError):
        create_key_file(path)


def test_purposes_and_numbers_have_keys_of_their_own() -> None:
    """No two purposes and no two key numbers ever share a working key."""
    keys = load_keys(f"1 active,index {SECRET}\n2 open {SECRET}\n")
    assert len({keys.derive(number, purpose) for number in (1, 2) for purpose in ("a", "b")}) == 4
    assert len(keys.derive(1, "a", 16)) == 16


def test_adding_a_key_moves_active_and_keeps_index(tmp_path: Path) -> None:
    """A new key seals from now on; the old one opens, and indexes stay with it."""
    path = tmp_path / "master"
    create_key_file(path)
    keys = add_key(path)
    assert (keys.numbers, keys.active, keys.index) == ((1, 2), 2, 1)
    assert (read_key_file(path).numbers, path.stat().st_mode & 0o777) == ((1, 2), 0o600)
    assert not path.with_name("master.new").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "keys.missing"), ("# nothing\n", "keys.missing"), ("1 active,index short", "keys.invalid"), (f"1 active {SECRET}", "keys.invalid"),
     (f"1 active,index {SECRET}\n1 open {OTHER}", "keys.invalid"), (f"1 active,index {SECRET}\n2 active {OTHER}", "keys.invalid"),
     (f"0 active,index {SECRET}", "keys.invalid"), (f"256 active,index {SECRET}", "keys.invalid"), (f"1 king {SECRET}", "keys.invalid"),
     (f"one active,index {SECRET}", "keys.invalid"), (b"\xff\xfe", "keys.invalid")],
)  # fmt: skip
def test_a_damaged_file_stops_the_hub_without_showing_it(text: str | bytes, code: str) -> None:
    """A file that is no key file stops the process, and its error says nothing of what stands in it."""
    with pytest.raises(StopError) as caught:
        load_keys(text)
    assert caught.value.code == code
    assert SECRET not in str(caught.value) + caught.value.remedy
    assert caught.value.__cause__ is None


def test_a_missing_or_open_file_stops_the_hub(tmp_path: Path) -> None:
    """No file, or one that every account can read, is no key file."""
    with pytest.raises(StopError, match="cannot be read"):
        read_key_file(tmp_path / "absent")
    path = tmp_path / "master"
    create_key_file(path)
    path.chmod(0o644)
    with pytest.raises(StopError, match="chmod 600"):
        read_key_file(path)


def test_an_unknown_number_is_a_missing_key() -> None:
    """A body of a key that is gone says so by code."""
    keys = load_keys(f"1 active,index {SECRET}")
    with pytest.raises(StopError) as caught:
        keys.derive(7, "x")
    assert caught.value.code == "keys.missing"
    assert SECRET not in repr(keys) + str(caught.value)
