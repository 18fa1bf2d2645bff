"""What may be said in a request, as types: the OpenAPI document tells their limits."""

import re
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from paperpost.service.wishes import LONGEST_TERM, MOST_TERMS

LONGEST_NAME = 500
LAST_PAGE = 9999
# Neither a control sign nor what separates terms in forms.
_ONE_TERM = r"^[^\x00-\x1f\x7f,;]+$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
NOT_BLANK = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"

PaperId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=NO_CONTROL,
        description="A paper's id, or another name it was met under. It may hold slashes.",
        examples=["2604.00001", "doi:10.1101/2026.01.02.123456"],
    ),
]
PageNumber = Annotated[int, Query(ge=1, le=LAST_PAGE, description="Pages begin with 1.")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TERM, pattern=_ONE_TERM)]
Terms = Annotated[list[Term], Field(max_length=MOST_TERMS)]
Line = Annotated[str, StringConstraints(pattern=NO_CONTROL)]
# JSON's own true and false: not "yes", and not 1.
Flag = Annotated[bool, Field(strict=True)]


def _not_in_words(value: object) -> object:
    """Pydantic takes "5" and true for numbers as well; 5.0 is one (JSON Schema, section 4.2.3)."""
    if isinstance(value, str | bool):
        raise ValueError("a number has to be a number")
    return value


# Behind the limits of a number: before them it would keep them out of the document.
IN_FIGURES = BeforeValidator(_not_in_words)


def _in_one_spelling(value: object) -> object:
    """Pydantic takes a number of seconds for a date as well."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a date is written like 2026-04-01")
    return value


Day = Annotated[date, BeforeValidator(_in_one_spelling)]


class Said(BaseModel):
    """A body of a request: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """A part of an answer, made from what the service returns."""

    model_config = ConfigDict(from_attributes=True)


T = TypeVar("T", bound=Told)


def told(model: type[T], found: Any) -> T:
    """What the service found, as the answer that the OpenAPI document promises."""
    return model.model_validate(found)


class Bibtex(Response):
    """Papers for reference managers."""

    media_type = "application/x-bibtex"
