"""Votes on the pages themselves, by somebody who is signed in."""

import re
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
from doors import DAY, Doors, Form, forms
from invented import Invented, arrival
from limits import RateLimitItemPerMinute
from sqlmodel import select

from paperpost.engine.runs import compose_all_of
from paperpost.service import library
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.store import papers as store
from paperpost.store.intake import put_all
from paperpost.store.papers import number_of
from paperpost.store.tables import PaperMerged, Vote
from paperpost.web.guards import limits
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]


def signed_in(doors: Doors) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={doors.token(Purpose.SESSION)}"}


def thumbs(page: httpx.Response) -> list[Form]:
    return [form for form in forms(page) if form.action == "/vote"]


def pressed(page: httpx.Response) -> list[str]:
    return re.findall(r'value="(\w+)" aria-pressed="true"', page.text)


def cast(installation: Installation) -> list[tuple[int, str]]:
    with installation.database.reading() as session:
        return [(vote.value, vote.origin) for vote in session.exec(select(Vote))]


def test_a_vote_counts_at_once_and_shows_where_it_was_cast(
    installation: Installation, doors: Doors, client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/", headers=signed_in(doors))
    assert len(thumbs(page)) == len(papers)
    assert pressed(page) == []
    form = thumbs(page)[2]
    answer = client.post("/vote", data=form.fields | {"value": "up"}, headers=signed_in(doors))
    assert answer.status_code == 303
    assert answer.headers["location"] == form.fields["back"]
    back = client.get(form.fields["back"], headers=signed_in(doors))
    assert pressed(back) == ["up"]
    assert cast(installation) == [(1, "site")]


def test_the_page_of_a_paper_has_the_buttons_too(doors: Doors, client: httpx.Client) -> None:
    page = client.get("/paper/2604.07000", headers=signed_in(doors))
    (form,) = thumbs(page)
    assert form.fields["back"].startswith("/paper/2604.07000#p")
    for value, shown in (("down", ["down"]), ("none", [])):
        client.post("/vote", data=form.fields | {"value": value}, headers=signed_in(doors))
        assert pressed(client.get("/paper/2604.07000", headers=signed_in(doors))) == shown


def test_the_page_of_a_paper_whose_id_has_signs_of_addresses_is_gone_back_to(
    installation: Installation, doors: Doors, client: httpx.Client
) -> None:
    name = "doi:10.1000/a#b?c%d"
    record = replace(arrival(Invented("x", "graph", DAY)), name=name)
    with installation.database.writing() as session:
        put_all(session, [record], installation.clock())
    path = f"/paper/{quote(name)}"
    (form,) = thumbs(client.get(path, headers=signed_in(doors)))
    answer = client.post("/vote", data=form.fields | {"value": "up"}, headers=signed_in(doors))
    back = client.get(answer.headers["location"], headers=signed_in(doors))
    assert (back.status_code, pressed(back)) == (200, ["up"])


def test_a_vote_by_the_link_of_a_mail_shows_as_well(doors: Doors, client: httpx.Client) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    assert pressed(client.get("/", headers=signed_in(doors))) == ["up"]


def test_a_script_is_told_how_the_vote_stands(doors: Doors, client: httpx.Client) -> None:
    fields = {"paper": "2604.07000", "value": "down"}
    headers = signed_in(doors) | {"Accept": "application/json"}
    assert client.post("/vote", data=fields, headers=headers).json() == {
        "paper": "2604.07000",
        "value": "down",
    }


def test_who_is_not_signed_in_is_led_to_their_link_and_votes_on_nothing(
    installation: Installation, doors: Doors, client: httpx.Client
) -> None:
    for path in ("/", "/trending?window=day", "/paper/2604.07000"):
        assert not thumbs(client.get(path))
    assert '<a href="/link">Vote: sign in with your link</a>' in client.get("/").text
    fields = {"paper": "2604.07000", "value": "up"}
    assert client.post("/vote", data=fields).status_code == 403
    other = {"Cookie": f"{COOKIE}={doors.token(Purpose.PREFERENCES)}"}
    assert client.post("/vote", data=fields, headers=other).status_code == 403
    assert cast(installation) == []


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
def test_a_vote_never_leads_to_another_site(doors: Doors, client: httpx.Client, back: str) -> None:
    fields = {"paper": "2604.07000", "value": "up", "back": back}
    answer = client.post("/vote", data=fields, headers=signed_in(doors))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"paper": "2604.07000", "value": "sideways"}, 400),
        ({"paper": "2604.07000"}, 400),
        ({}, 400),
        ({"paper": "2604.07000\0", "value": "up"}, 400),
        ({"paper": "2604.99999", "value": "up"}, 404),
        ({"paper": "", "value": "up"}, 404),
    ],
)
def test_what_is_no_vote_is_refused(
    installation: Installation,
    doors: Doors,
    client: httpx.Client,
    fields: dict[str, str],
    status: int,
) -> None:
    assert client.post("/vote", data=fields, headers=signed_in(doors)).status_code == status
    assert cast(installation) == []


def test_another_site_has_nobody_vote(
    installation: Installation, doors: Doors, client: httpx.Client
) -> None:
    fields = {"paper": "2604.07000", "value": "up"}
    headers = signed_in(doors) | {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/vote", data=fields, headers=headers).status_code == 403
    assert cast(installation) == []


def test_what_only_somebodys_library_tells_of_takes_no_vote_here(
    installation: Installation, doors: Doors, client: httpx.Client
) -> None:
    text = "@article{tides, title = {On the Tides}, eprint = {2101.00001}}"
    library.take_in(installation, doors.subscriber_id, library.read(text.encode(), "library.bib"))
    before = cast(installation)
    fields = {"paper": "2101.00001", "value": "down"}
    assert client.post("/vote", data=fields, headers=signed_in(doors)).status_code == 404
    assert cast(installation) == before


def test_lists_tell_in_which_digest_a_paper_was_mailed(
    installation: Installation, doors: Doors, client: httpx.Client
) -> None:
    train(installation)
    compose_all_of(installation, DAY)
    assert "in your digest of" not in client.get("/", headers=signed_in(doors)).text
    send(installation)
    page = client.get("/", headers=signed_in(doors)).text
    assert page.count("in your digest of 7 April") == 10
    assert "/digests/2026-04-07" in page
    assert "in your digest of" not in client.get("/").text


def test_a_paper_of_which_another_row_was_mailed_was_mailed(
    installation: Installation, doors: Doors, client: httpx.Client, papers: list[Invented]
) -> None:
    train(installation)
    compose_all_of(installation, DAY)
    send(installation)
    page = client.get("/", headers=signed_in(doors)).text
    (left_out, *_) = [one.id for one in papers if not was_mailed(page, one.id)]
    (mailed, *_) = [one.id for one in papers if was_mailed(page, one.id)]
    with installation.database.writing() as session:
        old, new = store.find(session, mailed), store.find(session, left_out)
        assert old is not None
        assert new is not None
        session.add(PaperMerged(number=number_of(old), paper_number=number_of(new)))
    assert was_mailed(client.get("/", headers=signed_in(doors)).text, left_out)


def was_mailed(page: str, paper_id: str) -> bool:
    (entry,) = [one for one in page.split("<article>") if f'href="/paper/{paper_id}"' in one]
    return "in your digest of" in entry


def test_a_visitor_who_votes_without_end_is_slowed_down(
    doors: Doors, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_PERSON", RateLimitItemPerMinute(2))
    fields, headers = {"paper": "2604.07000", "value": "up"}, signed_in(doors)
    answers = [client.post("/vote", data=fields, headers=headers) for _ in range(3)]
    assert [one.status_code for one in answers] == [303, 303, 429]
    assert client.get("/", headers=headers).status_code == 200
