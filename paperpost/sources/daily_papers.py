"""A page of Hugging Face's Daily Papers saved as text: a date, then titles and abstracts in turn.

The page says neither ids nor authors nor the year. The year is the latest one that does not put
the day after the import; the id is left to the title.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import zip_longest
from typing import IO

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked

SOURCE = "hf-daily-papers"
SIZE_LIMIT = 32 * 1024 * 1024

_HEAD_LINES = 20
_SLOGANS = ("get trending papers in your email inbox", "byak and the research community")
_DATE = re.compile(r"([A-Z][a-z]{2})[a-z]*\.? ([0-9]{1,2})(?:, ([0-9]{4}))?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BLANK_LINES = re.compile(r"\n\s*\n")

# In the pages seen, the longest title has 141 characters and the shortest abstract 1,379.
_LONGEST_TITLE = 300
_SHORTEST_PROSE_WORDS = 12
_SENTENCE_ENDS = re.compile(r"[.!?][)\"'”]?(?:\s+[A-Z(]|$)")


def is_daily_papers(head: str) -> bool:
    """Do the first lines of a text look like a Daily Papers page?"""
    lines = [line.strip().lower() for line in head.splitlines() if line.strip()][:_HEAD_LINES]
    return any(line.startswith(_SLOGANS) for line in lines)


def read_daily_papers(stream: IO[bytes], *, today: date) -> Records:
    """The page's entries, all announced on its date. Raises UnreadableFile without a date."""
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise UnreadableFile(f"a Daily Papers page larger than {SIZE_LIMIT:,} bytes")
    # Bytes that are no UTF-8 come through as lone surrogates, and only their entry is rejected.
    text = data.decode("utf-8-sig", errors="surrogateescape")
    blocks = [block.strip() for block in _BLANK_LINES.split(_unix_lines(text)) if block.strip()]
    announced, first = _announced(blocks, today)
    for number, (title, abstract) in enumerate(_entries(blocks[first:]), start=1):
        yield _read_entry(number, title, abstract, announced, today)


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _announced(blocks: Sequence[str], today: date) -> tuple[date, int]:
    """The page's date, and the number of the block after it."""
    for number, block in enumerate(blocks[:_HEAD_LINES]):
        if (told := _DATE.fullmatch(block)) and (day := _latest(told, today)):
            return day, number + 1
    raise UnreadableFile("a Daily Papers page whose date is missing")


def _latest(told: re.Match[str], today: date) -> date | None:
    """The latest such date not after `today`; February 29 goes back to a leap year."""
    years = [int(told[3])] if told[3] else range(today.year, today.year - 9, -1)
    for year in years:
        try:
            day = date(year, _MONTHS.index(told[1]) + 1, int(told[2]))
        except ValueError:
            continue
        if told[3] or day <= today:
            return day
    return None


def _entries(blocks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Title and abstract in turn; an abstract may be missing, or go on for several paragraphs."""
    title: str | None = None
    abstract: list[str] = []
    for block, following in zip_longest(blocks, blocks[1:], fillvalue=""):
        if title is not None and _belongs_to_abstract(block, following, begun=bool(abstract)):
            abstract.append(block)
            continue
        if title is not None:
            yield title, " ".join(abstract)
        title, abstract = block, []
    if title is not None:
        yield title, " ".join(abstract)


def _belongs_to_abstract(block: str, following: str, *, begun: bool) -> bool:
    """After a title comes its abstract, unless a second title stands before the next abstract;
    after an abstract comes a title, unless it is sentences again."""
    if begun or _is_prose(block):
        return _is_prose(block)
    return len(block) > _LONGEST_TITLE or not _is_prose(following)


def _is_prose(block: str) -> bool:
    """Sentences, as an abstract has and a title has not."""
    if len(block) > _LONGEST_TITLE:
        return bool(_SENTENCE_ENDS.search(block))
    return block.endswith(".") and len(block.split()) >= _SHORTEST_PROSE_WORDS


def _read_entry(
    number: int, title: str, abstract: str, announced: date, today: date
) -> FoundPaper | Rejected:
    if any("\ud800" <= letter <= "\udfff" for letter in title + abstract):
        return Rejected(number, "the entry is not UTF-8")
    record = {"title": title, "abstract": abstract, "announced": announced}
    try:
        return checked(record, source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))
