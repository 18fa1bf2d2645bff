"""Python's garbage collector while a run lasts: not at what stays, and only between blocks."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """What is loaded by now, a model and the candidates, stays: to look through it again and again
    would take a tenth of a run."""
    gc.unfreeze()  # of an earlier run's some may have become garbage
    gc.collect()
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing until this ends: hardly anything of a block is garbage before."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def unsettle() -> None:
    """All is looked through again."""
    gc.unfreeze()
