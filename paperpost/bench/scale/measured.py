"""What is to be measured, and what was."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from paperpost.bench.scale.machine import Machine, this_machine
from paperpost.bench.scale.steps import Done
from paperpost.bench.scale.watching import Usage


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. One worker is compared with several in all that is done for
    `most_compared` subscribers or fewer, and for more in their ranking alone."""

    subscribers: Sequence[int] = (10_000, 100_000, 1_000_000)
    papers: int = 200_000
    day: int = 1_500
    messages: int = 50_000
    workers: int = 2
    most_compared: int = 100_000


QUICK = Plan(subscribers=(500, 1_000, 2_000), papers=6_000, day=300, messages=500)
ONE_PROCESS, ONE_WORKER = "one process", "one worker"


def workers_told(number: int) -> str:
    """Who did a step."""
    return ONE_WORKER if number == 1 else f"{number} workers"


@dataclass(frozen=True, slots=True)
class Measured:
    """A step of one size: how much there was to do and what it took. `name` is the step's; `by` who
    did it, where several are compared."""

    name: str
    by: str
    subscribers: int
    done: Done
    usage: Usage


@dataclass(frozen=True, slots=True)
class Measurements:
    """What of this plan is measured by now, and what failed, a line each."""

    plan: Plan
    steps: Sequence[Measured] = ()
    peer: Done | None = None
    failures: Sequence[str] = ()
    machine: Machine = field(default_factory=this_machine)

    def of(self, name: str) -> list[Measured]:
        """A step at all sizes, the smallest first; by all workers where some are compared."""
        others = {ONE_PROCESS, ONE_WORKER} - {workers_told(self.plan.workers)}
        some = (one for one in self.steps if one.name == name and one.by not in others)
        return sorted(some, key=_size)

    def largest(self, name: str) -> Measured | None:
        """The same at the largest size alone; None where it was not measured at any."""
        some = self.of(name)
        return some[-1] if some else None

    @property
    def by_size(self) -> list[Measured]:
        """All steps in their order, the smallest size first."""
        return sorted(self.steps, key=_size)

    @property
    def compared(self) -> list[tuple[Measured, Measured]]:
        """Each step that one worker did and all of them, the smallest size first."""
        if self.plan.workers == 1:
            return []
        alone = [one for one in self.by_size if one.by == ONE_WORKER]
        return [
            (one, many)
            for one in alone
            for many in self.of(one.name)
            if many.subscribers == one.subscribers
        ]


def _size(one: Measured) -> int:
    return one.subscribers
