"""What is tried at the open forms and fails: to learn who subscribes, to flood others with mail, to
write a header of a mail, to put a script into a page."""

import email
import email.policy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from doors import DAY, Doors, last_mail
from invented import Clock, fill, join, with_settings
from smtp_server import Postbox, text_of
from sqlalchemy import event

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, subscribe
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.wishes import Wishes
from paperpost.store import subscribers
from paperpost.store.tables import DeliveryKind, Subscriber, SubscriberState

pytest_plugins = ["site_on_stage"]

PAPER = "2604.07000"
Browse = Callable[[Installation], httpx.Client]
# Of one length, so that answers are, too.
ACTIVE, UNKNOWN, PENDING = "active@example.org", "nobody@example.org", "waited@example.org"
GONE, SUPPRESSED, PAUSED = "before@example.org", "bounce@example.org", "paused@example.org"
ADDRESSES = (UNKNOWN, ACTIVE, PENDING, GONE, SUPPRESSED, PAUSED)


@pytest.fixture
def office(any_installation: Installation) -> Installation:
    """An installation that knows addresses in every state."""
    here = any_installation
    fill(here, [DAY])
    for name in (ACTIVE, GONE, SUPPRESSED, PAUSED):
        join(here, name.partition("@")[0], "graph neural networks")
    subscribe.by_form(here, PENDING, Wishes(keywords=("speech",)))
    change(here, GONE, state=SubscriberState.UNSUBSCRIBED, left_at=here.clock())
    change(here, SUPPRESSED, suppressed_at=here.clock(), suppressed_because="gone")
    change(here, PAUSED, paused_until=DAY.replace(year=2027))
    assert isinstance(here.clock, Clock)
    here.clock.turn(hours=2)
    return here


def change(installation: Installation, address: str, **columns: object) -> None:
    """Change a subscriber's row."""
    with installation.database.writing() as session:
        person = account.named(session, address)
        for name, value in columns.items():
            setattr(person, name, value)
        session.add(person)


def person(installation: Installation, address: str) -> Subscriber | None:
    """What is stored of somebody."""
    with installation.database.reading() as session:
        return subscribers.by_email(session, address)


def client_at(address: str) -> dict[str, str]:
    """The headers of a request that a proxy handed on."""
    return {"x-forwarded-for": address}


@contextmanager
def statements(installation: Installation) -> Iterator[list[str]]:
    """Everything the database is asked meanwhile, without values."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = installation.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def seen(answer: httpx.Response, address: str) -> tuple[int, list[tuple[str, str]], str]:
    """All that tells one answer from another; but for the time, and for what was typed."""
    headers = [header for header in answer.headers.items() if header[0] != "date"]
    return answer.status_code, headers, answer.text.replace(address, "…")


FORMS: list[tuple[str, str]] = [("/subscribe", "data"), ("/link", "data")]
TWINS: list[tuple[str, str]] = [("/api/subscribe", "json"), ("/api/link", "json")]


@pytest.mark.parametrize(("path", "kind"), FORMS + TWINS)
def test_nothing_in_an_answer_or_in_its_making_tells_whether_an_address_is_known(
    office: Installation, browse_site: Browse, path: str, kind: str
) -> None:
    client = browse_site(office)
    told, made = [], []
    for _ in range(2):  # the second one comes at once: no mail is sent for it
        for address in ADDRESSES:
            fields: dict[str, Any] = {"email": address}
            if "subscribe" in path:
                keywords = ["graphs", "foobarology"]
                fields["keywords"] = keywords if kind == "json" else ", ".join(keywords)
            with statements(office) as said:
                answer = client.request("POST", path, **{kind: fields})  # type: ignore[arg-type]
            told.append(seen(answer, address))
            made.append(said)
    assert told[0][0] in (200, 202)
    assert all(one == told[0] for one in told)
    assert all(one == made[0] for one in made)
    assert any("INSERT INTO delivery" in statement for statement in made[0])


def test_each_address_is_mailed_what_it_should_be_and_a_stranger_changes_nothing(
    office: Installation, browse_site: Browse
) -> None:
    client = browse_site(office)
    for address in ADDRESSES:
        asked = {"email": address, "keywords": "casino", "hour": "3", "muted": "graph"}
        assert client.post("/subscribe", data=asked).status_code == 200
    for address in (UNKNOWN, PENDING, GONE, SUPPRESSED):
        assert last_mail(office, address, DeliveryKind.CONFIRMATION)
    for address in (ACTIVE, PAUSED):
        assert last_mail(office, address, DeliveryKind.ACCESS_LINK)
    for address in (ACTIVE, GONE, SUPPRESSED, PAUSED):
        kept = account.export(office, address)
        assert kept["interests"]["keywords"] == ["graph neural networks"]
        assert (kept["interests"]["muted"], kept["hour"]) == ([], 8)
    for address in (UNKNOWN, PENDING):
        kept = account.export(office, address)
        assert (kept["interests"]["keywords"], kept["hour"]) == (["casino"], 3)


def test_one_client_enters_ten_addresses_an_hour_also_after_a_restart(
    installation: Installation, browse_site: Browse, clock: Clock
) -> None:
    home, other = client_at("2001:db8:1:2::7"), client_at("2001:db8:1:3::7")

    def enter(number: int, path: str = "/subscribe", at: dict[str, str] = home) -> int:
        posted = {"email": f"reader{number}@example.org"}
        return browse_site(installation).post(path, data=posted, headers=at).status_code

    assert [enter(number) for number in range(8)] == [200] * 8
    assert [enter(number, "/link") for number in (8, 9)] == [200] * 2
    same_network = client_at("2001:db8:1:2:ffff::1")
    assert enter(10, at=same_network) == enter(10, "/link", same_network) == 429
    assert person(installation, "reader10@example.org") is None
    assert enter(3) == 200  # one of the ten, whose mail did not come
    assert enter(10, at=other) == 200
    clock.turn(minutes=61)
    assert enter(11) == 200


def test_who_confirms_takes_nobodys_place_away(
    installation: Installation, browse_site: Browse
) -> None:
    client = browse_site(with_settings(installation, signups_per_hour=3))
    fill(installation, [DAY])
    for number in range(12):
        address = f"student{number}@example.org"
        headers = client_at(f"203.0.113.{number}")
        assert client.post("/subscribe", data={"email": address}, headers=headers).is_success
        path = Doors(installation, address, PAPER).path(Purpose.CONFIRM)
        assert client.post(path).status_code == 200


def test_a_client_is_not_told_that_an_address_it_typed_was_confirmed(
    installation: Installation, browse_site: Browse
) -> None:
    client = browse_site(installation)
    fill(installation, [DAY])
    addresses = [f"reader{number}@example.org" for number in range(10)]
    for address in addresses:
        assert client.post("/subscribe", data={"email": address}).status_code == 200
    for address in addresses[:5]:
        client.post(Doors(installation, address, PAPER).path(Purpose.CONFIRM))
    for path in ("/subscribe", "/link"):
        assert client.post(path, data={"email": UNKNOWN}).status_code == 429


def test_beyond_what_is_taken_in_an_hour_everybody_is_told_the_same(
    office: Installation, browse_site: Browse, clock: Clock
) -> None:
    client = browse_site(with_settings(office, signups_per_hour=3))
    for number in range(3):
        posted = {"email": f"reader{number}@example.org"}
        sent = client.post("/subscribe", data=posted, headers=client_at(f"203.0.113.{number}"))
        assert sent.status_code == 200
    told = []
    for number, address in enumerate((*ADDRESSES, "reader1@example.org")):
        headers = client_at(f"203.0.113.{100 + number}")
        refused = client.post("/subscribe", data={"email": address}, headers=headers)
        told.append(seen(refused, address))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "3600"
        assert "try again later" in refused.text
    assert all(one == told[0] for one in told)
    assert person(office, UNKNOWN) is None
    assert not last_mail(office, ACTIVE, DeliveryKind.ACCESS_LINK)
    assert client.post("/link", data={"email": ACTIVE}).status_code == 200
    clock.turn(minutes=61)
    assert client.post("/subscribe", data={"email": UNKNOWN}).status_code == 200


def test_the_field_that_nobody_sees_keeps_programs_out(
    installation: Installation, browse_site: Browse, dump: Callable[[], list[str]]
) -> None:
    client = browse_site(installation)
    empty = dump()
    posted = {"email": UNKNOWN, "keywords": "casino", "reference": "https://casino.example"}
    trapped = client.post("/subscribe", data=posted)
    assert dump() == empty
    kept = client.post("/subscribe", data={**posted, "reference": ""})
    assert seen(trapped, UNKNOWN) == seen(kept, UNKNOWN)
    assert last_mail(installation, UNKNOWN, DeliveryKind.CONFIRMATION)
    wrong = {**posted, "email": "nobody"}
    assert client.post("/subscribe", data=wrong).status_code == 400


INJECTED = "\r\nBcc: everybody@example.org\r\nX-Evil: yes\r\n\r\n<script>alert(1)</script>"
HOSTILE_ADDRESSES = [
    f"zoe@example.org{INJECTED}",
    "zoe@example.org\nBcc: everybody@example.org",
    "zoe\r@example.org",
    "zoe@example.org\x00",
    "zoe\x00@example.org",
    "zoe@example.org\u2028Bcc: everybody@example.org",
    "zoe\u0085@example.org",
    "zoe@example.org%0d%0aBcc:%20everybody@example.org",
    "zoe%0d%0aBcc:everybody@example.org",
    "=?utf-8?q?zoe=0D=0ABcc=3A_everybody?=@example.org",
    '"zoe\r\nBcc: everybody"@example.org',
    "zoe@example.org, everybody@example.org",
    "zoe@example.org> SIZE=1\r\nRCPT TO:<everybody@example.org",
    "Zoe <zoe@example.org>",
]
OF_EVERY_MAIL = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "Precedence", "MIME-Version", "Content-Type"),
}
OF_A_DIGEST = OF_EVERY_MAIL | {
    *("List-ID", "List-Help", "List-Post", "List-Unsubscribe", "List-Unsubscribe-Post"),
    "Feedback-ID",
}


ODD_ADDRESSES = [
    "zoe%0d%0abcc=everybody%40example.org@example.org",
    "o'hara+{{7*7}}&co@example.org",
    "zoë@example.org",
]


def test_what_is_more_than_an_address_is_none(
    installation: Installation, browse_site: Browse, dump: Callable[[], list[str]]
) -> None:
    client, empty = browse_site(installation), dump()
    for path in ("/subscribe", "/link"):
        for number, address in enumerate(HOSTILE_ADDRESSES):
            posted = {"email": address, "keywords": "graphs"}
            page = client.post(path, data=posted, headers=client_at(f"203.0.113.{number}"))
            assert page.status_code == 400
            assert "not an e-mail address" in page.text
            assert "<script>alert" not in page.text
    assert dump() == empty


@pytest.mark.parametrize("by_smtp", [True, False], ids=["by SMTP", "as files"])
def test_no_address_and_no_keyword_writes_a_header_of_a_confirmation(
    installation: Installation, browse_site: Browse, postbox: Postbox, by_smtp: bool
) -> None:
    here = with_settings(installation, smtp_url=postbox.url if by_smtp else None)
    client = browse_site(here)
    for address in ODD_ADDRESSES:
        posted = {"email": address, "keywords": f"graphs{INJECTED}"}
        assert client.post("/subscribe", data=posted).status_code == 200
    send(here)
    files = sorted(here.settings.mail_folder.glob("*.eml"))
    raw = [data for _, data in postbox.raw] if by_smtp else [file.read_bytes() for file in files]
    assert len(raw) == len(ODD_ADDRESSES)
    assert not by_smtp or sorted(postbox.recipients) == sorted(ODD_ADDRESSES)
    for data in raw:
        message = email.message_from_bytes(data, policy=email.policy.default)
        assert set(message.keys()) == OF_EVERY_MAIL
        assert str(message["To"]) in ODD_ADDRESSES
        assert b"alert(1)" not in data
        assert b"everybody@example.org" not in data


def test_no_keyword_writes_a_header_or_a_tag_of_a_digest(
    installation: Installation, browse_site: Browse, postbox: Postbox
) -> None:
    fill(installation, [DAY])
    here = with_settings(installation, smtp_url=postbox.url)
    client = browse_site(here)
    typed = "\r\nX-Evil: yes\r\n, graph networks\u2028Bcc: all\0 <script>alert(1)</script>"
    page = client.post("/subscribe", data={"email": UNKNOWN, "keywords": typed})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    client.post(Doors(here, UNKNOWN, PAPER).path(Purpose.CONFIRM))
    compose_all_of(here, DAY)
    send(here)
    sent = [postbox.message(number) for number in range(len(postbox.raw))]
    (digest,) = [message for message in sent if "List-ID" in message]
    assert set(digest.keys()) == OF_A_DIGEST
    assert "<script>alert(1)</script>" in text_of(digest)  # a text is shown as it is
    html = digest.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert "&lt;script&gt;alert(1)" in html.get_content()


def test_the_owner_sees_what_was_asked_for_in_their_name_before_they_confirm_it(
    installation: Installation, browse_site: Browse, clock: Clock
) -> None:
    client = browse_site(installation)
    fill(installation, [DAY])
    asked = {"email": UNKNOWN, "keywords": "graphs", "authors": "Ada Lovelace", "muted": "survey"}
    client.post("/subscribe", data=asked)
    clock.turn(minutes=1)
    client.post("/subscribe", data={"email": UNKNOWN, "keywords": "casino"})
    door = Doors(installation, UNKNOWN, PAPER).path(Purpose.CONFIRM)
    above, button, _ = client.get(door).text.partition("<button>")
    assert button
    assert all(term in above for term in ("graphs", "Ada Lovelace", "survey", "preferences"))
    assert "casino" not in above
    clock.turn(minutes=5)
    hostile = "<script>alert(1)</script>, {{7*7}}"
    client.post("/subscribe", data={"email": UNKNOWN, "keywords": hostile})
    page = client.get(door).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;, {{7*7}}" in page
    assert "<script>alert" not in page
    assert "graphs" not in page
    done = client.post(door)
    assert done.status_code == 200
    assert "alert(1)" not in done.text


def test_forms_that_are_posted_twice_at_once_are_one_mail_and_one_subscription(
    any_installation: Installation, browse_site: Browse
) -> None:
    here = any_installation
    client = browse_site(here)
    fill(here, [DAY])

    def at_once(path: str, **data: str) -> list[int]:
        with ThreadPoolExecutor(4) as pool:
            posts = [pool.submit(client.post, path, data=data) for _ in range(4)]
            return [post.result().status_code for post in posts]

    assert at_once("/subscribe", email=UNKNOWN, keywords="graphs, speech") == [200] * 4
    assert account.export(here, UNKNOWN)["interests"]["keywords"] == ["graphs", "speech"]
    assert at_once(Doors(here, UNKNOWN, PAPER).path(Purpose.CONFIRM)) == [200] * 4
    assert at_once("/link", email=UNKNOWN) == [200] * 4
    kept = account.export(here, UNKNOWN)
    assert kept["state"] == "active"
    assert [mail["kind"] for mail in kept["mails"]] == ["confirmation", "access-link"]


def test_two_tabs_with_other_interests_leave_those_of_one_of_them(
    any_installation: Installation, browse_site: Browse
) -> None:
    client = browse_site(any_installation)
    typed = ["graphs, speech", "proteins, folding"]
    with ThreadPoolExecutor(2) as pool:
        posts = [
            pool.submit(client.post, "/subscribe", data={"email": UNKNOWN, "keywords": keywords})
            for keywords in typed
        ]
        assert [post.result().status_code for post in posts] == [200, 200]
    kept = account.export(any_installation, UNKNOWN)
    assert ", ".join(kept["interests"]["keywords"]) in typed
    assert len(kept["mails"]) == 1


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
@pytest.mark.parametrize("address", ["<script>alert(1)</script>@example.org", "a&b'c@example.org"])
def test_an_address_is_escaped_wherever_it_is_shown(
    installation: Installation, browse_site: Browse, path: str, address: str
) -> None:
    page = browse_site(installation).post(path, data={"email": address})
    assert "<script>alert" not in page.text
    assert address not in page.text
