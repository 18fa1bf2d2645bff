"""Why a paper is in a list, from the numbers that put it there and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommender.batch import Batch
from recommender.matrices import Floats, dense_product, entries, transposed
from recommender.phrases import normal_category, normal_name
from recommender.profile import Profiles
from recommender.telling import distinct, telling

Kind = Literal[
    "author",
    "keyword",
    "liked",
    "terms",
    "category",
    "popular",
    "unlike",
    "new",
    "explored",
    "interest",
]
Degree = Literal["found", "close", "nearest"]

MOST_REASONS = 3
MOST_TERMS = 3
# The mean of the cosines in words and in factors from which a paper is called close to another,
# and to a keyword, which has few words to share; judged by eye on pairs of arXiv papers.
CLOSE_TO_PAPER = 0.25
CLOSE_TO_KEYWORD = 0.2
_LONGEST_TITLE = 80


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact: `names` are terms, a keyword, an author, a category, a title, for a popular paper
    what was counted, in words, for an explored one its rank, or the name of an interest.

    `degree` tells a keyword that stands in the paper from one it is close to, and what is really
    close from what is merely nearest; `shared_with` tells terms of liked papers from terms of
    keywords; `paper_id` is the liked paper's; `strength` is the cosine or the sum of products
    behind the fact.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    degree: Degree = "found"
    shared_with: Literal["likes", "keywords"] = "likes"
    paper_id: str | None = None
    strength: float = 0.0


def sentence(reason: Reason) -> str:
    """The reason in words for a mail; papers are named by title, never by id."""
    names = [" ".join(name.split()) for name in reason.names]
    match reason.kind:
        case "author":
            return f"by {names[0]}, whom you follow"
        case "keyword":
            return _keyword_sentence(names[0], reason.degree)
        case "liked":
            return _liked_sentence(_shortened(names[0]), reason.degree)
        case "terms":
            with_what = "what you like" if reason.shared_with == "likes" else "your keywords"
            quoted = ", ".join(f"“{name}”" for name in names)
            return f"shares {quoted} with {with_what}"
        case "category":
            return f"in {names[0]}, which you follow"
        case "popular":
            return " and ".join(names) or "popular with other readers"
        case "unlike":
            return "unlike what you voted down"
        case "new":
            return "new, and not matched to any interest of yours"
        case "interest":
            return f"for your interest “{names[0]}”"
        case "explored":
            return f"number {names[0]} in your ranking, here to learn from your vote"


def _keyword_sentence(keyword: str, degree: Degree) -> str:
    match degree:
        case "found":
            return f"matches “{keyword}”"
        case "close":
            return f"close to your keyword “{keyword}”"
        case "nearest":
            return f"of your interests, nearest to “{keyword}”"


def _liked_sentence(title: str, degree: Degree) -> str:
    if degree == "nearest":
        return f"of what you liked, nearest to “{title}”"
    return f"close to “{title}”, which you liked"


def _shortened(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    return title[:_LONGEST_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


class Explainer:
    """Reasons for one reader's papers in one batch."""

    def __init__(self, profiles: Profiles, reader: int, batch: Batch) -> None:
        self._batch = batch
        self._evidence = profiles.evidence
        self._interests = profiles.readers[reader].interests
        self._followed = {normal_name(name) for name in self._interests.authors}
        items, weights = entries(profiles.vectors.weights, reader)
        self._positive = items[weights > 0]
        self._positive_weights = weights[weights > 0]
        self._has_dislikes = bool((weights < 0).any())
        self._forgotten = profiles.forgotten.get(reader)
        self._profile = np.zeros(profiles.vectors.tfidf.shape[1], dtype=np.float32)
        columns, values = entries(profiles.vectors.tfidf, reader)
        self._profile[columns] = values
        self._is_liked_term = np.zeros(len(self._profile), dtype=np.bool_)
        for item in self._positive[self._positive < len(self._evidence.library)]:
            self._is_liked_term[entries(self._evidence.tfidf, int(item))[0]] = True
        if self._forgotten:
            self._is_liked_term &= ~self._forgotten.columns

    def explain(
        self, papers: Sequence[int], matched: Sequence[bool], popular: Sequence[bool]
    ) -> list[tuple[Reason, ...]]:
        """The strongest reasons for each paper.

        `matched`: the profile put it above the average of the candidates; `popular`: so did others.
        """
        cosines = self._cosines(papers)
        return [
            self._reasons(*one) for one in zip(papers, cosines.T, matched, popular, strict=True)
        ]

    def _reasons(
        self, paper: int, cosines: Floats, matched: bool, popular: bool
    ) -> tuple[Reason, ...]:
        keywords = self._keywords(paper)
        reasons = self._authors(paper) + keywords
        if matched:
            found = [reason.names[0] for reason in keywords]
            reasons += self._nearest(paper, cosines, found) + self._terms(paper, found)
        reasons += self._categories(paper)
        if popular:
            reasons.append(Reason("popular"))
        if matched and not reasons:
            reasons = self._nearest(paper, cosines, (), weak=True) or self._unlike()
        return tuple(reasons[:MOST_REASONS]) or (Reason("new"),)

    def _authors(self, paper: int) -> list[Reason]:
        if not self._followed:
            return []
        authors = self._batch.papers[paper].authors
        followed = [name for name in authors if normal_name(name) in self._followed]
        return [Reason("author", (name,)) for name in followed[:1]]

    def _keywords(self, paper: int) -> list[Reason]:
        index = self._batch.index
        keywords = self._interests.keywords
        return [Reason("keyword", (word,)) for word in keywords if paper in index.with_phrase(word)]

    def _categories(self, paper: int) -> list[Reason]:
        followed = {normal_category(category) for category in self._interests.categories}
        names = self._batch.papers[paper].categories
        shared = [name for name in names if normal_category(name) in followed]
        return [Reason("category", (name,)) for name in shared[:1]]

    def _terms(self, paper: int, found: Sequence[str]) -> list[Reason]:
        """The terms that added most to the product of the two TF-IDF rows."""
        columns, values = entries(self._batch.tfidf, paper)
        products = self._profile[columns] * values
        order = np.argsort(-products, kind="stable")
        order = order[products[order] > 0]
        strengths = dict(zip(columns[order].tolist(), products[order].tolist(), strict=True))
        for shared_with in ("likes", "keywords"):
            wanted = self._is_liked_term[columns[order]] == (shared_with == "likes")
            strongest = telling(self._batch, paper, columns[order][wanted].tolist())
            chosen = distinct(self._batch, strongest, found, MOST_TERMS)
            if chosen:
                names = tuple(self._batch.as_written(paper, column) for column in chosen)
                strength = sum(strengths[column] for column in chosen)
                return [Reason("terms", names, shared_with=shared_with, strength=strength)]
        return []

    def _cosines(self, papers: Sequence[int]) -> Floats:
        """Items of positive evidence x papers: the mean of the cosines in words and factors."""
        rows = list(papers)
        words, factors = self._evidence.of(self._positive, self._forgotten)
        tfidf = dense_product(words, transposed(self._batch.tfidf[rows]))
        return ((tfidf + factors @ self._batch.factors[rows].T) / 2).astype(np.float32)

    def _nearest(
        self, paper: int, cosines: Floats, found: Sequence[str], weak: bool = False
    ) -> list[Reason]:
        """The liked paper, or the keyword not found in the text, that adds most to the match."""
        for place in np.argsort(-cosines * self._positive_weights, kind="stable"):
            item, cosine = int(self._positive[place]), float(cosines[place])
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

    def _unlike(self) -> list[Reason]:
        return [Reason("unlike")] if self._has_dislikes else []
