"""Renewing one's links: everything that was handed out before opens nothing any more."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from doors import DAY, Doors, Form, forms, last_mail
from invented import Clock

from paperpost.engine.runs import compose_all_of
from paperpost.service import account
from paperpost.service.deliver import send
from paperpost.service.links import Purpose
from paperpost.service.quarantine import TOO_EARLY
from paperpost.store.tables import DeliveryKind
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]


def renewing(page: httpx.Response) -> Form:
    return next(form for form in forms(page) if form.button == "Renew my links")


def renew(doors: Doors, client: httpx.Client) -> httpx.Response:
    form = renewing(client.get(doors.path(Purpose.ACCESS)))
    form.tick()
    return form.post(client)


def texts_of_mails(doors: Doors) -> list[str]:
    folder = doors.installation.settings.mail_folder
    return [path.read_text() for path in sorted(folder.glob("*.eml"))]


def links_in(mail: str, purpose: Purpose) -> list[str]:
    found = re.findall(rf"http://[^\s\"<>]+/{purpose}/[\w-]+", mail.replace("=\n", ""))
    return [urlsplit(link).path for link in dict.fromkeys(found)]


def test_all_earlier_links_end_and_the_page_goes_on_behind_a_new_one(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    old = {purpose: doors.token(purpose) for purpose in Purpose}
    clock.turn(minutes=10)
    answer = renew(doors, client)
    assert answer.status_code == 303
    for path in ("/me/{me}", "/access/{access}", "/vote/{vote}", "/feed/{feed}.xml"):
        page = client.get(path.format(**old))
        assert page.status_code == 410
        assert forms(page)[0].action == "/link"
    signed_in = {"Cookie": f"{COOKIE}={old[Purpose.SESSION]}"}
    assert "My Paperpost" not in client.get("/", headers=signed_in).text
    fresh = client.get(answer.headers["location"])
    assert "All earlier links open nothing any more" in fresh.text
    assert client.get(doors.path(Purpose.PREFERENCES)).status_code == 200
    clock.turn(minutes=6)
    assert "All earlier links" not in client.get(answer.headers["location"]).text


def test_a_fresh_link_lasts_no_longer_for_being_renewed(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    access = doors.token(Purpose.ACCESS)
    clock.turn(minutes=50)
    form = renewing(client.get(f"/access/{access}"))
    form.tick()
    answer = form.post(client)
    assert answer.headers["location"].startswith("/me/")
    assert "renew" not in [
        form.action.rpartition("/")[2] for form in forms(client.get(answer.headers["location"]))
    ]
    again = client.post("/api/me/renew", headers={"Authorization": f"Bearer {access}"})
    assert again.status_code == 401
    clock.turn(minutes=50)
    kept = {"Authorization": f"Bearer {doors.token(Purpose.ACCESS)}"}
    renewed = client.post("/api/me/renew", headers=kept).json()["token"]
    asked = client.get("/api/me/export", headers={"Authorization": f"Bearer {renewed}"})
    assert asked.status_code == 403
    asked = client.get("/api/me", headers={"Authorization": f"Bearer {renewed}"})
    assert asked.status_code == 200


def test_links_that_unsubscribe_live_on(doors: Doors, client: httpx.Client, clock: Clock) -> None:
    old = doors.path(Purpose.UNSUBSCRIBE)
    clock.turn(minutes=10)
    renew(doors, client)
    assert client.post(old, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert doors.subscriber().state == "unsubscribed"


def test_a_fresh_link_is_mailed_although_one_was_just_before(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    client.post("/link", data={"email": doors.email})
    send(doors.installation)
    clock.turn(minutes=1)
    renew(doors, client)
    send(doors.installation)
    dead, living = (links_in(mail, Purpose.ACCESS)[0] for mail in texts_of_mails(doors))
    statuses = [client.get(path).status_code for path in (dead, living)]
    assert sorted(statuses) == [200, 410]


def test_the_button_pressed_as_it_stands_renews_nothing(
    doors: Doors, client: httpx.Client, dump: Callable[[], list[str]]
) -> None:
    form = renewing(client.get(doors.path(Purpose.ACCESS)))
    before = dump()
    answer = form.post(client)
    assert answer.status_code == 400
    assert "tick “Yes, end all earlier links” first" in answer.text
    assert dump() == before


def test_nobody_is_flooded_with_mail_by_renewing_again_and_again(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    renew(doors, client)
    first = last_mail(doors.installation, doors.email, DeliveryKind.ACCESS_LINK)
    clock.turn(minutes=4)
    answer = renew(doors, client)
    assert answer.status_code == 400
    assert "renewed just before this" in answer.text
    assert last_mail(doors.installation, doors.email, DeliveryKind.ACCESS_LINK) == first
    clock.turn(minutes=2)
    assert renew(doors, client).status_code == 303


def test_only_a_fresh_link_renews(doors: Doors, client: httpx.Client) -> None:
    token = doors.token(Purpose.PREFERENCES)
    for door in ("me", "access"):
        path = f"/{door}/{token}/renew"
        assert client.post(path, data={"confirm": "yes"}).status_code == 404
    assert doors.subscriber().links_from is None


def test_a_digest_that_waited_meanwhile_goes_out_with_links_that_open(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    compose_all_of(doors.installation, DAY)
    clock.turn(minutes=5)
    renew(doors, client)
    clock.turn(minutes=5)
    send(doors.installation)
    (mail,) = [one for one in texts_of_mails(doors) if "List-Unsubscribe" in one]
    votes, own = links_in(mail, Purpose.VOTE), links_in(mail, Purpose.PREFERENCES)
    assert len(votes) == 20
    assert {client.get(path).status_code for path in votes + own} == {200}


def test_a_program_that_clicks_in_such_a_digest_is_known_as_one(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    compose_all_of(doors.installation, DAY)
    clock.turn(minutes=5)
    renew(doors, client)
    clock.turn(minutes=5)
    send(doors.installation)
    (mail,) = [one for one in texts_of_mails(doors) if "List-Unsubscribe" in one]
    clock.turn(seconds=5)
    client.post(links_in(mail, Purpose.VOTE)[0], data={"value": "up"})
    (act,) = account.export(doors.installation, doors.email)["vote_history"]
    assert act["voided"] == TOO_EARLY


def test_what_renewing_is_for_is_said_where_a_fresh_link_is_asked_for(
    doors: Doors, client: httpx.Client
) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    assert "ending links that got around need a link that is mailed fresh" in " ".join(page.split())
    assert "/renew" not in page
