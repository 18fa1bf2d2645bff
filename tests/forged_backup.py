"""Backups that somebody changed, with a checksum that is right again."""

import gzip
import hashlib
import json
import re


def signed(lines: bytes) -> bytes:
    """A backup's file of these lines, of which the last one is replaced."""
    before = lines[: lines.rstrip(b"\n").rfind(b"\n") + 1]
    rows = json.loads(lines[len(before) :])["rows"]
    rows = {name: rows.get(name, 0) for name in _tables(before)}
    digest = hashlib.sha256(before).hexdigest()
    return gzip.compress(before + json.dumps({"rows": rows, "sha256": digest}).encode() + b"\n")


def _tables(lines: bytes) -> list[str]:
    found = re.findall(rb'^{"table": ("[^"]*"), "columns"', lines, re.MULTILINE)
    return [json.loads(name) for name in found]
