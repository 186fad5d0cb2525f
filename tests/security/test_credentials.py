"""Bearer tokens are shown once and kept as hashes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.security.credentials import PREFIX, find_token, hash_token, make_token, token_matches


def test_a_token_is_long_random_and_marked() -> None:
    """Each token is fresh, recognisable by its prefix and as long as 256 bits need."""
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith(PREFIX) and len(token) == len(PREFIX) + 43 for token in tokens)


def test_a_hash_knows_its_token_only() -> None:
    """The kept hash fits its token and no other, and does not hold it."""
    token, other = make_token(), make_token()
    kept = hash_token(token)
    assert token_matches(token, kept)
    assert token_matches(f"{token}\n", kept)
    assert not token_matches(other, kept)
    assert not token_matches(kept, kept)
    assert token not in kept


def test_a_secret_file_may_hold_the_token_itself() -> None:
    """A push token referenced from the configuration may stand there plain, with its line end."""
    token = make_token()
    assert token_matches(token, f"{token}\n")
    assert not token_matches("", f"{token}\n")


def test_the_right_one_among_many_is_found() -> None:
    """The position of the first fitting hash, None where none fits."""
    tokens = [make_token() for _ in range(5)]
    kept = [hash_token(token) for token in tokens]
    assert find_token(tokens[3], kept) == 3
    assert find_token(make_token(), kept) is None
    assert find_token(tokens[0], []) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_comparison_never_raises(token: str, kept: str) -> None:
    """Whatever a caller presents, the answer is yes or no."""
    assert isinstance(token_matches(token, kept), bool)
