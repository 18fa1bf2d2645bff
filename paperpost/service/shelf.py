"""Where the works of a reader's library stand: with the papers that sources told of, or as that
reader's own."""

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
        self._own = library.own(session, subscriber_id, names)
        self._new: dict[str, Work] = {}
        self._numbers: dict[str, int] = {}
        self._is_told: set[str] = set()
        self._waiting: set[str] = set()

    def place(self, entry: LibraryEntry) -> str:
        """The place of an entry; empty if nothing is known that a vote could stand on."""
        work = work_of(entry)
        told = _told_paper(entry, self._told)
        if told is not None:
            self._is_told.add(told.id)
            self._numbers[told.id] = number_of(told)
            return told.id
        own = next((self._own[name] for name in work.names if name in self._own), None)
        if own is not None:
            library.complete(self._session, own, work, self._now)
            self._numbers[own.id] = number_of(own)
            return own.id
        # An arXiv id can be looked up, with others nothing can be done.
        if not entry.title and not any(map(is_arxiv, entry.ids)):
            return ""
        return self._new_place(work)

    def _new_place(self, work: Work) -> str:
        same = next((self._new[name] for name in work.names if name in self._new), work)
        for name in work.names:
            self._new.setdefault(name, same)
        if not same.title:
            self._waiting.add(same.names[0])
        return same.names[0]

    def numbers(self) -> Mapping[str, int]:
        """The papers' numbers by place; works that are new are stored."""
        works = {work.names[0]: work for work in self._new.values()}
        kept = library.keep(self._session, self._subscriber_id, list(works.values()), self._now)
        return self._numbers | dict(zip(works, kept, strict=True))

    def is_told(self, place: str) -> bool:
        """Whether a source has told of what stands there."""
        return place in self._is_told

    def is_waiting(self, place: str) -> bool:
        """Whether nothing but an arXiv id is known of what is new there."""
        return place in self._waiting


def work_of(entry: LibraryEntry) -> Work:
    """An entry as the store keeps it: with its identifiers and the key of its title as names. Where
    there are identifiers, "Editorial" is no name."""
    names = list(entry.ids)
    if is_telling(entry.title) or not names:
        names.append(title_key(entry.title))
    return Work(tuple(names), entry.title, entry.abstract, entry.authors, entry.categories)


def give_way(session: Session, told: Iterable[Record]) -> None:
    """Readers' own works of which sources have now told, and which are stored, become the papers
    that they are: by identifier, else by title and an author."""
    identifiers: set[str] = set()
    titles: set[str] = set()
    for record in told:
        identifiers |= {record.name, *record.also}
        titles |= {*record.title_keys}
    kept = library.kept_under(session, identifiers | titles)
    papers = library.told(session, [name for name, _ in kept]) if kept else {}
    gone: set[int] = set()
    for name, work in kept:
        same = [
            paper
            for paper in papers.get(name, ())
            if name not in titles or _is_by_them(paper, work.title, work.authors)
        ]
        if same and number_of(work) not in gone:
            library.give_up(session, work, same[0])
            gone.add(number_of(work))


def _told_paper(entry: LibraryEntry, told: Mapping[str, Sequence[Paper]]) -> Paper | None:
    """The paper that an entry is about: by identifier, else by title and an author."""
    by_id = next((told[name][0] for name in entry.ids if told.get(name)), None)
    if by_id is not None or not entry.title:
        return by_id
    namesakes = told.get(title_key(entry.title), ())
    return next((one for one in namesakes if _is_by_them(one, entry.title, entry.authors)), None)


def _is_by_them(paper: Paper, title: str, authors: Iterable[str]) -> bool:
    """Whether a paper of that title is by one of these authors; where one of the two has none the
    title has to tell."""
    here, there = ({author_key(name) for name in names} for names in (paper.authors, authors))
    shared = (here & there) - {""}
    return bool(shared) if here and there else is_telling(title)
