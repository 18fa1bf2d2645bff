"""How far back a first digest looks, how many papers may be candidates at once, and how days are
counted back."""

from datetime import date, timedelta

# Also for `rank`, of someone who never had a digest.
FIRST_LOOK_BACK = timedelta(days=7)

# What is worked out of a window's papers is kept for the next block, and takes 25 kB a candidate,
# the stored papers themselves left out. The week of a source with 1,500 papers a day has 12,000:
# 300 MB. Six of the largest would take 3 GB, and each part of one that somebody may get
# (`Batch.part`) a tenth more at most. What is larger still is theirs alone who were away for long.
MOST_CANDIDATES = 20_000


def days_before(day: date, span: timedelta) -> date:
    """The day that is so many before; the first of the calendar where there is none."""
    return date.fromordinal(max(day.toordinal() - span.days, 1))
