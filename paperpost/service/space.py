"""The papers in the model's space, for pages: also those that the snapshot does not know, folded in
from their words beside the requests, so that no page waits for a thousand of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Thread
from typing import TYPE_CHECKING

from paperpost.service.installation import Installation
from paperpost.service.train import LOOK_EVERY, model_at_hand, text_of
from paperpost.store import papers
from paperpost.store.database import StoreError
from paperpost.store.papers import number_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.model import Model
    from recommender.places import Places

# So many papers that the model does not know are folded in, those of the newest days; 1.5 kB each.
MOST_FOLDED = 50_000
# A page may wait for so many, which takes hundredths of a second.
AT_ONCE = 32
_CHUNK = 500


@dataclass(frozen=True)
class Space:
    """Papers by their places in the space: `numbers` (-1 where one is no longer stored) and `days`
    (as ordinals). `waiting` are the day and number of those that are not folded in yet, the newest
    first; `newest` is the highest number that was seen."""

    places: Places
    numbers: NDArray[np.int32]
    days: NDArray[np.int32]
    waiting: tuple[tuple[int, int], ...]
    newest: int

    @property
    def model(self) -> Model:
        """Whose space it is."""
        return self.places.model

    def within(
        self, since: date, until: date, numbers: Collection[int] | None = None
    ) -> NDArray[np.bool_]:
        """Which papers are stored, of these days, and among the numbers, if any are given."""
        import numpy as np

        first, last = since.toordinal(), until.toordinal()
        fits: NDArray[np.bool_] = (self.numbers >= 0) & (self.days >= first) & (self.days <= last)
        if numbers is not None:
            fits &= np.isin(self.numbers, np.fromiter(numbers, np.int32, len(numbers)))
        return fits


def space_at_hand(installation: Installation) -> Space | None:
    """The space as far as it is known, without waiting for more; None without a model.

    Whether there are newer papers is looked up every LOOK_EVERY.
    """
    model = model_at_hand(installation)
    slot = installation.slot
    if model is not None and slot.one_folds.acquire(blocking=False):
        try:
            if slot.folding is None or not slot.folding.is_alive():
                _look(installation, model)
        finally:
            slot.one_folds.release()
    return slot.space


def _look(installation: Installation, model: Model) -> None:
    slot, now = installation.slot, installation.clock()
    space, looked_at = slot.space, slot.space_looked_at
    is_old = looked_at is None or abs(now - looked_at) >= LOOK_EVERY
    if space is not None and space.model is model and not is_old:
        return
    slot.space_looked_at = now
    if space is not None and space.model is not model:
        _beside(installation, lambda: _fold_all(installation, _read(installation, model)))
        return
    slot.space = space = (
        _read(installation, model) if space is None else _with_newer(installation, space)
    )
    if len(space.waiting) <= AT_ONCE:
        slot.space = _folded(installation, space, AT_ONCE)
    else:
        _beside(installation, lambda: _fold_all(installation, space))


def _beside(installation: Installation, work: Callable[[], None]) -> None:
    """Do this beside the requests."""

    def run() -> None:
        try:
            work()
        except StoreError as error:
            installation.say(f"{error}: newer papers are not found by their meaning yet")

    installation.slot.folding = Thread(target=run, name="folding", daemon=True)
    installation.slot.folding.start()


def _read(installation: Installation, model: Model) -> Space:
    """The papers that the model knows; the others wait."""
    from recommender.places import Places

    with installation.database.reading() as session:
        stored = {name: (number, day) for number, name, day in papers.days(session)}
    newest = max((number for number, _ in stored.values()), default=0)
    known = [stored.pop(paper_id, (-1, date.min)) for paper_id in model.paper_ids]
    waiting = _newest_first((day.toordinal(), number) for number, day in stored.values())
    return Space(Places(model), *_columns(known), waiting, newest)


def _with_newer(installation: Installation, space: Space) -> Space:
    with installation.database.reading() as session:
        newer = papers.days(session, after=space.newest)
    if not newer:
        return space
    first = [(day.toordinal(), number) for number, _, day in newer]
    waiting = _newest_first([*first, *space.waiting])
    return _with_room(replace(space, waiting=waiting, newest=max(number for _, number in first)))


def _newest_first(found: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(found, reverse=True)[:MOST_FOLDED])


def _with_room(space: Space) -> Space:
    """With the newest of what is folded in and of what waits: the oldest make room."""
    import numpy as np

    known = len(space.model.paper_ids)
    waiting = np.array([day for day, _ in space.waiting], dtype=np.int32)
    days = np.concatenate([space.days[known:], waiting])
    if len(days) <= MOST_FOLDED:
        return space
    newest = np.sort(np.argsort(-days, kind="stable")[:MOST_FOLDED])
    folded = newest[newest < len(days) - len(waiting)]
    stay = np.concatenate([np.arange(known), known + folded])
    return Space(
        space.places.keeping(folded.tolist()),
        space.numbers[stay],
        space.days[stay],
        space.waiting[: len(newest) - len(folded)],
        space.newest,
    )


def _columns(found: Sequence[tuple[int, date]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    import numpy as np

    numbers = np.array([number for number, _ in found], dtype=np.int32)
    return numbers, np.array([day.toordinal() for _, day in found], dtype=np.int32)


def _fold_all(installation: Installation, space: Space) -> None:
    """Fold in what waits, and what comes meanwhile before it.

    Pages go on with an older model's space until all is folded in, but no longer than LOOK_EVERY:
    a new paper comes before old ones that the training left out."""
    slot, began_at = installation.slot, installation.clock()
    looked_at, is_shown = began_at, slot.space is None or slot.space.model is space.model
    while not slot.closing.is_set() and slot.model is space.model:
        now = installation.clock()
        if abs(now - looked_at) >= LOOK_EVERY:
            space, looked_at = _with_newer(installation, space), now
        is_shown = is_shown or not space.waiting or abs(now - began_at) >= LOOK_EVERY
        if is_shown:
            slot.space = space
        if not space.waiting:
            return
        space = _folded(installation, space, _CHUNK)


def _folded(installation: Installation, space: Space, most: int) -> Space:
    """The space with the first papers in it that wait, but for those that were given up."""
    import numpy as np

    numbers = [number for _, number in space.waiting[:most]]
    if not numbers:
        return space
    with installation.database.reading() as session:
        found = papers.by_number(session, numbers)
    kept = [paper for number, paper in found.items() if paper.number == number]
    numbers_of, days_of = _columns([(number_of(paper), paper.announced) for paper in kept])
    return Space(
        space.places.with_more([text_of(paper) for paper in kept]),
        np.concatenate([space.numbers, numbers_of]),
        np.concatenate([space.days, days_of]),
        space.waiting[most:],
        space.newest,
    )
