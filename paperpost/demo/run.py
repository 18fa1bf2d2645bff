"""The demo: two days of four subscribers, through every room of the house."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from paperpost.demo.feed import DemoFeed, serving
from paperpost.demo.people import PEOPLE, Person, bundled_papers, days
from paperpost.demo.reader import Mail, mails_of, post_vote
from paperpost.demo.site import site
from paperpost.engine.runs import compose_all_of
from paperpost.errors import PaperpostError
from paperpost.service import ingest, subscribe
from paperpost.service.deliver import send
from paperpost.service.explain import explain
from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation, open_installation
from paperpost.service.train import train
from paperpost.service.wishes import Wishes
from paperpost.settings import Settings, load_settings
from paperpost.store.database import Database

SIZE = 5
MARK = ".paperpost-demo"
SETTINGS_FILE = """\
# The demo's own settings: run `paperpost serve` in this folder to open the links of its mails.
home = "."
# A vote counts at once here; elsewhere it is held for ten minutes, against robots.
vote_hold_seconds = 0
# Nothing is fetched: the demo's papers were bundled.
sources = []
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What happened, for machines and for people."""

    document: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """One subscriber's two days: mails, the votes in between, and the second day's ranking
    without and with them (paper ids, best first)."""

    person: Person
    first: Mail
    votes: dict[str, str]
    without: list[str]
    with_votes: list[str]
    second: Mail


def run_demo(folder: Path, say: Callable[[str], None]) -> Report:
    """Run the demo in `folder`, which is made anew; raises PaperpostError if it is not ours."""
    settings = _fresh_folder(folder)
    database = Database(settings.store_url)
    database.upgrade()
    database.close()
    *past, first, second = days()
    feed = DemoFeed(first)
    with serving(feed):
        here = {"sources": (f"feed:{feed.url}",), "allow_private_sources": True}
        installation = open_installation(settings.model_copy(update=here), say=say)
        try:
            stories = _two_days(installation, feed, past, first, second)
        finally:
            installation.close()
    return Report(_document(folder, stories), "\n".join(_text(folder, stories, first, second)))


def _fresh_folder(folder: Path) -> Settings:
    if folder.exists() and not folder.is_dir():
        raise PaperpostError(f"{folder} is not a folder; choose another name")
    if folder.exists() and any(folder.iterdir()) and not _is_untouched_demo(folder):
        raise PaperpostError(f"{folder} holds something that is not a demo; choose another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("made by `paperpost demo`, replaced by the next\n", encoding="utf-8")
    (folder / "paperpost.toml").write_text(SETTINGS_FILE, encoding="utf-8")
    # Nothing from the environment: the demo is the same everywhere.
    defaults: dict[str, Any] = {
        name: field.default for name, field in Settings.model_fields.items() if name != "sender"
    }
    return load_settings(
        **{**defaults, "home": folder, "vote_hold_seconds": 0, "sources": ()},
        PAPERPOST_FROM=Settings.model_fields["sender"].default,
    )


def _is_untouched_demo(folder: Path) -> bool:
    """Whether the folder is a demo's and its settings still are: who changed them is using it."""
    settings = folder / "paperpost.toml"
    unchanged = settings.is_file() and settings.read_text(encoding="utf-8") == SETTINGS_FILE
    return (folder / MARK).is_file() and unchanged


def _two_days(
    installation: Installation, feed: DemoFeed, past: Sequence[date], first: date, second: date
) -> list[Story]:
    say, folder = installation.say, installation.settings.home
    say(f"importing the papers of {len(past)} earlier days")
    ingest.import_files(installation, [_past_papers(folder, past)])
    for person in PEOPLE:
        wanted = Wishes(keywords=person.keywords, size=SIZE)
        subscribe.by_command(installation, person.email, wanted, confirmed=True)
    say(f"day 1, {first}: its papers come from a feed served on this machine")
    _take_in(installation)
    train(installation)
    first_mails = _compose_and_send(installation, first)
    say(f"day 2, {second}")
    feed.day = second
    _take_in(installation)
    without = {person.email: _ranked(installation, person, second) for person in PEOPLE}
    say("voting through the links of the first mails")
    with site(installation) as base:
        votes = {p.email: _vote(p, first_mails[p.email], base) for p in PEOPLE}
    with_votes = {person.email: _ranked(installation, person, second) for person in PEOPLE}
    second_mails = _compose_and_send(installation, second)
    return [
        Story(
            person,
            first_mails[person.email],
            votes[person.email],
            without[person.email],
            with_votes[person.email],
            second_mails[person.email],
        )
        for person in PEOPLE
    ]


def _past_papers(folder: Path, past: Sequence[date]) -> Path:
    path = folder / "earlier-papers.jsonl"
    wanted = {str(day) for day in past}
    lines = [json.dumps(paper) for paper in bundled_papers() if paper["announced"] in wanted]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _take_in(installation: Installation) -> None:
    result = fetch(installation)
    if result.rejected:
        raise PaperpostError(f"the demo's feed was not read: {result.rejected[0].reason}")
    installation.say(f"{result.added} new papers came in")


def _compose_and_send(installation: Installation, day: date) -> dict[str, Mail]:
    compose_all_of(installation, day)
    tally = send(installation)
    installation.say(f"{tally.sent} digests composed and mailed as files")
    return mails_of(installation.settings.mail_folder, day)


def _ranked(installation: Installation, person: Person, day: date) -> list[str]:
    return [choice["paper"] for choice in explain(installation, person.email, day, top=50)]


def _vote(person: Person, mail: Mail, base: str) -> dict[str, str]:
    """Vote up what the person likes in their mail, and down what they do not."""
    votes = {}
    for block in mail.blocks:
        if block.paper in person.likes:
            post_vote(block.more_url, base)
            votes[block.paper] = "up"
        elif block.paper in person.dislikes:
            post_vote(block.less_url, base)
            votes[block.paper] = "down"
    return votes


def _document(folder: Path, stories: Sequence[Story]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "mails": sorted(str(path) for path in (folder / "mail").glob("*.eml")),
        "subscribers": [
            {
                "email": story.person.email,
                "keywords": story.person.keywords,
                "day_1": [block.paper for block in story.first.blocks],
                "votes": story.votes,
                "day_2_without_votes": story.without[:SIZE],
                "day_2": [block.paper for block in story.second.blocks],
            }
            for story in stories
        ],
    }


def _text(folder: Path, stories: Sequence[Story], first: date, second: date) -> Iterator[str]:
    titles = {paper["id"]: paper["title"] for paper in bundled_papers()}
    for story in stories:
        yield f"\n{story.person.email}, who asked for {', '.join(story.person.keywords)}"
        yield f"\n  {first}, mailed:"
        for block in story.first.blocks:
            yield f"    {_short(titles[block.paper])}"
            yield f"      {'; '.join(block.reasons)}"
        yield ""
        for paper, word in story.votes.items():
            yield f"  thumbs {word}: {_short(titles[paper])}"
        yield f"\n  {second}, mailed:"
        for place, block in enumerate(story.second.blocks, start=1):
            yield f"    {_short(titles[block.paper])}"
            yield f"      {'; '.join(block.reasons)}{_moved(story, block.paper, place)}"
        yield from _behind(story, titles)
    yield from _what_next(folder)


def _behind(story: Story, titles: dict[str, str]) -> Iterator[str]:
    """What the votes did to papers that the mail does not show."""
    mailed = {block.paper for block in story.second.blocks}
    moves = {
        paper: (story.without.index(paper) + 1, place + 1)
        for place, paper in enumerate(story.with_votes)
        if paper not in mailed and story.without.index(paper) != place
    }
    fallen = [paper for paper, (before, _) in moves.items() if before <= SIZE]
    furthest = sorted(moves, key=lambda paper: -abs(moves[paper][0] - moves[paper][1]))[:1]
    for paper in fallen or furthest:
        before, now = moves[paper]
        yield f"    not mailed: {_short(titles[paper])}"
        yield f"      [moved by the votes from place {before} to {now}]"


def _short(title: str) -> str:
    return title if len(title) <= 88 else title[:87] + "…"


def _moved(story: Story, paper: str, place: int) -> str:
    before = story.without.index(paper) + 1
    if before == place:
        return ""
    return f" [moved by the votes from place {before} to {place}]"


def _what_next(folder: Path) -> Iterator[str]:
    command = Path(sys.executable).with_name("paperpost")
    yield "\nThe texts under the titles are summaries of our own; titles and authors are real."
    yield f"The mails are files in {folder / 'mail'}: open one with any mail program."
    yield "To open the links in them, and the site:"
    yield f"  cd {folder} && {command} serve"
    yield "then go to http://127.0.0.1:8000"
