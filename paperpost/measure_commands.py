"""The commands that measure: ranking quality (`evaluate`) and speed (`bench`)."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from paperpost.terminal import AsJson, fail, say, show


def evaluate(
    data: Annotated[
        Literal["citeulike", "stream", "search", "samples", "tune"],
        typer.Argument(
            help="What is replayed; tune tries other weights on citeulike's data, samples learns "
            "from parts of it."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the data is.")],
    seed: Annotated[int, typer.Option(min=0, help="Which papers are new.")] = 0,
    split: Annotated[int | None, typer.Option(help="CiteULike's published split: 1 or 10.")] = None,
    models: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Those with such a part in the name."),
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the stream's curve there.")] = None,
    validation: Annotated[
        bool, typer.Option("--validation", help="The stream's past, to choose weights on.")
    ] = False,
    seeds: Annotated[
        str | None, typer.Option(metavar="N,...", help="What tune splits by [7,8].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ranking quality on real data, beside other rankers; needs no database."""
    if split not in (None, 1, 10) or (split is not None and data != "citeulike"):
        raise typer.BadParameter("--split is 1 or 10, and for citeulike")
    if svg is not None and data != "stream":
        raise typer.BadParameter("--svg is for the stream")
    if validation and data != "stream":
        raise typer.BadParameter("--validation is for the stream")
    if seeds is not None and data != "tune":
        raise typer.BadParameter("--seeds is for tune")
    if data in ("tune", "search", "samples") and models is not None:
        raise typer.BadParameter(f"--models is not for {data}")
    if data == "tune":
        _tune(folder, seeds, as_json)
        return
    if data == "search":
        _search(folder, seed, as_json)
        return
    if data == "samples":
        _samples(folder, seed, as_json)
        return
    from paperpost.evaluation.citeulike import evaluate_citeulike
    from paperpost.evaluation.stream import evaluate_stream

    names = [name.strip() for name in (models or "").split(",") if name.strip()]
    if data == "citeulike":
        found = evaluate_citeulike(folder, seed, split, names, say)
        show(as_json, found.document, found.text)
        return
    replayed = evaluate_stream(folder, seed, names, say, validation=validation)
    if svg is not None:
        replayed.write_picture(svg)
    show(as_json, replayed.document, replayed.text)


def _tune(folder: Path, seeds: str | None, as_json: bool) -> None:
    from paperpost.evaluation import tune_report
    from paperpost.evaluation.tune import VALIDATION_SEEDS, tune

    found = tune(folder, _numbers(seeds) if seeds else VALIDATION_SEEDS, say)
    show(as_json, tune_report.document(found), tune_report.text(found))


def _search(folder: Path, seed: int, as_json: bool) -> None:
    from paperpost.bench.known_items import evaluate_search

    found = evaluate_search(folder, seed, say)
    show(as_json, found.document, found.text)


def _samples(folder: Path, seed: int, as_json: bool) -> None:
    from paperpost.evaluation.samples import evaluate_samples

    found = evaluate_samples(folder, seed, say)
    show(as_json, found.document, found.text)


def _numbers(text: str) -> list[int]:
    numbers = text.split(",")
    if not all(number.strip().isdecimal() for number in numbers):
        raise typer.BadParameter(f"{text!r} is no list of numbers like 7,8")
    return [int(number) for number in numbers]


bench = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Speed, beside what it is compared with; needs no database.",
)
Library = Annotated[int, typer.Option(min=1, help="Made-up papers that the model knows.")]
Terms = Annotated[int, typer.Option(min=1, help="Made-up words that they are written in.")]


@bench.command("rank")
def bench_rank(
    subscribers: Annotated[int, typer.Option(min=1, help="Whose papers are ranked.")] = 100_000,
    papers: Annotated[int, typer.Option(min=20, help="The day's new papers.")] = 1_000,
    rounds: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 5,
    library: Library = 20_000,
    terms: Terms = 50_000,
    as_json: AsJson = False,
) -> None:
    """The best papers for many subscribers, beside implicit's own top-k."""
    from paperpost.bench import rank as timing

    sizes = timing.RankSizes(subscribers, papers, rounds, library, terms)
    found = timing.bench_rank(sizes, say)
    show(as_json, found.document, found.text)


@bench.command("vote")
def bench_vote(
    votes: Annotated[int, typer.Option(min=1, help="Votes of the reader.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 200,
    library: Library = 5_000,
    terms: Terms = 50_000,
    as_json: AsJson = False,
) -> None:
    """From a vote to a changed profile, beside implicit's own fold-in."""
    if votes > library:
        raise typer.BadParameter("there are more votes than papers in the library")
    from paperpost.bench import vote as timing

    found = timing.bench_vote(timing.VoteSizes(votes, rounds, library, terms), say)
    show(as_json, found.document, found.text)


@bench.command("train")
def bench_train(
    papers: Annotated[
        str, typer.Option(metavar="N,...", help="With the fewest subscribers.")
    ] = "5000,20000,75000",
    subscribers: Annotated[
        str, typer.Option(metavar="N,...", help="With the fewest papers.")
    ] = "1000,10000,100000",
    terms: Terms = 50_000,
    as_json: AsJson = False,
) -> None:
    """How training grows with papers and subscribers, beside implicit's own fit."""
    sizes = _sizes(papers), _sizes(subscribers)
    from paperpost.bench import train as timing

    found = timing.bench_train(timing.TrainSizes(*sizes, terms), say)
    show(as_json, found.document, found.text)


@bench.command("import")
def bench_import(
    papers: Annotated[
        str, typer.Option(metavar="N,...", help="Papers of each import.")
    ] = "1500,15000,75000",
    as_json: AsJson = False,
) -> None:
    """How fast papers come in, beside json and sqlite3."""
    sizes = _sizes(papers)
    from paperpost.bench import intake

    found = intake.bench_import(sizes, say)
    show(as_json, found.document, found.text)


@bench.command("compose")
def bench_compose(
    messages: Annotated[int, typer.Option(min=1, help="Digests.")] = 5_000,
    papers: Annotated[int, typer.Option(min=1, max=50, help="In each.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Digests composed as messages, beside the usual way with the same libraries."""
    from paperpost.bench import compose as timing

    found = timing.bench_compose(timing.ComposeSizes(messages, papers, rounds), say)
    show(as_json, found.document, found.text)


@bench.command("send")
def bench_send(
    smtp: Annotated[str, typer.Option(metavar="URL", help="A server on this machine: smtp-sink.")],
    messages: Annotated[int, typer.Option(min=1, help="Digests.")] = 20_000,
    connections: Annotated[int, typer.Option(min=1, help="To the server.")] = 32,
    processes: Annotated[int, typer.Option(min=1, help="That send at the same time.")] = 2,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="An empty PostgreSQL database [SQLite].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Personal digests, composed, built, sent and recorded, beside Postfix's smtp-source."""
    from paperpost.bench import send as timing

    sizes = timing.SendSizes(messages, connections, processes)
    found = timing.bench_send(smtp, sizes, database, say)
    show(as_json, found.document, found.text)


@bench.command("web")
def bench_web(
    papers: Annotated[
        str, typer.Option(metavar="N,...", help="Papers of each installation.")
    ] = "7500,75000",
    subscribers: Annotated[
        int, typer.Option(min=2, help="Subscribers of the one with the most papers.")
    ] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times each page is asked for.")] = 20,
    as_json: AsJson = False,
) -> None:
    """How long every page takes and how large it is, beside an empty page."""
    sizes = _sizes(papers)
    from paperpost.bench import web as timing
    from paperpost.bench.months import Sizes

    each = [Sizes(size, max(2, subscribers * size // max(sizes))) for size in sizes]
    found = timing.bench_web(each, rounds, say)
    show(as_json, found.document, found.text)


@bench.command("search")
def bench_search(
    papers: Annotated[
        str, typer.Option(metavar="N,...", help="Papers of each installation.")
    ] = "7500,25000,75000",
    rounds: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 9,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="An empty PostgreSQL database [SQLite].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How long searches take, beside arxiv-sanity-lite's loop over all texts."""
    sizes = _sizes(papers)
    from paperpost.bench import search as timing

    found = timing.bench_search(sizes, rounds, database, say)
    show(as_json, found.document, found.text)


@bench.command("scale")
def bench_scale(
    subscribers: Annotated[
        str, typer.Option(metavar="N,...", help="Who are mailed each day, of each installation.")
    ] = "10000,100000,1000000",
    papers: Annotated[int, typer.Option(min=100, help="Papers of the last months.")] = 200_000,
    day: Annotated[int, typer.Option(min=20, help="New papers of the day.")] = 1_500,
    messages: Annotated[int, typer.Option(min=1, help="Mails that are sent, at most.")] = 50_000,
    workers: Annotated[int, typer.Option(min=1, help="Dask workers, beside one alone.")] = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes, to see that all of it works.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL server that lets us make databases [own]."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where our own server keeps some 15 GB meanwhile.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the curves there, as SVG.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables into this page, between its marks.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A day of a large installation on PostgreSQL, beside the usual loop over readers."""
    sizes = _sizes(subscribers)
    from paperpost.bench.scale import report
    from paperpost.bench.scale.measured import QUICK, Plan
    from paperpost.bench.scale.run import measure

    plan = QUICK if quick else Plan(sizes, papers, day, messages, workers)
    if markdown is not None:
        report.around_tables(markdown)  # before an hour's work, not after it
    for found in measure(plan, database, folder, say):
        by_now = report.Report(found)
        if picture is not None:
            picture.write_text(by_now.picture, encoding="utf-8")
        if markdown is not None:
            report.write_into(markdown, by_now.markdown)
    show(as_json, by_now.document, by_now.text)
    if found.failures:
        fail("; ".join(found.failures))


def _sizes(text: str) -> list[int]:
    numbers = text.split(",")
    if not all(number.strip().isdecimal() and int(number) for number in numbers):
        raise typer.BadParameter(f"{text!r} is no list of sizes like 1000,10000")
    return [int(number) for number in numbers]


def register(app: typer.Typer) -> None:
    """Add these commands to the others."""
    app.command()(evaluate)
    app.add_typer(bench, name="bench")
