"""A site that has been in use for a week: real titles, readers, votes, digests, and all that own
pages tell of. It is made once for each process of tests; each test gets a copy of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event

from doors import Doors
from invented import Clock
from stores import Stores

from paperpost.demo.people import PAPERS, PEOPLE, bundled_papers, days
from paperpost.engine.runs import compose_all_due
from paperpost.service import interests, leaving, library, links, subscribe, vote
from paperpost.service.deliver import send
from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.service.wishes import Wishes, checked
from paperpost.settings import load_settings
from paperpost.store import days as source_days
from paperpost.store import requests
from paperpost.store.database import Database
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind

# The newest day that has papers, an hour before its digests.
MORNING = datetime(2026, 4, 14, 7, 0, tzinfo=UTC)
ADA, GONE, ASKED, PAUSED = (f"{name}@example.org" for name in ("ada", "gone", "asked", "paused"))
# Who likes what Ada likes, so that some papers have votes enough to be told.
LIKE_ADA = ("eve", "finn", "gus")
# The first of the newest day's papers.
PAPER = min(paper["id"] for paper in bundled_papers() if paper["announced"] == str(days()[-1]))
LIBRARY = "@article{x, title={%s}, author={Noether, Emmy}, year={2024}}\n"


class Furnished:
    """The installation, and the links that its readers were mailed."""

    def __init__(self, installation: Installation, paper_id: str = PAPER) -> None:
        self.installation = installation
        self.paper_id = paper_id
        self.base = installation.settings.public_url

    def doors(self, email: str = ADA, paper_id: str | None = None) -> Doors:
        """The links of somebody, issued now."""
        return Doors(self.installation, email, paper_id or self.paper_id)

    def path(self, purpose: Purpose, email: str = ADA) -> str:
        """The path of one of them."""
        return self.doors(email).path(purpose)

    def operator_path(self) -> str:
        """The path of the operator's page."""
        here = self.installation
        return f"/operator/{links.token(here.signer, Purpose.OPERATOR, here.clock(), 0)}"


class Furniture:
    """Makes the home once, in the first test that asks for it, and copies it."""

    def __init__(self, home: Path, stores: Stores) -> None:
        self._home, self._stores = home, stores
        self._url: str | None = None

    def copy_to(self, home: Path) -> str:
        """A home like it; the URL of its database."""
        if self._url is None:
            self._url = self._stores.make(self._home)
            with opened(self._home, self._url, Clock()) as installation:
                furnish(installation)
        shutil.copytree(self._home, home, dirs_exist_ok=True)
        return self._stores.make(home, self._url)


@contextmanager
def opened(home: Path, url: str, clock: Clock, **settings: object) -> Iterator[Installation]:
    """The installation of a home and its database."""
    told = load_settings(home=home, database_url=url, secret_key=("a key for tests only",))
    with_them = told.model_copy(update=settings)
    installation = Installation(with_them, Database(url), clock)
    yield installation
    installation.close()


def furnish(installation: Installation) -> None:
    """A week of papers, digests and votes; the newest day's papers are not mailed yet."""
    clock = installation.clock
    assert isinstance(clock, Clock)
    clock.now = datetime(2026, 4, 7, 6, 0, tzinfo=UTC)
    import_files(installation, [PAPERS])
    _subscribe(installation)
    train(installation)
    for day in days()[:-1]:
        clock.now = datetime(day.year, day.month, day.day, 8, 30, tzinfo=UTC)
        compose_all_due(installation, Event())
        send(installation)
        clock.turn(hours=4)
        _vote(installation, day)
    for day in days():
        _was_fetched(installation, day)
    clock.now = MORNING
    _bring_a_library(installation)
    _name_interests(installation)
    train(installation)
    _leave_some_votes_open(installation)


def _was_fetched(installation: Installation, day: date) -> None:
    """As if the configured source had told of a day's papers."""
    (source,), now = installation.settings.sources, installation.clock()
    told = [paper for paper in bundled_papers() if paper["announced"] == str(day)]
    stand = source_days.Stand(source, day, "complete", f"{len(told)} papers", len(told))
    with installation.database.writing() as session:
        source_days.keep(session, stand, now)
        requests.record_run(session, source, "ok", f"{len(told)} papers", now)


def _subscribe(installation: Installation) -> None:
    for person in PEOPLE:
        wanted = checked({"keywords": person.keywords, "size": 5, "muted": ("game theory",)})
        subscribe.by_command(installation, person.email, wanted, confirmed=True)
    for name in LIKE_ADA:
        wanted = Wishes(keywords=("graph neural networks",), size=3)
        subscribe.by_command(installation, f"{name}@example.org", wanted, confirmed=True)
    for email in (GONE, PAUSED):
        subscribe.by_command(installation, email, Wishes(keywords=("speech",)), confirmed=True)
    subscribe.by_form(installation, ASKED, Wishes(keywords=("speech",)))
    doors = Furnished(installation).doors(GONE)
    leaving.leave(installation, doors.token(Purpose.UNSUBSCRIBE))
    with installation.database.writing() as session:
        paused = Furnished(installation).doors(PAUSED).subscriber()
        paused.paused_until = date(2026, 5, 1)
        session.add(paused)


def _vote(installation: Installation, day: date) -> None:
    todays = {paper["id"] for paper in bundled_papers() if paper["announced"] == str(day)}
    for person in PEOPLE:
        for paper in sorted(todays & person.likes):
            vote.cast_by_command(installation, person.email, paper, "up")
        for paper in sorted(todays & person.dislikes):
            vote.cast_by_command(installation, person.email, paper, "down")
    for name in LIKE_ADA:
        for paper in sorted(todays & PEOPLE[0].likes):
            vote.cast_by_command(installation, f"{name}@example.org", paper, "up")


def _bring_a_library(installation: Installation) -> None:
    titles = [paper["title"] for paper in bundled_papers()[:3]]
    titles.append("Message passing on molecular graphs")
    entries = library.read("".join(LIBRARY % title for title in titles).encode(), "library.bib")
    library.take_in(installation, id_of(Furnished(installation).doors().subscriber()), entries)


def _name_interests(installation: Installation) -> None:
    number = Furnished(installation).doors().subscriber_id
    molecules = {InterestKind.KEYWORD: ["molecule generation"]}
    interests.add(installation, number, "Molecules", 30, molecules)
    interests.add(installation, number, "Thesis", 40, {InterestKind.KEYWORD: ["protein folding"]})


def _leave_some_votes_open(installation: Installation) -> None:
    """Five votes within a moment, which a program cast, and later one that waits to count."""
    clock = installation.clock
    assert isinstance(clock, Clock)
    clock.now = MORNING - timedelta(hours=1)
    newest = sorted(p["id"] for p in bundled_papers() if p["announced"] == str(days()[-1]))
    for paper in newest[:5]:
        token = Furnished(installation).doors(ADA, paper).token(Purpose.VOTE)
        vote.cast_by_link(installation, token, "up")
    clock.now = MORNING
    token = Furnished(installation).doors(ADA, newest[6]).token(Purpose.VOTE)
    vote.cast_by_link(installation, token, "up")
