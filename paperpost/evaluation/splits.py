"""Who learns from what, and who is asked about what: the protocols' ways to part a library.

A split's `training` is all that models may be fitted on, and `histories` is all they may know of
the readers they rank for; `held_out` is for the metrics alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from paperpost.evaluation.datasets import Library
from recommender.matrices import Booleans, SparseRows, entries, from_entries, transposed

FEW_VOTES = (1, 2, 3, 5, 10, 20)
_FEW_VOTES_SEED = 5
_FEWEST_OLD_LIKES = 20
_FEWEST_NEW_LIKES = 2

Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Papers:
    """Papers by the data's numbers, ascending, and their `counts` (papers x terms)."""

    numbers: Numbers
    counts: SparseRows

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Training:
    """What models are fitted on: papers, the `terms` of their counts, likes (readers x papers)."""

    papers: Papers
    terms: tuple[str, ...]
    likes: SparseRows


@dataclass(frozen=True, slots=True)
class Split:
    """One task: rank `candidates` for readers of whom only `histories` are known.

    `histories` (readers x training papers), `held_out` (readers x candidates); `readers` are rows
    of the data's likes. What stands in a reader's own history is no candidate for that reader.
    """

    training: Training
    candidates: Papers
    readers: Numbers
    histories: SparseRows
    held_out: SparseRows

    def allowed(self, rows: Numbers) -> Booleans | None:
        """What some of the readers may be shown (rows x candidates); None for everything."""
        _, known, shown = np.intersect1d(
            self.training.papers.numbers, self.candidates.numbers, return_indices=True
        )
        if not known.size:
            return None
        candidate_of = np.full(len(self.training.papers), -1)
        candidate_of[known] = shown
        allowed = np.ones((len(rows), len(self.candidates)), dtype=np.bool_)
        for place, row in enumerate(rows):
            seen = candidate_of[entries(self.histories, int(row))[0]]
            allowed[place, seen[seen >= 0]] = False
        return allowed


def new_papers(library: Library, seed: int) -> Split:
    """A fifth of the papers, chosen at random, is new: nobody's likes of them are known.

    Readers with a like among the old and one among the new are ranked for.
    """
    papers = library.counts.shape[0]
    chosen = np.random.default_rng(seed).choice(papers, papers // 5, replace=False)
    new = np.sort(chosen)
    old = np.setdiff1d(np.arange(papers), new)
    by_paper = transposed(library.likes)
    known, hidden = transposed(by_paper[old]), transposed(by_paper[new])
    readers = np.flatnonzero((_sizes(known) > 0) & (_sizes(hidden) > 0))
    training = Training(Papers(old, library.counts[old]), library.terms, known)
    candidates = Papers(new, library.counts[new])
    return Split(training, candidates, readers, known[readers], hidden[readers])


def without_their_likes(split: Split) -> Split:
    """Readers with at least 20 old and 2 new likes, in whose likes nobody is trained.

    Their histories still hold all old likes: `few_votes` draws from them.
    """
    enough = _sizes(split.histories) >= _FEWEST_OLD_LIKES
    asked = np.flatnonzero(enough & (_sizes(split.held_out) >= _FEWEST_NEW_LIKES))
    return replace(
        split,
        training=training_without(split, asked),
        readers=split.readers[asked],
        histories=split.histories[asked],
        held_out=split.held_out[asked],
    )


def training_without(split: Split, rows: Numbers) -> Training:
    """The training without the likes of some of the split's readers."""
    others = np.setdiff1d(np.arange(split.training.likes.shape[0]), split.readers[rows])
    return replace(split.training, likes=split.training.likes[others])


def few_votes(split: Split) -> Iterator[tuple[int, Split]]:
    """The split with histories of 1, 2, 3, 5, 10 and 20 likes, drawn anew for each size."""
    rng = np.random.default_rng(_FEW_VOTES_SEED)
    for size in FEW_VOTES:
        yield size, replace(split, histories=drawn(split.histories, size, rng))


def drawn(histories: SparseRows, size: int, rng: np.random.Generator) -> SparseRows:
    """`size` likes of each reader by lot. Raises ValueError for a reader with fewer."""
    rows = (entries(histories, row)[0] for row in range(histories.shape[0]))
    chosen = [dict.fromkeys(rng.choice(likes, size, replace=False), 1.0) for likes in rows]
    return from_entries(chosen, histories.shape[1])


def published(library: Library, training: SparseRows, test: SparseRows) -> Split:
    """All papers are candidates, but for those in a reader's own training likes.

    Readers with a test like are ranked for (Ferrari Dacrema et al., ACM TOIS 2021).
    """
    readers = np.flatnonzero(_sizes(test) > 0)
    papers = Papers(np.arange(library.counts.shape[0]), library.counts)
    seen = Training(papers, library.terms, training)
    return Split(seen, papers, readers, training[readers], test[readers])


def hidden_likes(library: Library, hidden: int, seed: int) -> Split:
    """The published split's task on its training likes alone: `hidden` of each reader's are test.

    `library` holds those likes only; readers with fewer than twice as many keep all of theirs.
    """
    rng = np.random.default_rng(seed)
    likes = [entries(library.likes, row)[0] for row in range(library.likes.shape[0])]
    test = [
        rng.choice(own, hidden if len(own) >= 2 * hidden else 0, replace=False) for own in likes
    ]
    rest = [np.setdiff1d(own, found) for own, found in zip(likes, test, strict=True)]
    papers = library.counts.shape[0]
    kept, found = (
        from_entries([dict.fromkeys(row, 1.0) for row in rows], papers) for rows in (rest, test)
    )
    return published(library, kept, found)


def _sizes(rows: SparseRows) -> npt.NDArray[np.integer]:
    return np.diff(rows.indptr)
