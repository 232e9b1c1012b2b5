"""Lines of JSON that check themselves: each carries the CRC-32 of its content, so that a torn one is known."""

from __future__ import annotations

import json
import zlib
from typing import Any


def line_of(content: str) -> bytes:
    """A line that holds one JSON document."""
    data = content.encode()
    return b'{"crc":"%08x","entry":%s}\n' % (zlib.crc32(data), data)


def entry_of(line: bytes) -> dict[str, Any] | None:
    """The entry of a line, or None if the line is not whole."""
    head, content, tail = line[:26], line[26:-2], line[-2:]
    if tail != b"}\n" or head != b'{"crc":"%08x","entry":' % zlib.crc32(content):
        return None
    entry: dict[str, Any] = json.loads(content)
    return entry
