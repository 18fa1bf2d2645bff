"""The sources, one file each, found by looking: a file here is a source.

It names itself and its forms in `USAGE`, for example `{"arxiv": "arxiv:CATEGORY[+CATEGORY...]"}`,
and makes sense of what an operator wrote in `source(spec, settings)`, which raises UnknownSource.
"""

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast
from urllib.parse import parse_qsl, unquote

from paperpost.settings import Settings
from paperpost.sources.errors import UnknownSource
from paperpost.sources.source import Source, Spec


class SourceFile(Protocol):
    """What every file of this folder has."""

    USAGE: dict[str, str]

    def source(self, spec: Spec, settings: Settings) -> Source: ...


def parse(text: str, settings: Settings) -> Source:
    """The source that is meant by `text`. Raises UnknownSource."""
    name, _, rest = text.strip().partition(":")
    file = _file_of(name.lower())
    if file is None:
        hint = "between categories, and in place of a space, stands +"
        raise UnknownSource(text, f"the name is not known ({hint})", usages())
    return file.source(_spec(text.strip(), name.lower(), rest), settings)


def usages() -> tuple[str, ...]:
    """How each source is written."""
    return tuple(file.USAGE[name] for name, file in sorted(files().items()))


@cache
def files() -> dict[str, SourceFile]:
    """The files by the names of their sources."""
    found: dict[str, SourceFile] = {}
    for name in _modules():
        file = _imported(name)
        found |= dict.fromkeys(file.USAGE, file)
    return found


def _file_of(name: str) -> SourceFile | None:
    """The file of a source: the one that is named like it, else whichever says so. The others are
    not read for it."""
    module = name.replace("-", "_")
    if module in _modules() and name in (file := _imported(module)).USAGE:
        return file
    return files().get(name)


@cache
def _modules() -> tuple[str, ...]:
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def _imported(module: str) -> SourceFile:
    return cast("SourceFile", importlib.import_module(f"{__name__}.{module}"))


def _spec(text: str, name: str, rest: str) -> Spec:
    what, _, options = rest.partition("?")
    return Spec(text, name, unquote(what), dict(parse_qsl(options, keep_blank_values=True)))
