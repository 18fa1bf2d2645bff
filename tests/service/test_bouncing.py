"""What came back counts for whom it was mailed to, once, and can be undone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from bounce_mail import about
from invented import Clock, fill, join, with_settings
from smtp_server import Postbox

from mailer.links import Signer
from mailer.verp import LASTS, Mark, envelope_sender
from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import account, bounce, confirm, subscribe
from paperpost.service.compose import NotASubscriber
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose, token, url
from paperpost.service.status import status
from paperpost.service.wishes import Wishes
from paperpost.settings import load_settings
from paperpost.store import outbox, subscribers
from paperpost.store.database import Database
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryKind, Subscriber

DAY = date(2026, 4, 7)
HARD, SOFT, COMPLAINT = "5.1.1", "4.2.2", "abuse"


BOTH = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def office(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, postbox: Postbox
) -> Iterator[Installation]:
    """An installation with papers whose mail may come back; on one database, or on BOTH."""
    url = request.getfixturevalue(f"{getattr(request, 'param', 'store')}_url")
    settings = load_settings(
        home=tmp_path / "home",
        database_url=url,
        secret_key=("a key for tests only",),
        smtp_url=postbox.url,
        bounces="bounces@papers.example.org",
    )
    opened = Installation(settings, Database(url), clock)
    fill(opened, [DAY + timedelta(days=number) for number in (0, 1, 2, 3, 4, 16, 32)], each=1)
    yield opened
    opened.close()


def person(installation: Installation, email: str) -> Subscriber:
    with installation.database.reading() as session:
        return account.named(session, email)


def last(installation: Installation, email: str) -> Delivery:
    """The newest mail to somebody."""
    with installation.database.reading() as session:
        return outbox.of_subscriber(session, id_of(account.named(session, email)))[-1]


Mail = Callable[..., str]


@pytest.fixture
def mail(office: Installation, postbox: Postbox) -> Mail:
    """Mails somebody the digest of a day, and gives its envelope sender."""

    def mailed(email: str, day: date = DAY) -> str:
        compose_all_of(office, day, email)
        assert send(office).sent == 1
        return postbox.senders[-1]

    return mailed


def came_back(
    installation: Installation, sender: str, status: str, to: str = "ada@example.org"
) -> bounce.Taken:
    return bounce.take(installation, about(sender, status, recipient=to))


def headers_of(postbox: Postbox) -> str:
    """The headers of the newest mail."""
    return "\n".join(f"{name}: {value}" for name, value in postbox.message().items())


@BOTH
def test_an_address_that_does_not_exist_is_mailed_no_more(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    taken = came_back(office, mail(email), HARD)
    assert (taken.kind, taken.status, taken.effect) == ("hard", "5.1.1", "suppressed")
    ada = person(office, email)
    assert ada.suppressed_at == clock.now
    assert ada.suppressed_because == "mail to this address was refused for good (5.1.1)"
    assert ada.state == "active"
    with pytest.raises(NotASubscriber, match="refused for good"):
        compose_all_of(office, DAY + timedelta(days=1), email)
    clock.turn(days=1)
    assert compose_all_due(office, threading.Event()) == {"paused": 1}


def test_what_waits_when_mail_comes_back_is_held_back(office: Installation, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    compose_all_of(office, DAY + timedelta(days=1), email)
    came_back(office, sender, HARD)
    assert send(office).sent == 0
    assert last(office, email).state == "suppressed"


@BOTH
def test_three_mails_that_come_back_for_now_are_enough(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    for number in range(3):
        assert person(office, email).suppressed_at is None
        sender = mail(email, DAY + timedelta(days=number))
        taken = came_back(office, sender, SOFT)
        assert taken.kind == "soft"
        clock.turn(days=1)
    assert taken.effect == "suppressed"
    because = "3 mails to this address came back within 30 days (4.2.2)"
    assert person(office, email).suppressed_because == because


def test_mails_that_come_back_now_and_then_do_not_add_up(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    for number in (0, 16, 32):
        came_back(office, mail(email, DAY + timedelta(days=number)), SOFT)
        clock.turn(days=16)
    assert person(office, email).suppressed_at is None


@BOTH
def test_a_complaint_unsubscribes_at_once(office: Installation, clock: Clock, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    assert came_back(office, sender, COMPLAINT).effect == "unsubscribed"
    ada = person(office, email)
    assert (ada.state, ada.left_at, ada.next_due_at) == ("unsubscribed", clock.now, None)


@BOTH
def test_a_report_counts_once_however_often_and_by_whomever_it_is_brought(
    office: Installation, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: came_back(office, sender, SOFT), range(8)))
    assert sorted(one.word for one in taken) == ["counted"] + 7 * ["ignored"]
    assert len(account.export(office, email)["bounces"]) == 1
    assert person(office, email).suppressed_at is None
    assert came_back(office, sender, HARD).effect == "suppressed"  # a softer one hides no harder


def test_a_forged_report_does_nothing(office: Installation, clock: Clock, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    sent = last(office, email)
    mark = Mark(sent.id or 0, sent.subscriber_id or 0)
    for forged in (
        "bounces@papers.example.org",
        "bounces+ada=example.org@papers.example.org",
        sender.replace("+", "-"),
        sender.replace(sender[10], "a" if sender[10] != "a" else "b"),
        envelope_sender("bounces@papers.example.org", b"somebody's own key", mark, clock.now),
        f"bounces+{token(office.signer, Purpose.UNSUBSCRIBE, clock.now, 1)}@papers.example.org",
        "+" + 32 * "a" + "@papers.example.org",
    ):
        for status_code in (HARD, COMPLAINT):
            taken = came_back(office, forged, status_code)
            assert (taken.word, taken.effect) == ("ignored", ""), forged
    exported = account.export(office, email)
    assert exported["bounces"] == []
    assert exported["suppressed_at"] is None
    assert exported["state"] == "active"


def test_the_headers_of_a_mail_are_not_enough_to_forge(
    office: Installation, postbox: Postbox, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    mail(email)
    taken = bounce.take(office, about("bounces@papers.example.org", HARD, headers_of(postbox)))
    assert taken.word == "ignored"
    assert person(office, email).suppressed_at is None


@BOTH
def test_a_complaint_that_names_no_sender_unsubscribes_by_the_mail_s_own_link(
    office: Installation, postbox: Postbox, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    mail(email)
    complaint = about("redacted@papers.example.org", COMPLAINT, headers_of(postbox))
    taken = bounce.take(office, complaint)
    assert (taken.kind, taken.effect) == ("complaint", "unsubscribed")
    assert person(office, email).state == "unsubscribed"
    (row,) = account.export(office, email)["bounces"]
    assert (row["kind"], row["at"]) == ("complaint", clock.now.isoformat())
    subscribe.by_command(office, email, Wishes(), confirmed=True)
    assert bounce.take(office, complaint).word == "ignored"
    assert person(office, email).state == "active"


def test_a_complaint_may_come_after_months(
    office: Installation, postbox: Postbox, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    clock.turn(days=200)
    assert bounce.take(office, about(sender, "5.1.1", headers_of(postbox))).word == "ignored"
    assert "too old" in came_back(office, sender, COMPLAINT).reason
    assert bounce.take(office, about(sender, COMPLAINT, headers_of(postbox))).effect
    assert person(office, email).state == "unsubscribed"


def test_no_other_link_and_nobody_else_s_makes_a_complaint(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    mail(email)
    number = id_of(person(office, email))
    stranger = Signer([b"somebody's own key"])
    for signer, purpose, whose in (
        *((office.signer, purpose, number) for purpose in Purpose if purpose != "unsubscribe"),
        (stranger, Purpose.UNSUBSCRIBE, number),
        (office.signer, Purpose.UNSUBSCRIBE, number + 1),
    ):
        link = url("https://papers.example.org", signer, purpose, clock.now, whose)
        header = f"List-Unsubscribe: <{link}>"
        taken = bounce.take(office, about("x@papers.example.org", COMPLAINT, header))
        assert (taken.word, taken.effect) == ("ignored", "")
    assert person(office, email).state == "active"


def test_a_list_is_not_silenced_by_one_of_its_members(office: Installation, mail: Mail) -> None:
    email = join(office, "lab", "graph neural networks")
    sender = mail(email)
    taken = came_back(office, sender, HARD, to="former-member@example.org")
    assert (taken.word, taken.effect) == ("ignored", "")
    assert person(office, email).suppressed_at is None
    assert came_back(office, sender, HARD, to="LAB@example.org").effect == "suppressed"


def test_an_address_of_another_script_is_known_in_its_ascii_spelling(
    office: Installation, mail: Mail
) -> None:
    email = "ada@b\u00fccher.example"
    subscribe.by_command(office, email, Wishes(keywords=("graph neural",)), confirmed=True)
    sender = mail(email)
    taken = came_back(office, sender, HARD, to="ada@xn--bcher-kva.example")
    assert taken.effect == "suppressed"


def test_a_token_stands_for_its_own_subscriber_only(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    ada, ben = (join(office, name, "graph neural networks") for name in ("ada", "ben"))
    sender = mail(ada)
    mail(ben)
    stolen = Mark(last(office, ben).id or 0, last(office, ada).subscriber_id or 0)
    address = envelope_sender("bounces@papers.example.org", office.keys[0], stolen, clock.now)
    assert came_back(office, address, HARD).word == "ignored"  # a number that was given away again
    assert came_back(office, sender, HARD).word == "counted"
    assert person(office, ben).suppressed_at is None


def test_an_old_token_does_nothing(office: Installation, clock: Clock, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    clock.now += LASTS + timedelta(days=1)
    assert "too old" in came_back(office, sender, HARD).reason
    assert person(office, email).suppressed_at is None


@pytest.mark.parametrize("state", ["queued", "failed", "expired", "suppressed", "silent"])
def test_a_mail_that_was_not_sent_cannot_come_back(
    office: Installation, state: str, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    with office.database.writing() as session:
        row = session.merge(last(office, email))
        row.state = state
    assert state in came_back(office, sender, HARD).reason
    assert person(office, email).suppressed_at is None


def test_a_report_about_somebody_deleted_does_nothing(office: Installation, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    account.delete(office, email)
    assert "no longer stored" in came_back(office, sender, HARD).reason


def test_a_token_of_an_older_key_works(office: Installation, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    keys = ("a newer key for tests", *office.settings.secret_key)
    assert came_back(with_settings(office, secret_key=keys), sender, HARD).word == "counted"


def test_mail_goes_out_under_a_sender_of_its_own_only_if_bounces_are_wanted(
    office: Installation, postbox: Postbox
) -> None:
    email = join(office, "ada", "graph neural networks")
    for installation in (office, office, with_settings(office, bounces=None)):
        compose_all_of(installation, DAY + timedelta(days=len(postbox.senders)), email)
        send(installation)
    first, second, plain = postbox.senders
    assert first != second
    assert first.startswith("bounces+")
    assert plain == "paperpost@localhost"


@BOTH
def test_a_refusal_at_the_door_counts_like_a_report(office: Installation, clock: Clock) -> None:
    replies = {
        "ada": "RCPT: 550 5.1.1 User unknown",
        "ben": "RCPT: 550 5.7.1 We do not like you",
        "cleo": "RCPT: 552 5.2.2 Mailbox full",
        "dora": "RCPT: 550 relay not permitted",
    }
    emails = [join(office, name, "graph neural networks") for name in replies]
    compose_all_of(office, DAY)
    with office.database.writing() as session:
        for email, reply in zip(emails, replies.values(), strict=True):
            number = outbox.of_subscriber(session, id_of(account.named(session, email)))[-1].id
            bounce.refused(session, number or 0, reply, clock.now)
            bounce.refused(session, number or 0, reply, clock.now)
    kinds = [[row["kind"] for row in account.export(office, one)["bounces"]] for one in emails]
    assert kinds == [["hard"], [], ["soft"], []]
    assert [person(office, one).suppressed_at for one in emails] == [clock.now, None, None, None]


@BOTH
def test_an_operator_forgives(office: Installation, clock: Clock, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    sender = mail(email)
    compose_all_of(office, DAY + timedelta(days=1), email)
    came_back(office, sender, HARD)
    send(office)
    assert bounce.forgive(office, email)
    assert not bounce.forgive(office, email)
    assert person(office, email).suppressed_because is None
    assert send(office).sent == 1  # what was held back is still news
    assert came_back(office, sender, HARD).word == "ignored"


@BOTH
def test_what_is_forgiven_does_not_count_again(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    senders = [mail(email, DAY + timedelta(days=number)) for number in range(5)]
    for sender in senders[:3]:
        came_back(office, sender, SOFT)
    bounce.forgive(office, email)
    for sender in senders:
        came_back(office, sender, SOFT)
    assert person(office, email).suppressed_at is None
    kinds = [row["kind"] for row in account.export(office, email)["bounces"]]
    assert kinds == 3 * ["forgiven"] + 2 * ["soft"]


def test_signing_up_again_is_a_way_back(
    office: Installation, postbox: Postbox, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    came_back(office, mail(email), HARD)
    subscribe.by_form(office, email, Wishes(keywords=("casino",)))
    assert send(office).sent == 1
    asked = last(office, email)
    assert asked.kind == DeliveryKind.CONFIRMATION
    assert person(office, email).suppressed_at is not None
    link = token(office.signer, Purpose.CONFIRM, clock.now, asked.subscriber_id or 0)
    assert confirm.confirm(office, link).suppressed_at is None
    assert account.export(office, email)["interests"]["keywords"] == ["graph neural networks"]


def test_a_link_that_was_asked_for_is_mailed_all_the_same(office: Installation, mail: Mail) -> None:
    email = join(office, "ada", "graph neural networks")
    came_back(office, mail(email), HARD)
    assert subscribe.mail_access_link(office, email)
    assert send(office).sent == 1


@BOTH
def test_everything_that_came_back_is_exported_and_deleted(
    office: Installation, clock: Clock, mail: Mail
) -> None:
    email = join(office, "ada", "graph neural networks")
    came_back(office, mail(email), HARD)
    exported = account.export(office, email)
    assert exported["suppressed_at"] == clock.now.isoformat()
    assert exported["suppressed_because"]
    (row,) = exported["bounces"]
    assert (row["kind"], row["status"], row["at"]) == ("hard", "5.1.1", clock.now.isoformat())
    assert row["detail"]
    account.delete(office, email)
    assert status(office)["bounces"]["hard"] == 0


@BOTH
def test_status_counts_what_came_back(office: Installation, mail: Mail) -> None:
    for name, code in (("ada", HARD), ("ben", SOFT), ("cleo", COMPLAINT)):
        email = join(office, name, "graph neural networks")
        came_back(office, mail(email), code, to=email)
    assert status(office)["bounces"] == {
        "hard": 1,
        "soft": 1,
        "complaint": 1,
        "forgiven": 0,
        "suppressed_subscribers": 1,
    }
    with office.database.reading() as session:
        assert subscribers.count_by_state(session) == {"active": 2, "unsubscribed": 1}
