"""Identifiers of papers in the fields of a library: bare ones, addresses, and remarks."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from paperpost.sources import identifiers

LONGEST = 300
# Remarks are read up to here: an abstract's length.
LONGEST_REMARK = 4_000

_ARXIV_PATH = re.compile(
    r"/(?:abs|pdf|html|papers|overview|format|forum)/"
    r"(?P<id>[0-9]{4}\.[0-9]{4,5}|[a-z-]{1,20}(?:\.[A-Z]{2})?/[0-9]{7})"
)
_ARXIV_HOSTS = ("arxiv.org", "ar5iv.org", "alphaxiv.org", "huggingface.co", "ar5iv.labs.arxiv.org")
_DOI_PATH = re.compile(r"/(10\.[0-9]{4,9}/[^?#]+)")
_DOI_QUERY = re.compile(r"(?:^|&)(?:id|doi)=(10\.[0-9]{4,9}/[^&]+)")
_DOI_TAIL = re.compile(r"/(?:abstract|full|pdf|epdf|meta|html|suppl|v[0-9]+)$|\.(?:pdf|html?)$")
# bioRxiv's and medRxiv's pages: 10.1101/2024.01.02.123456v2.full-text
_PREPRINT_VERSION = re.compile(r"(?<=[0-9])v[0-9]+(?:\.[a-z][a-z.-]*)?$")
# All of a line, so that a remark about another work is none: "arXiv preprint arXiv:1706.03762
# (2017)" of Google Scholar, "arXiv e-prints, art. arXiv:…" of ADS, "CoRR abs/…" of DBLP, and
# "arXiv:1706.03762 [cs.CL]", "PMID: 12345678" and "DOI: 10.1000/x" in Zotero's Extra.
_STATEMENT = re.compile(
    r"(?:arxiv (?:preprint|e-?prints?),? (?:(?:art|p)\. )?)?arxiv: ?"
    r"(?P<arxiv>[0-9]{4}\.[0-9]{4,5}|[a-z-]{1,20}(?:\.[a-z]{2})?/[0-9]{7})(?:v[1-9][0-9]?)?"
    r"(?: \[[^\[\]]{1,40}\])?(?:,? \(?[0-9]{4}\)?)?\.?"
    r"|(?:corr,? )?abs/(?P<dblp>[0-9]{4}\.[0-9]{4,5})"
    r"|pmid: ?(?P<pmid>[1-9][0-9]{4,8})"
    r"|doi: ?(?P<doi>10\.[0-9]{4,9}/\S{1,200})",
    re.IGNORECASE,
)
# https://info.arxiv.org/help/arxiv_identifier.html: a month in the new ids, an archive in the old
# ones. Whatever else looks like an id makes arXiv refuse the others that are asked for with it.
_POSSIBLE_ARXIV = re.compile(
    r"[0-9]{2}(?:0[1-9]|1[0-2])\.[0-9]{4,5}"
    r"|(?:acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg"
    r"|comp-gas|cond-mat|cs|dg-ga|funct-an|gr-qc|hep-(?:ex|lat|ph|th)|math|math-ph|mtrl-th|nlin"
    r"|nucl-(?:ex|th)|patt-sol|physics|plasm-ph|q-alg|q-bio|quant-ph|solv-int|supr-con)/[0-9]{7}"
)
_RANKS = ((1, "doi:"), (2, "pmid:"), (3, "pmcid:"))
_PUNCTUATION = ".,;:)]}>\"'"


def identifier_in(text: str) -> str | None:
    """The bare identifier that a field, an address or a word of a list stands for."""
    text = text.strip().strip("<>")
    if not 0 < len(text) <= LONGEST:
        return None
    if "://" in text:
        return _in_address(text)
    found = identifiers.any_identifier(text)
    if found is not None:
        return found if _is_possible(found) else None
    doi = identifiers.bare_doi(text)
    if doi is not None:
        return f"doi:{doi}"
    return _in_address(f"https://{text}") if "/" in text and "." in text.split("/")[0] else None


def _is_possible(bare: str) -> bool:
    if identifiers.is_arxiv(bare):
        return _POSSIBLE_ARXIV.fullmatch(bare) is not None
    return not bare.startswith("hf:")


def identifiers_in(texts: Iterable[str]) -> list[str]:
    """The bare identifiers that several fields hold."""
    return [bare for text in texts if (bare := identifier_in(text))]


def stated(remarks: Iterable[str]) -> list[str]:
    """Identifiers that are all that a remark says, or one of its lines: of a journal ("arXiv
    preprint arXiv:1706.03762"), a note, or Zotero's "Extra". What prose mentions is another work.
    """
    return [bare for remark in remarks for line in _lines(remark) if (bare := _stated(line))]


def best_first(names: Iterable[str]) -> tuple[str, ...]:
    """Each of some bare identifiers once, arXiv's before DOIs before PubMed's. Two arXiv ids are
    two works, so that only the first one stays."""
    ranked = sorted(dict.fromkeys(names), key=_rank)
    return tuple(bare for place, bare in enumerate(ranked) if not place or _rank(bare))


def _lines(remark: str) -> Iterator[str]:
    """A remark on one line, and each line of it."""
    lines = remark[:LONGEST_REMARK].splitlines()
    yield from dict.fromkeys(" ".join(line.split()) for line in (" ".join(lines), *lines))


def _stated(line: str) -> str | None:
    found = _STATEMENT.fullmatch(line)
    if found is None:
        return None
    if found["pmid"]:
        return f"pmid:{found['pmid']}"
    return identifier_in(found["arxiv"] or found["dblp"] or found["doi"].rstrip(_PUNCTUATION))


def _rank(bare: str) -> int:
    return next((rank for rank, scheme in _RANKS if bare.startswith(scheme)), 0)


def _in_address(url: str) -> str | None:
    found = identifiers.any_identifier(url)
    if found is not None:
        return found if _is_possible(found) else None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host, path = (parts.hostname or "").removeprefix("www."), unquote(parts.path)
    arxiv = _ARXIV_PATH.search(path) if host.endswith(_ARXIV_HOSTS) else None
    if arxiv is not None:
        return identifier_in(arxiv["id"])
    doi = _DOI_PATH.search(path) or _DOI_QUERY.search(unquote(parts.query))
    if doi is None:
        return None
    bare = identifiers.bare_doi(_PREPRINT_VERSION.sub("", _DOI_TAIL.sub("", doi[1].rstrip("/"))))
    return f"doi:{bare}" if bare else None
