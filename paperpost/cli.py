"""The command line: one function per command, and the only place that prints.

Results go to stdout, progress and logs to stderr. With `--json` stdout holds one JSON document.
Exit status: 0 done, 1 failed (one line on stderr says why), 2 used wrongly.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from paperpost import (
    __version__,
    library_commands,
    mail_commands,
    measure_commands,
    operator_commands,
    source_commands,
    subscriber_commands,
)
from paperpost.settings import load_settings
from paperpost.status_text import status_text
from paperpost.terminal import (
    AsJson,
    Email,
    a_date,
    an_engine,
    fail,
    opened,
    say,
    show,
    show_ingested,
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The day's new papers, ranked for each subscriber and mailed as a short digest.",
)

On = Annotated[
    date | None,
    typer.Option("--on", parser=a_date, metavar="DATE", help="The digest's date [today]."),
]


@app.callback(invoke_without_command=True)
def _paperpost(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        print(f"paperpost {__version__}")
        raise typer.Exit


@app.command()
def demo(
    as_json: AsJson = False,
    folder: Annotated[
        Path, typer.Option(help="Where it happens; an earlier demo there is replaced.")
    ] = Path("paperpost-demo"),
) -> None:
    """The whole main job on bundled papers: no network, no SMTP server, no key."""
    from paperpost.demo.run import run_demo

    report = run_demo(folder, say=say)
    show(as_json, report.document, report.text)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Create the database, or migrate it to this version."""
    from paperpost.store.database import Database

    settings = load_settings()
    settings.signing_keys()
    database = Database(settings.store_url, "paperpost upgrade")
    database.upgrade(say=say)
    database.close()
    show(as_json, {"upgraded": True}, "The database is up to date.")


@app.command()
def fetch(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Like arxiv:cs.AI+cs.CL.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """New papers from the configured or named sources."""
    from paperpost.service import fetch as fetching
    from paperpost.sources.errors import UnknownSource

    try:
        fetching.check_sources(sources or (), load_settings())
    except UnknownSource as error:
        raise typer.BadParameter(str(error)) from error
    with opened() as installation:
        result = fetching.fetch(installation, sources or ())
    for one in result.days:
        say(f"{one.source}, {one.day} is {one.state}: {one.evidence}")
    show_ingested(as_json, asdict(result))
    if result.rejected and not result.readable:
        fail("nothing could be fetched")


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Told by content.")],
    as_json: AsJson = False,
) -> None:
    """Papers from files: JSON lines, RSS, Atom, OAI-PMH, or Daily Papers (text or API)."""
    from paperpost.service import ingest

    with opened() as installation:
        result = ingest.import_files(installation, files)
    show_ingested(as_json, asdict(result))
    if not result.readable:
        fail("no papers could be read")


subscriber_commands.register(app)


@app.command()
def train(as_json: AsJson = False) -> None:
    """Fit the model on what is stored."""
    from paperpost.service.train import train as fit

    with opened() as installation:
        trained = fit(installation)
    if trained is None:
        fail("there are no papers yet: run `paperpost fetch` or `paperpost import`")
    text = f"Trained on {trained.papers:,} papers and {trained.votes:,} votes"
    show(as_json, asdict(trained), f"{text} in {trained.seconds:.1f} s.")


@app.command()
def rank(
    email: Email,
    on: On = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="So many, whatever their threshold [what the digest has]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a subscriber would get, with scores and reasons; changes nothing."""
    from paperpost.service.explain import explain

    with opened() as installation:
        choices = explain(installation, email, on, top)
    lines = [
        f"{place:3}. {choice['title']}\n"
        f"     {', also '.join([choice['paper'], *choice['also']])}  score {choice['score']:.2f}"
        f"  probability {choice['probability']:.0%}"
        f"{'  outside the usual' if choice['explored'] else ''}"
        f"{'  a new version' if choice['revised'] else ''}\n"
        + "".join(f"     - {reason}\n" for reason in choice["reasons"])
        for place, choice in enumerate(choices, start=1)
    ]
    nothing = (
        "Nothing to mail: since the last digest up to that date no papers were announced, "
        "or none that reaches the threshold."
    )
    show(as_json, choices, "\n".join(lines).rstrip() or nothing)


@app.command()
def digest(
    on: On = None,
    only: Annotated[str | None, typer.Option(metavar="EMAIL", help="For one subscriber.")] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            parser=an_engine,
            metavar="ENGINE",
            help="embedded, or dask://HOST:PORT [PAPERPOST_ENGINE].",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose and queue the digests of a date, whatever the hour.

    A silent digest is one without papers, or with none above the threshold: nothing is mailed,
    but for a quiet note to who asked for it.
    """
    from paperpost.engine.choice import engine_of
    from paperpost.engine.runs import compose_all_of

    with opened() as installation:
        gc.freeze()  # as in `send`
        chosen = engine_of(installation.settings, engine)
        counts = compose_all_of(installation, on, only, engine=chosen)
    words = (
        *("queued", "quiet note", "silent", "composed before"),
        *("paused", "not their day", "overtaken"),
    )
    document = {word.replace(" ", "_"): counts[word] for word in words}
    shown = [f"{counts[word]} {word}" for word in words if counts[word] or word == "queued"]
    show(as_json, document, ", ".join(shown))
    if counts["overtaken"]:
        fail(f"{counts['overtaken']} subscribers have no digest for that date yet: run it again")


@app.command()
def send(as_json: AsJson = False) -> None:
    """Deliver what is queued; safe to kill, safe to run twice."""
    from paperpost.service.deliver import send as deliver

    stop = _stop_on_signals()
    with opened() as installation:
        gc.freeze()  # what is loaded by now stays: not to look through it each time saves a tenth
        tally = deliver(installation, stop)
        where = installation.settings.mail_folder if not installation.settings.smtp_url else None
    document = asdict(tally)
    text = ", ".join(f"{n} {word}" for word, n in document.items() if isinstance(n, int) and n)
    if where is not None and tally.sent:
        text += f"; the mails are files in {where}"
    show(as_json, document, text or "nothing to send")
    if tally.unreachable:
        fail(f"mail cannot be handed over now, nothing is lost: {tally.unreachable}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Last fetch and training, deliveries by state, and what is wrong."""
    from paperpost.service.status import status as look

    with opened() as installation:
        report = look(installation)
    show(as_json, report, status_text(report))


library_commands.register(app)
mail_commands.register(app)
measure_commands.register(app)
operator_commands.register(app)
source_commands.register(app)


@app.command()
def work(
    as_json: AsJson = False,
    attached: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Tick, fetch, train, compose and deliver, until stopped."""
    from paperpost.logs import configure
    from paperpost.schedule import Clockwork
    from paperpost.service.fetch import check_sources

    log = configure(as_json=as_json)
    stop = _stop_on_signals()
    if attached:
        _stop_with_parent(stop)
    with opened(log.info) as installation:
        check_sources(installation.settings.sources, installation.settings)
        ended = Clockwork(installation, stop).run()
    show(as_json, {"stopped": True}, "")
    if not ended:
        sys.stdout.flush()
        os._exit(0)  # a training is still running and leaves nothing half done


def _stop_on_signals() -> threading.Event:
    """A handler interrupts the main thread anywhere, another handler too, and the event's lock may
    be held there: so it only writes to a pipe, and a thread that reads it sets the event."""
    stop = threading.Event()
    reading, writing = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(writing, b"."))

    def watch() -> None:
        while os.read(reading, 1024):
            stop.set()

    threading.Thread(target=watch, name="signals", daemon=True).start()
    return stop


def _stop_with_parent(stop: threading.Event) -> None:
    """`serve` holds the other end of our standard input: it closes when `serve` is gone."""

    def watch() -> None:
        # Not by `sys.stdin`: its lock, held here for ever, would crash the interpreter's end.
        while os.read(0, 1):
            pass
        stop.set()

    threading.Thread(target=watch, daemon=True).start()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    web_only: Annotated[
        bool, typer.Option("--web-only", help="Without the `work` beside it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The web, and one `work` beside it."""
    from paperpost.logs import configure
    from paperpost.service.fetch import check_sources
    from paperpost.web.serve import serve as run

    configure(as_json=as_json)
    with opened() as installation:
        check_sources(installation.settings.sources, installation.settings)
        run(installation, host, port, with_work=not web_only)
    show(as_json, {"stopped": True}, "")


def _run(command: Callable[[], object]) -> int:
    from paperpost.service.failures import FAILURES

    try:
        command()
    except FAILURES as error:
        say(f"paperpost: {error}")
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"paperpost: {where}{error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def main() -> NoReturn:
    """Run the command that was asked for."""
    sys.exit(_run(app))
