"""Which terms tell a reader what a paper is about."""

from collections.abc import Iterable, Sequence

import numpy as np

from recommender.batch import Batch
from recommender.matrices import entries
from recommender.paper_terms import DEPTH, is_telling, plain
from recommender.phrases import normal_phrase
from recommender.text import Vocabulary

# The smoothed idf of a term that one in a thousand papers has.
_RAREST = 1 + np.log(1000)
# How much more of an interest a term is in a title, and one of two words; judged by eye.
_IN_TITLE, _AS_PHRASE = 2.0, 2.0


def telling_words(
    batch: Batch, paper: int, most: int, vocabulary: Vocabulary, known: Iterable[str] = ()
) -> tuple[str, ...]:
    """The paper's strongest terms that make an interest, as it spells them: rather phrases than
    words, rather of its title, and none that fewer than one in a thousand papers have, which
    would hardly ever bring one. What stands in a known phrase is left out."""
    columns, weights = entries(batch.tfidf, paper)
    frequent = vocabulary.idf[columns] <= _RAREST
    columns = columns[frequent]
    title = normal_phrase(batch.papers[paper].title)
    worths = [_worth(_plain(batch, column), title) for column in columns.tolist()]
    weights = weights[frequent] * np.array(worths)
    strongest = columns[np.argsort(-weights, kind="stable")].tolist()
    chosen = distinct(batch, telling(batch, paper, strongest), known, most)
    return batch.as_written(paper, chosen)


def _worth(term: str, title: str) -> float:
    return (_IN_TITLE if f" {term} " in title else 1) * (_AS_PHRASE if " " in term else 1)


def telling(batch: Batch, paper: int, columns: Sequence[int]) -> list[int]:
    """Those that tell what the paper is about."""
    title = normal_phrase(batch.papers[paper].title)
    return [column for column in columns if is_telling(_plain(batch, column), title)]


def distinct(batch: Batch, columns: Sequence[int], known: Iterable[str], most: int) -> list[int]:
    """The first columns whose terms do not stand in one another or in a known phrase."""
    phrases = [normal_phrase(phrase) for phrase in known]
    chosen: list[tuple[str, int]] = []
    for column in columns[: DEPTH * most]:
        phrase = f" {_plain(batch, column)} "
        if any(phrase in longer for longer in [*phrases, *(text for text, _ in chosen)]):
            continue
        within = [place for place, (text, _) in enumerate(chosen) if text in phrase]
        place = within[0] if within else len(chosen)
        chosen = [one for at, one in enumerate(chosen) if at not in within]
        chosen.insert(place, (phrase, column))
    return [column for _, column in chosen[:most]]


def _plain(batch: Batch, column: int) -> str:
    return plain(batch.terms[column])
