"""How a batch of subscribers is worked through."""
