"""The site: pages of papers, and the doors that the links of a mail open."""
