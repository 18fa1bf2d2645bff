"""The operator's page, its JSON twin, and what leads there."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors
from invented import Clock, fill, join, with_settings

from paperpost.engine.runs import compose_all_of
from paperpost.service import links
from paperpost.service.alarm import Trouble, tell
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.store.tables import Delivery, DeliveryState

pytest_plugins = ["site_on_stage"]


def address(installation: Installation) -> str:
    """The path of the page."""
    url = links.operator_url(installation, installation.clock())
    return url.removeprefix(installation.settings.public_url)


def bearing(path: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {path.rpartition('/')[2]}"}


@pytest.fixture
def busy(installation: Installation) -> Installation:
    """An installation with two subscribers, one of whose mails was refused."""
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    join(installation, "bob", "speech")
    compose_all_of(installation, DAY)
    send(installation)
    with installation.database.writing() as session:
        mail = session.get_one(Delivery, 1)
        mail.state, mail.tried_at = DeliveryState.FAILED, installation.clock()
        mail.reply = "550 5.1.1 <ada@example.org> does not live here"
        session.add(mail)
    installation.clock.turn(minutes=2)  # type: ignore[attr-defined]
    return installation


def test_it_tells_how_things_stand_and_nobodys_address(
    busy: Installation, client: httpx.Client
) -> None:
    page = client.get(address(busy))
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "1 mail was refused for good: 550 5.1.1 (an address) does not live here" in page.text
    assert "example.org" not in page.text
    assert "arxiv:cs.AI" in page.text
    assert len(page.content) < 100_000


def test_its_twin_says_the_same_to_programs(busy: Installation, client: httpx.Client) -> None:
    twin = client.get("/api/operator", headers=bearing(address(busy)))
    assert twin.status_code == 200
    told = twin.json()
    assert told["subscribers"] == {"pending": 0, "active": 2, "unsubscribed": 0, "suppressed": 0}
    assert told["mails"]["last_day"]["digest"] == {"failed": 1, "sent": 1}
    assert told["mails"]["ever"]["sent"] == told["mails"]["ever"]["failed"] == 1
    assert sum(told["mails"]["ever"].values()) == 2
    assert told["sizes"]["papers"] == 12
    assert told["sizes"]["database_bytes"] > 0
    assert told["runs"]["composed_at"] == told["runs"]["sent_at"] == "2026-04-07T09:00:00Z"
    assert "example.org" not in twin.text


@pytest.mark.parametrize("purpose", [one for one in Purpose if one != Purpose.OPERATOR])
def test_no_subscribers_link_opens_it(doors: Doors, client: httpx.Client, purpose: Purpose) -> None:
    token = doors.token(purpose)
    assert client.get(f"/operator/{token}").status_code == 404
    answer = client.get("/api/operator", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_it_opens_nothing_of_a_subscriber(client: httpx.Client, installation: Installation) -> None:
    path = address(installation)
    assert client.get("/api/me", headers=bearing(path)).status_code == 401
    assert client.get(path.replace("/operator/", "/me/")).status_code == 404


def test_its_address_ends_after_ninety_days(
    client: httpx.Client, installation: Installation, clock: Clock
) -> None:
    path = address(installation)
    clock.now += timedelta(days=90)
    assert client.get(path).status_code == 200
    clock.now += timedelta(seconds=1)
    ended = client.get(path)
    assert ended.status_code == 410
    assert "paperpost operator" in ended.text
    assert client.get("/api/operator", headers=bearing(path)).status_code == 401


def test_a_new_key_ends_the_operators_addresses_and_no_subscribers_links(
    doors: Doors,
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
) -> None:
    keys = ("a newer key for tests only", "a key for tests only")
    own, subscribers = address(installation), doors.path(Purpose.PREFERENCES)
    client = browse_site(with_settings(installation, secret_key=keys))
    assert client.get(own).status_code == 404
    assert client.get(subscribers).status_code == 200


def test_an_alarm_leads_to_it(
    installation: Installation,
    browse_site: Callable[[Installation], httpx.Client],
    clock: Clock,
) -> None:
    here = with_settings(installation, operator="root@example.org")
    assert tell(here, [Trouble("x", "Something broke.")], clock())
    send(here)
    (path,) = here.settings.mail_folder.glob("*-alarm-*.eml")
    found = re.search(r"/operator/[\w-]+", path.read_text().replace("=\n", ""))
    assert found is not None
    assert browse_site(here).get(found[0]).status_code == 200


def test_a_get_of_it_changes_nothing(
    busy: Installation, client: httpx.Client, dump: Callable[[], list[str]]
) -> None:
    before = dump()
    client.get(address(busy))
    client.head(address(busy))
    client.get("/api/operator", headers=bearing(address(busy)))
    assert dump() == before


def test_an_empty_installation_has_a_page_too(
    any_installation: Installation, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    client = browse_site(any_installation)
    assert client.get(address(any_installation)).status_code == 200
    told = client.get("/api/operator", headers=bearing(address(any_installation))).json()
    assert told["model"] is None
    assert json.dumps(told)
