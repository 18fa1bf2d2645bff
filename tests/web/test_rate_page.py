"""The page that asks about papers: without a script, by a program, and by somebody hostile."""

import re
from html import unescape

import httpx
import pytest
from doors import DAY, Doors, Form, forms
from invented import Clock, fill

from paperpost.service import account
from paperpost.service.links import Purpose
from paperpost.service.train import train

pytest_plugins = ["site_on_stage"]


@pytest.fixture
def path(doors: Doors) -> str:
    """The page, for a model of 36 papers."""
    fill(doors.installation, [DAY], each=12)
    train(doors.installation)
    return f"{doors.path(Purpose.PREFERENCES)}/rate"


def votes(doors: Doors) -> dict[str, int]:
    exported = account.export(doors.installation, doors.email)
    return {vote["paper"]: vote["value"] for vote in exported["votes"]}


def asked(page: httpx.Response) -> list[str]:
    """The ids of the papers that a page asks about."""
    return list(dict.fromkeys(re.findall(r'name="paper-([^"]+)"', page.text)))


def questions(page: httpx.Response) -> Form:
    (form,) = [one for one in forms(page) if one.button == "Save"]
    return form


def test_each_paper_has_three_answers_with_labels_and_skip_is_chosen(
    client: httpx.Client, path: str
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert len(asked(page)) == 10
    assert page.text.count("<fieldset") == page.text.count("<legend>") == 10
    ids = re.findall(r'<input id="([^"]+)" name="paper-', page.text)
    assert len(set(ids)) == 30
    assert set(ids) == set(re.findall(r'<label for="((?:up|down|skip)-[^"]+)"', page.text))
    assert re.findall(r'value="(\w+)" checked', page.text) == ["skip"] * 10


def test_answers_are_stored_and_what_comes_next_is_offered(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    page = client.get(path)
    one, two, *skipped = asked(page)
    form = questions(page)
    form.fields |= {f"paper-{one}": "up", f"paper-{two}": "down"}
    after = form.post(client)
    assert after.status_code == 200
    assert 'role="status">2 papers rated.' in after.text
    assert votes(doors) == {one: 1, two: -1}
    leading = re.findall(r'<li><a href="/paper/([^"]+)"', after.text)
    assert len(leading) == 5
    assert not {one, two, *skipped} & set(leading)
    assert 'aria-current="page">Preferences' not in after.text
    (again,) = re.findall(r'class="button" href="([^"]+)"', after.text)
    assert not {one, two, *skipped} & set(asked(client.get(unescape(again))))


def test_a_program_that_posts_the_form_as_it_stands_rates_nothing(
    client: httpx.Client, path: str, dump: object
) -> None:
    assert callable(dump)
    page = client.get(path)
    before = dump()
    after = questions(page).post(client)
    assert "Nothing was rated" in after.text
    assert dump() == before


def test_looking_changes_nothing(client: httpx.Client, path: str, dump: object) -> None:
    assert callable(dump)
    before = dump()
    assert asked(client.get(path)) == asked(client.get(path))
    assert client.head(path).status_code == 200
    assert dump() == before


def test_when_all_is_skipped_the_rest_is_asked_and_then_nothing(
    client: httpx.Client, path: str
) -> None:
    seen: list[str] = []
    page = client.get(path)
    while asked(page):
        seen += asked(page)
        (again,) = re.findall(r'class="button" href="([^"]+)"', questions(page).post(client).text)
        page = client.get(unescape(again))
    assert len(seen) == len(set(seen)) == 36
    assert "nothing else to ask you about" in page.text
    (back,) = re.findall(r'<a href="([^"]+/rate)">', page.text)
    assert asked(client.get(back)) == seen[:10]


def test_a_program_that_follows_the_links_of_a_mail_does_not_undo_a_rating(
    client: httpx.Client, doors: Doors, path: str, clock: Clock
) -> None:
    page = client.get(path)
    one = asked(page)[0]
    form = questions(page)
    form.fields[f"paper-{one}"] = "up"
    form.post(client)
    mailed = Doors(doors.installation, doors.email, one)
    for value in (1, -1):
        forms(client.get(mailed.path(Purpose.VOTE, value)))[0].post(client)
    clock.turn(hours=1)
    assert votes(doors) == {one: 1}


def test_a_hostile_form_changes_nothing_that_it_should_not(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    script = '"><script>alert(1)</script>'
    page = client.post(path, data={f"paper-{script}": "up", "paper-nothing": "up", "x": "up"})
    assert page.status_code == 200
    page = client.post(path, data={f"paper-{script}": "maybe"})
    assert "<script>alert" not in page.text
    many = {f"paper-{number}": "up" for number in range(1000)}
    assert client.post(path, data=many).status_code == 200
    assert client.get(path, params={"skipped": ["\0", script] * 100}).status_code == 200
    assert votes(doors) == {}


def test_another_site_cannot_rate(client: httpx.Client, doors: Doors, path: str) -> None:
    form = questions(client.get(path))
    data = dict.fromkeys(form.fields, "up")
    refused = client.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert votes(doors) == {}


def test_before_there_is_a_model_the_page_says_so(client: httpx.Client, doors: Doors) -> None:
    page = client.get(f"{doors.path(Purpose.PREFERENCES)}/rate")
    assert "There is nothing to ask you about now" in page.text


def test_a_wrong_link_opens_nothing(client: httpx.Client) -> None:
    assert client.get("/me/nonsense/rate").status_code == 404
    assert client.post("/me/nonsense/rate", data={"paper-2604.07000": "up"}).status_code == 404
