"""What single sources said of a paper, and what becomes of it when it is put together.

A paper is a function of the set of its records: in which order they came in makes no difference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

TITLE_PREFIX = "hf:"
# Later ones are better public names; a bare arXiv id, which has no prefix, is better than all.
_PREFIXES = ("pmcid:", TITLE_PREFIX, "pmid:", "doi:")
_OF_ARXIV = len(_PREFIXES)
# Who tells of papers that others publish, the worst first: their text gives way to all others'.
# Least of all counts what a feed says, which may be anybody's.
_SECOND_HAND = ("feed", "hf-daily-papers", "openalex", "pubmed")
# A paper keeps so many records; what comes near it is a source that has run wild.
MOST_RECORDS = 200
_DAYS = ("announced", "upvotes_on", "revised")
_LISTS = ("authors", "categories", "also", "title_keys")

T = TypeVar("T")
Key = tuple[str, str, int | None, date]


@dataclass(frozen=True, slots=True)
class Record:
    """What one source said of one paper.

    `name` is the best identifier that it gave, else the key of the title; `also` are the others,
    but for a second arXiv id: nothing is two of arXiv's papers. `title_keys` are those of its
    titles by which it may be told to be another record's paper, its name among them if that is
    one. A `source` of several is written KIND:NAME. `upvotes` is what the source's
    readers gave it since `upvotes_on`. `revised` is the day on which this version replaced an older
    one. A record that is `only_if_known` belongs to a paper that is there already, or to none.
    """

    name: str
    title: str
    announced: date
    source: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    comment: str | None = None
    version: int | None = None
    url: str | None = None
    also: tuple[str, ...] = ()
    title_keys: tuple[str, ...] = ()
    upvotes: int | None = None
    upvotes_on: date | None = None
    discussed: int | None = None
    revised: date | None = None
    only_if_known: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        """One spelling for what says the same."""
        name = best_name(self.name, self.also)
        told = (self.name, *self.also)
        also = (one for one in told if not is_arxiv(one) and not one.startswith(TITLE_PREFIX))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "also", tuple(sorted({*also} - {name})))
        if name.startswith(TITLE_PREFIX):
            object.__setattr__(self, "title_keys", _united(self.title_keys, (name,)))
        listed = None if self.upvotes is None else self.upvotes_on or self.announced
        object.__setattr__(self, "upvotes_on", listed)

    @property
    def key(self) -> Key:
        """What makes it the same record when it is told again."""
        return self.name, self.source, self.version, self.announced

    @property
    def words(self) -> tuple[object, ...]:
        """What makes it say the same as another one, if on another day."""
        text = self.title, self.abstract, self.authors, self.categories, self.comment, self.url
        return self.name, self.source, self.version, self.revised is None, *text

    @property
    def names(self) -> tuple[str, ...]:
        """Its identifiers, the best first."""
        return (self.name, *self.also)

    @property
    def standing(self) -> int:
        """How much its source's word counts, from 0; all that are first hand have the highest."""
        kind = self.source.partition(":")[0]
        return _SECOND_HAND.index(kind) if kind in _SECOND_HAND else len(_SECOND_HAND)


def is_arxiv(name: str) -> bool:
    """Whether a name is a bare arXiv id."""
    return ":" not in name


def worth(name: str) -> int:
    """How good a public name is: a bare arXiv id before doi: before pmid: before a title's key."""
    found = (rank for rank, prefix in enumerate(_PREFIXES) if name.startswith(prefix))
    return next(found, _OF_ARXIV)


def best_name(own: str, others: Iterable[str]) -> str:
    """The best of some names; of several that are as good, its own, or else the smallest."""
    return max((own, *sorted(others)), key=worth)


def told_again(before: Record, now: Record) -> Record:
    """The record after its source told it again: the last word counts, but nothing that is
    missing in it, no name and no count is taken back."""
    return replace(
        now,
        abstract=now.abstract or before.abstract,
        authors=now.authors or before.authors,
        categories=now.categories or before.categories,
        comment=now.comment or before.comment,
        url=now.url or before.url,
        also=_united(before.also, now.also),
        title_keys=_united(before.title_keys, now.title_keys),
        upvotes=max(_told((before.upvotes, now.upvotes)), default=None),
        upvotes_on=min(_told((before.upvotes_on, now.upvotes_on)), default=None),
        discussed=max(_told((before.discussed, now.discussed)), default=None),
        revised=now.revised or before.revised,
    )


def known(told: Iterable[Record]) -> list[Record]:
    """The records that are left of what was told, in that order: each once, and with the earliest
    day what was told in the same words on several days."""
    kept: dict[Key, Record] = {}
    for one in told:
        kept[one.key] = told_again(kept[one.key], one) if one.key in kept else one
    worded: dict[tuple[object, ...], Record] = {}
    for one in kept.values():
        before = worded.get(one.words)
        worded[one.words] = one if before is None else _on_both_days(before, one)
    return list(worded.values())


def _on_both_days(one: Record, other: Record) -> Record:
    """Of two records with the same words."""
    return replace(
        told_again(one, other),
        announced=min(one.announced, other.announced),
        revised=min(_told((one.revised, other.revised)), default=None),
    )


def _united(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other}))


def _told(values: Iterable[T | None]) -> Iterator[T]:
    return (value for value in values if value is not None)


def best_first(records: Iterable[Record]) -> list[Record]:
    """In the order in which their texts are worth having: first hand before second hand, better
    names before lesser ones, newer versions before older ones."""
    return sorted(records, key=_quality, reverse=True)


def _quality(record: Record) -> tuple[int, int, int, date, str, str]:
    told = record.announced, record.source, record.name
    version = -1 if record.version is None else record.version
    return record.standing, worth(record.name), version, *told


def bounded(records: Sequence[Record]) -> list[Record]:
    """Of too many records of one paper those that are worth having, and the one that tells its
    day. It makes no difference whether all are told at once."""
    if len(records) <= MOST_RECORDS:
        return list(records)
    best = best_first(records)
    first = min(best, key=_when)
    left = best[:MOST_RECORDS]
    return left if first in left else [*left[:-1], first]


def _when(record: Record) -> tuple[bool, bool, date]:
    """The smallest tells when the paper was announced: first versions do, and who is first hand.
    Of a paper that is known as a replacement alone its source can only say that it is no news."""
    is_first_hand = record.standing == len(_SECOND_HAND)
    return record.revised is not None, not is_first_hand, record.announced


def columns(records: Iterable[Record]) -> dict[str, Any]:
    """The columns of the paper that these records make: the best text, its gaps filled from the
    next best; the earliest day that is first hand; the greatest counts; all categories."""
    ranked = best_first(records)
    best = ranked[0]
    name = max((record.name for record in ranked), key=worth)
    named_so = [record for record in ranked if record.name == name]
    return {
        "id": name,
        "title": best.title,
        "abstract": _first(record.abstract for record in ranked) or "",
        "authors": list(_first(record.authors for record in ranked) or ()),
        "categories": list(dict.fromkeys(one for record in ranked for one in record.categories)),
        "comment": _first(record.comment for record in ranked),
        "announced": min(ranked, key=_when).announced,
        "version": max(_told(one.version for one in ranked if one.name == best.name), default=None),
        "url": _first(record.url for record in [*named_so, *ranked]),
        "source": best.source,
        "upvotes": max(_told(record.upvotes for record in ranked), default=None),
        "upvotes_at": _upvotes_at(ranked),
        "discussed": max(_told(record.discussed for record in ranked), default=None),
        "revised": _revised(ranked),
    }


def _first(values: Iterable[T]) -> T | None:
    """The first that is there at all."""
    return next(filter(None, values), None)


def _upvotes_at(records: Iterable[Record]) -> datetime | None:
    days = list(_told(record.upvotes_on for record in records))
    return datetime.combine(min(days), time.min, UTC) if days else None


def _revised(records: Iterable[Record]) -> date | None:
    """When the newest version was first told, if it is one that replaced another."""
    first_told: dict[tuple[str, int], date] = {}
    replaced = set()
    for record in records:
        version = record.name, record.version or 0
        day = record.revised or record.announced
        first_told[version] = min(day, first_told.get(version, day))
        if record.revised:
            replaced.add(version)
    newest = {name: (name, version) for name, version in sorted(first_told)}
    return max((first_told[one] for one in newest.values() if one in replaced), default=None)


def as_json(record: Record) -> dict[str, Any]:
    """The record without its name, ready for JSON; what is empty is left out."""
    said = {name: value for name, value in asdict(record).items() if value not in (None, "", ())}
    del said["name"], said["only_if_known"]
    return said | {name: said[name].isoformat() for name in _DAYS if name in said}


def from_json(name: str, said: Mapping[str, Any]) -> Record:
    """The record that `as_json` was made of."""
    names = {one.name for one in fields(Record)}
    told = {key: value for key, value in said.items() if key in names}
    days = {key: date.fromisoformat(told[key]) for key in _DAYS if key in told}
    lists = {key: tuple(told[key]) for key in _LISTS if key in told}
    return Record(**{**told, **days, **lists, "name": name})
