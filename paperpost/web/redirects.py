"""Where a form may send its reader back to: to a page of ours, and nowhere else (CWE-601)."""

from urllib.parse import urlsplit


def own_path(text: str, root: str) -> str:
    """The path, query and fragment that a form named, if they are of this site, whose public path
    is `root`; else the front page.

    Browsers read a backslash as a slash, take two of them for the beginning of a host, and leave
    control signs out (WHATWG URL, section 4.4).
    """
    front = f"{root}/"
    if not text.startswith(front) or len(text) > 2000 or not text.isprintable():
        return front
    if "\\" in text or text.startswith("//") or "//" in text[: len(front) + 1]:
        return front
    try:
        parts = urlsplit(text)
    except ValueError:
        return front
    leaves = parts.scheme or parts.netloc or ".." in parts.path.split("/")
    return front if leaves else text
