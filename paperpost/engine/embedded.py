"""The engine that works in this process, one block after the other."""

from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Event

from paperpost.engine.engine import Block, Job
from paperpost.engine.settling import settle, uncollected, unsettle
from paperpost.service.installation import Installation


class Embedded:
    """Needs nothing else; as fast as one process is."""

    def each(
        self, installation: Installation, job: Job, blocks: Iterable[Block], stop: Event
    ) -> Iterator[Counter[str]]:
        """As `Engine.each`, in the blocks' order."""
        try:
            for place, block in enumerate(blocks):
                if stop.is_set():
                    return
                if place == 1:  # by now all is loaded that the others need
                    settle()
                with uncollected():
                    counts = job(installation, block)
                yield counts
        finally:
            unsettle()


EMBEDDED = Embedded()
