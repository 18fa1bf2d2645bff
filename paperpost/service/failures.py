"""Every failure that a person is told as one line, whichever room it comes from."""

from mailer.errors import MailerError
from paperpost.errors import PaperpostError
from paperpost.sources.errors import SourceError
from recommender.errors import RecommenderError

FAILURES = (PaperpostError, SourceError, MailerError, RecommenderError)
