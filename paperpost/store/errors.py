"""What the store says when its database cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from paperpost.errors import PaperpostError


class StoreError(PaperpostError):
    """The database cannot be used as it is."""


@contextmanager
def clearly() -> Iterator[None]:
    """Turn what a database driver says into one line for the operator."""
    try:
        yield
    except DBAPIError as error:
        # The first line: the rest may quote the values of a row, addresses among them.
        reason = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"cannot use the database: {reason}") from error
    except NoneFree as error:
        raise StoreError("all connections to the database are in use") from error
