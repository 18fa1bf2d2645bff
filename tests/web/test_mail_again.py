"""What a subscriber sees whose mail came back, and the button that has them mailed again."""

from collections.abc import Callable

import httpx
import pytest
from doors import Doors, forms, last_mail
from invented import Clock

from paperpost.service import suppression
from paperpost.service.links import Purpose
from paperpost.store import outbox
from paperpost.store.tables import DeliveryKind

pytest_plugins = ["site_on_stage"]


@pytest.fixture
def unreached(doors: Doors, clock: Clock) -> Doors:
    """The doors of somebody whose mail came back."""
    with doors.installation.database.writing() as session:
        person = session.merge(doors.subscriber())
        suppression.suppress(session, person, "mail was refused for good (5.1.1)", clock.now)
    return doors


@pytest.mark.parametrize("door", [Purpose.PREFERENCES, Purpose.ACCESS])
def test_the_page_says_why_nothing_is_mailed_and_has_a_button(
    client: httpx.Client, unreached: Doors, door: Purpose, dump: Callable[[], list[str]]
) -> None:
    before = dump()
    page = client.get(unreached.path(door))
    said = "Nothing has been mailed since Tuesday, 7 April 2026: mail was refused for good (5.1.1)."
    assert said in page.text
    assert dump() == before
    (again,) = [form for form in forms(page) if form.button == "Mail me again"]
    after = again.post(client)
    assert after.status_code == 200
    assert "Mail comes again." in after.text
    assert said not in after.text
    assert unreached.subscriber().suppressed_at is None
    assert again.post(client).status_code == 200  # pressed twice


def test_whose_mail_arrives_is_not_told_of_it(client: httpx.Client, doors: Doors) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    assert "Nothing has been mailed" not in page
    assert "Mail me again" not in page


def test_signing_up_again_leads_to_a_button_that_has_mail_come_again(
    client: httpx.Client, unreached: Doors, clock: Clock
) -> None:
    client.post("/subscribe", data={"email": unreached.email, "keywords": "casino"})
    assert last_mail(unreached.installation, unreached.email, DeliveryKind.CONFIRMATION)
    page = client.get(unreached.path(Purpose.CONFIRM))
    (confirm,) = forms(page)
    assert unreached.subscriber().suppressed_at is not None
    assert "You are subscribed" in confirm.post(client).text
    assert unreached.subscriber().suppressed_at is None
    with unreached.installation.database.reading() as session:
        assert len(outbox.of_subscriber(session, unreached.subscriber_id)) == 1
