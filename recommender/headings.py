"""What the headings of a model's papers hold, their titles and authors, as an index that the
snapshot keeps: which of them may be one work with others (duplicates.py) is found by it, and only
those few are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.matrices import Booleans, Integers, SparseRows, from_parts

# The key of papers whose authors are not known.
NOBODY = "  "

Keys: TypeAlias = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Headings:
    """The numbers of all keys of `papers` papers, in ascending order, and beside each of them the
    place of a paper that has it."""

    keys: Keys
    holders: Integers
    papers: int

    @classmethod
    def of(cls, keys: Sequence[frozenset[str]]) -> "Headings":
        """Of papers with these keys, in their order."""
        numbers = {key: _number(key) for key in frozenset[str]().union(*keys)}
        found = [numbers[key] for own in keys for key in own]
        holders = np.repeat(np.arange(len(keys), dtype=np.int32), list(map(len, keys)))
        return cls(np.array(found, dtype=np.uint64), holders, len(keys)).in_order()

    def in_order(self) -> "Headings":
        """The same with the keys in ascending order."""
        order = np.argsort(self.keys, kind="stable")
        return Headings(self.keys[order], self.holders[order], self.papers)

    def with_more(self, others: "Headings") -> "Headings":
        """These papers and after them the others."""
        return Headings(
            np.concatenate([self.keys, others.keys]),
            np.concatenate([self.holders, others.holders + np.int32(self.papers)]),
            self.papers + others.papers,
        ).in_order()

    def is_for(self, papers: int) -> bool:
        """Whether it is an index of so many papers."""
        return (
            self.papers == papers
            and self.keys.shape == self.holders.shape
            and bool(np.all(self.keys[1:] >= self.keys[:-1]))
            and bool(np.all((self.holders >= 0) & (self.holders < papers)))
        )

    def is_held(self, key: str) -> Booleans:
        """Whether each paper has that key."""
        found = np.zeros(self.papers, dtype=np.bool_)
        found[self.holders_of([key]).indices] = True
        return found

    def holders_of(self, keys: Sequence[str]) -> SparseRows:
        """Keys x papers: 1 where a paper has that key. Should two keys ever have one number, some
        papers seem to have one that they do not have."""
        numbers = np.array(list(map(_number, keys)), dtype=np.uint64)
        starts = np.searchsorted(self.keys, numbers, "left")
        ends = np.searchsorted(self.keys, numbers, "right")
        found = [self.holders[start:end] for start, end in zip(starts, ends, strict=True)]
        holders = np.concatenate([np.zeros(0, dtype=np.int32), *found])
        rows = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int32)
        return from_parts(np.ones(len(holders), dtype=np.float32), holders, rows, self.papers)


def _number(key: str) -> int:
    """The same in every process, as hash() of a text is not."""
    return int.from_bytes(
        blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )
