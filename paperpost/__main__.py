"""`python -m paperpost` is `paperpost`."""

from paperpost.cli import main

main()
