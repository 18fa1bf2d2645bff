"""A reader's own library becomes votes; what only it tells of stays its reader's alone."""

from datetime import UTC, date, datetime
from itertools import chain

import pytest
from invented import Clock, fill, join

from paperpost.service import account, browse, ingest, library
from paperpost.service.installation import Installation
from paperpost.service.library import MOST_ENTRIES, LibraryIsFull, Taken
from paperpost.service.ranking import rank_block
from paperpost.service.suggest import Suggested
from paperpost.service.train import train
from paperpost.sources.found import checked
from paperpost.store import papers, subscribers, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, Subscriber, Vote
from sqlmodel import select

DAY = date(2026, 4, 7)


def bring(installation: Installation, email: str, text: str) -> Taken:
    return library.take_in(installation, number_of(installation, email), library.read(text.encode(), "mine"))


def person(installation: Installation, email: str) -> Subscriber:
    with installation.database.reading() as session:
        found = subscribers.by_email(session, email)
    assert found is not None
    return found


def number_of(installation: Installation, email: str) -> int:
    return id_of(person(installation, email))


def test_first(any_installation: Installation) -> None:
    here = any_installation
    fill(here, [DAY])
    ada = join(here, "ada")
    taken = bring(here, ada, "2604.07000\n2604.07100\n1706.03762\nhello\n10.1/x 10.1000/xyz\n")
    print(taken)
    taken = bring(here, ada, """@article{a, title={On the Theory of Everything Else}, author={Doe, Jane and Noether, Emmy}, keywords={one, two}}
@article{b, title={Graph study 2604 07001}, author={E. Noether}, keywords={one}}
@article{c, title={Game study 2604 07200}, author={X. Y}, doi={10.1000/q}, keywords={one}}
""")
    print(taken)
    train(here)
    ranked = rank_block(here, [person(here, ada)], DAY)[number_of(here, ada)]
    print([c.paper.id for c in ranked.choices], ranked.votes)
    for c in ranked.choices[:3]: print(c.paper.id, c.reasons)
    print(account.export(here, ada)["votes"], account.export(here, ada)["library"])
    assert browse.newest_day(here) == DAY
    found = checked({"id": "1706.03762", "title": "Attention is all you need", "abstract": "x", "announced": "2026-04-08", "authors": ["A"]}, source="s", today=DAY)
    ingest.take_in(here, iter([found]), "s", ingest.Ingested())
    print(account.export(here, ada)["votes"], account.export(here, ada)["library"])
    print(library.take_back(here, number_of(here, ada)))
    with here.database.reading() as session:
        print(len(session.exec(select(Paper)).all()), len(session.exec(select(Vote)).all()))
    assert 0
