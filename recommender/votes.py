"""Votes as columns of numbers: what fifteen million of them fit into memory as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.matrices import Booleans, Floats, Integers, SparseRows, from_parts, sparse_rows


@dataclass(frozen=True, slots=True)
class Votes:
    """Who voted, on which paper, both by numbers, and how: +1 or -1. By reader, then by paper; of
    a reader on a paper there is one."""

    readers: Integers
    papers: Integers
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def holding(cls, readers: Integers, papers: Integers, values: Floats) -> Votes:
        """What holds of acts of voting, which come in the order in which they were cast: the last
        of each reader on each paper, unless it withdrew (0). Numbers are not negative."""
        keys = (readers.astype(np.int64) << 32) | papers
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.ones(len(keys), dtype=np.bool_)
        last[:-1] = keys[1:] != keys[:-1]
        chosen = order[last]
        return cls(readers[chosen], papers[chosen], values[chosen]).only(values[chosen] != 0)

    @property
    def voters(self) -> tuple[Integers, Integers]:
        """Everybody who voted, ascending, and how many votes they cast."""
        readers, numbers = np.unique(self.readers, return_counts=True)
        return readers, numbers.astype(np.int32)

    def of(self, readers: Integers) -> Votes:
        """The votes of some readers."""
        return self.only(np.isin(self.readers, readers))

    def only(self, which: Booleans) -> Votes:
        """Some of the votes."""
        return Votes(self.readers[which], self.papers[which], self.values[which])

    def on(self, papers: Integers) -> Votes:
        """The votes on some papers, whose place among them then stands for their number."""
        order = np.argsort(papers, kind="stable")
        found = np.searchsorted(papers[order], self.papers)
        known = found < len(papers)
        known[known] = papers[order[found[known]]] == self.papers[known]
        places = order[found[known]].astype(np.int32)
        return Votes(self.readers[known], places, self.values[known])

    def matrix(self, papers: int) -> SparseRows:
        """A row for each reader who voted (readers x `papers`), where papers are by their place."""
        _, numbers = self.voters
        ends = np.cumsum(np.concatenate([[0], numbers])).astype(np.int32)
        return sparse_rows(from_parts(self.values, self.papers, ends, papers))
