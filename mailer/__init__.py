"""A digest in, a message that follows the RFCs out, delivered once."""
