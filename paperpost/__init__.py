"""Paperpost: the day's new papers, ranked for each subscriber and mailed as a short digest."""

__version__ = "0.1.0"
