"""How much a form may hold."""

import httpx
from doors import Doors

from paperpost.service.account import export
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.web.forms import MOST_FIELDS

pytest_plugins = ["site_on_stage"]


def test_all_boxes_of_a_long_page_may_be_ticked(client: httpx.Client, doors: Doors) -> None:
    boxes = {f"back-{number}": "yes" for number in range(150)}
    page = client.post(
        f"{doors.path(Purpose.PREFERENCES)}/likes", data=boxes | {"action": "take-back"}
    )
    assert "the form did not say what to do" not in page.text


def test_a_form_with_too_many_fields_is_told_so(client: httpx.Client, doors: Doors) -> None:
    path = f"{doors.path(Purpose.PREFERENCES)}/likes"
    fields = {f"f{number}": "" for number in range(MOST_FIELDS + 1)}
    refused = client.post(path, data=fields)
    assert refused.status_code == 400
    assert "A form on this site has 1,000 fields at most, and that had more." in refused.text


def test_unsubscribing_works_whatever_is_posted_with_it(
    installation: Installation, client: httpx.Client, doors: Doors
) -> None:
    fields = {f"f{number}": "" for number in range(MOST_FIELDS + 1)}
    assert client.post(doors.path(Purpose.UNSUBSCRIBE), data=fields).status_code == 200
    assert export(installation, doors.email)["state"] == "unsubscribed"
