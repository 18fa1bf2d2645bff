"""Libraries from files, from zotero.org and from an author's name, with questions to arXiv."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import traps
from arxiv_archive import Archive, Work
from invented import join, with_settings
from speaks_arxiv_search import ArxivSearch
from speaks_zotero import Zotero, work
from web_on_loopback import WebOnLoopback

from paperpost.service import account, bring, library
from paperpost.service.account import UnknownSubscriber
from paperpost.service.bring import Brought, Wanted
from paperpost.service.courtesy import polite_client
from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation
from paperpost.service.look_up import look_up
from paperpost.service.suggest import Suggested
from paperpost.sources.libraries.zotero_api import ZoteroError
from paperpost.store import requests, subscribers
from paperpost.store.subscribers import id_of

KEY = "P9NiFoyLeZu2bZNvvuQPDWsd"


@dataclass
class Stage:
    """An installation whose network is a loopback server with arXiv's search and Zotero."""

    here: Installation
    web: WebOnLoopback
    search: ArxivSearch
    zotero: Zotero
    folder: Path

    def file(self, text: str) -> Path:
        path = self.folder / "library"
        path.write_text(text, encoding="utf-8")
        return path

    def bring(self, text: str, *, interests: bool = False, network: bool = True) -> Brought:
        wanted = Wanted(files=[self.file(text)], interests=interests, network=network)
        return bring.by_command(self.here, "ada@example.org", wanted)

    def works(self) -> dict[str, str]:
        """The abstracts of what only the library tells of, by public name."""
        exported = account.export(self.here, "ada@example.org")["library"]
        return {one["paper"]: one["abstract"] for one in exported}

    def votes(self) -> set[str]:
        exported = account.export(self.here, "ada@example.org")["votes"]
        return {vote["paper"] for vote in exported}


@pytest.fixture
def stage(any_installation: Installation, tmp_path: Path) -> Iterator[Stage]:
    archive = Archive(today=date(2026, 4, 7))
    archive.add(
        Work("1706.03762", "Attention, nearly all one needs", (date(2017, 6, 13),), "We attend."),
        Work("2101.00001", "Tides", (date(2021, 1, 4),), "We count.", authors=("Mary Somerville",)),
        Work("2102.00002", "Moons", (date(2021, 2, 3),), "We see.", authors=("Mary Somerville",)),
    )
    zotero = Zotero({"users/1": [work(n, tags=[{"tag": "tides"}]) for n in range(3)]})
    zotero.keys["users/1"] = KEY
    search = ArxivSearch(archive)
    with WebOnLoopback(search, zotero) as web:
        here = with_settings(any_installation, source_mirror=web.url, sources=())
        join(here, "ada")
        yield Stage(here, web, search, zotero, tmp_path)


def test_arxiv_tells_of_what_has_an_id_and_no_abstract(stage: Stage) -> None:
    done = stage.bring(
        "@misc{a, eprint = {1706.03762}, title = {Attention}}\n"
        "@misc{b, eprint = {2101.00001}}\n"
        "@misc{c, eprint = {2102.00002}, title = {Moons}, abstract = {My own words.}}\n"
    )
    assert (done.taken.recognised, done.taken.added_votes, done.looked_up) == (3, 3, 2)
    assert done.taken.waiting == {}
    assert stage.works() == {
        "1706.03762": "We attend.",
        "2101.00001": "We count.",
        "2102.00002": "My own words.",
    }
    assert [q.query["id_list"] for q in stage.web.asked] == ["1706.03762,2101.00001"]


def test_ids_that_arxiv_does_not_have_are_no_votes_and_are_listed(stage: Stage) -> None:
    done = stage.bring("2101.00001\n2101.99999\n")
    assert (done.taken.recognised, done.taken.added_votes) == (1, 1)
    (missing,) = done.taken.unrecognised
    assert (missing.entry, missing.place) == ("2101.99999", "line 2")
    assert missing.reason == "arXiv has no paper with this id"
    assert stage.votes() == {"2101.00001"}


def test_a_title_stays_where_arxiv_does_not_know_the_id_and_is_asked_for_once(
    stage: Stage,
) -> None:
    stage.bring("@misc{a, eprint = {2101.99999}, title = {Never submitted}}")
    assert stage.votes() == {"2101.99999"}
    stage.web.forget()
    stage.bring("@misc{b, title = {Another one}}")
    assert stage.web.asked == []


def test_without_network_ids_wait_for_the_next_fetch(stage: Stage) -> None:
    done = stage.bring("2101.00001\n2101.99999\n", network=False)
    assert (done.taken.recognised, sorted(done.taken.waiting)) == (2, ["2101.00001", "2101.99999"])
    assert stage.web.asked == []
    fetch(stage.here)
    assert stage.works() == {"2101.00001": "We count."}
    stage.web.forget()
    fetch(stage.here)
    assert stage.web.asked == []


def test_works_that_cannot_be_looked_up_keep_no_others_from_it(stage: Stage) -> None:
    titles = "".join(f"@misc{{k{n}, title = {{Title number {n}}}}}\n" for n in range(5))
    stage.bring(titles + "@misc{a, eprint = {2101.00001}}", network=False)
    with closing(polite_client(stage.here)) as client:
        assert look_up(stage.here, client, limit=1).found == {"2101.00001"}


def test_an_arxiv_that_does_not_answer_costs_nothing(stage: Stage, said: list[str]) -> None:
    stage.web.spring(traps.answers(403, b"no"), on="export.arxiv.org")
    done = stage.bring("2101.00001\n")
    assert (done.taken.recognised, list(done.taken.waiting)) == (1, ["2101.00001"])
    assert "403" in said[-1]
    fetch(stage.here)
    assert stage.works() == {"2101.00001": "We count."}


def test_what_half_an_answer_leaves_out_waits_and_is_not_given_up(stage: Stage) -> None:
    stage.search.half_answers = 3
    done = stage.bring("1706.03762\n2101.00001\n")
    assert (done.taken.recognised, list(done.taken.waiting)) == (2, ["2101.00001"])
    fetch(stage.here)
    assert set(stage.works()) == {"1706.03762", "2101.00001"}


def test_zotero_is_read_and_its_key_is_kept_nowhere(
    stage: Stage, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Wanted(zotero="users/1", zotero_key=KEY)
    done = bring.by_command(stage.here, "ada@example.org", wanted)
    assert done.taken.added_votes == 3
    assert done.followed == Suggested(("tides",))
    with stage.here.database.reading() as session:
        logged = [request.url for request in requests.newest(session, 10)]
    told = [*said, *logged, caplog.text, repr(wanted), repr(done)]
    assert logged
    assert not any(KEY in text for text in told)


def test_half_of_a_zotero_library_is_not_taken_in(stage: Stage) -> None:
    stage.zotero.libraries["users/1"] = [work(n) for n in range(150)]
    stage.web.spring(traps.login_page, on="start=100")
    with pytest.raises(ZoteroError):
        bring.by_command(stage.here, "ada@example.org", Wanted(zotero="users/1", zotero_key=KEY))
    assert stage.votes() == set()


def test_an_authors_own_papers_are_listed_and_become_votes(stage: Stage) -> None:
    listed = bring.published(stage.here, "ada@example.org", "Mary Somerville")
    assert {entry.ids[0] for entry in listed} == {"2101.00001", "2102.00002"}
    assert stage.votes() == set()
    done = bring.by_command(stage.here, "ada@example.org", Wanted(author="Mary Somerville"))
    assert done.taken.added_votes == 2
    assert stage.works() == {"2101.00001": "We count.", "2102.00002": "We see."}


TAGGED = "".join(
    f"@misc{{k{n}, title={{Title {n}}}, author={{Doe, Jane}}, keywords={{a1,b2,c3,d4,e5,f6}}}}\n"
    for n in range(3)
)


def test_who_has_no_interests_gets_five_and_who_asks_gets_all(stage: Stage) -> None:
    first = stage.bring(TAGGED).followed
    assert first == Suggested(("a1", "b2", "c3", "d4", "e5"))
    assert stage.bring(TAGGED).followed == Suggested()
    assert stage.bring(TAGGED, interests=True).followed == Suggested(("f6",), ("Jane Doe",))


def test_too_large_a_file_and_an_unknown_reader(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring, "LARGEST_FILE", 10)
    (one,) = stage.bring("2101.00001, 2102.00002").taken.unrecognised
    assert "larger than" in one.reason
    with pytest.raises(UnknownSubscriber):
        bring.by_command(stage.here, "eve@example.org", Wanted())


def test_taken_back_by_address(stage: Stage) -> None:
    stage.bring("2101.00001\n")
    assert bring.take_back(stage.here, "ada@example.org") == 1
    with stage.here.database.reading() as session:
        ada = subscribers.by_email(session, "ada@example.org")
    assert ada is not None
    assert library.votes(stage.here, id_of(ada)) == 0
