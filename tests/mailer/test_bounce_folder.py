"""A Maildir and an mbox, as mail servers fill them."""

import logging
import mailbox
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailer.bounce_folder import BounceFolder
from mailer.bounces import LONGEST_MESSAGE


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    mailbox.Maildir(tmp_path / "Maildir", create=True)
    return tmp_path / "Maildir"


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    return tmp_path / "mbox"


def drop(path: Path, text: str) -> None:
    box = mailbox.mbox(path)
    box.add(text)
    box.close()


def taken(folder: BounceFolder) -> list[str]:
    """What arrived, worked through."""
    found = []
    for message in folder.arrived():
        found.append(message.raw.decode().strip())
        message.put_away()
    return found


def files(maildir: Path, part: str) -> list[str]:
    return sorted(os.listdir(maildir / part))


def test_mail_in_a_maildir_comes_once_and_is_kept_as_seen(maildir: Path) -> None:
    mailbox.Maildir(maildir).add("Subject: one\n\n")
    folder = BounceFolder(maildir)
    assert taken(folder) == ["Subject: one"]
    assert taken(BounceFolder(maildir)) == []
    assert files(maildir, "new") == []
    (kept,) = files(maildir, "cur")
    assert kept.endswith(":2,Sz")


def test_mail_that_is_not_put_away_comes_again(maildir: Path, mbox: Path) -> None:
    mailbox.Maildir(maildir).add("Subject: one\n\n")
    drop(mbox, "Subject: one\n\n")
    for path in (maildir, mbox):
        folder = BounceFolder(path)
        assert len(list(folder.arrived())) == 1
        assert taken(folder) == ["Subject: one"]
        assert taken(folder) == []


def test_mail_that_a_mail_program_has_moved_unread_comes_too(maildir: Path) -> None:
    message = mailbox.MaildirMessage("Subject: one\n\n")
    message.set_subdir("cur")
    message.set_flags("F")
    mailbox.Maildir(maildir).add(message)
    assert taken(BounceFolder(maildir)) == ["Subject: one"]
    (kept,) = files(maildir, "cur")
    assert kept.endswith(":2,FSz")


def test_mail_that_somebody_has_read_before_comes_too(maildir: Path) -> None:
    message = mailbox.MaildirMessage("Subject: one\n\n")
    message.set_subdir("cur")
    message.set_flags("S")
    mailbox.Maildir(maildir).add(message)
    assert taken(BounceFolder(maildir)) == ["Subject: one"]
    assert taken(BounceFolder(maildir)) == []


def test_what_was_worked_through_is_told_by_its_name_alone(maildir: Path) -> None:
    (maildir / "cur" / "1:2,Sz").symlink_to("/proc/self/mem")  # to open it would fail, and be told
    (maildir / "cur" / "2:2,z").mkdir()
    (maildir / "cur" / "z:2,S").write_text("Subject: one\n\n")
    assert taken(BounceFolder(maildir)) == ["Subject: one"]


def test_one_mail_that_cannot_be_read_keeps_no_other_back(
    maildir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    new = maildir / "new"
    (new / "1").symlink_to("/proc/self/mem")  # which not even root can read at its beginning
    (new / "2").write_text("Subject: two\n\n")
    folder = BounceFolder(maildir)
    with caplog.at_level(logging.WARNING):
        assert taken(folder) == ["Subject: two"]
        assert taken(folder) == []
    assert len(caplog.records) == 1
    assert files(maildir, "new") == ["1"]


def test_a_mail_that_cannot_be_moved_stays_and_keeps_no_other_back(
    maildir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (maildir / "new" / "1").write_text("Subject: one\n\n")
    (maildir / "new" / "2").write_text("Subject: two\n\n")
    (maildir / "cur" / "1:2,Sz").mkdir()  # in the way
    folder = BounceFolder(maildir)
    with caplog.at_level(logging.WARNING):
        assert taken(folder) == ["Subject: one", "Subject: two"]
        assert taken(folder) == []
    assert len(caplog.records) == 1


def test_new_mail_in_an_mbox_comes_once_and_the_file_stays_as_it_is(mbox: Path) -> None:
    folder = BounceFolder(mbox)
    assert taken(folder) == []  # it is not there yet
    drop(mbox, "Subject: one\n\n")
    drop(mbox, "Subject: two\n\n")
    before = mbox.read_bytes()
    assert taken(folder) == ["Subject: one", "Subject: two"]
    assert mbox.read_bytes() == before
    drop(mbox, "Subject: three\n\n")
    assert taken(folder) == ["Subject: three"]
    assert [path.name for path in mbox.parent.glob("mbox*")] == ["mbox"]


def test_an_mbox_that_was_rotated_away_is_read_from_its_beginning(mbox: Path) -> None:
    folder = BounceFolder(mbox)
    drop(mbox, "Subject: one\n\n")
    assert taken(folder) == ["Subject: one"]
    mbox.rename(mbox.with_name("mbox.1"))
    drop(mbox, "Subject: two\n\n")
    assert taken(folder) == ["Subject: two"]


def bytes_read() -> int:
    """How many bytes this process has read from anything so far."""
    return int(Path("/proc/self/io").read_text().partition("rchar: ")[2].split()[0])


def test_of_an_mbox_that_grew_the_new_part_is_read(mbox: Path) -> None:
    for number in range(20):
        drop(mbox, f"Subject: {number}\n\n" + 1_000 * "so many papers\n")
    folder = BounceFolder(mbox)
    assert len(taken(folder)) == 20
    drop(mbox, "Subject: new\n\n")
    before = bytes_read()
    assert taken(folder) == ["Subject: new"]
    assert bytes_read() - before < mbox.stat().st_size / 4


def test_of_an_mbox_only_what_was_not_put_away_comes_again(mbox: Path) -> None:
    for number in range(6):
        drop(mbox, f"Subject: {number}\n\n")
    folder = BounceFolder(mbox)
    for message in folder.arrived():
        if b"2" not in message.raw:
            message.put_away()
    drop(mbox, "Subject: 6\n\n")
    assert taken(folder) == ["Subject: 2", "Subject: 6"]
    assert taken(folder) == []


def test_an_mbox_that_shrank_is_read_from_its_beginning(mbox: Path) -> None:
    for number in range(3):
        drop(mbox, f"Subject: {number}\n\n")
    folder = BounceFolder(mbox)
    assert len(taken(folder)) == 3
    mbox.write_text("From a@example.org Tue Apr  7 09:00:00 2026\nSubject: other\n\n")
    assert taken(folder) == ["Subject: other"]


def test_an_mbox_that_was_written_anew_is_read_from_its_beginning(mbox: Path) -> None:
    for number in range(3):
        drop(mbox, f"Subject: {number}\n\n")
    folder = BounceFolder(mbox)
    assert len(taken(folder)) == 3
    text = "From a@example.org Tue Apr  7 09:00:00 2026\nSubject: other\n\n" + 99 * "papers\n"
    mbox.write_text(text)
    assert taken(folder) == ["Subject: other\n\n" + (99 * "papers\n").strip()]


def test_mail_that_was_seen_half_written_comes_again_when_it_is_whole(mbox: Path) -> None:
    start = "From a@example.org Tue Apr  7 09:00:00 2026\nSubject: one\n\npap"
    folder = BounceFolder(mbox)
    mbox.write_text(start)
    assert taken(folder) == ["Subject: one\n\npap"]
    mbox.write_text(start + "ers\n\nFrom here on\n")
    assert taken(folder) == ["Subject: one\n\npapers", ""]


WRITER = """
import fcntl, sys
with open(sys.argv[1], "rb+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_an_mbox_is_left_alone_while_a_mail_server_writes_to_it(mbox: Path) -> None:
    drop(mbox, "Subject: one\n\n")
    folder = BounceFolder(mbox)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, mbox], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        assert taken(folder) == []
        writer.communicate()
    assert taken(folder) == ["Subject: one"]


def test_of_a_huge_mail_the_beginning_is_read(maildir: Path, mbox: Path) -> None:
    huge = "Subject: one\n\n" + "x\n" * LONGEST_MESSAGE
    mailbox.Maildir(maildir).add(huge)
    drop(mbox, huge)
    for path in (maildir, mbox):
        (message,) = BounceFolder(path).arrived()
        assert len(message.raw) == LONGEST_MESSAGE
