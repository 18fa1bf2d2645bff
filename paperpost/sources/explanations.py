"""What arXiv says of a request that it did not like: an error in the clothes of an answer."""

import io
from datetime import date

from paperpost.sources.errors import FeedError, RequestFailed, SourceError
from paperpost.sources.formats import read_papers


def raise_explanation(failure: RequestFailed, today: date) -> None:
    """Raise the FeedError that is in the body of a refusal (HTTP 4xx), if one is."""
    if failure.status is None or failure.status >= 500:
        return
    try:
        list(read_papers(io.BytesIO(failure.body), today=today))
    except FeedError as explained:
        raise explained from failure
    except SourceError:
        return
