"""The page on which interests are kept apart."""

from collections.abc import Callable

import httpx
import pytest
from doors import Doors, Form, forms

from paperpost.service import interests
from paperpost.service.links import Purpose
from paperpost.store.tables import InterestKind

pytest_plugins = ["site_on_stage"]

KEYWORD = InterestKind.KEYWORD


def path(doors: Doors) -> str:
    return f"{doors.path(Purpose.PREFERENCES)}/interests"


def form(page: httpx.Response, action: str) -> Form:
    """The form of a page that does this."""
    return next(found for found in forms(page) if found.fields.get("action") == action)


def keywords(doors: Doors) -> dict[str, list[str]]:
    own = interests.interests(doors.installation, doors.subscriber_id)
    found = {one.name: list(one.terms.get(KEYWORD, ())) for one in own.named}
    return found | {"General": list(own.general.get(KEYWORD, ()))}


def add(client: httpx.Client, doors: Doors, **fields: str) -> httpx.Response:
    adding = form(client.get(path(doors)), "add")
    adding.fields |= fields
    return adding.post(client)


@pytest.fixture
def thesis(client: httpx.Client, doors: Doors) -> int:
    """Ada's interest in molecules, by its number."""
    add(client, doors, name="Thesis", share="60", keywords="molecules\nproteins")
    return interests.interests(doors.installation, doors.subscriber_id).named[0].number


def test_an_interest_is_added_with_its_share_and_keywords(
    client: httpx.Client, doors: Doors
) -> None:
    assert "Add an interest" in client.get(path(doors)).text
    page = add(client, doors, name="Thesis", share="60", keywords="molecules\r\nspeech")
    assert page.status_code == 200
    assert "Added: Thesis." in page.text
    assert keywords(doors) == {
        "Thesis": ["speech", "molecules"],
        "General": ["graph neural networks"],
    }
    assert "Thesis 60 per cent, General 40 per cent" in page.text


def test_names_shares_and_terms_are_saved(client: httpx.Client, doors: Doors, thesis: int) -> None:
    saving = form(client.get(path(doors)), "save")
    saving.fields |= {
        f"name-{thesis}": "Doctorate",
        f"share-{thesis}": "25",
        f"keywords-{thesis}": "proteins\nspeech",
        f"authors-{thesis}": "Emmy Noether",
    }
    page = saving.post(client)
    assert "Saved." in page.text
    assert keywords(doors) == {
        "Doctorate": ["speech", "proteins"],
        "General": ["graph neural networks"],
    }
    assert "Doctorate 25 per cent, General 75 per cent" in page.text
    assert form(page, "save").fields[f"authors-{thesis}"] == "Emmy Noether"


def test_shares_that_come_to_more_than_a_hundred_are_told_as_they_count(
    client: httpx.Client, doors: Doors, thesis: int
) -> None:
    assert thesis
    page = " ".join(add(client, doors, name="Seas", share="50", keywords="oceans").text.split())
    assert "Thesis 49 per cent, Seas 41 per cent, General 10 per cent" in page
    assert "come to 110: each counts in proportion, and General has 10 % all the same" in page
    assert "no less than 10 % of a digest" in page


def test_shares_that_leave_enough_are_as_they_were_given(
    client: httpx.Client, doors: Doors, thesis: int
) -> None:
    assert thesis
    assert "in proportion" not in add(client, doors, name="Seas", share="30", keywords="a").text


def test_a_keyword_is_moved(client: httpx.Client, doors: Doors, thesis: int) -> None:
    moving = form(client.get(path(doors)), "move")
    assert moving.fields == {"action": "move", "term": "", "to": ""}
    moving.fields |= {"term": "keyword:speech", "to": str(thesis)}
    assert "Moved: speech." in moving.post(client).text
    assert keywords(doors)["Thesis"] == ["speech", "molecules", "proteins"]
    moving.fields |= {"term": "keyword:speech", "to": "0"}
    moving.post(client)
    assert keywords(doors)["General"] == ["graph neural networks", "speech"]


def test_removing_wants_a_tick_and_loses_no_term(
    client: httpx.Client, doors: Doors, thesis: int
) -> None:
    saving = form(client.get(path(doors)), "save")
    saving.tick(f"remove-{thesis}")
    assert "Removed: Thesis." in saving.post(client).text
    assert keywords(doors) == {
        "General": ["graph neural networks", "speech", "molecules", "proteins"]
    }


def test_a_program_that_submits_the_forms_as_they_stand_changes_nothing(
    client: httpx.Client, doors: Doors, thesis: int, dump: Callable[[], list[str]]
) -> None:
    assert thesis
    before = dump()
    found = [one for one in forms(client.get(path(doors))) if one.method == "post"]
    assert len(found) == 3
    for one in found:
        one.post(client)
    assert dump() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "add", "name": "Teaching", "share": "٣"},
        {"action": "add", "name": "Teaching", "share": "9" * 400},
        {"action": "add", "name": "<script>alert(1)</script>", "share": "0"},
        {"action": "add", "name": "thesis", "share": "3"},
        {"action": "add", "name": "Teaching", "share": "3", "keywords": "x" * 101},
        {"action": "move", "term": "keyword:speech", "to": "٣"},
        {"action": "move", "term": "keyword:speech", "to": "999999"},
        {"action": "move", "term": "keyword:auctions", "to": "0"},
        {"action": "move", "term": "muted:crypto", "to": "0"},
        {"action": "explode"},
        {},
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(
    client: httpx.Client,
    doors: Doors,
    thesis: int,
    dump: Callable[[], list[str]],
    wrong: dict[str, str],
) -> None:
    assert thesis
    before = dump()
    page = client.post(path(doors), data=wrong)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert "<script>alert" not in page.text
    assert dump() == before


def test_a_hostile_name_is_text(client: httpx.Client, doors: Doors) -> None:
    page = add(client, doors, name='"><img src=x onerror=alert(1)>', share="10", keywords="a")
    assert "<img" not in page.text
    assert "&lt;img" in page.text


def test_a_field_that_is_missing_stays(client: httpx.Client, doors: Doors, thesis: int) -> None:
    assert thesis
    before = keywords(doors)
    assert client.post(path(doors), data={"action": "save"}).status_code == 200
    assert keywords(doors) == before


def test_preferences_keep_what_belongs_to_an_interest(
    client: httpx.Client, doors: Doors, thesis: int
) -> None:
    assert thesis
    before = keywords(doors)
    saving = form(client.get(doors.path(Purpose.PREFERENCES)), "save")
    saving.fields["keywords"] += "\noceans"
    saving.post(client)
    assert keywords(doors) == {
        "Thesis": before["Thesis"],
        "General": [*before["General"], "oceans"],
    }
