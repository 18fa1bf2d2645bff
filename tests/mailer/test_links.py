import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.links import BadLink, ExpiredLink, Link, LinkError, Signer

NOW = datetime(2026, 4, 14, 8, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNER = Signer([b"a key that is long enough"])

numbers = st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1), max_size=6)
moments = st.integers(0, 200_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@settings(deadline=None)
@given(st.sampled_from(["vote", "me", "unsubscribe"]), numbers, moments)
def test_what_was_signed_is_read(purpose: str, fields: list[int], issued: datetime) -> None:
    token = SIGNER.sign(purpose, fields, issued)
    assert SIGNER.read(token, purpose, issued, None) == Link(tuple(fields), issued)


@settings(deadline=None)
@given(numbers, st.data())
def test_a_changed_token_is_refused(fields: list[int], data: st.DataObject) -> None:
    token = SIGNER.sign("vote", fields, NOW)
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from("AZaz09-_=+/ \n.é").filter(lambda s: s != token[place]))
    with pytest.raises(BadLink):
        SIGNER.read(token[:place] + sign + token[place + 1 :], "vote", NOW, None)


@settings(deadline=None)
@given(
    st.text(max_size=100)
    | st.binary(max_size=80).map(lambda b: base64.urlsafe_b64encode(b).decode())
)
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(BadLink):
        SIGNER.read(token, "vote", NOW, None)


@pytest.mark.parametrize(
    "token", ["", "A", "é" * 40, "A" * 10_000_000, "====", "\0", "A" * 40 + "\n"]
)
def test_garbage_of_any_length_is_refused(token: str) -> None:
    with pytest.raises(BadLink):
        SIGNER.read(token, "vote", NOW, DAY)


def test_a_vote_link_does_not_unsubscribe() -> None:
    token = SIGNER.sign("vote", [1, 2], NOW)
    with pytest.raises(BadLink):
        SIGNER.read(token, "unsubscribe", NOW, None)


def test_the_link_of_another_installation_is_refused() -> None:
    with pytest.raises(BadLink):
        SIGNER.read(Signer([b"another key"]).sign("vote", [1], NOW), "vote", NOW, None)


def test_an_old_key_still_reads_and_the_new_one_signs() -> None:
    old, new = b"the old key", b"the new key"
    token = Signer([old]).sign("vote", [7], NOW)
    rotated = Signer([new, old])
    assert rotated.read(token, "vote", NOW, None).fields == (7,)
    assert Signer([new]).read(rotated.sign("vote", [8], NOW), "vote", NOW, None).fields == (8,)


def test_an_expired_link_says_what_it_was() -> None:
    token = SIGNER.sign("me", [3], NOW)
    assert SIGNER.read(token, "me", NOW + DAY, DAY).fields == (3,)
    with pytest.raises(ExpiredLink) as caught:
        SIGNER.read(token, "me", NOW + DAY + timedelta(seconds=1), DAY)
    assert caught.value.link == Link((3,), NOW)
    assert isinstance(caught.value, LinkError)


def test_a_token_is_short_and_safe_in_a_url() -> None:
    token = SIGNER.sign("vote", [2_000_000_000, 1_500_000, -1], NOW)
    assert len(token) <= 48
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_signer_without_a_key_is_not_made() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Signer([])
    with pytest.raises(ValueError, match="64 bits"):
        SIGNER.sign("vote", [2**63], NOW)
