"""What a form had shown before somebody changed it: two tabs must not undo each other's work.

The form carries a checksum of each field as it was shown. What is posted as it was shown is not
meant as a change, whatever became of it elsewhere.
"""

from collections.abc import Mapping
from hashlib import blake2b

from paperpost.errors import PaperpostError

# The hidden field that holds the checksums.
SEEN = "seen"
BYTES = 6
# The status of a page that refuses (RFC 9110, section 15.5.10).
CONFLICT = 409


class ChangedMeanwhile(PaperpostError):
    """Fields were changed here, and since their page was opened also elsewhere: `names`. All that
    was changed here is `typed`."""

    def __init__(self, names: list[str], typed: dict[str, str]) -> None:
        super().__init__("this changed since its page was opened")
        self.names, self.typed = names, typed

    def said(self, stored: Mapping[str, str], labels: Mapping[str, str]) -> str:
        """What to tell who typed it; `labels` name the fields, `stored` holds them as they are."""
        lists = {name: ", ".join(stored.get(name, "").splitlines()) for name in self.names}
        now = "; ".join(
            f"{labels.get(name, name)}: {lists[name] or 'nothing'}" for name in self.names
        )
        return (
            "your preferences changed since this page was opened, and nothing was saved. Stored now"
            f" is {now}. To put what stands below in its place, save once more"
        )


def seen(values: Mapping[str, str]) -> str:
    """The checksums of fields as they are shown."""
    return " ".join(f"{name}={_checksum(text)}" for name, text in values.items())


def meant(posted: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """The fields that are to be saved: not those that were left as they were shown. A form that
    does not say what it showed is meant as a whole.

    Raises ChangedMeanwhile for fields that differ from what is `stored` and from what was shown,
    where what is stored does so, too.
    """
    shown = dict(part.partition("=")[::2] for part in posted.get(SEEN, "").split())
    typed = {name: text for name, text in posted.items() if shown.get(name) != _checksum(text)}
    torn = [
        name
        for name, text in typed.items()
        if name in shown and _checksum(stored.get(name, "")) not in (shown[name], _checksum(text))
    ]
    if torn:
        raise ChangedMeanwhile(torn, {n: text for n, text in typed.items() if n != SEEN})
    return typed


def _checksum(text: str) -> str:
    # A browser ends the lines of a text area in its own way.
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return blake2b(lines.encode(errors="surrogatepass"), digest_size=BYTES).hexdigest()
