"""`bench scale`: a day of a large installation on PostgreSQL, from the first row to the last."""
