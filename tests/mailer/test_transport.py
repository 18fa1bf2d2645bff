import os
from pathlib import Path

import pytest

from mailer.smtp import SmtpServer, parse_smtp_url
from mailer.transport import (
    Accepted,
    FileTransport,
    Outgoing,
    Refused,
    SmtpTransport,
    TransportError,
    Unreachable,
    open_transport,
)


def outgoing(data: bytes = b"Subject: x\r\n\r\nhello\r\n", filename: str = "1.eml") -> Outgoing:
    return Outgoing("paperpost@localhost", "ada@example.org", data, filename)


def test_a_message_becomes_one_whole_file(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "mail")
    assert isinstance(transport.send(outgoing()), Accepted)
    assert [file.name for file in (tmp_path / "mail").iterdir()] == ["1.eml"]
    assert (tmp_path / "mail" / "1.eml").read_bytes() == b"Subject: x\n\nhello\n"


def test_the_same_name_is_written_over(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path)
    transport.send(outgoing(b"first"))
    transport.send(outgoing(b"second"))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"second"]


@pytest.mark.parametrize("name", ["../1.eml", "/tmp/1.eml", "a/b.eml", "", "..", ".", "a\0b"])
def test_a_file_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    outcome = FileTransport(tmp_path / "mail").send(outgoing(filename=name))
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_says_nothing_about_the_message(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    outcome = FileTransport(tmp_path / "mail").send(outgoing())
    assert isinstance(outcome, Unreachable)
    assert str(tmp_path) in outcome.reply


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "1.eml").mkdir()
    assert isinstance(FileTransport(tmp_path).send(outgoing()), Unreachable)
    assert os.listdir(tmp_path) == ["1.eml"]


def test_without_a_server_mail_goes_into_the_folder(tmp_path: Path) -> None:
    assert isinstance(open_transport(None, tmp_path, 5), FileTransport)
    assert isinstance(open_transport("smtp://localhost", tmp_path, 5), SmtpTransport)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", SmtpServer("smtp", "localhost", 25, None)),
        ("smtp://[::1]:2525/", SmtpServer("smtp", "::1", 2525, None)),
        (
            "smtp+starttls://ada%40x.org:p%3Aw%2F@mail.x.org",
            SmtpServer("smtp+starttls", "mail.x.org", 587, ("ada@x.org", "p:w/")),
        ),
        ("smtps://a:b@mail.x.org", SmtpServer("smtps", "mail.x.org", 465, ("a", "b"))),
        ("smtp://a:b@127.0.0.1", SmtpServer("smtp", "127.0.0.1", 25, ("a", "b"))),
    ],
)
def test_a_url_names_the_server(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://a:secret@mail.x.org",
        "mail.x.org:25",
        "smtp://",
        "smtp://a:secret@mail.x.org",
        "smtp://a:secret@mail.x.org:99999",
        "smtps://a:secret@mail.x.org:port",
        "smtps://a:secret@mail.x.org/path",
        "smtps://a:secret@mail.x.org?x=secret",
        "smtps://:secret@mail.x.org",
        "smtps://a@mail.x.org",
        "smtps://a:secret%C3%A9@mail.x.org",
        "smtps://a:secret@[::1",
    ],
)
def test_a_bad_url_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        SmtpTransport(url, 5)
    assert str(caught.value).endswith(".")
    assert "secret" not in str(caught.value)


def test_the_password_is_not_in_the_representation() -> None:
    assert "secret" not in repr(parse_smtp_url("smtps://a:secret@mail.x.org"))
