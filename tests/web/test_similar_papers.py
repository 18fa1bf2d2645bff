"""What a paper's page shows besides the paper."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest
from doors import DAY
from invented import Clock, Invented, arrival, fill

from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.store.database import Database
from paperpost.store.intake import put_all

pytest_plugins = ["site_on_stage"]

ABSTRACT = (
    "Graph neural networks pass messages along the edges of a molecule. We let the messages wait "
    "until their senders have heard from all of their own neighbours, and find that half as many "
    "rounds give the same forces on every atom."
)


def section(page: httpx.Response, name: str) -> list[str]:
    """The titles listed in one section of a page."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">(.*?)</section>', page.text, re.S)
    return re.findall(r'<a href="[^"]*">([^<]*)</a>', found[1]) if found else []


def another_process(installation: Installation) -> Installation:
    """The same installation as a process has it that did not train the model itself."""
    database = Database(installation.settings.store_url)
    return Installation(installation.settings, database, installation.clock, installation.say)


def test_a_paper_is_shown_with_papers_like_it(
    installation: Installation, client: httpx.Client
) -> None:
    invented = fill(installation, [DAY], each=12)
    train(installation)
    speech = next(one for one in invented if one.topic == "speech")
    shown = section(client.get(f"/paper/{speech.id}"), "similar")
    assert len(shown) == 8
    assert all(title.startswith("Speech study") for title in shown)
    assert f"Speech study {speech.id.replace('.', ' ')}" not in shown


def test_links_to_similar_papers_lead_to_them(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    train(installation)
    page = client.get(f"/paper/{papers[0].id}").text
    for address in re.findall(r'<li>\s*<a href="([^"]*)"', page):
        assert client.get(address).status_code == 200


def test_other_versions_are_told_apart_from_similar_papers(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    usual = replace(arrival(Invented("2604.90001", "graph", DAY)), abstract=ABSTRACT)
    first = replace(usual, title="Patient Messages on Molecular Graphs")
    again = replace(
        usual, name="doi:10.1000/a&b", title_keys=("hf:b",), title="Patience <b> & graphs"
    )
    with installation.database.writing() as session:
        put_all(session, [first, again], installation.clock())
    train(installation)
    page = client.get("/paper/2604.90001")
    assert list(map(unescape, section(page, "versions"))) == ["Patience <b> & graphs"]
    assert "Patience" not in "".join(section(page, "similar"))
    assert section(client.get("/paper/doi:10.1000/a&b"), "versions") == [first.title]


def test_without_a_model_there_is_no_such_section(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get(f"/paper/{papers[0].id}")
    assert page.status_code == 200
    assert "Similar papers" not in page.text
    assert not installation.settings.models_folder.exists()


def test_a_page_loads_the_snapshot_that_another_process_made(
    installation: Installation, client: httpx.Client, papers: list[Invented], clock: Clock
) -> None:
    address = f"/paper/{papers[0].id}"
    assert section(client.get(address), "similar") == []
    trained_elsewhere = another_process(installation)
    train(trained_elsewhere)
    trained_elsewhere.close()
    clock.turn(seconds=31)
    assert section(client.get(address), "similar")


@pytest.mark.sqlite_only("PostgreSQL has a copy of the snapshot")
def test_a_broken_snapshot_costs_the_page_its_list_and_nothing_else(
    installation: Installation, client: httpx.Client, papers: list[Invented], said: list[str]
) -> None:
    trained_elsewhere = another_process(installation)
    train(trained_elsewhere)
    trained_elsewhere.close()
    (snapshot,) = Path(installation.settings.models_folder).iterdir()
    snapshot.write_bytes(b"nothing")
    for _ in range(2):
        page = client.get(f"/paper/{papers[0].id}")
        assert page.status_code == 200
        assert "Similar papers" not in page.text
    assert len([line for line in said if "no similar papers" in line]) == 1


def test_while_one_visitor_loads_the_model_others_do_without(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    trained_elsewhere = another_process(installation)
    train(trained_elsewhere)
    trained_elsewhere.close()
    address = f"/paper/{papers[0].id}"
    with installation.slot.one_loads:
        assert section(client.get(address), "similar") == []
    assert section(client.get(address), "similar")


def test_a_paper_newer_than_the_model_has_similar_ones_too(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    train(installation)
    new = arrival(Invented("2604.99999", "game", DAY))
    with installation.database.writing() as session:
        put_all(session, [new], installation.clock())
    shown = section(client.get("/paper/2604.99999"), "similar")
    assert shown
    assert all(title.startswith("Game study") for title in shown)
