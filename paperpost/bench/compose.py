"""`bench compose`: digests composed as messages, beside the usual way with the same libraries."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from itertools import cycle, islice
from statistics import median

import css_inline
import numpy as np
from jinja2 import Environment

from mailer.compose import compose_digest, render_paper
from mailer.digest import Digest, DigestItem, Fragment, Letter, PaperText
from mailer.links import Signer
from paperpost.bench.crowd import DAY, invented_papers
from paperpost.bench.invented import SEED
from paperpost.bench.processes import peak_mebibytes
from paperpost.bench.report import Comparison

BASE = "https://papers.university.example"
ISSUED = datetime(2026, 4, 9, 8, tzinfo=UTC)

# What most programs do for each message: render the page, write the style sheet into it, and have
# the email package encode it. Its style sheet and its words are fewer than ours.
_PAGE = """<!doctype html><html lang="en"><head><title>{{ subject }}</title><style>
body { font-family: sans-serif; color: #222 } h2 { font-size: 18px } .meta { color: #555 }
.why { background: #eef } .vote { border: 1px solid #99a; padding: 10px }</style></head><body>
<h1>{{ subject }}</h1>{% for item in items %}<h2><a href="{{ item.url }}">{{ item.title }}</a></h2>
<p class="meta">{{ item.authors }}</p><p>{{ item.abstract }}</p><p class="why">{{ item.why }}</p>
<a class="vote" href="{{ item.more }}">More like this</a>
<a class="vote" href="{{ item.less }}">Less like this</a>{% endfor %}
<p><a href="{{ leave }}">Unsubscribe</a></p></body></html>"""
_TEXT = """{{ subject }}
{% for item in items %}
{{ item.title }}
{{ item.authors }}
{{ item.abstract }}
{{ item.why }}
{{ item.url }}
More like this: {{ item.more }}
Less like this: {{ item.less }}
{% endfor %}
Unsubscribe: {{ leave }}
"""


@dataclass(frozen=True, slots=True)
class ComposeSizes:
    """How many digests of how many papers each, and how often; the peer composes `of_the_peer`."""

    messages: int = 5_000
    papers: int = 10
    rounds: int = 5
    of_the_peer: int = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """A paper of a day: what it says, and its fragment, which is rendered once."""

    number: int
    text: PaperText
    fragment: Fragment


def bench_compose(sizes: ComposeSizes, say: Callable[[str], None]) -> Comparison:
    """Messages a second, links signed for each reader included; one thread."""
    day = _day()
    say(f"{len(day)} papers of a day, {sizes.messages:,} digests of {sizes.papers}")
    ours, peer, size = [], [], 0
    for turn in range(1, sizes.rounds + 1):
        started = time.perf_counter()
        for number, chosen in _readers(day, sizes.papers, sizes.messages):
            size = len(_ours(number, chosen))
        ours.append(sizes.messages / (time.perf_counter() - started))
        started = time.perf_counter()
        for number, chosen in _readers(day, sizes.papers, sizes.of_the_peer):
            _peers(number, chosen)
        peer.append(sizes.of_the_peer / (time.perf_counter() - started))
        say(f"turn {turn}: {ours[-1]:,.0f} a second, the usual way {peer[-1]:,.0f}")
    details = {
        "messages": sizes.messages,
        "papers": sizes.papers,
        "bytes_of_a_message": size,
        "rounds": sizes.rounds,
        "peak_mebibytes": peak_mebibytes(),
        "ours_each": ours,
        "peer_each": peer,
    }
    return Comparison(
        f"{sizes.messages:,} digests composed as messages",
        median(ours),
        median(peer),
        "messages a second",
        "Jinja, css-inline and EmailMessage for each message",
        details,
    )


def _day() -> list[Chosen]:
    papers = invented_papers(np.random.default_rng(SEED))
    texts = [
        PaperText(
            id=paper["id"],
            title=paper["title"],
            abstract=paper["abstract"],
            authors=tuple(paper["authors"]),
            categories=tuple(paper["categories"]),
            announced=DAY,
            url=f"https://arxiv.org/abs/{paper['id']}",
        )
        for paper in papers
    ]
    return [Chosen(number, text, render_paper(text)) for number, text in enumerate(texts, 1)]


def _readers(
    day: Sequence[Chosen], papers: int, messages: int
) -> Iterator[tuple[int, list[Chosen]]]:
    """Each reader's number and papers, taken from all over the day."""
    turning = cycle(day[start::7] for start in range(7))
    for number, among in enumerate(islice(turning, messages), 1):
        first = number % (len(among) - papers)
        yield number, list(among[first : first + papers])


_signer = Signer([b"made up for a measurement"])


def _url(purpose: str, *fields: int) -> str:
    return f"{BASE}/{purpose}/{_signer.sign(purpose, fields, ISSUED)}"


def _ours(number: int, chosen: Sequence[Chosen]) -> bytes:
    items = tuple(
        DigestItem(
            fragment=one.fragment,
            title=one.text.title,
            reasons=("close to your keyword “graph neural networks”",),
            more_url=_url("vote", number, one.number, 1),
            less_url=_url("vote", number, one.number, -1),
        )
        for one in chosen
    )
    digest = Digest(
        local_date=DAY,
        items=items,
        considered=600,
        frequency="daily",
        preferences_url=_url("me", number),
        unsubscribe_url=_url("unsubscribe", number),
        why="graph neural networks",
    )
    letter = Letter(
        sender="Paperpost <digest@papers.university.example>",
        recipient=f"reader{number}@university.example",
        message_id=f"<{number}@papers.university.example>",
        date=ISSUED,
        postal_address=None,
        public_url=BASE,
        operator=None,
    )
    return compose_digest(digest, letter)


_environment = Environment(autoescape=True)
_page, _text = _environment.from_string(_PAGE), _environment.from_string(_TEXT)


def _peers(number: int, chosen: Sequence[Chosen]) -> bytes:
    context = {
        "subject": f"Papers 9 Apr: {chosen[0].text.title}",
        "leave": _url("unsubscribe", number),
        "items": [
            {
                "title": one.text.title,
                "url": one.text.url,
                "authors": ", ".join(one.text.authors[:3]),
                "abstract": one.text.abstract[:600],
                "why": "close to your keyword “graph neural networks”",
                "more": _url("vote", number, one.number, 1),
                "less": _url("vote", number, one.number, -1),
            }
            for one in chosen
        ],
    }
    message = EmailMessage(policy=SMTP)
    message["From"] = "Paperpost <digest@papers.university.example>"
    message["To"] = f"reader{number}@university.example"
    message["Subject"] = context["subject"]
    message["Message-ID"] = f"<{number}@papers.university.example>"
    message.set_content(_text.render(context))
    message.add_alternative(css_inline.inline(_page.render(context)), subtype="html")
    return message.as_bytes()
