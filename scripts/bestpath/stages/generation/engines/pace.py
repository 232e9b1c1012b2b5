"""When the next request may go out: limits a minute, and a server's wish to be left alone for a while."""

from __future__ import annotations

import time


class Pace:
    """Spaces requests evenly, so that neither limit is passed in any minute. None is no limit."""

    def __init__(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self._request_s = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._next = time.monotonic()

    def turn(self, tokens: int) -> float:
        """Take the next turn, for a request of so many tokens; the seconds until it comes."""
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + max(self._request_s, tokens * self._token_s)
        return turn - now

    def hold(self, seconds: float) -> None:
        """Let no new turn begin for so many seconds."""
        self._next = max(self._next, time.monotonic() + seconds)
