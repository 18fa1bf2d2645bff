"""A reader's own library becomes votes; what only it tells of stays its reader's alone."""

from datetime import UTC, date, datetime

import pytest
from invented import START, fill, join
from sqlmodel import SQLModel, func, select

from paperpost.service import account, browse, ingest, library, lists, periods
from paperpost.service.installation import Installation
from paperpost.service.library import LibraryIsFull, Taken
from paperpost.service.periods import Span
from paperpost.service.ranking import rank_block
from paperpost.service.status import status
from paperpost.service.suggest import Suggested
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.sources.found import checked
from paperpost.store import papers, subscribers, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, PaperAlias, Subscriber, Vote

DAY = date(2026, 4, 7)
KNOWN = "2604.07000\n2604.07100\n"
UNKNOWN = """@article{tides,
  title = {On the Tides of Large Models}, author = {Somerville, Mary},
  abstract = {We count the waves of neural networks.}, eprint = {2101.00001}
}
@article{moons, title = {Moons that Nobody has Told of}, author = {Herschel, Caroline}}
"""


def person(installation: Installation, email: str) -> Subscriber:
    with installation.database.reading() as session:
        found = subscribers.by_email(session, email)
    assert found is not None
    return found


def bring(installation: Installation, email: str, text: str) -> Taken:
    number = id_of(person(installation, email))
    return library.take_in(installation, number, library.read(text.encode(), "mine.bib"))


def voted(installation: Installation, email: str) -> dict[str, int]:
    exported = account.export(installation, email)
    return {vote["paper"]: vote["value"] for vote in exported["votes"]}


def rows(installation: Installation, table: type[SQLModel]) -> int:
    with installation.database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def arrives(installation: Installation, **fields: object) -> None:
    """A source tells of a paper."""
    record = {"announced": "2026-04-07", "abstract": "As its source has it.", **fields}
    found = checked(record, source="test", today=installation.clock().date())
    ingest.take_in(installation, iter([found]), "test", ingest.Ingested())


def test_stored_papers_are_voted_for_and_count_at_once(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada")
    taken = bring(any_installation, ada, KNOWN)
    assert (taken.recognised, taken.stored, taken.added_votes, taken.already) == (2, 2, 2, 0)
    assert voted(any_installation, ada) == {"2604.07000": 1, "2604.07100": 1}
    again = bring(any_installation, ada, KNOWN + KNOWN)
    assert (again.recognised, again.added_votes, again.already) == (4, 0, 4)


def test_a_vote_is_cast_when_the_work_was_collected(any_installation: Installation) -> None:
    ada = join(any_installation, "ada")
    bring(
        any_installation,
        ada,
        "@misc{a, title={Old and dear}, date-added={2021-02-03 04:05:06 +0000}}\n"
        "@misc{b, title={From the future}, date-added={2031-02-03 04:05:06 +0000}}\n",
    )
    with any_installation.database.reading() as session:
        cast = votes.acts(session, id_of(person(any_installation, ada)))
    assert [vote.cast_at for vote in cast] == [datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC), START]
    assert {(vote.counts_at, vote.origin) for vote in cast} == {(START, "library")}


def test_what_the_reader_said_before_is_not_overridden(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada")
    for paper, value in (("2604.07000", "down"), ("2604.07100", "up"), ("2604.07100", "none")):
        cast_by_command(any_installation, ada, paper, value)
    taken = bring(any_installation, ada, KNOWN)
    assert (taken.added_votes, taken.already) == (0, 2)
    assert voted(any_installation, ada) == {"2604.07000": -1}


def test_a_paper_is_known_by_title_and_an_author(any_installation: Installation) -> None:
    arrives(
        any_installation,
        id="2604.00001",
        title="Graph Networks: G{\\\"o}del's Moons",
        authors=["Emmy Noether", "Kurt Gödel"],
    )
    ada, bob = join(any_installation, "ada"), join(any_installation, "bob")
    title = "title = {Graph networks - {G}ödel's moons}"
    bring(any_installation, ada, f"@misc{{a, {title}, author = {{Noether, E.}}}}")
    bring(any_installation, bob, f"@misc{{a, {title}, author = {{Doe, Jane}}}}")
    assert voted(any_installation, ada) == {"2604.00001": 1}
    assert "2604.00001" not in voted(any_installation, bob)


def test_what_was_not_recognised_is_listed_with_place_and_reason(
    any_installation: Installation,
) -> None:
    ada = join(any_installation, "ada")
    taken = bring(any_installation, ada, "10.1000/unknown\n\nhello world\n1706.03762\n")
    assert [(one.place, one.entry) for one in taken.unrecognised] == [
        ("line 1", "doi:10.1000/unknown"),
        ("line 3", "hello world"),
    ]
    assert all(one.file == "mine.bib" and one.reason for one in taken.unrecognised)
    assert list(taken.waiting) == ["1706.03762"]
    (whole,) = bring(any_installation, ada, "%PDF-1.7").unrecognised
    assert (whole.entry, whole.reason) == (
        "the whole file",
        "the file is a PDF, not a list of works",
    )


def test_no_paper_of_the_library_is_mailed(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada", "graph neural networks", size=12)
    bring(
        any_installation,
        ada,
        # One by its id; one that was collected as a preprint of another name.
        "@misc{a, eprint = {2604.07000}}\n"
        "@misc{b, title = {Graph Study 2604 07001}, author = {Noether, Emmy and"
        " Kovalevskaya, Sofia}, doi = {10.1000/preprint}, abstract = {We show how graph neural"
        " networks pass messages along the edges of a molecule, in study 2604 07001.}}\n",
    )
    train(any_installation)
    ada_herself = person(any_installation, ada)
    ranking = rank_block(any_installation, [ada_herself], DAY)[id_of(ada_herself)]
    shown = {choice.paper.id for choice in ranking.choices}
    assert len(shown) == 10
    assert not shown & {"2604.07000", "2604.07001"}


def test_what_only_a_library_tells_of_is_ranked_by_and_shown_to_nobody(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada")
    taken = bring(any_installation, ada, UNKNOWN)
    assert (taken.recognised, taken.stored, taken.added_votes) == (2, 0, 2)
    train(any_installation)
    herself = person(any_installation, ada)
    best = rank_block(any_installation, [herself], DAY)[id_of(herself)].choices[0]
    assert best.paper.id.startswith("2604.070")  # one about neural networks
    assert any("On the Tides of Large Models" in reason for reason in best.reasons)
    with any_installation.database.reading() as session:
        assert papers.announced(session, date.min, date.max)[-1].announced == DAY
        stored = session.exec(select(Paper.id)).all()
    assert browse.newest_day(any_installation) == DAY
    never = periods.around(Span.DAY, date.min)
    assert lists.papers_of(any_installation, never).total == 0
    assert status(any_installation)["papers"]["stored"] == 12
    private = [name for name in stored if name.startswith("library:")]
    assert len(private) == 2
    names = [*private, "library:2101.00001", "2101.00001", "library:hf:0123456789"]
    assert [browse.paper(any_installation, name) for name in names] == [None] * len(names)
    model = any_installation.slot.model
    assert model is not None
    assert not set(private) & set(model.paper_ids)


def test_a_library_is_exported_and_deleted_with_its_reader(any_installation: Installation) -> None:
    ada, bob = join(any_installation, "ada"), join(any_installation, "bob")
    for reader in (ada, bob):
        bring(any_installation, reader, UNKNOWN)
    exported = account.export(any_installation, ada)
    assert [work["title"] for work in exported["library"]] == [
        "On the Tides of Large Models",
        "Moons that Nobody has Told of",
    ]
    assert {vote["paper"] for vote in exported["votes"]} >= {"2101.00001"}
    account.delete(any_installation, ada)
    assert (rows(any_installation, Paper), rows(any_installation, Vote)) == (2, 2)
    account.delete(any_installation, bob)
    assert (rows(any_installation, Paper), rows(any_installation, PaperAlias)) == (0, 0)


def test_when_a_source_tells_of_a_work_the_votes_move_there(
    any_installation: Installation,
) -> None:
    readers = [join(any_installation, name) for name in ("ada", "bob")]
    for reader in readers:
        bring(any_installation, reader, UNKNOWN)
    bring(any_installation, readers[0], "@misc{x, title = {Moons that Nobody has Told of}}")
    arrives(any_installation, id="2101.00001", title="On the tides of large models (revised)")
    arrives(
        any_installation,
        id="doi:10.1000/moons",
        title="Moons That Nobody Has Told Of",
        authors=["Caroline Herschel"],
    )
    # Of the same title, and another work.
    arrives(
        any_installation,
        id="doi:10.1000/other",
        title="Moons that nobody has told of",
        authors=["William Lassell"],
    )
    for reader in readers:
        assert voted(any_installation, reader) == {"2101.00001": 1, "doi:10.1000/moons": 1}
        assert account.export(any_installation, reader)["library"] == []
    with any_installation.database.reading() as session:
        paper = papers.find(session, "2101.00001")
    assert paper is not None
    assert (paper.abstract, paper.source) == ("As its source has it.", "test")
    assert paper.announced == DAY


def test_a_library_cannot_make_two_papers_one_or_say_what_they_are(
    any_installation: Installation,
) -> None:
    ada = join(any_installation, "ada")
    bring(
        any_installation,
        ada,
        "@misc{a, title = {Not what it is}, eprint = {2604.00001}, doi = {10.1000/two},"
        " abstract = {Lies.}}",
    )
    arrives(any_installation, id="2604.00001", title="The first of two", authors=["A. B"])
    arrives(any_installation, id="doi:10.1000/two", title="The second of two", authors=["C. D"])
    with any_installation.database.reading() as session:
        found = papers.announced(session, date.min, date.max)
    assert {(paper.id, paper.title) for paper in found} == {
        ("2604.00001", "The first of two"),
        ("doi:10.1000/two", "The second of two"),
    }
    assert voted(any_installation, ada) == {"2604.00001": 1}


def test_works_of_a_title_that_tells_nothing_are_several(any_installation: Installation) -> None:
    ada = join(any_installation, "ada")
    taken = bring(
        any_installation,
        ada,
        "@misc{a, title = {Editorial}, doi = {10.1000/a}}\n"
        "@misc{b, title = {Editorial}, doi = {10.1000/b}}\n",
    )
    assert taken.added_votes == 2


def test_a_library_is_taken_back_in_one_act(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada")
    number = id_of(person(any_installation, ada))
    cast_by_command(any_installation, ada, "2604.07200", "up")
    bring(any_installation, ada, KNOWN)
    bring(any_installation, ada, UNKNOWN)
    cast_by_command(any_installation, ada, "2604.07000", "down")
    assert library.take_back(any_installation, number) == 4
    assert voted(any_installation, ada) == {"2604.07200": 1, "2604.07000": -1}
    assert rows(any_installation, Paper) == 12
    assert library.take_back(any_installation, number) == 0


def test_a_library_has_an_end(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "MOST_ENTRIES", 3)
    ada = join(any_installation, "ada")
    lines = "".join(f"@misc{{k{n}, title = {{Work number {n}}}}}\n" for n in range(5))
    taken = bring(any_installation, ada, lines)
    assert taken.added_votes == 3
    (rest,) = taken.unrecognised
    assert (rest.place, rest.entry) == ("line 4", "from here to the end of the file")
    with pytest.raises(LibraryIsFull, match="take them back"):
        bring(any_installation, ada, KNOWN)


def test_tags_and_authors_of_several_works_are_suggested(installation: Installation) -> None:
    ada = join(installation, "ada")
    entries = [
        ("Somerville, Mary", "Computer Science - Computation and Language, to read, Tides"),
        ("Mary Somerville", "computation and language, tides, _tablet"),
        ("M. Somerville and Doe, Jane", "tides, once"),
    ]
    taken = bring(
        installation,
        ada,
        "".join(
            f"@misc{{k{n}, title = {{Title {n}}}, author = {{{author}}}, keywords = {{{tags}}}}}\n"
            for n, (author, tags) in enumerate(entries)
        ),
    )
    assert taken.suggested.keywords == ("tides", "Computation and Language")
    assert taken.suggested.authors == ("Mary Somerville",)


def test_what_its_reader_follows_already_is_not_suggested(installation: Installation) -> None:
    ada = join(installation, "ada", "TIDES")
    entries = [f"@misc{{k{n}, title = {{Title {n}}}, keywords = {{tides, waves}}}}" for n in "ab"]
    taken = bring(installation, ada, "\n".join(entries))
    assert taken.suggested.keywords == ("waves",)


def test_followed_are_interests_that_one_has_not_yet_and_only_as_many_as_may_be(
    any_installation: Installation,
) -> None:
    ada = join(any_installation, "ada", "Tides", *(f"keyword {n}" for n in range(48)))
    number = id_of(person(any_installation, ada))
    added = library.follow(any_installation, number, ["tides", "moons", "suns"], ["Jane Doe"])
    assert added == Suggested(("moons",), ("Jane Doe",))
    interests = account.export(any_installation, ada)["interests"]
    assert (len(interests["keywords"]), interests["authors"]) == (50, ["Jane Doe"])


def test_a_work_that_a_note_mentions_is_another_one(any_installation: Installation) -> None:
    ada = join(any_installation, "ada")
    arrives(any_installation, id="1706.03762", title="All that is needed", authors=["A. Vaswani"])
    bring(
        any_installation,
        ada,
        "@misc{a, title={A different paper of mine}, doi={10.1234/own}, author={Doe, Jane},"
        " note={Extends arXiv:1706.03762}}\n"
        "@misc{b, title={Without any identifier}, annote={cf. arXiv:1706.03762}}\n"
        "@misc{c, title={A sequel of a sequel}, eprint={2301.00001}, author={Roe, R.},"
        " note={arXiv:2301.00002 [cs.CL]}}\n"
        "@misc{d, title={What came before that}, eprint={2301.00002}, author={Poe, P.}}\n",
    )
    assert len(voted(any_installation, ada)) == 4
    assert voted(any_installation, ada).keys() >= {"doi:10.1234/own", "2301.00001", "2301.00002"}
    arrives(any_installation, id="2301.00002", title="What came before that", authors=["P. Poe"])
    exported = account.export(any_installation, ada)["library"]
    assert [work["title"] for work in exported] == [
        "A different paper of mine",
        "Without any identifier",
        "A sequel of a sequel",
    ]


def test_works_with_different_arxiv_ids_are_never_one(any_installation: Installation) -> None:
    ada = join(any_installation, "ada")
    same = "title={A title that two works have}, author={Doe, Jane}, doi={10.1234/both}"
    arrives(
        any_installation,
        id="2604.00001",
        doi="10.1234/both",
        title="A title that two works have",
        authors=["Jane Doe"],
    )
    text = "".join(f"@misc{{k, {same}, eprint={{2604.0000{n}}}}}\n" for n in (1, 2, 3))
    for _ in range(2):
        bring(any_installation, ada, text)
    assert voted(any_installation, ada).keys() == {"2604.00001", "2604.00002", "2604.00003"}
    arrives(
        any_installation, id="2604.00003", title="A title that two works have", authors=["J. Doe"]
    )
    (left,) = account.export(any_installation, ada)["library"]
    assert left["paper"] == "2604.00002"


def test_works_of_one_title_by_different_authors_are_two(any_installation: Installation) -> None:
    ada = join(any_installation, "ada")
    text = "".join(
        f"@misc{{k, title={{A title that two works have}}, author={{{name}}}}}\n"
        for name in ("Doe, Jane", "Roe, Richard", "J. Doe")
    )
    for _ in range(2):
        bring(any_installation, ada, text)
    assert len(voted(any_installation, ada)) == 2


def test_what_several_entries_tell_of_a_work_is_put_together(
    any_installation: Installation,
) -> None:
    ada = join(any_installation, "ada")
    taken = bring(
        any_installation,
        ada,
        "@misc{a, eprint={2604.00001}}\n"
        "@misc{b, eprint={2604.00001}, doi={10.1234/tides}, title={Tides of the moon}}\n",
    )
    assert (taken.added_votes, taken.waiting) == (1, {})
    arrives(any_installation, id="doi:10.1234/tides", title="Something else entirely")
    assert voted(any_installation, ada) == {"doi:10.1234/tides": 1}


def test_no_paper_of_the_library_is_mailed_whatever_was_said_of_it_since(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    ada = join(any_installation, "ada", "graph neural networks", size=12)
    bring(any_installation, ada, KNOWN)
    cast_by_command(any_installation, ada, "2604.07000", "down")
    cast_by_command(any_installation, ada, "2604.07100", "none")
    train(any_installation)
    herself = person(any_installation, ada)

    def shown() -> set[str]:
        ranking = rank_block(any_installation, [herself], DAY)[id_of(herself)]
        return {choice.paper.id for choice in ranking.choices}

    assert len(shown()) == 10
    assert not shown() & {"2604.07000", "2604.07100"}
    library.take_back(any_installation, id_of(herself))
    assert "2604.07100" in shown()
