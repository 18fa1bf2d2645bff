"""What stays in memory for a whole run is left alone by Python's garbage collector."""

import gc


def settle() -> None:
    """Not to look again and again through what is loaded by now, a model and the candidates, saves
    a tenth of a run."""
    gc.collect()  # what is garbage now would stay for good
    gc.freeze()


def unsettle() -> None:
    """All of it is looked through again."""
    gc.unfreeze()
