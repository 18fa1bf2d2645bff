"""A paper keeps a bounded number of records, and which they are does not depend on their order."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from told import DAY

from paperpost.store.records import MOST_RECORDS, Record, bounded, columns, known

NUMBER = MOST_RECORDS + 40


def many(version: Callable[[int], int]) -> list[Record]:
    """More records of one paper than are kept, told day after day."""
    return [
        Record(
            name="doi:10.1234/a",
            title="A title that tells",
            announced=DAY + timedelta(days=number),
            source="journal",
            abstract=f"Told {number} times before.",
            version=version(number),
        )
        for number in range(NUMBER)
    ]


def kept(batches: Sequence[Sequence[Record]]) -> set[Record]:
    """What is left when these came one after the other."""
    records: list[Record] = []
    for batch in batches:
        records = bounded(known([*records, *batch]))
    return set(records)


@pytest.mark.parametrize(
    "version",
    [lambda _: 1, lambda number: 1 + number % 7, lambda number: NUMBER - number],
    ids=["one version", "some versions", "the newest first"],
)
def test_the_best_records_and_the_one_that_tells_the_day_are_kept(
    version: Callable[[int], int],
) -> None:
    told = many(version)
    together = kept([told])
    assert len(together) == MOST_RECORDS
    assert columns(together) == columns(told)
    assert kept([told[::2], told[1::2][::-1], told[:30]]) == together
    assert kept([[record] for record in told[::-1]]) == together
