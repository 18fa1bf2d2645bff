"""A real SMTP server on loopback that keeps what it accepted and can be told to refuse."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Postbox:
    """What arrived, and from which envelope senders; `refuse` maps a recipient to the reply that it
    is refused with."""

    def __init__(self) -> None:
        self.raw: list[tuple[str, bytes]] = []
        self.senders: list[str] = []
        self.refuse: dict[str, str] = {}
        self.url = ""

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.raw += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        self.senders += [envelope.mail_from for _ in envelope.rcpt_tos]
        return "250 Message accepted"

    @property
    def recipients(self) -> list[str]:
        """Who was mailed, in the order of arrival."""
        return [recipient for recipient, _ in self.raw]

    def message(self, index: int = -1) -> EmailMessage:
        """One of the mails, parsed."""
        parsed = message_from_bytes(self.raw[index][1], policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@contextmanager
def smtp_server(**options: Any) -> Iterator[Postbox]:
    """A server on a free port for as long as this lasts; options are aiosmtpd's."""
    postbox = Postbox()
    with socket.socket() as probe:  # the controller cannot be asked for any free port
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        postbox.url = f"smtp://127.0.0.1:{port}"
        yield postbox
    finally:
        controller.stop()


def text_of(message: EmailMessage) -> str:
    """The decoded text part."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
