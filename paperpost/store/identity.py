"""Which records are of one paper.

The answer is a function of the set of records: where a later one makes another partition right,
papers are merged or parted. Two arXiv ids are never one paper, whatever they share.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from paperpost.store.author_names import author_key
from paperpost.store.records import Record, is_arxiv, worth


def works(records: Iterable[Record]) -> list[list[Record]]:
    """The records of each paper.

    First by identifiers: the records of one arXiv id; the others by what they share, however many
    are between, and each such group with the smallest arXiv id that shares an identifier with it.
    Then by titles: a group without an arXiv id joins the best one that has a title and an author
    in common with it. Where one has no authors the title is enough.
    """
    clusters = _by_identifiers(records)
    joins = _by_titles(clusters)
    found: dict[_Cluster, list[Record]] = defaultdict(list)
    for cluster in clusters:
        root = cluster
        while root in joins:
            root = joins[root]
        found[root] += cluster.records
    return list(found.values())


@dataclass(eq=False)
class _Cluster:
    """Records that are one paper by their identifiers."""

    records: list[Record]

    @cached_property
    def title_keys(self) -> set[str]:
        return {key for record in self.records for key in record.title_keys}

    @cached_property
    def authors(self) -> set[str]:
        names = {author for record in self.records for author in record.authors}
        return {key for key in map(author_key, names) if key}

    @cached_property
    def name(self) -> str:
        return min((record.name for record in self.records), key=lambda name: (-worth(name), name))

    @cached_property
    def is_vague(self) -> bool:
        """Whether nothing but its title can tell which paper it is."""
        return not self.authors

    @cached_property
    def rank(self) -> tuple[bool, bool, int, str]:
        """The smaller, the better it is to join; no two have the same."""
        return not is_arxiv(self.name), self.is_vague, -worth(self.name), self.name


def _by_identifiers(records: Iterable[Record]) -> list[_Cluster]:
    of_arxiv: dict[str, list[Record]] = defaultdict(list)
    others: list[Record] = []
    for record in records:
        (of_arxiv[record.name] if is_arxiv(record.name) else others).append(record)
    smallest: dict[str, str] = {}
    for own in sorted(of_arxiv):
        for record in of_arxiv[own]:
            for name in record.names:
                smallest.setdefault(name, own)
    clusters = []
    for group in _connected(others):
        shared = {smallest[name] for one in group for name in one.names if name in smallest}
        if shared:
            of_arxiv[min(shared)] += group
        else:
            clusters.append(_Cluster(group))
    return [*map(_Cluster, of_arxiv.values()), *clusters]


def _connected(records: Sequence[Record]) -> list[list[Record]]:
    """Records that share identifiers, directly or over others."""
    groups: dict[int, list[Record]] = {}
    group_of: dict[str, int] = {}
    for number, record in enumerate(records):
        shared = {group_of[name] for name in record.names if name in group_of}
        # The largest stays, so that a long chain is not walked again at each of its links.
        into = max(shared, key=lambda group: len(groups[group]), default=number)
        moved = [record, *(one for group in shared - {into} for one in groups.pop(group))]
        groups.setdefault(into, []).extend(moved)
        group_of.update((name, into) for one in moved for name in one.names)
    return list(groups.values())


def _by_titles(clusters: Iterable[_Cluster]) -> dict[_Cluster, _Cluster]:
    """The better cluster, if any, that each one without an arXiv id joins by title."""
    titled: dict[str, list[_Cluster]] = defaultdict(list)
    for cluster in clusters:
        for key in cluster.title_keys:
            titled[key].append(cluster)
    joins: dict[_Cluster, _Cluster] = {}
    for namesakes in titled.values():
        if len(namesakes) > 1:
            for one, better in _better(sorted(namesakes, key=lambda one: one.rank)):
                joins[one] = min(better, joins.get(one, better), key=lambda one: one.rank)
    return joins


def _better(ranked: Sequence[_Cluster]) -> Iterable[tuple[_Cluster, _Cluster]]:
    """Each of some clusters of one title that joins another, with the best that it matches."""
    best, first_vague = ranked[0], next((one for one in ranked if one.is_vague), None)
    first_of: dict[str, _Cluster] = {}
    for one in ranked:
        matching = [first_of[author] for author in one.authors if author in first_of]
        if first_vague is not None and first_vague.rank < one.rank:
            matching.append(first_vague)
        if one.is_vague and one is not best:
            matching.append(best)
        if matching and not is_arxiv(one.name):
            yield one, min(matching, key=lambda other: other.rank)
        for author in one.authors:
            first_of.setdefault(author, one)
