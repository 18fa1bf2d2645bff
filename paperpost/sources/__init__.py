"""Where papers come from: one file per source or format, one polite HTTP client under them all."""
