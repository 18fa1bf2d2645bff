"""A digest sent once more, on purpose."""

from datetime import date

import pytest
from invented import Clock, fill, join, with_settings
from smtp_server import Postbox
from sqlmodel import select

from paperpost.engine.runs import compose_all_of
from paperpost.service import leaving, links
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.resend import CannotResend, resend
from paperpost.store import outbox
from paperpost.store.tables import Delivery, DeliveryState, Subscriber

DAY, YESTERDAY = date(2026, 4, 7), date(2026, 4, 6)
ADA = "ada@example.org"


@pytest.fixture
def office(installation: Installation, postbox: Postbox) -> Installation:
    """An installation that mails to the test's server, with a digest queued for ada."""
    return opened(installation, postbox)


def opened(installation: Installation, postbox: Postbox) -> Installation:
    fill(installation, [DAY])
    office = with_settings(installation, smtp_url=postbox.url)
    join(office, "ada", "graph neural networks", size=3)
    compose_all_of(office, DAY)
    return office


def states(installation: Installation) -> dict[str, int]:
    with installation.database.reading() as session:
        counts = outbox.count_by_state(session)["digest"]
    return {state: number for state, number in counts.items() if number}


def test_a_sent_digest_comes_again_as_the_same_mail(
    any_installation: Installation, postbox: Postbox, clock: Clock
) -> None:
    office = opened(any_installation, postbox)
    send(office)
    clock.turn(days=40)
    again = resend(office, "Ada@Example.org", DAY)
    assert (again.email, again.date, again.was, again.papers) == (ADA, DAY, "sent", 3)
    assert states(office) == {"queued": 1}
    assert send(office).sent == 1
    assert states(office) == {"sent": 1}
    assert postbox.raw[0] == postbox.raw[1]
    assert postbox.message()["Message-ID"] == again.message_id
    assert send(office).sent == 0


def test_the_clock_sends_it_too_however_late_it_is(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    clock.turn(days=3)
    send(office)
    assert states(office) == {"expired": 1}
    assert resend(office, ADA, DAY).was == "expired"
    assert send(office, patient=False).sent == 1


def test_a_failed_one_is_tried_afresh(office: Installation, postbox: Postbox, clock: Clock) -> None:
    postbox.refuse = {ADA: "554 5.6.0 no"}
    send(office)
    assert states(office) == {"failed": 1}
    postbox.refuse = {}
    resend(office, ADA, DAY)
    with office.database.reading() as session:
        queued = session.exec(select(Delivery)).one()
    assert (queued.attempts, queued.reply, queued.due_at) == (0, "", clock())
    assert send(office).sent == 1


def test_a_date_without_a_digest_is_told(office: Installation) -> None:
    with pytest.raises(CannotResend, match="has no digest of 2026-04-06"):
        resend(office, ADA, YESTERDAY)


def test_what_is_queued_is_not_queued_again(office: Installation, postbox: Postbox) -> None:
    with pytest.raises(CannotResend, match="queued still"):
        resend(office, ADA, DAY)
    assert send(office).sent == 1


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.UNKNOWN])
def test_what_somebody_is_sending_is_left_to_them(
    office: Installation, clock: Clock, state: DeliveryState
) -> None:
    with office.database.writing() as session:
        held = session.exec(select(Delivery)).one()
        held.state, held.lease, held.lease_ends_at = state, "elsewhere|1|0|x", clock()
        session.add(held)
    with pytest.raises(CannotResend, match="being sent right now"):
        resend(office, ADA, DAY)
    assert states(office) == {state: 1}


def test_a_silent_digest_has_nothing_to_send(office: Installation) -> None:
    join(office, "ben", "graph neural networks", threshold=99)
    compose_all_of(office, DAY)
    with pytest.raises(CannotResend, match=r"it was silent .*threshold"):
        resend(office, "ben@example.org", DAY)


def test_who_left_paused_or_cannot_be_reached_is_mailed_nothing(
    office: Installation, clock: Clock
) -> None:
    send(office)
    with office.database.writing() as session:
        ada = session.exec(select(Subscriber)).one()
        ada.suppressed_at, ada.suppressed_because = clock(), "554 5.6.0 no"
        session.add(ada)
    with pytest.raises(CannotResend, match="nothing is mailed there since 2026-04-07: 554"):
        resend(office, ADA, DAY)
    with office.database.writing() as session:
        ada.suppressed_at, ada.paused_until = None, date(2026, 4, 20)
        session.add(ada)
    with pytest.raises(CannotResend, match="they paused until 2026-04-20"):
        resend(office, ADA, DAY)
    token = links.token(office.signer, Purpose.UNSUBSCRIBE, clock(), ada.id or 0)
    leaving.leave(office, token)
    with pytest.raises(CannotResend, match="they get no digests: unsubscribed"):
        resend(office, ADA, DAY)
    assert states(office) == {"sent": 1}
