"""Which papers, for whom, and why: term counts, interests and votes in; ranked papers out."""
