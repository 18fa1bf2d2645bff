"""What is spliced is what would have been encoded whole."""

import base64
import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from mailer.body import Body, body, spliced
from mailer.skeleton import Skeleton, hole

# Without the signs that `readable` removes or joins, as the texts of mails are.
TEXT = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=300)
PERSONAL = st.text(st.sampled_from(".=ab <&%é世\n"), max_size=200)


def decoded(content: Body) -> str:
    """As a mail program reads it."""
    encoding, encoded = content.encoded()
    assert encoded.isascii()
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines)
    assert b"\n" not in b"".join(lines)
    plain = quopri.decodestring(encoded) if encoding == b"quoted-printable" else None
    plain = base64.decodebytes(encoded) if plain is None else plain
    assert len(plain) == content.size
    return plain.decode().replace("\r\n", "\n")


@given(TEXT)
@example("..\n.\n. \n" + "." * 200)
@example("世界 " * 80)
@example("From here = to there\t\n \n")
def test_a_text_arrives_as_it_was(text: str) -> None:
    assert decoded(body(text)) == (text.removesuffix("\n") + "\n" if text else "")


@given(st.lists(PERSONAL, min_size=1, max_size=6), TEXT, TEXT)
def test_spliced_parts_are_the_page_filled_whole(
    values: list[str], shared: str, within: str
) -> None:
    page = f'{shared}\n<a href="{hole("value")}">{within} 100 % {hole("value")}</a>\n{shared}\n'
    skeleton = Skeleton(page, is_html=False)
    content = spliced([skeleton.filled({"value": value}) for value in values])
    assert decoded(content) == "".join(page.replace(hole("value"), value) for value in values)


def test_what_is_filled_into_html_is_escaped() -> None:
    skeleton = Skeleton(f"<p>\n{hole('why')}</p>\n", is_html=True)
    content = spliced([skeleton.filled({"why": "<b>'\"&"})])
    assert decoded(content) == "<p>\n&lt;b&gt;&#x27;&quot;&amp;</p>\n"


def test_a_page_without_holes_and_one_of_holes_alone_can_be_spliced() -> None:
    fixed, open_ = Skeleton("fixed\n", is_html=False), Skeleton(hole("x") + "\n", is_html=False)
    parts = [fixed.filled({}), open_.filled({"x": "first\nsecond"}), fixed.filled({})]
    assert decoded(spliced(parts)) == "fixed\nfirst\nsecond\nfixed\n"
