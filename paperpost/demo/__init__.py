"""The whole main job on bundled papers, as `paperpost demo` runs it."""
