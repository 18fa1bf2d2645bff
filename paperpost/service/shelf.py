"""Where the works of a reader's library stand: with the papers that sources told of, or as that
reader's own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from paperpost.sources.found import is_telling, title_key
from paperpost.sources.identifiers import is_arxiv
from paperpost.sources.libraries.entry import LibraryEntry
from paperpost.store import library
from paperpost.store.author_names import author_key
from paperpost.store.library import Work
from paperpost.store.papers import number_of
from paperpost.store.records import Record
from paperpost.store.tables import Paper


class Shelf:
    """The papers that a batch of entries is about. Entries of one work have one place, by name."""

    def __init__(
        self, session: Session, subscriber_id: int, entries: Iterable[LibraryEntry], now: datetime
    ) -> None:
        names = [name for entry in entries for name in work_of(entry).names]
        self._session, self._subscriber_id, self._now = session, subscriber_id, now
        self._told = library.told(session, names)
        self._is_told: set[str] = set()
        self._numbers: dict[str, int] = {}
        # The reader's own works, by place, and their places by name.
        self._works: dict[str, Work] = {}
        self._places: dict[str, list[str]] = defaultdict(list)
        self._stored: dict[str, Paper] = {}
        for paper, work in library.kept_under(session, names, subscriber_id):
            self._stored[paper.id] = paper
            self._put(paper.id, work)

    def place(self, entry: LibraryEntry) -> str:
        """The place of an entry; empty if nothing is known that a vote could stand on."""
        work = work_of(entry)
        told = _told_paper(work, self._told)
        if told is not None:
            self._is_told.add(told.id)
            self._numbers[told.id] = number_of(told)
            return told.id
        places = (place for name in work.names for place in self._places.get(name, ()))
        own = next((place for place in places if _are_one(self._works[place], work)), None)
        if own is not None:
            self._put(own, _joined(self._works[own], work))
            if own in self._stored:
                library.complete(self._session, self._stored[own], work, self._now)
            return own
        # An arXiv id can be looked up, with others nothing can be done.
        if not entry.title and not any(map(is_arxiv, entry.ids)):
            return ""
        self._put(work.names[0], work)
        return work.names[0]

    def _put(self, place: str, work: Work) -> None:
        self._works[place] = work
        for name in work.names:
            if place not in self._places[name]:
                self._places[name].append(place)

    def numbers(self) -> Mapping[str, int]:
        """The papers' numbers by place; works that are new are stored."""
        new = {place: work for place, work in self._works.items() if place not in self._stored}
        kept = library.keep(self._session, self._subscriber_id, list(new.values()), self._now)
        stored = {place: number_of(paper) for place, paper in self._stored.items()}
        return self._numbers | stored | dict(zip(new, kept, strict=True))

    def is_told(self, place: str) -> bool:
        """Whether a source has told of what stands there."""
        return place in self._is_told

    def is_waiting(self, place: str) -> bool:
        """Whether nothing but an arXiv id is known of what is new there."""
        is_own = place in self._works and place not in self._stored
        return is_own and not self._works[place].title


def work_of(entry: LibraryEntry) -> Work:
    """An entry as the store keeps it: with its identifiers and the key of its title as names. Where
    there are identifiers, "Editorial" is no name; where there are none, two authors' are two."""
    names = list(entry.ids)
    if not names and entry.authors:
        names.append(title_key(f"{entry.title} {author_key(entry.authors[0])}"))
    if is_telling(entry.title) or not entry.ids:
        names.append(title_key(entry.title))
    return Work(tuple(names), entry.title, entry.abstract, entry.authors, entry.categories)


def give_way(session: Session, told: Iterable[Record]) -> None:
    """Readers' own works of which sources have now told, and which are stored, become the papers
    that they are: by identifier, else by title and an author."""
    names = {name for record in told for name in (record.name, *record.also, *record.title_keys)}
    kept = library.kept_under(session, names)
    papers = library.told(session, [name for _, work in kept for name in work.names])
    for own, work in kept:
        paper = _told_paper(work, papers)
        if paper is not None:
            library.give_up(session, own, paper)


def _told_paper(work: Work, told: Mapping[str, Sequence[Paper]]) -> Paper | None:
    """The paper that a work is: by identifier, else by title and an author."""
    for name in work.names:
        for paper in told.get(name, ()):
            if _are_two(work.names, [paper.id]):
                continue
            if name != title_key(work.title) or _is_by_them(paper, work.title, work.authors):
                return paper
    return None


def _are_one(known: Work, work: Work) -> bool:
    """Whether a reader's own work is the one that an entry is about."""
    if known.names[0] == work.names[0]:
        return True
    if _are_two(known.names, work.names):
        return False
    shared = {*known.names} & {*work.names} - {title_key(work.title)}
    return bool(shared) or _is_by_them(known, work.title, work.authors)


def _are_two(names: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two works have each an arXiv id, and not the same."""
    here, there = ({*filter(is_arxiv, some)} for some in (names, others))
    return bool(here and there) and not here & there


def _joined(known: Work, work: Work) -> Work:
    """What two entries tell of one work; the first one's word counts."""
    return Work(
        tuple(dict.fromkeys((*known.names, *work.names))),
        known.title or work.title,
        known.abstract or work.abstract,
        known.authors or work.authors,
        known.categories or work.categories,
    )


def _is_by_them(paper: Paper | Work, title: str, authors: Iterable[str]) -> bool:
    """Whether a paper of that title is by one of these authors; where one of the two has none the
    title has to tell."""
    here, there = ({author_key(name) for name in names} for names in (paper.authors, authors))
    shared = (here & there) - {""}
    return bool(shared) if here and there else is_telling(title)
