"""How very many subscribers are worked through: block by block, here or by workers elsewhere."""
