"""Who was asked to confirm: how often they are mailed, and when they are forgotten."""

from datetime import timedelta
from threading import Event

import pytest
from invented import START, Clock, join, with_settings

from paperpost.schedule import Clockwork
from paperpost.service import account, subscribe
from paperpost.service.account import UnknownSubscriber
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.link_mails import MOST_A_DAY, may_be_mailed
from paperpost.service.unconfirmed import forget_unconfirmed
from paperpost.service.wishes import Wishes
from paperpost.store.tables import DeliveryKind

WISHES = Wishes(keywords=("graphs",))
ZOE = "zoe@example.org"


def is_known(installation: Installation, email: str) -> bool:
    """Whether anything is stored about an address."""
    try:
        account.export(installation, email)
    except UnknownSubscriber:
        return False
    return True


def test_an_address_is_mailed_once_in_five_minutes_and_five_times_a_day() -> None:
    kind = DeliveryKind.CONFIRMATION
    ago = [START - timedelta(minutes=minutes) for minutes in (5, 60, 120, 180, 240)]
    assert may_be_mailed([], kind, START)
    assert may_be_mailed(ago[:4], kind, START)
    assert not may_be_mailed(ago, kind, START)
    assert may_be_mailed(ago, DeliveryKind.ACCESS_LINK, START)
    assert not may_be_mailed([START - timedelta(minutes=4)], kind, START)


def test_an_address_that_does_not_confirm_gets_five_mails_a_day_from_both_forms_together(
    any_installation: Installation, clock: Clock
) -> None:
    for _ in range(2 * 24):
        subscribe.by_form(any_installation, ZOE, WISHES)
        clock.turn(minutes=4)
        subscribe.mail_access_link_by_form(any_installation, ZOE, client="203.0.113.7")
        clock.turn(minutes=56)
    mails = account.export(any_installation, ZOE)["mails"]
    assert {mail["kind"] for mail in mails} == {DeliveryKind.CONFIRMATION}
    assert len(mails) == 2 * MOST_A_DAY[DeliveryKind.CONFIRMATION]


def test_who_has_not_confirmed_is_asked_to_by_the_form_for_a_link_too(
    any_installation: Installation, clock: Clock
) -> None:
    subscribe.by_form(any_installation, ZOE, WISHES)
    for minutes, mails in ((4, 1), (2, 2)):
        clock.turn(minutes=minutes)
        subscribe.mail_access_link_by_form(any_installation, ZOE, client="203.0.113.7")
        asked = account.export(any_installation, ZOE)["mails"]
        assert [mail["kind"] for mail in asked] == [DeliveryKind.CONFIRMATION] * mails


def test_who_never_confirmed_is_forgotten_when_the_link_is_dead(
    any_installation: Installation, clock: Clock
) -> None:
    join(any_installation, "ada", "graphs")
    subscribe.by_form(any_installation, ZOE, WISHES)
    subscribe.by_form(any_installation, "ben@example.org", WISHES)
    clock.turn(days=4)
    subscribe.by_form(any_installation, "ben@example.org", WISHES)
    clock.turn(days=3)
    assert forget_unconfirmed(any_installation) == 0
    clock.turn(seconds=1)
    assert forget_unconfirmed(any_installation) == 1
    assert not is_known(any_installation, ZOE)
    assert is_known(any_installation, "ben@example.org")  # asked again
    clock.turn(days=8)
    assert forget_unconfirmed(any_installation) == 1
    assert is_known(any_installation, "ada@example.org")


def test_the_mail_that_asked_them_is_forgotten_with_them(
    installation: Installation, clock: Clock
) -> None:
    subscribe.by_form(installation, ZOE, WISHES)
    send(installation)
    assert len(list(installation.settings.mail_folder.glob("*.eml"))) == 1
    clock.turn(days=8)
    assert forget_unconfirmed(installation) == 1
    assert list(installation.settings.mail_folder.glob("*.eml")) == []


@pytest.mark.parametrize("days", [6, 8])
def test_the_tick_forgets_them(installation: Installation, clock: Clock, days: int) -> None:
    subscribe.by_form(installation, ZOE, WISHES)
    clock.turn(days=days)
    Clockwork(with_settings(installation, sources=()), Event())._tick()
    assert is_known(installation, ZOE) == (days == 6)
