"""The next mail of a subscriber, without sending or storing anything."""

import threading
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from invented import Clock, fill, join
from smtp_server import text_of
from sqlalchemy import text

from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import subscribe
from paperpost.service.account import UnknownSubscriber
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.preview import Preview, preview
from paperpost.service.train import train
from paperpost.service.wishes import Wishes

DAY, NEXT = date(2026, 4, 7), date(2026, 4, 8)


@pytest.fixture
def office(installation: Installation) -> Installation:
    """An installation with a day of papers and a trained model."""
    return opened(installation)


def opened(installation: Installation) -> Installation:
    fill(installation, [DAY])
    train(installation)
    return installation


def rows(installation: Installation) -> dict[str, list[str]]:
    """Everything that is stored."""
    with installation.database.reading() as session:
        names = session.connection().dialect.get_table_names(session.connection())
        return {
            name: sorted(map(repr, session.connection().execute(text(f"SELECT * FROM {name}"))))
            for name in names
        }


def mail_text(shown: Preview) -> str:
    assert shown.data is not None
    parsed = message_from_bytes(shown.data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return text_of(parsed)


def test_a_preview_is_the_mail_that_is_sent_later(office: Installation, clock: Clock) -> None:
    email = join(office, "ada", "graph neural networks", size=3)
    shown = preview(office, email)
    assert (shown.date, len(shown.papers)) == (NEXT, 3)
    assert "graph" in (shown.subject or "").lower()
    compose_all_of(office, NEXT)
    assert send(office).sent == 1
    (file,) = office.settings.mail_folder.iterdir()
    assert (shown.data or b"").replace(b"\r\n", b"\n") == file.read_bytes()


def test_nothing_is_stored_and_no_file_is_written(any_installation: Installation) -> None:
    office = opened(any_installation)
    email = join(office, "ada", "graph neural networks", size=3)
    before = rows(office)
    assert before["subscriber"]
    assert preview(office, email).data is not None
    assert rows(office) == before
    assert not office.settings.mail_folder.exists()


def test_the_digest_that_is_due_is_shown_until_it_is_composed(
    office: Installation, clock: Clock
) -> None:
    email = join(office, "ada", "graph neural networks", size=3)
    clock.turn(days=1)
    assert preview(office, email).date == NEXT
    compose_all_due(office, threading.Event())
    assert preview(office, email).date == date(2026, 4, 9)


def test_what_is_composed_already_is_not_shown_again(office: Installation) -> None:
    email = join(office, "ada", "graph neural networks", size=3)
    first = preview(office, email)
    compose_all_of(office, NEXT)
    second = preview(office, email)
    assert (second.date, second.papers, second.data) == (date(2026, 4, 9), (), None)
    assert first.papers


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"threshold": 99}, "reached your threshold"),
        ({"muted": ["study"]}, "muted"),
    ],
)
def test_where_nothing_would_be_mailed_the_reason_is_told(
    office: Installation, wishes: dict[str, object], reason: str
) -> None:
    shown = preview(office, join(office, "ada", "foobarology", **wishes))
    assert (shown.papers, shown.data, shown.subject, shown.html) == ((), None, None, "")
    assert reason in shown.silence


def test_who_gets_no_digests_is_shown_one_and_why_it_is_not_sent(office: Installation) -> None:
    subscribe.by_form(office, "ben@example.org", Wishes(keywords=("speech",)))
    shown = preview(office, "ben@example.org")
    assert shown.data is not None
    assert shown.obstacle == "they get no digests: pending"


def test_the_html_part_can_be_had_alone(office: Installation) -> None:
    shown = preview(office, join(office, "ada", "graph neural networks", size=3))
    assert shown.html.lstrip().lower().startswith("<!doctype html")
    assert "Graph study" in shown.html
    assert mail_text(shown).count("More like this: http://127.0.0.1:8000/vote/") == 3


def test_a_stranger_has_no_preview(office: Installation) -> None:
    with pytest.raises(UnknownSubscriber):
        preview(office, "stranger@example.org")
