"""The page that asks a subscriber about some papers, so that the first mails fit them better."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from paperpost.service import rate
from paperpost.service.browse import PaperView
from paperpost.service.turns import TooBusy
from paperpost.web.forms import Posted
from paperpost.web.own import OWN, Mine, Own
from paperpost.web.render import READ

router = APIRouter()

# How the answers are named: this, and the paper's id.
ANSWER = "paper-"
# Of the skipped papers the last ones are not asked about again: an address has to hold them.
MOST_SKIPPED = 50

SKIPPED = "skipped"
Skipped = Annotated[list[str], Query(alias=SKIPPED, default_factory=list)]


@router.api_route(f"{OWN}/rate", methods=READ)
def ask(mine: Mine, skipped: Skipped) -> HTMLResponse:
    """The papers, but for those that were `skipped` before."""
    return _page(mine, skipped[-MOST_SKIPPED:])


@router.post(f"{OWN}/rate")
def answer(mine: Mine, posted: Posted, skipped: Skipped) -> HTMLResponse:
    """Store what was answered. A form that is posted as it stands skips all, and changes nothing:
    that is what programs do."""
    answers = _answers(posted)
    rated = rate.answer(mine.site.installation, mine.number, answers)
    left = [name for name, said in answers.items() if said not in rate.ANSWERS]
    leading = _leading(mine, [*skipped, *answers]) if rated else ()
    return _page(mine, [*skipped, *left][-MOST_SKIPPED:], rated=rated, leading=leading)


def _answers(posted: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(ANSWER): said for name, said in posted.items() if name.startswith(ANSWER)
    }


def _page(
    mine: Own,
    skipped: Collection[str],
    *,
    rated: int | None = None,
    leading: Sequence[PaperView] = (),
) -> HTMLResponse:
    """`rated` is how many papers were just rated, None before the form was posted; `leading` are
    those that would come first now."""
    here = mine.site.installation
    query = f"?{urlencode([(SKIPPED, name) for name in skipped])}" if skipped else ""
    return mine.page(
        "rate.html",
        tab="/rate",
        papers=rate.questions_for(here, mine.person, skipped) if rated is None else (),
        leading=leading,
        rated=rated,
        is_later=bool(skipped),
        again=f"{mine.here}/rate{query}",
        answer=ANSWER,
    )


def _leading(mine: Own, without: Collection[str]) -> tuple[PaperView, ...]:
    """None while too many ask for a ranking: what was answered is stored all the same."""
    try:
        return rate.leading(mine.site.installation, mine.person, without)
    except TooBusy:
        return ()
