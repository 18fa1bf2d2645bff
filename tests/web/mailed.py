"""A digest that was really composed and sent, and a site that its links lead to."""

import email
import email.policy
import re
from typing import Any

import httpx
from doors import DAY, Doors
from invented import with_settings

from paperpost.engine.runs import compose_all_of
from paperpost.service import account
from paperpost.service.deliver import send
from paperpost.store import votes


class Mailed:
    """A digest of three papers that was delivered to Ada just now."""

    def __init__(self, doors: Doors, client: httpx.Client) -> None:
        self.doors, self.client = doors, client
        self.base = str(client.base_url).rstrip("/")
        # With one tap on, which makes it harder: pages then vote by a script of ours.
        self.here = with_settings(doors.installation, public_url=self.base, vote_one_tap=True)
        with self.here.database.writing() as session:
            ada = doors.subscriber()
            ada.size = 3
            session.add(ada)
        compose_all_of(self.here, DAY)
        assert send(self.here).sent == 1
        (path,) = self.here.settings.mail_folder.glob("*-digest-*.eml")
        self.message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)

    def text(self, kind: str) -> str:
        """One part of the mail."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    def links(self) -> list[str]:
        """Every link of the mail that leads to the site, in the order of its source."""
        found = re.findall(r"<(http[^>]+)>", str(self.message["List-Unsubscribe"]))
        found += re.findall(r'href="([^"]+)"', self.text("html"))
        found += re.findall(r"https?://\S+", self.text("plain"))
        ours = [link for link in dict.fromkeys(found) if link.startswith(self.base)]
        kinds = {f"{link}/".removeprefix(self.base).split("/")[1] for link in ours}
        assert kinds >= {"vote", "me", "unsubscribe"}
        return ours

    def more_links(self) -> list[str]:
        """The thumbs up."""
        return re.findall(r"^More like this: (\S+)", self.text("plain"), re.MULTILINE)

    def counted(self) -> list[int]:
        """The values of Ada's votes that count now."""
        with self.here.database.reading() as session:
            own = votes.counted(session, self.here.clock(), [self.doors.subscriber_id])
        return [vote.value for vote in own[self.doors.subscriber_id].values()]

    def kept(self) -> dict[str, Any]:
        """All that is stored about Ada, but for what became of votes and presses, and the mail
        that a form may ask for."""
        everything = account.export(self.here, self.doors.email)
        hidden = {"vote_history", "vote_posts", "votes", "held_votes", "unsubscribe_press", "mails"}
        return {name: value for name, value in everything.items() if name not in hidden}
