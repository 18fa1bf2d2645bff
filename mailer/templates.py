"""The mail templates: found, their CSS inlined once, and rendered.

Gmail may drop a <style>, so that what matters stands in style attributes; writing those is done
when a template is loaded, not for each message. Only the <style> marked data-css-inline="keep"
(dark mode) stays.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_HERE = Path(__file__).resolve().parent
# In a wheel the templates lie inside the package, in a checkout beside it.
FOLDER = next(
    (d for d in (_HERE / "templates", _HERE.parent / "templates" / "mail") if d.is_dir()),
    _HERE / "templates",
)
_STYLE_SHEET = "mail.css"
_BLOCK = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def _version() -> str:
    content = hashlib.sha256()
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in (".html", ".txt", ".css"):
            content.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()[:12]


TEMPLATE_VERSION: str = _version()
"""Changes with the content of any template: a digest names the one it was made with."""


def render(template: str, /, **context: object) -> str:
    """The template of that name; a variable it needs and does not get is an error."""
    return _environment().get_template(template).render(context)


class _InliningLoader(FileSystemLoader):
    """Reads templates, and writes the style sheet into the tags of those that are HTML."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, filename, is_current = super().get_source(environment, template)
        if template.endswith(".html"):
            source = _inlined(source, (FOLDER / _STYLE_SHEET).read_text(encoding="utf-8"))
        return source, filename, is_current


@cache
def _environment() -> Environment:
    return Environment(
        loader=_InliningLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _inlined(source: str, style: str) -> str:
    """The template with style attributes. Jinja's tags are hidden from the HTML parser meanwhile:
    blocks as comments, values as plain words.
    """
    hidden: list[str] = []

    def hide(shape: str) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            hidden.append(match[0])
            return shape.format(len(hidden) - 1)

        return replace

    bare = _VALUE.sub(hide("jinja{}x"), _BLOCK.sub(hide("<!--jinja{}x-->"), source))
    if "<html" in bare:
        inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False, minify_css=True, extra_css=style
        )
        styled = inliner.inline(bare)
    else:
        inliner = css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
        styled = inliner.inline_fragment(bare, style)
    # An address that is filled in later has a line of its own: only that is then encoded.
    styled = re.sub(r' (href="jinja\d+x") ?', r"\n\1\n", styled)
    return re.sub(r"<!--jinja(\d+)x-->|jinja(\d+)x", lambda m: hidden[int(m[1] or m[2])], styled)
