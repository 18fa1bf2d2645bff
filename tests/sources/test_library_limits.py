"""Libraries that were made to keep their reader busy cost little more than others of their size."""

import time
from contextlib import suppress

import pytest

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries import bibtex, formats, id_list
from paperpost.sources.libraries.entry import NotRecognised
from paperpost.sources.libraries.formats import read_library

SIGNS = [*" \n,;{}\"'@%\\<>&/.1a=$#(", "@a{", "@article{a,\n", "a,", "{a} and ", "10.1234/,"]
PLACES = {
    "a list": ("1", "x"),
    "a word": ("http://x/", "x"),
    "before BibTeX": ("", "\n@misc{k, title={A title}}"),
    "title": ("@misc{k, title={", "}}"),
    "author": ("@misc{k, title={A title}, author={", "}}"),
    "note": ("@misc{k, title={A title}, note={", "}}"),
    "keywords": ("@misc{k, title={A title}, keywords={", "}}"),
    "RIS": ("TY  - JOUR\nTI  - A title\nAU  - ", "\nER  - "),
    "CSV": ("title,doi,author\nA title,", "\n"),
    "JSON": ('[{"title": "A title", "extra": "', '"}]'),
}
ONCE, LONGER = 5_000, 4


def seconds(text: str) -> float:
    """How long the processor works for a library, at best."""
    taken = []
    for _ in range(3):
        start = time.thread_time()
        with suppress(UnreadableFile):
            list(read_library(text.encode()))
        taken.append(time.thread_time() - start)
    return min(taken)


@pytest.mark.parametrize("place", PLACES)
def test_four_times_the_text_is_not_sixteen_times_the_work(place: str) -> None:
    before, after = PLACES[place]
    for sign in SIGNS:
        once, longer = (
            seconds(before + sign * (size // len(sign)) + after) for size in (ONCE, LONGER * ONCE)
        )
        assert longer < 2.5 * LONGER * once + 0.05, sign


def last(text: str) -> NotRecognised:
    *_, found = read_library(text.encode())
    assert isinstance(found, NotRecognised)
    return found


def test_what_is_behind_the_limits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bibtex, "MOST_BLOCKS", 2)
    monkeypatch.setattr(id_list, "MOST_WORDS", 2)
    for text in ("@misc{k, title={A title}}\n" * 3, "2101.00001\n2101.00002\n2101.00003\n"):
        assert last(text).place == "line 3"
        assert last(text).name == "from here to the end of the file"
    whole = "2101.00001\n2101.00002, or so\n"
    assert len(list(read_library(whole.encode()))) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("@misc{k, title={" + "," * bibtex.MOST_SIGNS + "}}", "more punctuation than text"),
        ("2101.00001" + "<" * formats.MOST_MARKUP + "<", "more markup than text"),
    ],
)
def test_what_is_no_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        list(read_library(text.encode()))
