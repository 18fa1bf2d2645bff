"""Several machines on one database: each has a home of its own, and all have one model."""

import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from invented import Clock, fill, join

from paperpost.service import snapshot_store
from paperpost.service.doctor import sharing
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.search import search
from paperpost.service.similar import similar
from paperpost.service.snapshot_store import NoSharedFolder
from paperpost.service.train import (
    KEEP_SNAPSHOTS,
    LOOK_EVERY,
    RETRY_EVERY,
    current_model,
    model_at_hand,
    train,
)
from paperpost.service.vote import cast_by_command
from paperpost.settings import load_settings
from paperpost.store import snapshots
from paperpost.store.database import Database
from recommender import snapshot
from recommender.errors import NewerSnapshot
from recommender.model import Model

DAY, LATER = date(2026, 4, 6), date(2026, 4, 7)
LAST = "model-99991231T235959-ffffff"
Machines = Callable[..., Installation]


@pytest.fixture
def machines(
    any_installation: Installation, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    """Makes another machine on the same database, with papers in it."""
    monkeypatch.setattr(snapshot_store, "PART_BYTES", 10_000)
    fill(any_installation, [DAY])

    def machine(name: str, models: str = "database") -> Installation:
        settings = load_settings(
            home=tmp_path / name,
            models=models,
            database_url=any_installation.settings.store_url,
            secret_key=("a key for tests only",),
        )
        database = Database(settings.store_url)
        made.append(Installation(settings, database, any_installation.clock, said.append))
        return made[-1]

    made: list[Installation] = []
    yield machine
    for installation in made:
        installation.close()


def files(installation: Installation) -> list[str]:
    folder = installation.settings.models_folder
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def model_of(installation: Installation) -> Model:
    model = current_model(installation)
    assert model is not None
    return model


def shared_files(installation: Installation) -> set[str]:
    with installation.database.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT DISTINCT file FROM snapshot_part")
        return {file for (file,) in rows}


def forget_all(installation: Installation) -> None:
    """No machine gets any of the models from another one any more."""
    with installation.database.writing() as session:
        snapshots.forget_parts(session, [LAST])


@pytest.mark.parametrize("by", ["database", "folder"])
def test_another_machine_gets_the_model_that_was_trained_elsewhere(
    machines: Machines, tmp_path: Path, said: list[str], by: str
) -> None:
    (tmp_path / "shared").mkdir()
    models = str(tmp_path / "shared") if by == "folder" else by
    one, other = machines("one", models), machines("other", models)
    trained = train(one)
    assert trained is not None
    said.clear()
    assert model_of(other).key == model_of(one).key
    assert files(other) == files(one) == [trained.file]
    assert not [line for line in said if "training" in line]


def test_a_machine_that_has_a_copy_asks_nobody(machines: Machines) -> None:
    train(machines("one"))
    model_of(machines("other"))
    forget_all(machines("other"))
    assert model_of(machines("other")).key


def test_a_damaged_copy_is_fetched_again(machines: Machines, said: list[str]) -> None:
    train(machines("one"))
    other = machines("other")
    key = model_of(other).key
    copy = other.settings.models_folder / files(other)[0]
    copy.write_bytes(copy.read_bytes()[:-100])
    said.clear()
    assert model_of(machines("other")).key == key
    assert not [line for line in said if "training" in line]
    Model.load(copy)


def test_a_machine_that_may_write_nowhere_has_the_model_in_memory(
    machines: Machines, tmp_path: Path
) -> None:
    one, other = machines("one"), machines("other")
    train(one)
    (tmp_path / "other").write_text("no folder can be made here")
    assert model_of(other).key == model_of(one).key


def test_a_machine_that_may_write_nowhere_trains_for_the_others(
    machines: Machines, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text("no folder can be made here")
    one, other = machines("one"), machines("other")
    train(one)
    assert model_of(other).key == model_of(one).key
    assert len(files(other)) == 1


def test_old_snapshots_go_everywhere(machines: Machines, clock: Clock) -> None:
    one, other = machines("one"), machines("other")
    for _ in range(KEEP_SNAPSHOTS + 2):
        train(one)
        clock.now += LOOK_EVERY
        model_of(other)
    assert len(files(one)) == len(files(other)) == KEEP_SNAPSHOTS
    assert shared_files(one) == set(files(one))


def test_what_a_crash_left_behind_is_dropped(machines: Machines) -> None:
    one = machines("one")
    with one.database.writing() as session:
        snapshots.add_part(session, "model-20200101T000000-abcdef", 0, b"half of a model")
    assert current_model(one) is not None
    assert shared_files(one) == set(files(one))


@pytest.mark.parametrize("broken", ["damaged", "gone"])
def test_a_broken_snapshot_is_made_again_by_one_machine_for_all(
    machines: Machines, clock: Clock, said: list[str], broken: str
) -> None:
    one = machines("one")
    first = train(one)
    assert first is not None
    with one.database.writing() as session:
        snapshots.forget_parts(session, [LAST])
        if broken == "damaged":
            snapshots.add_part(session, first.file, 0, b"nothing that could be read")
    two, three = machines("two"), machines("three")
    keys = {model_of(two).key, model_of(three).key}
    assert len(keys) == 1
    assert len([line for line in said if line.endswith("training again")]) == 1
    assert files(two) == files(three) != [first.file]


def test_who_has_an_older_model_goes_on_with_it_and_trains_none_for_everybody(
    machines: Machines, clock: Clock, said: list[str]
) -> None:
    one, other = machines("one"), machines("other")
    train(one)
    older = model_of(other)
    train(one)
    forget_all(one)
    said.clear()
    for _ in range(2):
        clock.now += LOOK_EVERY
        assert model_of(other) is older
    assert len(said) == 1  # a broken one is not got again each time
    assert "neither here nor where" in said[0]
    newest = train(one)
    clock.now += LOOK_EVERY
    assert newest is not None
    assert model_of(other) is not older


def test_who_starts_and_cannot_read_the_newest_takes_an_older_one(
    machines: Machines, clock: Clock, said: list[str]
) -> None:
    one = machines("one")
    train(one)
    older = model_of(machines("other"))
    train(one)
    forget_all(one)
    said.clear()
    assert model_of(machines("other")).key == older.key
    assert not [line for line in said if "training" in line]


def test_a_snapshot_of_a_newer_version_is_no_reason_to_train(
    machines: Machines, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machines("one"), machines("other")
    older = train(one)
    assert older is not None
    key = model_of(other).key
    monkeypatch.setattr(snapshot, "FORMAT", snapshot.FORMAT + 1)
    newer = train(one)
    monkeypatch.undo()
    assert newer is not None
    clock.now += LOOK_EVERY
    assert model_of(other).key == key
    with one.database.writing() as session:
        rows = snapshots.newest_first(session)
        snapshots.forget(session, [snapshots.number_of(rows[1])])
    third = machines("third")
    for _ in range(2):
        with pytest.raises(NewerSnapshot, match="where this version reads"):
            current_model(third)
        clock.now += RETRY_EVERY
    with one.database.reading() as session:
        assert snapshots.files(session) == [newer.file]


def test_a_folder_that_is_not_there_is_told_and_never_made(
    machines: Machines, tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    one, other = machines("one", str(folder)), machines("other", str(folder))
    train(one)
    older = model_of(other)
    train(one)
    folder.rename(tmp_path / "not mounted")
    clock.now += LOOK_EVERY
    assert model_of(other) is older
    said.clear()
    for machine, work in ((machines("third", str(folder)), current_model), (one, train)):
        with pytest.raises(NoSharedFolder, match=r"PAPERPOST_MODELS.*no such folder"):
            work(machine)
    assert not [line for line in said if "training" in line]
    assert not folder.exists()
    (check,) = sharing.models(one)
    assert check.state == "fail"
    (tmp_path / "not mounted").rename(folder)
    assert model_of(machines("third", str(folder))) is not None
    (check,) = sharing.models(one)
    assert check.state == "ok"


def test_several_that_find_no_copy_get_one_and_share_it(
    machines: Machines, said: list[str]
) -> None:
    trained = train(machines("one"))
    assert trained is not None
    others = [machines("other") for _ in range(3)]
    together = threading.Barrier(len(others))

    def start(machine: Installation) -> None:
        together.wait()
        model_of(machine)

    said.clear()
    threads = [threading.Thread(target=start, args=(machine,)) for machine in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [f"getting the model {trained.file}"]
    assert len({model_of(machine).key for machine in others}) == 1


@pytest.mark.parametrize("by", ["database", "folder"])
def test_what_a_crash_left_of_a_file_goes_but_not_what_is_being_written(
    machines: Machines, tmp_path: Path, clock: Clock, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperpost.service.train.KEEP_SNAPSHOTS", 1)
    shared = tmp_path / "shared"
    shared.mkdir()
    one = machines("one", str(shared) if by == "folder" else by)
    first = train(one)
    assert first is not None
    folders = [one.settings.models_folder, *([shared] if by == "folder" else [])]
    for folder in folders:
        (folder / f"{first.file}ab_c1234").write_bytes(b"half")
        (folder / "model-29991231T000000-abcdefab_c1234").write_bytes(b"another's")
    clock.now += LOOK_EVERY
    train(one)
    for folder in folders:
        left = {path.name for path in folder.iterdir()}
        assert f"{first.file}ab_c1234" not in left
        assert "model-29991231T000000-abcdefab_c1234" in left


def test_pieces_of_a_newer_snapshot_that_has_no_row_yet_stay(
    machines: Machines, clock: Clock
) -> None:
    one, newer = machines("one"), "model-29991231T000000-abcdef"
    with one.database.writing() as session:
        snapshots.add_part(session, newer, 0, b"the first piece")
    train(one)
    assert newer in shared_files(one)


def test_who_has_no_model_yet_waits_for_the_process_that_trains(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperpost.service.train._LOOK_SECONDS", 0.01)
    one, other = machines("one"), machines("other")
    found: list[Model] = []
    lock = one.database.lock("train")
    assert lock.take()
    waiting = threading.Thread(target=lambda: found.append(model_of(other)))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    lock.give_back()
    waiting.join()
    assert [model.key for model in found] == [model_of(one).key]


def test_pages_go_over_to_a_new_model_beside_the_requests(machines: Machines, clock: Clock) -> None:
    one, web = machines("one"), machines("web")
    train(one)
    older = model_at_hand(web)
    fill(one, [LATER])
    train(one)
    clock.now += LOOK_EVERY
    assert model_at_hand(web) is not None  # the older one, until the newer is there
    assert older is not None
    assert web.slot.loading is not None
    web.slot.loading.join()
    newer = model_at_hand(web)
    assert newer is not None
    assert len(newer.paper_ids) == 2 * len(older.paper_ids)


def test_new_papers_and_votes_count_on_another_machine_within_a_minute(
    machines: Machines, clock: Clock
) -> None:
    work, web = machines("work"), machines("web")
    train(work)
    ada = join(work, "ada", "graph neural networks")
    old = similar(web, f"{DAY:%y%m}.{DAY.day:02}000")
    search(web, "recordings of speech")
    before = explain(web, ada, LATER, 20)
    new = fill(work, [LATER])
    speech, graph = (next(p for p in new if p.topic == topic) for topic in ("speech", "graph"))
    cast_by_command(work, ada, speech.id, "up")
    clock.now += 2 * LOOK_EVERY
    assert graph.id in {one.id for one in similar(web, f"{DAY:%y%m}.{DAY.day:02}000").papers}
    assert graph.id not in {one.id for one in old.papers}
    assert speech.id in {hit.paper.id for hit in search(web, "recordings of speech").hits}
    after = explain(web, ada, LATER, 20)
    assert {one.id for one in new} & {one["paper"] for one in after}
    assert not {one.id for one in new} & {one["paper"] for one in before}
