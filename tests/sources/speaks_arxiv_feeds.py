"""rss.arxiv.org: the batch of the day as RSS and Atom (https://info.arxiv.org/help/rss.html)."""

import hashlib
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from xml.sax.saxutils import escape

from arxiv_archive import EASTERN, KINDS, MOST_IN_FEED, Archive, Listing, is_in
from loopback_source import Told
from web_on_loopback import Question

SPACES = 'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
ATOM = "http://www.w3.org/2005/Atom"


class ArxivFeeds:
    """`/rss/cs.AI+cs.CL` and `/atom/…`, with the batch of the archive's today.

    `stale` names categories that still carry the batch of another day; with `redated` its items
    carry today's date all the same.
    """

    hosts = ("rss.arxiv.org",)

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.stale: dict[str, date] = {}
        self.redated = False

    def answer(self, question: Question) -> Told | None:
        _, kind, query = [*question.path.split("/", 2), "", ""][:3]
        if kind not in ("rss", "atom") or not query:
            return None
        categories = query.split("+")
        unknown = [name for name in categories if not self._is_known(name)]
        if unknown:
            return Told(400, _error(question, unknown[0]), _headers(kind, b""))
        listings = self._listings(categories)
        write = _rss if kind == "rss" else _atom
        body = write(categories, listings, self.archive.today)
        return Told(200, body, _headers(kind, body))

    def _is_known(self, category: str) -> bool:
        names = (name for work in self.archive.works.values() for name in work.categories)
        return any(is_in(name, category) for name in names)

    def _listings(self, categories: list[str]) -> list[Listing]:
        """Each work once, under the first of its kinds."""
        found: dict[str, Listing] = {}
        for category in categories:
            day = self.stale.get(category, self.archive.today)
            for listing in self.archive.batch(day, category):
                before = found.get(listing.work.id)
                if before is None or KINDS.index(listing.kind) < KINDS.index(before.kind):
                    found[listing.work.id] = self._dated(listing)
        ordered = sorted(found.values(), key=lambda one: (KINDS.index(one.kind), one.work.id))
        return ordered[:MOST_IN_FEED]

    def _dated(self, listing: Listing) -> Listing:
        if not self.redated:
            return listing
        return Listing(listing.work, listing.version, listing.kind, self.archive.today)


def _headers(kind: str, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": f"application/{kind}+xml"}
    if body:
        # What changes with each generation is not part of it: our clock stands still.
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()}"'
        headers["Cache-Control"] = "max-age=3600"
    return headers


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), EASTERN)


def _built(day: date) -> datetime:
    return _midnight(day).astimezone(UTC).replace(second=4)


def _rss(categories: list[str], listings: list[Listing], today: date) -> bytes:
    names, query = ", ".join(categories), "+".join(categories)
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss {SPACES} xmlns:atom="{ATOM}" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
version="2.0">
  <channel>
    <title>{names} updates on arXiv.org</title>
    <link>http://rss.arxiv.org/rss/{query}</link>
    <description>{names} updates on the arXiv.org e-print archive.</description>
    <atom:link href="http://rss.arxiv.org/rss/{query}" rel="self" type="application/rss+xml"/>
    <docs>http://www.rssboard.org/rss-specification</docs>
    <language>en-us</language>
    <lastBuildDate>{format_datetime(_built(today))}</lastBuildDate>
    <managingEditor>rss-help@arxiv.org</managingEditor>
    <pubDate>{format_datetime(_midnight(today))}</pubDate>
    <skipDays>
      <day>Saturday</day>
      <day>Sunday</day>
    </skipDays>{"".join(map(_rss_item, listings))}
  </channel>
</rss>
""".encode()


def _rss_item(listing: Listing) -> str:
    work, name = listing.work, f"{listing.work.id}v{listing.version}"
    categories = "".join(f"\n      <category>{name}</category>" for name in work.categories)
    return f"""
    <item>
      <title>{escape(work.title)}</title>
      <link>https://arxiv.org/abs/{work.id}</link>
      <description>{_described(listing)}</description>
      <guid isPermaLink="false">oai:arXiv.org:{name}</guid>{categories}
      <pubDate>{format_datetime(_midnight(listing.day))}</pubDate>
      <arxiv:announce_type>{listing.kind}</arxiv:announce_type>
      <dc:rights>{work.license}</dc:rights>{_references(listing)}
      <dc:creator>{escape(", ".join(work.authors))}</dc:creator>
    </item>"""


def _references(listing: Listing) -> str:
    doi, journal = listing.work.doi, listing.work.journal_ref
    told = f"\n      <arxiv:DOI>{escape(doi)}</arxiv:DOI>" if doi else ""
    if journal:
        told += f"\n      <arxiv:journal_reference>{escape(journal)}</arxiv:journal_reference>"
    return told


def _described(listing: Listing) -> str:
    head = f"arXiv:{listing.work.id}v{listing.version} Announce Type: {listing.kind} \n"
    return escape(f"{head}Abstract: {listing.work.abstract}")


def _atom(categories: list[str], listings: list[Listing], today: date) -> bytes:
    names, query = ", ".join(categories), "+".join(categories)
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed {SPACES} xmlns="{ATOM}" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/{query}</id>
  <title>{names} updates on arXiv.org</title>
  <updated>{_built(today).isoformat()}</updated>
  <link href="http://rss.arxiv.org/atom/{query}" rel="self" type="application/atom+xml"/>
  <subtitle>{names} updates on the arXiv.org e-print archive.</subtitle>
{"".join(_atom_entry(listing, today) for listing in listings)}</feed>
""".encode()


def _atom_entry(listing: Listing, today: date) -> str:
    """`updated` is when the feed was made, `published` when the paper was announced."""
    work, name = listing.work, f"{listing.work.id}v{listing.version}"
    categories = "".join(f'\n    <category term="{name}"/>' for name in work.categories)
    return f"""  <entry>
    <id>oai:arXiv.org:{name}</id>
    <title>{escape(work.title)}</title>
    <updated>{_built(today).isoformat()}</updated>
    <link href="https://arxiv.org/abs/{work.id}" rel="alternate" type="text/html"/>
    <summary>{_described(listing)}</summary>{categories}
    <published>{_midnight(listing.day).isoformat()}</published>
    <arxiv:announce_type>{listing.kind}</arxiv:announce_type>
    <dc:rights>{work.license}</dc:rights>{_references(listing)}
    <dc:creator>{escape(", ".join(work.authors))}</dc:creator>
  </entry>
"""


def _error(question: Question, category: str) -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss {SPACES} version="2.0">
  <channel>
    <title>Feed error for query: http://rss.arxiv.org{escape(question.path)}</title>
    <link>http://rss.arxiv.org{escape(question.path)}</link>
    <description>Bad archive '{escape(category)}'. Valid archives are: cs, math, stat.</description>
    <language>en-us</language>
    <managingEditor>rss-help.arxiv.org</managingEditor>
  </channel>
</rss>
""".encode()
