"""One work is one paper: whatever sources tell it, in whatever order, and it is mailed once."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from invented import Invented, arrival, fill, join
from sqlmodel import col, delete, select

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, compose, ingest
from paperpost.service.choices import Ranking
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.service.vote import cast_by_command
from paperpost.sources.found import checked
from paperpost.store.intake import put_all
from paperpost.store.records import Record
from paperpost.store.tables import Paper, Subscriber

DAYS = [date(2026, 4, 6) + timedelta(days=n) for n in range(3)]
PREPRINT = arrival(Invented("2604.90001", "graph", DAYS[0]))
JOURNAL = replace(
    PREPRINT,
    name="doi:10.1000/patient",
    title="Patience at equilibrium",
    abstract="Bidders wait for edges of a molecule in graph neural networks that pass messages.",
    title_keys=("hf:patience",),
    announced=DAYS[1],
)


def store(installation: Installation, *records: Record) -> None:
    with installation.database.writing() as session:
        put_all(session, records, installation.clock())


def mailed(installation: Installation, email: str) -> list[list[str]]:
    return [digest["papers"] for digest in account.export(installation, email)["digests"]]


def stored(installation: Installation) -> list[dict[str, Any]]:
    with installation.database.reading() as session:
        found = session.exec(select(Paper).order_by(col(Paper.id)))
        return [one.model_dump(exclude={"number", "added_at", "changed_at"}) for one in found]


def saved_page(folder: Path, listed: dict[str, Any]) -> Path:
    """A page of Daily Papers that has this one paper."""
    page = folder / "page.txt"
    page.write_text(
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\n"
        f"byAK and the research community\n\nApr 2\n\n{listed['title']}\n\n{listed['summary']}\n",
        encoding="utf-8",
    )
    return page


def test_real_lists_and_papers_make_the_same_rows_in_any_order(
    installation: Installation, data: Path, tmp_path: Path
) -> None:
    days = ["2026-04-01", "2026-04-02", "2026-04-03"]
    lists = [data / "hf-daily-papers" / "api" / f"{day}.json.gz" for day in days]
    listed = json.loads(gzip.decompress(lists[-1].read_bytes()))[0]["paper"]
    files = [*(data / "arxiv" / f"{day}.jsonl.gz" for day in days), *lists]
    files.append(saved_page(tmp_path, listed))
    first = ingest.import_files(installation, files)
    assert (first.added, first.updated, first.rejected) == (818, 33, [])
    told = stored(installation)
    (paper,) = [paper for paper in told if paper["title"] == listed["title"]]
    assert (paper["id"], paper["announced"]) == (listed["id"], date(2026, 4, 2))
    again = ingest.import_files(installation, files)
    assert (again.added, again.updated) == (0, 0)
    with installation.database.writing() as session:
        session.execute(delete(Paper))
    ingest.import_files(installation, files[::-1])
    assert stored(installation) == told


@pytest.mark.parametrize("first", [PREPRINT, JOURNAL], ids=["preprint", "journal"])
def test_who_was_mailed_either_half_of_a_paper_is_never_mailed_the_other(
    any_installation: Installation, first: Record
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=5)
    store(any_installation, replace(first, announced=DAYS[0]))
    compose_all_of(any_installation, DAYS[0])
    assert first.name in mailed(any_installation, email)[0]
    second = JOURNAL if first is PREPRINT else PREPRINT
    store(any_installation, replace(second, announced=DAYS[1]))
    store(any_installation, replace(PREPRINT, version=2, also=(JOURNAL.name,), announced=DAYS[1]))
    for day in DAYS[1:]:
        compose_all_of(any_installation, day)
    names = [name for papers in mailed(any_installation, email) for name in papers]
    assert names.count(PREPRINT.name) == 1
    assert len(names) == len(set(names))


def test_a_paper_that_was_parted_from_an_older_one_is_not_mailed_again(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks", size=5)
    # An old record makes the paper an old one, until another arXiv paper turns out to own it.
    second = replace(PREPRINT, name="2604.90002", also=(JOURNAL.name,), announced=DAYS[2])
    store(any_installation, replace(JOURNAL, announced=DAYS[0]), second)
    compose_all_of(any_installation, DAYS[0])
    assert "2604.90002" in mailed(any_installation, email)[0]
    owner = replace(
        PREPRINT, title="Speech", abstract="Audio.", title_keys=("hf:owner",), also=(JOURNAL.name,)
    )
    store(any_installation, owner)
    assert {paper["announced"] for paper in stored(any_installation) if paper["id"] == second.name}
    for day in DAYS[1:]:
        compose_all_of(any_installation, day)
    names = [name for papers in mailed(any_installation, email) for name in papers]
    assert names.count("2604.90002") == 1


FEED = replace(
    PREPRINT,
    source="feed:https://blog.example/rss",
    title="10 wild facts about graphs (sponsored)",
    abstract="Buy graph neural networks now.",
    title_keys=("hf:wild",),
    version=None,
)


@pytest.mark.parametrize("days", [-9, 1])
def test_a_feed_changes_neither_text_nor_day_of_what_is_told_first_hand(
    any_installation: Installation, days: int
) -> None:
    store(any_installation, PREPRINT)
    before = stored(any_installation)
    store(any_installation, replace(FEED, announced=DAYS[0] + timedelta(days=days)))
    assert stored(any_installation) == before
    with any_installation.database.writing() as session:
        session.execute(delete(Paper))
    store(any_installation, replace(FEED, announced=DAYS[0] + timedelta(days=days)))
    store(any_installation, PREPRINT)
    (paper,) = stored(any_installation)
    assert paper | {"stood_from": None} == before[0]


@pytest.mark.parametrize("size", [2, 20])
def test_what_was_mailed_or_passed_over_on_a_feeds_day_is_no_news_on_its_own_later_one(
    any_installation: Installation, size: int
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "molecules", size=size)
    store(any_installation, FEED)
    compose_all_of(any_installation, DAYS[0])
    assert (FEED.name in mailed(any_installation, email)[0]) is (size == 20)
    store(any_installation, replace(PREPRINT, announced=DAYS[1]))
    assert [one["announced"] for one in stored(any_installation) if one["id"] == FEED.name] == [
        DAYS[1]
    ]
    shown = [choice["paper"] for choice in explain(any_installation, email, DAYS[1], 50)]
    assert shown
    assert FEED.name not in shown


def test_a_feed_that_dates_papers_far_back_hides_them_from_nobody(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS)
    email = join(any_installation, "ada", "graph neural networks")
    store(any_installation, replace(FEED, announced=DAYS[0] - timedelta(days=30)))
    compose_all_of(any_installation, DAYS[0])
    store(any_installation, replace(PREPRINT, announced=DAYS[1]))
    shown = [choice["paper"] for choice in explain(any_installation, email, DAYS[1], 50)]
    assert FEED.name in shown


def test_a_hyphen_in_a_title_that_is_all_a_feed_tells_makes_no_difference(
    installation: Installation,
) -> None:
    told = {"announced": "2026-04-06", "authors": ["A. Noether"]}
    by_title = {**told, "title": "Deep-Learning Methods"}
    named = {**told, "title": "Deep Learning Methods", "id": "doi:10.1234/x"}
    one, other = (
        ingest.records_of([checked(record, source="import", today=DAYS[0])])
        for record in (by_title, named)
    )
    made = []
    for batches in ([one, other], [other, one], [one, other, one], [[*one, *other]]):
        for batch in batches:
            store(installation, *batch)
        made.append(stored(installation))
        with installation.database.writing() as session:
            session.execute(delete(Paper))
    assert made[1:] == made[:-1]
    assert len(made[0]) == 1


def test_papers_that_are_merged_while_they_are_ranked_are_ranked_again(
    any_installation: Installation,
) -> None:
    fill(any_installation, DAYS[:1])
    email = join(any_installation, "ada", "graph neural networks", size=5)
    on_one_day = replace(JOURNAL, announced=DAYS[0])
    store(any_installation, PREPRINT, on_one_day)
    rounds = []

    def rank(
        installation: Installation, people: Sequence[Subscriber], on: date
    ) -> dict[int, Ranking]:
        rankings = dict(rank_block(installation, people, on))
        rounds.append(rankings)
        store(installation, replace(PREPRINT, version=2, also=(JOURNAL.name,)))
        return rankings

    counts = list(compose.compose_date(any_installation, DAYS[0], rank=rank))
    assert [dict(count) for count in counts] == [{"queued": 1}]
    assert len(rounds) == 2
    (papers,) = mailed(any_installation, email)
    assert papers.count(PREPRINT.name) == 1


def test_a_vote_by_any_name_is_on_the_one_paper(any_installation: Installation) -> None:
    email = join(any_installation, "ada")
    store(any_installation, PREPRINT, JOURNAL)
    cast_by_command(any_installation, email, JOURNAL.name, "up")
    store(any_installation, replace(PREPRINT, version=2, also=(JOURNAL.name,)))
    exported = account.export(any_installation, email)
    assert exported["votes"] == [{"paper": PREPRINT.name, "value": 1}]
    cast_by_command(any_installation, email, JOURNAL.name, "down")
    exported = account.export(any_installation, email)
    assert exported["votes"] == [{"paper": PREPRINT.name, "value": -1}]
