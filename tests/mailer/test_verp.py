"""Envelope senders that name a delivery, and that nobody else can make."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.links import Signer
from mailer.verp import (
    LASTS,
    LONGEST_LOCAL_PART,
    TOKEN_LENGTH,
    BadMark,
    Mark,
    envelope_sender,
    read_mark,
)
from paperpost.settings import LONGEST_BOUNCE_NAME

KEY = b"a key that is long enough"
NOW = datetime(2026, 4, 7, 9, 0, tzinfo=UTC)
SIGNS = "abcdefghijklmnopqrstuvwxyz234567"

numbers = st.integers(0, 2**32 - 1)


def token_of(address: str) -> str:
    return address.rpartition("@")[0].rpartition("+")[2]


@settings(deadline=None)
@given(numbers, numbers)
def test_what_an_envelope_sender_names_is_read(delivery: int, subscriber: int) -> None:
    mark = Mark(delivery, subscriber)
    address = envelope_sender("bounces@papers.example.org", KEY, mark, NOW)
    assert address.startswith("bounces+")
    assert address.endswith("@papers.example.org")
    assert read_mark(token_of(address), [b"a newer key", KEY], NOW) == mark


def test_mail_servers_may_change_the_case() -> None:
    token = token_of(envelope_sender("b@x.org", KEY, Mark(7, 3), NOW))
    assert read_mark(token.upper(), [KEY], NOW) == Mark(7, 3)
    assert token == token.lower()


def test_the_longest_local_part_fits() -> None:
    address = envelope_sender("b" * LONGEST_LOCAL_PART + "@x.org", KEY, Mark(2**32 - 1, 1), NOW)
    assert len(address.rpartition("@")[0]) == 64
    assert len(token_of(address)) == TOKEN_LENGTH
    assert LONGEST_BOUNCE_NAME == LONGEST_LOCAL_PART


@settings(deadline=None)
@given(st.integers(0, TOKEN_LENGTH - 1), st.sampled_from(SIGNS))
def test_a_changed_token_is_refused(place: int, sign: str) -> None:
    token = token_of(envelope_sender("b@x.org", KEY, Mark(7, 3), NOW))
    changed = token[:place] + sign + token[place + 1 :]
    if changed != token:
        with pytest.raises(BadMark):
            read_mark(changed, [KEY], NOW)


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(SIGNS, min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH))
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(BadMark):
        read_mark(token, [KEY], NOW)


def test_no_other_key_and_no_other_purpose_signs_one() -> None:
    token = token_of(envelope_sender("b@x.org", b"somebody else's key", Mark(7, 3), NOW))
    with pytest.raises(BadMark):
        read_mark(token, [KEY], NOW)
    with pytest.raises(BadMark):
        read_mark(Signer([KEY]).sign("bounce", [7, 3], NOW), [KEY], NOW)


def test_a_token_is_good_for_thirty_days() -> None:
    token = token_of(envelope_sender("b@x.org", KEY, Mark(7, 3), NOW))
    assert read_mark(token, [KEY], NOW + LASTS) == Mark(7, 3)
    with pytest.raises(BadMark, match="2026-04-07"):
        read_mark(token, [KEY], NOW + LASTS + timedelta(days=1))
