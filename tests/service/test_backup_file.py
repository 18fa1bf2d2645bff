"""What is no whole backup is told before anything of it is believed."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forged_backup import signed

from paperpost.service.backup_file import BackupError, BackupReader, Header, opened, verified, write
from paperpost.store.dumping import TableRows

HEADER = Header("0005", datetime(2026, 4, 7, tzinfo=UTC), ("a key for tests only",))
ROWS = [b"1\tada@example.org\n2\tben@example.org\n", b"3\t\\\\.\n" * 100_000]


@pytest.fixture
def whole() -> bytes:
    file = io.BytesIO()
    tables = [
        TableRows("subscriber", ("id", "email"), 7, iter(ROWS)),
        TableRows("press", ("subscriber_id",), None, iter(())),
    ]
    assert write(file, HEADER, tables) == {"subscriber": 100_002, "press": 0}
    return file.getvalue()


def test_what_was_written_is_read_again(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(whole)
    with (tmp_path / "kept").open("rb") as file:
        assert verified(file) == HEADER
        reader = BackupReader(opened(file))
        read = [(t.name, t.columns, t.last, b"".join(t.blocks)) for t in reader.tables()]
    assert reader.header == HEADER
    assert read == [
        ("subscriber", ("id", "email"), 7, b"".join(ROWS)),
        ("press", ("subscriber_id",), None, b""),
    ]
    assert reader.counts == {"subscriber": 100_002, "press": 0}


def _repacked(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda whole: gzip.compress(change(gzip.decompress(whole)), 1)


def _resigned(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda whole: signed(change(gzip.decompress(whole)))


def _headed(**values: object) -> Callable[[bytes], bytes]:
    def change(lines: bytes) -> bytes:
        first, _, rest = lines.partition(b"\n")
        return json.dumps(json.loads(first) | values).encode() + b"\n" + rest

    return _resigned(change)


def _last(number: int) -> Callable[[bytes], bytes]:
    new = f'"last": {json.dumps(number)}'.encode()
    return _resigned(lambda lines: lines.replace(b'"last": 7', new))


def _flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(lambda whole: b"", "end is missing", id="nothing"),
        pytest.param(lambda whole: b"hello\n", "not a backup", id="a text"),
        pytest.param(lambda whole: gzip.compress(b"hello\n"), "not a backup", id="another gzip"),
        pytest.param(lambda whole: gzip.compress(b'{"a": 1}\n'), "not a backup", id="other JSON"),
        pytest.param(lambda whole: gzip.compress(b"[" * 10**6 + b"\n"), "not a", id="deep JSON"),
        pytest.param(lambda whole: gzip.compress(bytes(10**8), 1), "no end", id="a bomb"),
        pytest.param(lambda whole: whole[: len(whole) // 2], "end is missing", id="half of it"),
        pytest.param(_repacked(lambda lines: lines[:60_000]), "end is missing", id="cut inside"),
        pytest.param(_flipped, "damaged", id="one bit"),
        pytest.param(lambda whole: whole + b"more", "damaged", id="more behind it"),
        pytest.param(_repacked(lambda lines: lines + b"x\n"), "after its end", id="a line more"),
        pytest.param(_repacked(lambda x: x.replace(b"ada@", b"eve@")), "checksum", id="a row"),
        pytest.param(_resigned(lambda x: x.replace(b"3\t", b"4\n", 1)), "checksum", id="counts"),
        pytest.param(_resigned(lambda x: x.replace(b'["id"', b"[7")), "no columns", id="columns"),
        pytest.param(_last(10**30), "no columns", id="a last number that is too high"),
        pytest.param(_last(2**31 - 1), "no columns", id="a last number with none after it"),
        pytest.param(_last(-1), "no columns", id="a last number below all"),
        pytest.param(_last(True), "no columns", id="a last number that is none"),
        pytest.param(
            _resigned(lambda x: x.replace(b"press", b"subscriber")), "damaged", id="twice"
        ),
        pytest.param(_headed(format=2), "newer", id="a newer format"),
        pytest.param(_headed(keys=[]), "first line", id="no key"),
        pytest.param(_headed(keys=["a\nb"]), "first line", id="two lines for a key"),
        pytest.param(_headed(keys=["short"]), "first line", id="a short key"),
        pytest.param(_headed(keys=["two keys, one text"]), "first line", id="a comma in a key"),
        pytest.param(_headed(keys=[" a key with a space"]), "first line", id="a key with an edge"),
        pytest.param(_headed(keys="a key for tests only"), "first line", id="letters for keys"),
        pytest.param(_headed(made_at="0001-01-01T00:00+14:00"), "first line", id="no UTC time"),
        pytest.param(_headed(made_at="2026-04-07"), "first line", id="a day for a time"),
        pytest.param(_headed(revision=5), "first line", id="a number for a version"),
    ],
)
def test_a_file_that_is_not_a_whole_backup_is_refused(
    whole: bytes, broken: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(BackupError, match=reason) as error:
        verified(io.BytesIO(broken(whole)))
    assert "\n" not in str(error.value)
