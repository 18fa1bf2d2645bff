"""Python's garbage collector while a run lasts: not at what stays, and only between blocks."""

import gc


def settle() -> None:
    """What is loaded by now, a model and the candidates, stays: to look through it again and again
    would take a tenth of a run."""
    gc.collect()  # what is garbage now would stay for good
    gc.freeze()


def collect_between_blocks() -> None:
    """No collection while a block is worked on; one after each, by `tidy`."""
    gc.disable()


def tidy() -> None:
    """Collect what a block left behind; of what is older nothing has become garbage since."""
    gc.collect(0)


def unsettle() -> None:
    """All is as it was."""
    gc.unfreeze()
    gc.enable()
