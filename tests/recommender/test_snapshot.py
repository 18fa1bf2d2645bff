from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_topics import model, papers, today

from recommender.calibration import Calibration
from recommender.errors import RecommenderError, SnapshotError
from recommender.model import Model
from recommender.profile import Reader, Vote
from recommender.rank import rank
from recommender.snapshot import Arrays, read_snapshot, write_snapshot


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    model().save(path)
    return path


def test_a_loaded_model_ranks_as_the_saved_one(snapshot: Path) -> None:
    loaded = Model.load(snapshot)
    ada = Reader("ada", votes=(Vote("paper/0", 1),))
    before, after = (
        rank(one.profiles([ada], one.batch(papers(4))), one.batch(today()), limit=20)
        for one in (model(), loaded)
    )
    assert before == after
    assert loaded.key == model().key


def test_the_curve_is_kept_and_goes_with_the_blend_it_was_fitted_to(snapshot: Path) -> None:
    curve = Calibration(-2.5, 0.25)
    replace(model(), calibration=curve).save(snapshot)
    assert Model.load(snapshot).calibration == curve
    header, arrays = read_snapshot(snapshot)
    header["calibration"]["blend"] += 1
    write_snapshot(snapshot, header, arrays)
    assert Model.load(snapshot).calibration == Calibration()
    del header["calibration"]
    write_snapshot(snapshot, header, arrays)
    assert Model.load(snapshot).calibration == Calibration()


def test_what_was_worked_out_of_crowding_is_kept(snapshot: Path) -> None:
    places = np.array([2, 5], dtype=np.int32)
    model().with_crowding(places).save(snapshot)
    known = Model.load(snapshot).background.known_crowding
    assert np.flatnonzero(~np.isnan(known)).tolist() == [2, 5]
    asked = model().seen(places)
    np.testing.assert_allclose(known[places], asked.crowding, rtol=1e-5)
    assert Model.load(snapshot).batch(today()).crowding.tolist() == pytest.approx(
        model().batch(today()).crowding.tolist()
    )


def test_an_index_of_headings_that_names_strange_papers_or_has_no_order_is_refused(
    snapshot: Path,
) -> None:
    header, arrays = read_snapshot(snapshot)
    keys, holders = arrays["heading_keys"], arrays["heading_holders"]
    for broken in (
        {"heading_keys": keys[::-1].copy()},
        {"heading_holders": holders + np.int32(10**6)},
    ):
        write_snapshot(snapshot, header, {**arrays, **broken})
        with pytest.raises(SnapshotError, match="fit together"):
            Model.load(snapshot)


def test_profiles_of_the_saved_model_fit_papers_of_the_loaded_one(snapshot: Path) -> None:
    profiles = model().profiles([Reader("ada")], model().batch([]))
    assert len(rank(profiles, Model.load(snapshot).batch(today()), limit=5)[0]) == 5


def test_a_model_of_nothing_is_saved_and_loaded(tmp_path: Path) -> None:
    Model.fit([], []).save(tmp_path / "model")
    assert Model.load(tmp_path / "model").paper_ids == ()


def test_saving_replaces_the_older_file_and_leaves_nothing_else(snapshot: Path) -> None:
    smaller = Model.fit(papers(6), [])
    smaller.save(snapshot)
    assert Model.load(snapshot).paper_ids == smaller.paper_ids
    assert list(snapshot.parent.iterdir()) == [snapshot]


def test_a_snapshot_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "a folder has this name"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        model().save(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="none: no such file or directory") as caught:
        Model.load(tmp_path / "none")
    assert caught.value.path == tmp_path / "none"
    assert isinstance(caught.value, RecommenderError)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(snapshot: Path, share: float) -> None:
    content = snapshot.read_bytes()
    snapshot.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SnapshotError):
        Model.load(snapshot)


def test_a_flipped_byte_is_found_wherever_it_is(snapshot: Path) -> None:
    content = snapshot.read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, 5, 20, 30, *rng.integers(100, len(content), 20).tolist(), len(content) - 1]:
        damaged = bytearray(content)
        damaged[place] ^= 1
        snapshot.write_bytes(damaged)
        with pytest.raises(SnapshotError):
            Model.load(snapshot)


@pytest.mark.parametrize("content", [b"", b"\n", b"PK\x03\x04 a zip", b"\x80\x04.", b"x" * 1000])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(SnapshotError, match="it is not a model snapshot"):
        Model.load(tmp_path / "model")


def test_a_file_of_another_version_says_so(snapshot: Path) -> None:
    snapshot.write_bytes(snapshot.read_bytes().replace(b"model 4 ", b"model 5 ", 1))
    with pytest.raises(SnapshotError, match="format 5, where this version reads 4"):
        Model.load(snapshot)


@pytest.mark.parametrize(("header", "arrays"), [({}, {}), ({"terms": 3}, {"idf": np.zeros(1)})])
def test_a_file_with_a_right_checksum_that_lacks_a_part_is_refused(
    tmp_path: Path, header: dict[str, object], arrays: Arrays
) -> None:
    write_snapshot(tmp_path / "model", header, arrays)
    with pytest.raises(SnapshotError, match="it lacks a part"):
        Model.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("idf", np.ones(1, dtype=np.float32)),
        ("term_factors_0", np.ones((2, 4), dtype=np.float32)),
        ("paper_factors", np.ones((1, 4), dtype=np.float32)),
        ("paper_gramian_0", np.ones((3, 3), dtype=np.float32)),
        ("background", np.full(3, 99, dtype=np.int32)),
        ("crowding", np.zeros(3, dtype=np.float32)),
        ("heading_keys", np.zeros(3, dtype=np.uint64)),
        ("heading_holders", np.zeros(3, dtype=np.int32)),
        ("usual_closeness", np.zeros(2, dtype=np.float32)),
    ],
)
def test_a_file_with_a_right_checksum_whose_parts_do_not_fit_together_is_refused(
    snapshot: Path, name: str, content: np.ndarray[Any, Any]
) -> None:
    header, arrays = read_snapshot(snapshot)
    assert name in arrays
    write_snapshot(snapshot, header, arrays | {name: content})
    with pytest.raises(SnapshotError, match=r"fit together|lacks a part"):
        Model.load(snapshot)
