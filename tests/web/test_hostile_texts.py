"""Titles, names and queries that want to be programs: on every page of a browser they are text.

Records are stored as they are here, without the cleaning that every source's texts go through.
"""

import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from all_pages import LAST, PLACES, go
from browser import PHONE, Readers
from furnished import ADA, LIKE_ADA, Furnished
from invented import Clock
from playwright.sync_api import Page

from paperpost.engine.runs import compose_all_of
from paperpost.service import subscribe, vote, wishes
from paperpost.service.deliver import send
from paperpost.store.intake import put_all
from paperpost.store.records import Record

pytest_plugins = ["furnished_on_stage"]

# Each would call `ran()` if it were more than text.
HOSTILE = (
    "<script>ran()</script>",
    "</title></textarea></style></script></svg><script>ran()</script>",
    '"><img src=x onerror=ran()>',
    "'><svg/onload=ran()>",
    '" autofocus onfocus="ran()" x="',
    "' style='animation:x' onanimationstart='ran()",
    "<svg><animate onbegin=ran() attributeName=x dur=1s>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=ran()>",
    "<iframe srcdoc='<script>parent.ran()</script>'></iframe>",
    "<a href='javascript:ran()'>javascript:ran()</a>",
    "<form action='https://evil.example/'><input name=q><button>Subscribe</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href='https://evil.example/'><link rel=stylesheet href=//evil.example/x.css>",
    "{{7*7}} ${7*7} #{7*7} {%raw%} {% include 'layout.html' %} <%= 7*7 %>",
    "&lt;script&gt;ran()&lt;/script&gt; &#60;b&#62; &amp;amp; <!-- --> ]]>",
    "<![CDATA[<script>ran()</script>]]><!--#exec cmd=ls--> <?php ran() ?>",
    "safe \u202egnp.exe \u2066\u200f العربية \u202c end",
    "broken \ufffd\ufffd UTF-8 \u2028 line \u2029 paragraph \u00a0",
    "$" * 40 + "\\(\\text{ran()}\\) \\href{javascript:ran()}{x}",
)
LONG = "Pneumono" * 625
BAD_ADDRESSES = (
    "javascript:ran()",
    "JaVaScRiPt://arxiv.org/%0aran()",
    "data:text/html,<script>ran()</script>",
    'https://arxiv.org/"onmouseover="ran()',
    "https://evil.example@arxiv.org/<script>ran()</script>",
    "//evil.example/x",
)


def record(number: int, text: str) -> Record:
    """A paper all of whose texts are hostile; that it is about graphs makes digests take it."""
    return Record(
        name=f"doi:10.1/{number}{text[:60].replace(' ', '')}",
        title_keys=(f"hf:{number}",),
        title=f"{text} {number}",
        abstract=f"{text} Graph neural networks and protein folding, {text}",
        authors=(text, f"Noether {text}"),
        categories=(text[:40], "cs.LG"),
        comment=text,
        announced=LAST + timedelta(days=1),
        url=BAD_ADDRESSES[number % len(BAD_ADDRESSES)],
        source=f"feed:https://evil.example/{text[:20]}",
    )


@pytest.fixture
def hostile(furnished: Furnished) -> Furnished:
    """The furnished site on a day on which everything that came is hostile, with Ada's interests,
    votes and digest full of it."""
    here = furnished.installation
    assert isinstance(here.clock, Clock)
    records = [record(number, text) for number, text in enumerate((*HOSTILE, LONG))]
    with here.database.writing() as session:
        put_all(session, records, here.clock())
    here.clock.turn(hours=15)
    texts = [text[:100] for text in HOSTILE]
    wanted = {"keywords": [*texts, "graph neural networks"], "authors": texts, "muted": texts[:3]}
    subscribe.by_command(here, ADA, wishes.checked({**wanted, "size": 25}), confirmed=True)
    for name in ("ada", *LIKE_ADA):
        for one in records[::3]:
            vote.cast_by_command(here, f"{name}@example.org", one.name, "up")
    compose_all_of(here, here.clock().date())
    assert send(here).sent > 0
    return Furnished(here, paper_id=records[0].name)


BITTEN = """() => {
    const bad = [];
    for (const node of document.querySelectorAll("*")) {
        for (const {name, value} of node.attributes) {
            const address = ["href", "src", "action", "formaction"].includes(name);
            const elsewhere = address && /^\\s*(javascript|data|vbscript):/i.test(value);
            if (name.startsWith("on") || name === "style" || elsewhere) bad.push(node.outerHTML);
        }
    }
    const strange = "base, meta[http-equiv], math, object, embed, link[href*='evil'], " +
        "form[action*='evil'], iframe[srcdoc], script:not([src*='/static/'])";
    return bad.concat([...document.querySelectorAll(strange)].map(node => node.outerHTML));
}"""


class Victim:
    """A tab in which nothing may run, and that looks through each page."""

    def __init__(self, site: Furnished, tab: Page) -> None:
        self.site, self.tab, self.found = site, tab, list[object]()
        tab.add_init_script("window.ran = () => console.error('it ran')")
        tab.on("dialog", lambda dialog: self.found.append(("dialog", dialog.message)))

    def look(self, name: str) -> None:
        """Note what is wrong with the page that is open."""
        bad = self.tab.evaluate(BITTEN)
        wide = self.tab.evaluate("document.documentElement.scrollWidth")
        if bad or wide > PHONE.width:
            self.found.append((name, bad, wide))


@pytest.fixture
def victim(hostile: Furnished, readers: Readers) -> Iterator[Victim]:
    """A reader with a phone, where long words are widest."""
    victim = Victim(hostile, readers.tab(PHONE))
    yield victim
    assert victim.found == []


def words(text: str) -> str:
    """A text but for what cannot be seen and for dashes, which a page may set better."""
    seen = (sign for sign in text if unicodedata.category(sign)[0] not in "CZ")
    return "".join(seen).replace("-", "").replace("\u2013", "")


def test_on_every_page_hostile_texts_are_texts(victim: Victim, hostile: Furnished) -> None:
    for place in PLACES:
        go(victim.tab, hostile, place)
        victim.look(place.name)


def test_every_hostile_paper_shows_its_own_words(victim: Victim, hostile: Furnished) -> None:
    for number, text in enumerate((*HOSTILE, LONG)):
        one = record(number, text)
        answer = victim.tab.goto(f"{hostile.base}/paper/{quote(one.name, safe='/:')}")
        assert answer is not None
        assert answer.status == 200, one.name
        victim.look(one.name)
        if "\\" not in text:
            assert words(victim.tab.locator("h1").text_content() or "") == words(one.title)
        # No address that a source gave but a web page's becomes a link.
        for link in victim.tab.locator("a").all():
            assert (link.get_attribute("href") or "").startswith(("/", "#", "http"))


def test_hostile_queries_are_words_to_look_for(victim: Victim, hostile: Furnished) -> None:
    for text in (*HOSTILE, LONG[:290]):
        for path in ("/search?q=", "/subscribe?keywords="):
            victim.tab.goto(f"{hostile.base}{path}{quote(text, safe='')}")
            victim.look(path + text)


def test_a_hostile_address_is_not_found(victim: Victim, hostile: Furnished) -> None:
    for path in ("/trending?window=", "/day/", "/paper/", "/me/", "/vote/", "/static/"):
        answer = victim.tab.goto(f"{hostile.base}{path}{quote(HOSTILE[1], safe='')}")
        victim.look(path)
        assert answer is not None
        assert answer.status == 404, path
