"""The page on which a reader's own library becomes votes, behind the link of any mail."""

from collections.abc import Callable

import httpx
import pytest
from doors import Doors, Form, forms

from paperpost.service import account
from paperpost.service.links import Purpose
from paperpost.web.guards.bodies import LARGEST_LIBRARY

pytest_plugins = ["site_on_stage"]

BIBTEX = """@misc{a, eprint = {2604.07000}, keywords = {tides, moons}, author = {Doe, Jane}}
@misc{b, title = {A <b>bold</b> claim}, keywords = {tides, moons}, author = {Doe, Jane}}
@misc{c, title = {Another claim}, keywords = {suns}, author = {Doe, Jane}}
@misc{d, note = {nothing but <script>alert(1)</script>}}
"""


@pytest.fixture(params=[Purpose.PREFERENCES, Purpose.ACCESS])
def path(request: pytest.FixtureRequest, doors: Doors) -> str:
    """The page behind either link."""
    return f"{doors.path(request.param)}/library"


def form(page: httpx.Response, action: str) -> Form:
    return next(found for found in forms(page) if found.fields.get("action") == action)


def votes(doors: Doors) -> dict[str, int]:
    exported = account.export(doors.installation, doors.email)
    return {vote["paper"]: vote["value"] for vote in exported["votes"]}


def paste(client: httpx.Client, path: str, works: str) -> httpx.Response:
    bringing = form(client.get(path), "bring")
    bringing.fields["works"] = works
    return bringing.post(client)


def test_the_preferences_lead_there(client: httpx.Client, doors: Doors) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES))
    assert f'href="{doors.path(Purpose.PREFERENCES)}/library"' in page.text


def test_what_is_pasted_becomes_votes(client: httpx.Client, doors: Doors, path: str) -> None:
    page = paste(client, path, "2604.07000, 1706.03762\r\nwhat is this?")
    assert page.status_code == 200
    assert "2 works recognised, 2 new votes" in page.text
    assert "1 of them will be looked up at arXiv" in page.text
    assert "what you pasted, line 2: what is this? (no arXiv id" in page.text
    assert votes(doors) == {"2604.07000": 1, "1706.03762": 1}


def test_a_file_is_read_and_what_it_says_is_shown_as_text(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    page = client.post(
        path,
        data={"action": "bring", "works": ""},
        files={"file": ("<i>mine</i>.bib", BIBTEX.encode())},
    )
    assert "3 works recognised" in page.text
    assert "&lt;i&gt;mine&lt;/i&gt;.bib, line 4: d" in page.text
    assert "<i>mine" not in page.text
    assert len(votes(doors)) == 3


def test_only_ticked_suggestions_are_followed(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    before = account.export(doors.installation, doors.email)["interests"]
    following = form(paste(client, path, BIBTEX), "follow")
    assert set(following.boxes.values()) == {"tides", "moons", "Jane Doe"}
    unticked = following.post(client)
    assert unticked.status_code == 400
    assert account.export(doors.installation, doors.email)["interests"] == before
    following.tick(*(name for name, value in following.boxes.items() if value != "moons"))
    page = following.post(client)
    assert "You follow now: tides, Jane Doe." in page.text
    interests = account.export(doors.installation, doors.email)["interests"]
    assert interests["keywords"] == [*before["keywords"], "tides"]
    assert interests["authors"] == ["Jane Doe"]


def test_taking_back_wants_a_tick(client: httpx.Client, doors: Doors, path: str) -> None:
    assert all(found.fields.get("action") != "take-back" for found in forms(client.get(path)))
    page = paste(client, path, BIBTEX)
    taking = form(page, "take-back")
    assert taking.post(client).status_code == 400
    assert len(votes(doors)) == 3
    taking.tick()
    assert "3 votes of your library taken back." in taking.post(client).text
    assert votes(doors) == {}


def test_a_program_that_submits_the_forms_as_they_stand_changes_nothing(
    client: httpx.Client, doors: Doors, path: str, dump: Callable[[], list[str]]
) -> None:
    page = paste(client, path, BIBTEX)
    before = dump()
    assert {found.fields["action"] for found in forms(page)} == {"bring", "follow", "take-back"}
    for found in forms(page):
        assert found.post(client).status_code == 400
    client.get(path)
    client.head(path)
    assert dump() == before


@pytest.mark.parametrize("fields", [{}, {"action": "dance"}, {"action": "bring"}])
def test_a_form_that_says_nothing_is_told_so(
    client: httpx.Client, doors: Doors, fields: dict[str, str]
) -> None:
    page = client.post(f"{doors.path(Purpose.PREFERENCES)}/library", data=fields)
    assert page.status_code == 400
    assert "That did not work" in page.text


def test_five_megabytes_are_read_and_ten_are_refused(
    client: httpx.Client, doors: Doors, path: str
) -> None:
    line = b"2604.07000\n"
    large = line * (LARGEST_LIBRARY // len(line))
    page = client.post(path, data={"action": "bring"}, files={"file": ("ids", large)})
    assert page.status_code == 200
    assert "10000 works recognised, 1 new vote" in page.text
    refused = client.post(path, data={"action": "bring"}, files={"file": ("ids", 2 * large)})
    assert refused.status_code == 413
    assert "Too large" in refused.text


def test_large_bodies_are_for_those_who_have_a_link(client: httpx.Client, doors: Doors) -> None:
    body = {"action": "bring", "works": "x" * 200_000}
    broken = f"{doors.path(Purpose.PREFERENCES)[:-4]}AAAA/library"
    assert client.post(broken, data=body).status_code == 413
    assert client.post(broken, data={"action": "bring"}).status_code == 404
    wrong_door = f"/access/{doors.token(Purpose.PREFERENCES)}/library"
    assert client.post(wrong_door, data=body).status_code in (404, 413)
    assert client.get(wrong_door).status_code == 404
    assert client.post(doors.path(Purpose.PREFERENCES), data=body).status_code == 413


def test_libraries_come_a_few_a_minute(client: httpx.Client, doors: Doors, path: str) -> None:
    answers = [client.post(path, data={}).status_code for _ in range(12)]
    assert answers == [400] * 10 + [429] * 2
    assert client.get(path).status_code == 200
