"""Somebody who reads: a tab of a browser on our site, and a mailbox on a real mail server."""

import re
from pathlib import Path

from furnished import ADA, Furnished
from playwright.sync_api import Locator, Page, expect
from smtp_server import Postbox, text_of

from paperpost.service.deliver import send


class Reader:
    """Somebody with a browser and a mailbox."""

    def __init__(self, site: Furnished, tab: Page, postbox: Postbox, *, script: bool) -> None:
        self.site, self.tab, self.postbox, self.script = site, tab, postbox, script

    def go(self, path: str) -> None:
        """Open a page of the site."""
        self.tab.goto(f"{self.site.base}{path}")

    def type(self, label: str, text: str) -> None:
        """Fill a field in."""
        self.tab.get_by_label(label, exact=True).first.fill(text)

    def press(self, name: str) -> None:
        """Press the first button of that name."""
        self.button(name).click()

    def button(self, name: str) -> Locator:
        """The first button of that name."""
        return self.tab.get_by_role("button", name=name).first

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is in sight."""
        expect(self.tab.get_by_text(text).first).to_be_visible()

    def mail(self, email: str = ADA) -> str:
        """The text of the newest mail for an address, once what is due was delivered."""
        send(self.site.installation)
        (newest, *_) = [
            n for n, to in reversed([*enumerate(self.postbox.recipients)]) if to == email
        ]
        return text_of(self.postbox.message(newest))

    def download(self, name: str, folder: Path) -> str:
        """The file behind a link."""
        with self.tab.expect_download() as download:
            self.tab.get_by_role("link", name=name).click()
        download.value.save_as(folder / "file")
        return (folder / "file").read_text(encoding="utf-8")

    def follow(self, mail: str, label: str) -> None:
        """Open the first link of a mail that stands behind a label."""
        self.tab.goto(address(mail, rf"{label}: (https?://\S+)"))


def address(mail: str, pattern: str) -> str:
    """The first address in a mail that a pattern finds."""
    found = re.search(pattern, mail)
    assert found is not None
    return str(found[1])
