"""How fast the parts are, each beside what it is compared with; made-up papers and readers."""
