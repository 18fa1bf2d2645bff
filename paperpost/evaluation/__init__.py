"""How well papers are ranked: real data, the protocols, the ranker that ships, and its peers."""
