"""A reader's own library: entries of the files that reference managers write, one format a file."""
