"""Documents as arXiv serves them, around invented papers."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

RSS_ITEM = """
    <item>
      <title>{title}</title>
      <link>https://arxiv.org/abs/{id}</link>
      <description>arXiv:{id}v{version} Announce Type: {kind}
Abstract: {abstract}</description>
      <guid isPermaLink="false">oai:arXiv.org:{id}v{version}</guid>
      <category>cs.AI</category>
      <category>cs.LG</category>
      <pubDate>Wed, 01 Apr 2026 00:00:00 -0400</pubDate>
      <arxiv:announce_type>{kind}</arxiv:announce_type>
      <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
      <dc:creator>{authors}</dc:creator>
    </item>"""


def rss_item(number: int = 1, *, version: int = 1, kind: str = "new", **texts: str) -> str:
    return RSS_ITEM.format(
        id=f"2604.{number:05}",
        version=version,
        kind=kind,
        title=escape(texts.get("title", f"Invented paper {number}")),
        abstract=escape(texts.get("abstract", f"What paper {number} is about.")),
        authors=escape(texts.get("authors", "Ada Lovelace, Alan Turing")),
    )


def rss(*items: str, title: str = "cs.AI updates on arXiv.org", description: str = "") -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:atom="http://www.w3.org/2005/Atom" version="2.0">
  <channel>
    <title>{title}</title>
    <link>http://rss.arxiv.org/rss/cs.AI</link>
    <description>{description}</description>
    <lastBuildDate>Wed, 01 Apr 2026 04:00:04 +0000</lastBuildDate>
    <pubDate>Wed, 01 Apr 2026 00:00:00 -0400</pubDate>
    <skipDays><day>Saturday</day><day>Sunday</day></skipDays>{"".join(items)}
  </channel>
</rss>
""".encode()


DAILY_ATOM = b"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/cs.AI</id>
  <title>cs.AI updates on arXiv.org</title>
  <updated>2026-04-01T04:00:04.123456+00:00</updated>
  <entry>
    <id>oai:arXiv.org:2604.00007v2</id>
    <title>An invented paper, replaced</title>
    <updated>2026-04-02T09:30:00.5+00:00</updated>
    <link href="https://arxiv.org/abs/2604.00007" rel="alternate" type="text/html"/>
    <summary>arXiv:2604.00007v2 Announce Type: replace-cross
Abstract: Second thoughts.</summary>
    <category term="cs.AI"/>
    <published>2026-04-01T00:00:00-04:00</published>
    <arxiv:announce_type>replace-cross</arxiv:announce_type>
    <dc:creator>Ada Lovelace (Analytical Society, London), Alan Turing</dc:creator>
  </entry>
</feed>
"""

API_ATOM = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title type="html">ArXiv Query: search_query=all:invented</title>
  <id>http://arxiv.org/api/invented</id>
  <updated>2026-04-05T00:00:00-04:00</updated>
  <entry>
    <id>http://arxiv.org/abs/hep-ex/0307015v3</id>
    <updated>2026-01-02T03:04:05Z</updated>
    <published>2003-07-07T23:46:39Z</published>
    <title>An invented measurement
  over two lines</title>
    <summary>  We see $a&lt;b$ at p&lt;0.05.
</summary>
    <author><name>Ada Lovelace</name><arxiv:affiliation>London</arxiv:affiliation></author>
    <author><name>Sammy Davis, Jr.</name></author>
    <arxiv:doi>10.1000/ABC.5</arxiv:doi>
    <arxiv:comment>23 pages</arxiv:comment>
    <link href="http://arxiv.org/abs/hep-ex/0307015v3" rel="alternate" type="text/html"/>
    <arxiv:primary_category term="hep-ex" scheme="http://arxiv.org/schemas/atom"/>
    <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
    <category term="hep-ex" scheme="http://arxiv.org/schemas/atom"/>
    <category term="68T05 (Primary)" scheme="http://arxiv.org/schemas/atom"/>
  </entry>
</feed>
"""

API_ERROR = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title type="html">ArXiv Query: id_list=1234.12345x</title>
  <entry>
    <id>http://arxiv.org/api/errors#incorrect_id_format_for_1234.12345x</id>
    <title>Error</title>
    <summary>incorrect id format for 1234.12345x</summary>
    <updated>2026-04-01T00:00:00-04:00</updated>
    <author><name>arXiv api core</name></author>
  </entry>
</feed>
"""


def oai(*content: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-04-02T02:30:00Z</responseDate>
  <request verb="ListRecords">https://oaipmh.arxiv.org/oai</request>
  {"".join(content)}
</OAI-PMH>
""".encode()


def oai_records(records: Iterable[str]) -> bytes:
    return oai("<ListRecords>", *records, "<resumptionToken>abc</resumptionToken></ListRecords>")


def oai_record(metadata: str, *, datestamp: str = "2026-04-02", number: int = 1) -> str:
    return f"""
    <record>
      <header>
        <identifier>oai:arXiv.org:2604.{number:05}</identifier>
        <datestamp>{datestamp}</datestamp>
        <setSpec>cs:cs:AI</setSpec><setSpec>physics:hep-ph</setSpec>
      </header>
      <metadata>{metadata}</metadata>
    </record>"""


DELETED = """
    <record>
      <header status="deleted">
        <identifier>oai:arXiv.org:2604.00099</identifier><datestamp>2026-04-02</datestamp>
      </header>
    </record>"""


def oai_arxiv(number: int = 1, created: str = "2026-03-31", updated: str | None = None) -> str:
    changed = f"<updated>{updated}</updated>" if updated else ""
    return f"""
      <arXiv xmlns="http://arxiv.org/OAI/arXiv/">
        <id>2604.{number:05}</id><created>{created}</created>{changed}
        <authors>
          <author><keyname>Lovelace</keyname><forenames>Ada</forenames></author>
          <author><keyname>Davis</keyname><forenames>Sammy</forenames><suffix>Jr</suffix>
            <affiliation>Las Vegas</affiliation></author>
        </authors>
        <title>Invented
 paper {number}</title>
        <categories>cs.AI hep-ph</categories><comments>3 pages</comments>
        <doi>10.1000/XYZ</doi>
        <license>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</license>
        <abstract>  About it, with p&lt;0.05. </abstract>
      </arXiv>"""


def oai_arxiv_raw(*version_dates: str) -> str:
    versions = "".join(
        f'<version version="v{number}"><date>{day}</date><size>9kb</size></version>'
        for number, day in enumerate(version_dates, start=1)
    )
    return f"""
      <arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/">
        <id>2604.00001</id><submitter>Ada Lovelace</submitter>{versions}
        <title>Invented paper</title>
        <authors>Ada Lovelace (Society (London), UK), Alan Turing and Grace Hopper, Jr</authors>
        <categories>cs.AI</categories><abstract>About it.</abstract>
      </arXivRaw>"""


OAI_DUBLIN_CORE = """
      <oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
                 xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>Invented paper</dc:title>
        <dc:creator>Lovelace, Ada</dc:creator><dc:creator>Turing, Alan</dc:creator>
        <dc:subject>Artificial Intelligence</dc:subject>
        <dc:description>About it.</dc:description>
        <dc:description>Comment: 3 pages</dc:description>
        <dc:date>2026-07-24</dc:date><dc:date>2026-03-31</dc:date>
        <dc:type>text</dc:type>
        <dc:identifier>http://arxiv.org/abs/2604.00001</dc:identifier>
        <dc:identifier>doi:10.1000/XYZ</dc:identifier>
      </oai_dc:dc>"""

ENTITY_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE rss [
  <!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<rss version="2.0"><channel><title>&c;</title><item><title>&c;</title></item></channel></rss>
"""
