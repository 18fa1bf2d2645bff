"""Two tabs with one form: what was saved in one is not undone by the other."""

import httpx
import pytest
from doors import Doors, Form, forms

from paperpost.service import interests
from paperpost.service.account import show
from paperpost.service.links import Purpose
from paperpost.store.tables import InterestKind

pytest_plugins = ["site_on_stage"]


def saving(client: httpx.Client, path: str) -> Form:
    return next(one for one in forms(client.get(path)) if one.fields.get("action") == "save")


@pytest.fixture
def path(doors: Doors) -> str:
    return doors.path(Purpose.PREFERENCES)


def keywords(doors: Doors) -> list[str]:
    return list(show(doors.installation, doors.subscriber_id).interests.get("keyword", ()))


def test_changes_of_two_tabs_are_both_kept(client: httpx.Client, doors: Doors, path: str) -> None:
    one, two = saving(client, path), saving(client, path)
    one.fields |= {"keywords": "graph neural networks\r\nspeech\r\nauctions", "explore": "no"}
    two.fields |= {"hour": "6", "keywords": two.fields["keywords"].replace("\n", "\r\n")}
    for form in (one, two):
        assert "Saved." in form.post(client).text
    assert keywords(doors) == ["graph neural networks", "speech", "auctions"]
    assert (doors.subscriber().hour, doors.subscriber().explore) == (6, False)


def test_one_field_changed_in_both_is_told_and_saved_only_when_asked_once_more(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    one, two = saving(client, path), saving(client, path)
    one.fields |= {"keywords": "<b>auctions", "size": "7"}
    two.fields |= {"keywords": "oceans", "hour": "6"}
    one.post(client)
    refused = two.post(client)
    assert refused.status_code == 409
    assert "Stored now is Keywords: &lt;b&gt;auctions. To put" in refused.text
    assert (keywords(doors), doors.subscriber().hour) == (["<b>auctions"], 8)
    again = next(one for one in forms(refused) if one.fields.get("action") == "save")
    assert [again.fields[name] for name in ("keywords", "hour", "size")] == ["oceans", "6", "7"]
    assert "Saved." in again.post(client).text
    assert (keywords(doors), doors.subscriber().hour, doors.subscriber().size) == (
        ["oceans"],
        6,
        7,
    )


def test_a_mistake_beside_it_does_not_hide_what_another_tab_saved(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    one, two = saving(client, path), saving(client, path)
    one.fields["keywords"] = "auctions"
    one.post(client)
    two.fields["size"] = "51"
    refused = two.post(client)
    assert "Papers in a digest must be a number from 1 to 50" in refused.text
    again = next(one for one in forms(refused) if one.fields.get("action") == "save")
    again.fields["size"] = "5"
    again.post(client)
    assert (keywords(doors), doors.subscriber().size) == (["auctions"], 5)


@pytest.mark.parametrize("seen", ["", "= =", "size\x00 hour=\u07ff", "x" * 10_000])
def test_a_form_that_does_not_say_what_it_showed_is_saved_as_a_whole(
    client: httpx.Client, doors: Doors, path: str, seen: str
) -> None:
    form = saving(client, path)
    form.fields |= {"seen": seen, "size": "5"}
    client.post(path, data={"action": "save", "keywords": "auctions"})
    assert "Saved." in form.post(client).text
    assert keywords(doors) == ["graph neural networks", "speech"]
    assert doors.subscriber().size == 5


def test_what_another_tab_moved_stays_where_it_is(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    here, ada = doors.installation, doors.subscriber_id
    number = interests.add(here, ada, "Thesis", 30, {InterestKind.KEYWORD: ["proteins"]})
    old = saving(client, f"{path}/interests")
    interests.move(here, ada, InterestKind.KEYWORD, "speech", number)
    old.fields[f"share-{number}"] = "45"
    assert "Saved." in old.post(client).text
    (thesis,) = interests.interests(here, ada).named
    assert (thesis.share, thesis.terms[InterestKind.KEYWORD]) == (45, ["speech", "proteins"])
    old.fields[f"keywords-{number}"] += "\noceans"
    refused = old.post(client)
    assert refused.status_code == 409
    assert "keywords of “Thesis”: speech, proteins" in refused.text
    assert "oceans" not in str(interests.interests(here, ada))
    interests.remove(here, ada, number)
    assert old.post(client).status_code == 409
    assert client.get(f"{path}/interests").status_code == 200
