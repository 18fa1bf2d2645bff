"""XML from outside: told apart by its root, read as a stream, refused if it declares entities."""

import re
from collections.abc import Iterator, Set
from typing import IO, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from paperpost.sources.errors import UnreadableFile

UTF8_MARK = b"\xef\xbb\xbf"

_PROLOG = re.compile(
    rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")

_DEPTH_LIMIT = 100
_NAME_LIMIT = 100

# The errors of an XML parser that mean "here the data stops", by expat's numbers: no element
# found, unclosed token, partial character, unclosed CDATA section.
_STOPS = {3, 5, 6, 20}


class Damage(NamedTuple):
    """Where a document stops being XML; `cut` if only its end is missing."""

    cut: bool
    line: int

    @property
    def reason(self) -> str:
        if self.cut:
            return f"the file ends in the middle, at line {self.line}"
        return f"the XML is broken at line {self.line}"


class Outline(NamedTuple):
    """How many items of a kind a document holds whole, and its damage."""

    items: int
    damage: Damage | None


def root_name(head: bytes) -> str:
    """The local name of the root element, from a document's first bytes; "" if there is none."""
    head = head.removeprefix(UTF8_MARK)
    root = _ROOT.match(head, root_start(head))
    return root[1].decode("ascii")[:_NAME_LIMIT] if root else ""


def root_start(data: bytes) -> int:
    """Where the root element begins: declarations, comments and a document type go before it."""
    prolog = _PROLOG.match(data)
    return prolog.end() if prolog else 0


def local_name(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def elements(stream: IO[bytes], names: Set[str]) -> Iterator[Element | Damage]:
    """Each whole element of those local names, then the damage if there is some.

    Memory stays flat: what is not inside such an element, or was in the one before, is dropped.
    Raises UnreadableFile for an entity declaration, which no source needs and bombs are made of.
    A document type by itself is let be: PubMed's answers name theirs. Nothing is loaded for it.
    """
    path: list[Element] = []
    inside = 0
    try:
        for event, element in iterparse(stream, events=("start", "end")):
            wanted = local_name(element) in names
            if event == "start":
                path.append(element)
                if len(path) > _DEPTH_LIMIT:
                    raise UnreadableFile(f"the XML is nested more than {_DEPTH_LIMIT} levels deep")
                inside += wanted
                continue
            path.pop()
            inside -= wanted
            if wanted and not inside:
                yield element
            if path and not inside:
                path[-1].clear()
    except DefusedXmlException:
        raise UnreadableFile("the XML declares entities") from None
    except ParseError as error:
        yield Damage(error.code in _STOPS, error.position[0])
    except (ValueError, LookupError):  # an encoding that Python does not know
        raise UnreadableFile("the XML's encoding is unknown") from None


def outline(stream: IO[bytes], name: str) -> Outline:
    """Count the whole elements of that name, without keeping them."""
    items, damage = 0, None
    for found in elements(stream, {name}):
        if isinstance(found, Damage):
            damage = found
        else:
            items += 1
    return Outline(items, damage)
