"""What a paper is called: arXiv ids, DOIs and PubMed ids in the spellings met outside."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

_ARXIV_PREFIX = re.compile(
    r"(?:oai:arxiv\.org:|arxiv:|https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/"
    r"|(?:https?://(?:dx\.)?doi\.org/|doi:)?10\.48550/arxiv\.)",
    re.IGNORECASE,
)
# https://info.arxiv.org/help/arxiv_identifier.html: since April 2007 and before it. The subject
# class of an old id (math.GT/0309136) is no part of the canonical one.
_ARXIV_NEW = re.compile(r"([0-9]{4}\.[0-9]{4,5})(?:v([1-9][0-9]{0,3}))?")
_ARXIV_OLD = re.compile(r"([a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/([0-9]{7})(?:v([1-9][0-9]{0,3}))?")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.[0-9]{4,9}/\S{1,200})", re.I)
_PUBMED = re.compile(r"(?:pmid:\s*|https?://pubmed\.ncbi\.nlm\.nih\.gov/)([1-9][0-9]{0,8})/?", re.I)
_PMC = re.compile(
    r"(?:pmcid:\s*|https?://(?:www\.ncbi\.nlm\.nih\.gov/pmc|pmc\.ncbi\.nlm\.nih\.gov)/articles/)?"
    r"(PMC[1-9][0-9]{0,9})/?",
    re.IGNORECASE,
)
# bioRxiv and medRxiv put a version behind a DOI; it is registered without.
_PREPRINT_VERSION = re.compile(r"(10\.(?:1101|64898)/[0-9.]+)v[1-9][0-9]?")
# Browsers take such parts out of every address (WHATWG URL, section 4.4; %2e as well): no
# link could lead to that paper, neither here nor at doi.org.
_DOT_SEGMENT = re.compile(r"/\.\.?(?:/|$)")
_TITLE_KEY = re.compile(r"hf:[0-9a-f]{8,64}")


class PaperIdentifier(NamedTuple):
    """A bare id, and the version that was written behind it (arXiv only)."""

    id: str
    version: int | None = None


def paper_identifier(text: str) -> PaperIdentifier | None:
    """Read an id in any common spelling; None if it is none.

    The bare forms are `2604.00001`, `math/0309136`, `doi:10.…` (lower case), `pmid:…` and
    `hf:` with a hash of the normalised title.
    """
    text = text.strip()
    if len(text) > 300 or not text.isprintable():
        return None
    if arxiv := _arxiv_identifier(text):
        return arxiv
    if text[:4].lower() == "doi:" or text.lower().startswith(("http://", "https://")):
        doi = bare_doi(text)
        if doi:
            return PaperIdentifier(f"doi:{doi}")
    if pubmed := _PUBMED.fullmatch(text):
        return PaperIdentifier(f"pmid:{pubmed[1]}")
    return PaperIdentifier(text) if _TITLE_KEY.fullmatch(text) else None


def any_identifier(text: str) -> str | None:
    """A bare id as `paper_identifier` reads it, or `pmcid:PMC…`, which names a paper only beside
    another id; None if it is neither."""
    if found := paper_identifier(text):
        return found.id
    pmc = _PMC.fullmatch(text.strip())
    return f"pmcid:{pmc[1].upper()}" if pmc else None


def bare_doi(text: str) -> str | None:
    """The DOI in `text` (bare, with `doi:` or as a doi.org URL), lower-cased and without the
    version of a preprint; None if none, or one with a part `.` or `..`, which no link leads to."""
    text = text.strip()
    if text.lower().startswith(("http://", "https://")):
        text = unquote(text)  # as `page_of` quotes it
    found = _DOI.fullmatch(text)
    if found is None or not text.isprintable():
        return None
    doi = found[1].lower()
    versioned = _PREPRINT_VERSION.fullmatch(doi)
    bare = versioned[1] if versioned else doi
    return None if _DOT_SEGMENT.search(bare) else bare


def _arxiv_identifier(text: str) -> PaperIdentifier | None:
    prefix = _ARXIV_PREFIX.match(text)
    bare = text[prefix.end() :].removesuffix(".pdf") if prefix else text
    if new := _ARXIV_NEW.fullmatch(bare):
        return PaperIdentifier(new[1], int(new[2]) if new[2] else None)
    if old := _ARXIV_OLD.fullmatch(bare.lower()):
        return PaperIdentifier(f"{old[1]}/{old[2]}", int(old[3]) if old[3] else None)
    return None


def is_arxiv(identifier: str) -> bool:
    """Is this bare id an arXiv id?"""
    return ":" not in identifier


def page_of(identifier: str) -> str | None:
    """The public page of a paper; None for one that is known by its title alone."""
    if is_arxiv(identifier):
        return f"https://arxiv.org/abs/{identifier}"
    scheme, _, rest = identifier.partition(":")
    if scheme == "doi":
        return f"https://doi.org/{quote(rest, safe='/:;()')}"
    return f"https://pubmed.ncbi.nlm.nih.gov/{rest}/" if scheme == "pmid" else None
