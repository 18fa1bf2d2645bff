"""What an engine is: it does one job for one block of subscribers after the other."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event
from typing import Protocol, TypeAlias

from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation

Block: TypeAlias = Sequence[int]
# What is done for a block of subscribers, given by number; how often each outcome was. Jobs are
# values of jobs.py: they travel to other machines.
Job: TypeAlias = Callable[[Installation, Block], Counter[str]]


class EngineError(PaperpostError):
    """The engine that was asked for cannot work."""


class Engine(Protocol):
    """Goes through blocks; which engine it is changes nothing of what is done for each of them."""

    def each(
        self, installation: Installation, job: Job, blocks: Iterable[Block], stop: Event
    ) -> Iterator[Counter[str]]:
        """Do the job for all blocks, in any order; what came of each. No block is begun once
        `stop` is set."""
        ...
