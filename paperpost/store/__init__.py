"""Tables and every query, one file per subject; nothing else speaks SQL."""
