"""Past digests: the list, and each mail as it was mailed."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from doors import DAY, Doors
from invented import Clock, fill
from mailed import Mailed

from paperpost.engine.runs import compose_all_of
from paperpost.service import past_digests
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.resend import resend
from paperpost.store import digests
from paperpost.store.tables import Delivery, DeliveryState, Digest
from paperpost.web.digests import STATES

pytest_plugins = ["site_on_stage"]


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def own(doors: Doors, page: str, door: Purpose = Purpose.PREFERENCES) -> str:
    return f"{doors.path(door)}/digests{page}"


@pytest.fixture
def mailed(
    doors: Doors, client: httpx.Client, browse_site: Callable[[Installation], object]
) -> Mailed:
    mailed = Mailed(doors, client)
    browse_site(mailed.here)
    return mailed


def set_state(here: Installation, doors: Doors, state: DeliveryState, reply: str) -> None:
    with here.database.writing() as session:
        digest = digests.of_date(session, doors.subscriber_id, DAY)
        assert digest is not None
        delivery = session.get(Delivery, digest.delivery_id)
        assert delivery is not None
        delivery.state, delivery.reply = state, reply
        session.add(delivery)


def test_the_list_has_every_digest_with_what_became_of_it(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    nothing_new, later = (DAY + timedelta(days=days) for days in (1, 2))
    compose_all_of(mailed.here, nothing_new)
    fill(mailed.here, [later])
    compose_all_of(mailed.here, later)
    shown = text(client.get(own(doors, "")))
    assert "3 so far" in shown
    assert str(mailed.message["Subject"]) in shown
    assert "3 papers · sent on Tuesday, 7 April 2026, at 09:00" in shown
    assert "0 papers · no mail: " in shown
    assert "3 papers · composed, not sent yet" in shown


def test_times_are_the_readers_own(mailed: Mailed, doors: Doors, client: httpx.Client) -> None:
    with mailed.here.database.writing() as session:
        person = doors.subscriber()
        person.timezone = "Asia/Tokyo"
        session.add(person)
    assert "sent on Tuesday, 7 April 2026, at 18:00" in text(client.get(own(doors, "")))


def test_a_digest_is_shown_as_it_was_mailed(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    page = client.get(own(doors, f"/{DAY}"))
    (source,) = re.findall(r'<iframe [^>]*src="([^"]+)"', page.text)
    framed = client.get(source)
    outside = mailed.text("html").replace("<head>", '<head><base target="_blank">')
    assert framed.text.splitlines() == outside.splitlines()
    (plain,) = re.findall(r"<pre>(.*)</pre>", page.text, re.DOTALL)
    assert unescape(plain).splitlines() == mailed.text("plain").splitlines()
    assert doors.email not in page.text + framed.text


def test_the_frame_runs_no_script_and_stands_on_our_pages_alone(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    page = client.get(own(doors, f"/{DAY}"))
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    framed = client.get(own(doors, f"/{DAY}/mail")).headers["content-security-policy"]
    assert framed == (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    )


def test_the_file_is_what_sending_again_sends(
    mailed: Mailed, doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    answer = client.get(own(doors, f"/{DAY}/mail.eml", Purpose.ACCESS))
    assert answer.headers["content-type"] == "message/rfc822"
    (path,) = mailed.here.settings.mail_folder.glob("*-digest-*.eml")
    written = answer.content.replace(b"\r\n", b"\n")
    assert written == path.read_bytes()
    path.unlink()
    clock.turn(hours=1)
    resend(mailed.here, doors.email, DAY)
    send(mailed.here)
    assert written == path.read_bytes()


def test_the_file_names_the_address_and_needs_a_fresh_link(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    assert client.get(own(doors, f"/{DAY}/mail.eml")).status_code == 404
    assert "mail.eml" not in client.get(own(doors, f"/{DAY}")).text
    assert "mail.eml" in client.get(own(doors, f"/{DAY}", Purpose.ACCESS)).text


def test_a_digest_that_is_not_sent_yet_is_shown_as_such(doors: Doors, client: httpx.Client) -> None:
    compose_all_of(doors.installation, DAY)
    page = client.get(own(doors, f"/{DAY}"))
    assert "composed, not sent yet, due on Tuesday, 7 April 2026" in text(page)
    assert "<iframe" in page.text


def test_a_date_on_which_nothing_was_mailed_says_why(doors: Doors, client: httpx.Client) -> None:
    day = DAY + timedelta(days=20)
    compose_all_of(doors.installation, day)
    page = client.get(own(doors, f"/{day}"))
    assert "Nothing was mailed for this date." in page.text
    assert "0 papers · no mail: " in text(page)
    assert client.get(own(doors, f"/{day}/mail")).status_code == 404
    assert client.get(own(doors, f"/{day}/mail.eml", Purpose.ACCESS)).status_code == 404


def test_a_servers_words_do_not_give_the_address_away(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    reply = f"550 5.1.1 <{doors.email}> is unknown, see http://x.example/{doors.email}"
    set_state(mailed.here, doors, DeliveryState.FAILED, reply)
    for page in ("", f"/{DAY}"):
        shown = client.get(own(doors, page))
        assert "not delivered: 550 5.1.1 (an address) is unknown, see x.example" in text(shown)
        assert doors.email not in shown.text


def test_where_a_mail_was_written_is_told_to_nobody(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    (told,) = past_digests.show(mailed.here, doors.subscriber_id).digests
    assert (told.state, told.because) == (DeliveryState.SENT, "")
    set_state(mailed.here, doors, DeliveryState.SENT, "250 2.0.0 Ok: queued as 4711")
    (told,) = past_digests.show(mailed.here, doors.subscriber_id).digests
    assert told.because == ""
    for page in ("", f"/{DAY}"):
        assert "4711" not in client.get(own(doors, page)).text


def test_every_state_of_a_mail_has_words(
    mailed: Mailed, doors: Doors, client: httpx.Client
) -> None:
    for state in DeliveryState:
        set_state(mailed.here, doors, state, "because")
        for page in ("", f"/{DAY}"):
            assert STATES[state] in client.get(own(doors, page)).text


def test_a_digest_that_is_none_is_not_found(doors: Doors, client: httpx.Client) -> None:
    for page in ("/2026-04-08", "/20260407", "/x", "/2026-04-07/x", "?page=2"):
        assert client.get(own(doors, page)).status_code == 404


def test_thirty_digests_are_a_page(doors: Doors, client: httpx.Client) -> None:
    compose_all_of(doors.installation, DAY)
    with doors.installation.database.writing() as session:
        digest = digests.of_date(session, doors.subscriber_id, DAY)
        assert digest is not None
        for days in range(1, 31):
            earlier = digest.model_dump(exclude={"id"})
            session.add(Digest(**earlier | {"local_date": DAY - timedelta(days=days)}))
    first, second = (client.get(own(doors, f"?page={page}")).text for page in (1, 2))
    assert [page.count("10 papers ·") for page in (first, second)] == [30, 1]
