"""Libraries in other formats than BibTeX, each told by its content."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speaks_zotero import work

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries.entry import LibraryEntry, NotRecognised
from paperpost.sources.libraries.formats import read_library

ENDNOTE = """\ufeffTY  - JOUR\r
AU  - Somerville, Mary\r
AU  - Herschel, C.\r
TI  - The tides of\r
 large models\r
PY  - 2021\r
KW  - tides\r
models\r
AB  - We count waves.\r
DO  - https://doi.org/10.1000/TIDES\r
DB  - PubMed\r
AN  - 12345678\r
ER  - \r
\r
TY  - JOUR\r
T1  - Comets\r
N1  - arXiv:2101.00001 [astro-ph]\r
UR  - https://example.org/comets\r
"""
CSL = [
    {
        "id": "somerville2021",
        "type": "article-journal",
        "title": "The tides of large models",
        "author": [{"family": "Somerville", "given": "Mary"}, {"literal": "The Moon Group"}],
        "note": "arXiv:2101.00001 [cs]",
        "DOI": "10.1000/tides",
        "PMID": "12345678",
    }
]
ZOTERO_CSV = (
    '"Key","Item Type","Author","Title","DOI","Url","Abstract Note","Date Added","Manual Tags"\r\n'
    '"AB12","preprint","Somerville, Mary; Herschel, Caroline","The tides\r\nof models","",'
    '"http://arxiv.org/abs/2101.00001","We count.","2021-03-04 05:06:07","tides; moons"\r\n'
    '"CD34","note","","","","","",""\r\n'
)
ZOTERO_RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:z="http://www.zotero.org/namespaces/export#" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
  <bib:Article rdf:about="http://arxiv.org/abs/2101.00001">
    <z:itemType>journalArticle</z:itemType>
    <dcterms:isPartOf><bib:Journal>
      <dc:title>Journal of Tides</dc:title><dc:identifier>DOI 10.1000/tides</dc:identifier>
    </bib:Journal></dcterms:isPartOf>
    <bib:authors><rdf:Seq><rdf:li><foaf:Person>
      <foaf:surname>Somerville</foaf:surname><foaf:givenName>Mary</foaf:givenName>
    </foaf:Person></rdf:li></rdf:Seq></bib:authors>
    <dc:subject>tides</dc:subject>
    <dc:subject><z:AutomaticTag><rdf:value>moons</rdf:value></z:AutomaticTag></dc:subject>
    <dc:title>The tides of large models</dc:title>
    <dcterms:abstract>We count waves.</dcterms:abstract>
    <dc:identifier><dcterms:URI>
      <rdf:value>http://arxiv.org/abs/2101.00001</rdf:value>
    </dcterms:URI></dc:identifier>
  </bib:Article>
  <z:Attachment rdf:about="#item_1"><dc:title>PDF</dc:title></z:Attachment>
</rdf:RDF>
"""
LIST = """# what I read
2101.00001, arXiv:2101.00002v3;hep-th/9901001
https://arxiv.org/pdf/2101.00003v2.pdf  and https://huggingface.co/papers/2101.00004
10.1000/abc;10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O
https://www.biorxiv.org/content/10.1101/2021.01.02.123456v2.full-text
https://dl.acm.org/doi/abs/10.1145/3292500.3330701, (doi:10.1000/def)
https://journals.plos.org/plosone/article?id=10.1371/journal.pone.0000001
12345678
PMID: 23456789 www.example.com/doi/10.1000/ghi
nothing of that kind
9999.99999
"""


def read(text: str) -> list[LibraryEntry | NotRecognised]:
    return list(read_library(text.encode()))


def entries(text: str) -> list[LibraryEntry]:
    return [found for found in read(text) if isinstance(found, LibraryEntry)]


def test_ris_of_endnote_with_a_record_whose_end_is_missing() -> None:
    tides, comets = entries(ENDNOTE)
    assert tides.place == "line 1"
    assert tides.title == "The tides of large models"
    assert tides.authors == ("Mary Somerville", "C. Herschel")
    assert tides.ids == ("doi:10.1000/tides", "pmid:12345678")
    assert tides.tags == ("tides", "models")
    assert (comets.title, comets.ids) == ("Comets", ("2101.00001",))


def test_csl_json() -> None:
    (found,) = entries(json.dumps(CSL))
    assert found.ids == ("doi:10.1000/tides", "pmid:12345678")
    assert found.authors == ("Mary Somerville", "The Moon Group")


def test_zoteros_items_without_notes_and_attachments() -> None:
    items = [
        work(1, archiveID="arXiv:2101.00001", tags=[{"tag": "tides", "type": 1}]),
        work(2, itemType="attachment"),
        work(3, title="", itemType="webpage"),
    ]
    found, nameless = read(json.dumps(items))
    assert isinstance(found, LibraryEntry)
    assert (found.ids, found.tags) == (("2101.00001",), ("tides",))
    assert found.added == datetime(2021, 3, 2, 10, tzinfo=UTC)
    assert isinstance(nameless, NotRecognised)
    assert (nameless.place, nameless.name) == ("entry 3", "ITEM0003")
    better = {"config": {}, "items": [items[0]["data"]]}
    assert entries(json.dumps(better))[0].ids == ("2101.00001",)


def test_zoteros_csv_tells_lines_also_after_a_title_of_two() -> None:
    found, nameless = read(ZOTERO_CSV)
    assert isinstance(found, LibraryEntry)
    assert (found.place, found.title) == ("line 2", "The tides of models")
    assert found.authors == ("Mary Somerville", "Caroline Herschel")
    assert found.tags == ("tides", "moons")
    assert found.added == datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert isinstance(nameless, NotRecognised)
    assert (nameless.place, nameless.name) == ("line 4", "CD34")


def test_zoteros_rdf() -> None:
    (found,) = entries(ZOTERO_RDF)
    assert found.title == "The tides of large models"
    assert found.ids == ("2101.00001", "doi:10.1000/tides")
    assert found.authors == ("Mary Somerville",)
    assert found.tags == ("tides", "moons")
    assert found.abstract == "We count waves."


def test_half_of_an_rdf_is_read_and_the_rest_is_told() -> None:
    whole, rest = read(ZOTERO_RDF.replace("</rdf:RDF>", "<bib:Book><dc:title>Half"))
    assert isinstance(whole, LibraryEntry)
    assert isinstance(rest, NotRecognised)
    assert "the file ends in the middle" in rest.reason


def test_a_list_of_ids_and_addresses() -> None:
    found = entries(LIST)
    assert [entry.ids[0] for entry in found] == [
        "2101.00001",
        "2101.00002",
        "hep-th/9901001",
        "2101.00003",
        "2101.00004",
        "doi:10.1000/abc",
        "doi:10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o",
        "doi:10.1101/2021.01.02.123456",
        "doi:10.1145/3292500.3330701",
        "doi:10.1000/def",
        "doi:10.1371/journal.pone.0000001",
        "pmid:12345678",
        "pmid:23456789",
        "doi:10.1000/ghi",
    ]
    assert found[5].place == "line 4"
    missing = [(one.place, one.name) for one in read(LIST) if isinstance(one, NotRecognised)]
    assert missing == [("line 10", "nothing of that kind"), ("line 11", "9999.99999")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing in it"),
        (b" \n\n", "nothing in it"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04", "an archive"),
        (b"\x1f\x8b\x08", "compressed"),
        ("@misc{k}".encode("utf-16"), "UTF-16"),
        (b"a\0b", "not text"),
        (b'{"items": 3}', "no list of works"),
        (b"[" * 100_000, "the JSON is broken"),
        (b"<html><body>Log in</body></html>", "not Zotero RDF"),
        (b'<!DOCTYPE x [<!ENTITY a "aa">]><RDF>&a;</RDF>', "the XML declares"),
    ],
)
def test_what_is_no_library_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        list(read_library(data))


def test_what_is_told_of_a_broken_library_steers_no_terminal() -> None:
    for text in ("\x1b[2Jgone", "@article{\x1b[2Jgone, title = {x\n@misc{k, title={A title}}"):
        (broken,) = (one for one in read(text) if isinstance(one, NotRecognised))
        assert "gone" in broken.name
        assert broken.name.isprintable()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        found = list(read_library(data))
    except UnreadableFile:
        return
    assert all(one.place and one.name for one in found)


_names = st.sampled_from(
    [
        *("title", "author", "creators", "tags", "tag", "family", "DOI", "PMID", "data"),
        *("dateAdded", "itemType", "creatorType", "name", "extra", "url", "key", "keyword"),
    ]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(_names, _values, max_size=6), max_size=3))
def test_items_of_any_shape_are_read(items: list[object]) -> None:
    assert len(read(json.dumps(items))) == len(items)


@pytest.mark.parametrize("kind", [[], {}, 3, None, True, "x" * 10_000])
@pytest.mark.parametrize("field", ["itemType", "title", "creators", "tags", "PMID", "DOI", "data"])
def test_an_item_with_a_value_of_another_type_costs_no_other_one(field: str, kind: object) -> None:
    items = [{"title": "The odd one", field: kind}, {"title": "The other one"}]
    assert read(json.dumps(items))[-1].name == "The other one"


def test_a_number_without_end_costs_no_other_item() -> None:
    text = '[{"title": "The odd one", "PMID": %s}, {"title": "The other one"}]'
    assert [one.name for one in entries(text % ("9" * 5_000))] == ["The odd one", "The other one"]


def test_a_row_of_a_csv_that_cannot_be_read_costs_no_other_one() -> None:
    long = "x" * 140_000
    first, broken, last = read(f"title,doi\nThe first,\n{long},\nThe last,\n")
    assert (first.name, last.name, last.place) == ("The first", "The last", "line 4")
    assert isinstance(broken, NotRecognised)
    assert broken.place == "line 3"
    with pytest.raises(UnreadableFile, match="broken in its first line"):
        read(f"title,doi,{long}\nThe first,,\n")
    assert [one.name for one in read("title,doi\rThe first,\rThe last,\r")] == [
        "The first",
        "The last",
    ]


_lines = st.sampled_from(["TY  - JOUR", "ER  - ", "TI  - A title", "AU  - Doe, J", "KW", "more"])


@given(st.lists(_lines, max_size=20))
def test_no_record_of_a_ris_file_is_lost(lines: list[str]) -> None:
    assert len(read("\n".join(["TY  - JOUR", *lines]))) == 1 + lines.count("TY  - JOUR")
