"""How well it did: a page with a picture and the numbers that it is drawn from."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service.record import FEWEST, record
from paperpost.web import chart
from paperpost.web.own import OWN, Mine
from paperpost.web.render import READ

router = APIRouter()


@router.api_route(f"{OWN}/record", methods=READ)
def how_it_did(mine: Mine) -> HTMLResponse:
    """What was mailed and liked, by week."""
    found = record(mine.site.installation, mine.number)
    return mine.page(
        "record.html",
        tab="/record",
        record=found,
        chart=chart.chart(found.weeks),
        width=chart.WIDTH,
        height=chart.HEIGHT,
        left=chart.LEFT,
        bottom=chart.BOTTOM,
        fewest=FEWEST,
    )
