"""The installation that is measured: what its commands and its workers are given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from paperpost.service.installation import Installation, open_installation
from paperpost.settings import Settings, load_settings

_KEY = "made up for a measurement"


@dataclass(frozen=True, slots=True)
class Site:
    """By what it differs from others of the measurement; `models` is where all of them find the
    model, `day` the one that is gone through."""

    home: Path
    models: Path
    database_url: str
    source: str
    smtp_url: str
    connections: int
    day: date

    @property
    def settings(self) -> Settings:
        """As a command reads them."""
        return load_settings(
            home=self.home,
            models=str(self.models),
            database_url=self.database_url,
            secret_key=(_KEY,),
            sources=(self.source,),
            allow_private_sources=True,
            upvotes=False,
            smtp_url=self.smtp_url,
            smtp_connections=self.connections,
            public_url="https://papers.university.example",
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same for other processes."""
        return {
            "PAPERPOST_HOME": str(self.home),
            "PAPERPOST_MODELS": str(self.models),
            "PAPERPOST_DATABASE_URL": self.database_url,
            "PAPERPOST_SECRET_KEY": _KEY,
            "PAPERPOST_SOURCES": self.source,
            "PAPERPOST_ALLOW_PRIVATE_SOURCES": "true",
            "PAPERPOST_UPVOTES": "false",
            "PAPERPOST_SMTP_URL": self.smtp_url,
            "PAPERPOST_SMTP_CONNECTIONS": str(self.connections),
            "PAPERPOST_PUBLIC_URL": "https://papers.university.example",
        }

    @contextmanager
    def opened(self) -> Iterator[Installation]:
        """The installation, in this process. Its clock stays in the day that is gone through: to a
        day for which there are no papers, nothing would be composed after midnight."""
        installation = open_installation(self.settings)
        midnight = datetime.combine(self.day, time.max, UTC)
        try:
            yield replace(installation, clock=lambda: min(installation.clock(), midnight))
        finally:
            installation.close()
