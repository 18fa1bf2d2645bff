"""The engine that hands blocks to workers of a Dask cluster, on this machine or on others."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event

from paperpost.engine.cluster import Cluster
from paperpost.engine.dask_worker import Introduction
from paperpost.engine.embedded import EMBEDDED
from paperpost.engine.engine import Block, Job
from paperpost.engine.handing_out import Patience, Run
from paperpost.engine.identity import identity_of
from paperpost.service.installation import Installation
from paperpost.service.one_model import one_model


@dataclass(frozen=True, slots=True)
class DaskEngine:
    """`address` is the scheduler's, as Dask writes it: tcp://HOST:PORT or tls://HOST:PORT."""

    address: str
    patience: Patience = field(default_factory=Patience)

    def each(
        self, installation: Installation, job: Job, blocks: Iterable[Block], stop: Event
    ) -> Iterator[Counter[str]]:
        """As `Engine.each`; raises EngineError when there is nobody to hand blocks to."""
        remaining = iter(blocks)
        first = next(remaining, None)
        if first is None:  # as most ticks find
            return
        with one_model(installation) as snapshot_id:
            everything = itertools.chain([first], remaining)
            if snapshot_id is None:  # without papers there is nothing to rank
                yield from EMBEDDED.each(installation, job, everything, stop)
            else:
                yield from self._run(installation, job, snapshot_id, everything, stop)

    def _run(
        self,
        installation: Installation,
        job: Job,
        snapshot_id: int,
        blocks: Iterable[Block],
        stop: Event,
    ) -> Iterator[Counter[str]]:
        cluster = Cluster(self.address, self.patience.scheduler)
        try:
            for line in cluster.differing:
                installation.say(line)
            introduction = Introduction(identity_of(installation), snapshot_id)
            run = Run(cluster, introduction, installation, job, self.patience)
            yield from run.each(blocks, stop)
        finally:
            cluster.close()
