"""RecommenderError > SnapshotError > NewerSnapshot; RecommenderError > SpaceError."""

from pathlib import Path


class RecommenderError(Exception):
    """Something this library cannot do with what it was given."""


class SnapshotError(RecommenderError):
    """A file that holds no model this version can read."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"model snapshot {path}: {problem}")
        self.path = path
        self.problem = problem


class NewerSnapshot(SnapshotError):
    """A model of a newer version than this one."""


class SpaceError(RecommenderError):
    """Profiles and papers that come from different models and so cannot be compared."""
