"""Which reasons a paper has to be in a list: from the numbers that put it there, and from facts."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice

import numpy as np

from recommender.batch import Batch
from recommender.closeness import Compared, compared
from recommender.explain import (
    CLOSE_TO_KEYWORD,
    CLOSE_TO_PAPER,
    MOST_REASONS,
    MOST_TERMS,
    Degree,
    Reason,
    SharedWith,
)
from recommender.matrices import entries
from recommender.paper_terms import DEPTH
from recommender.phrases import normal_category, normal_name, normal_phrase
from recommender.profile import Profiles

_Plain = Callable[[str], str]
_POPULAR = Reason("popular")
_NEW = Reason("new")
_UNLIKE = Reason("unlike")
_LOOKED_AT = DEPTH * MOST_TERMS


def reasons_for(
    profiles: Profiles,
    batch: Batch,
    lists: Sequence[Sequence[int]],
    matched: Sequence[Sequence[bool]],
    popular: Sequence[Sequence[bool]],
) -> Iterator[list[tuple[Reason, ...]]]:
    """The strongest reasons for each paper of each reader's list.

    `matched`: the profile put it above the average of the candidates; `popular`: so did others.
    """
    plain = cache(normal_phrase)
    for reader, found in enumerate(compared(profiles, batch, lists)):
        one = _Explainer(profiles, reader, batch, found, plain)
        yield one.explain(lists[reader], matched[reader], popular[reader])


class _Explainer:
    """Reasons for one reader's papers in one batch."""

    def __init__(
        self, profiles: Profiles, reader: int, batch: Batch, found: Compared, plain: _Plain
    ) -> None:
        self._batch, self._found, self._plain = batch, found, plain
        self._evidence = profiles.evidence
        self._forgotten = profiles.forgotten.get(reader)
        self._weights = entries(profiles.vectors.weights, reader)[1]
        interests = profiles.readers[reader].interests
        self._authors = frozenset(map(normal_name, interests.authors))
        self._categories = frozenset(map(normal_category, interests.categories))
        self._keywords = [
            (Reason("keyword", (word,)), there)
            for word in interests.keywords
            if (there := batch.index.holders(word))
        ]
        self._liked, self._shared = found.liked.tolist(), found.shared.tolist()
        self._first_places = found.places[:, :_LOOKED_AT].tolist()
        self._first_strengths = found.strengths[:, :_LOOKED_AT].tolist()
        by_match = found.cosines * found.weights[:, None]
        self._nearest_items = by_match.argmax(axis=0).tolist() if len(by_match) else []

    def explain(
        self, papers: Sequence[int], matched: Sequence[bool], popular: Sequence[bool]
    ) -> list[tuple[Reason, ...]]:
        """The strongest reasons for each paper; `matched` and `popular` as in `reasons_for`."""
        return [
            self._reasons(rank, paper, matched[rank], popular[rank])
            for rank, paper in enumerate(papers)
        ]

    def _reasons(self, rank: int, paper: int, matched: bool, popular: bool) -> tuple[Reason, ...]:
        keywords = [reason for reason, there in self._keywords if paper in there]
        reasons = self._by_followed(paper) + keywords
        if matched and len(reasons) < MOST_REASONS:
            found = [reason.names[0] for reason in keywords]
            reasons += self._nearest(rank, paper, found)
            reasons += self._terms(rank, paper, found)
        reasons += self._in_categories(paper)
        if popular:
            reasons.append(_POPULAR)
        if matched and not reasons:
            reasons = self._nearest(rank, paper, (), weak=True) or self._unlike()
        return tuple(reasons[:MOST_REASONS]) or (_NEW,)

    def _by_followed(self, paper: int) -> list[Reason]:
        if not self._authors:
            return []
        authors = self._batch.papers[paper].authors
        followed = (name for name in authors if normal_name(name) in self._authors)
        return [Reason("author", (name,)) for name in islice(followed, 1)]

    def _in_categories(self, paper: int) -> list[Reason]:
        if not self._categories:
            return []
        names = self._batch.papers[paper].categories
        shared = (name for name in names if normal_category(name) in self._categories)
        return [Reason("category", (name,)) for name in islice(shared, 1)]

    def _terms(self, rank: int, paper: int, found: Sequence[str]) -> list[Reason]:
        """The terms that added most to the product of the two TF-IDF rows: of liked papers, or
        else of keywords."""
        liked, shared = self._liked[rank], self._shared[rank]
        if liked:
            first, strengths = self._first_places[rank][:liked], self._first_strengths[rank]
            reasons = self._of_terms("likes", paper, first, strengths, found)
            if reasons:
                return reasons
        some = slice(liked, min(shared, liked + _LOOKED_AT))
        places, values = self._found.places[rank, some], self._found.strengths[rank, some]
        return self._of_terms("keywords", paper, places.tolist(), values.tolist(), found)

    def _of_terms(
        self,
        shared_with: SharedWith,
        paper: int,
        places: list[int],
        strengths: list[float],
        found: Sequence[str],
    ) -> list[Reason]:
        terms = self._batch.telling_terms(paper)
        chosen = terms.distinct(places, [self._plain(word) for word in found], MOST_TERMS)
        if not chosen:
            return []
        names = tuple([terms.names[place] for place in chosen])
        strength = sum([strengths[places.index(place)] for place in chosen])
        return [Reason("terms", names, shared_with=shared_with, strength=strength)]

    def _nearest(
        self, rank: int, paper: int, found: Sequence[str], weak: bool = False
    ) -> list[Reason]:
        """The liked paper, or the keyword not found in the text, that adds most to the match."""
        for place in self._by_match(rank):
            item, cosine = int(self._found.items[place]), float(self._found.cosines[place, rank])
            keyword = self._evidence.keyword(item)
            close = cosine >= (CLOSE_TO_PAPER if keyword is None else CLOSE_TO_KEYWORD)
            if cosine <= 0 or not (close or weak):
                return []
            degree: Degree = "close" if close else "nearest"
            if keyword is None:
                liked = self._evidence.library.papers[item]
                if self._forgotten and self._forgotten.is_in(liked.title):
                    continue
                if liked.id != self._batch.papers[paper].id:
                    names = (liked.title,)
                    return [Reason("liked", names, degree, paper_id=liked.id, strength=cosine)]
            elif keyword not in found:
                return [Reason("keyword", (keyword,), degree, strength=cosine)]
        return []

    def _by_match(self, rank: int) -> Iterator[int]:
        """Places among the evidence, first of what adds most to the match. Mostly that one alone
        is asked for."""
        if self._nearest_items:
            yield self._nearest_items[rank]
            match = self._found.cosines[:, rank] * self._found.weights
            yield from np.argsort(-match, kind="stable")[1:].tolist()

    def _unlike(self) -> list[Reason]:
        return [_UNLIKE] if (self._weights < 0).any() else []
