"""Limits a minute, on a clock of the test's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.generation.engines.pace import Pace
from bestpath.stages.generation.engines.refusals import retry_after


@given(
    asked=st.lists(st.tuples(st.floats(0.0, 30.0), st.integers(1, 4000)), max_size=60),
    requests=st.floats(1.0, 600.0),
    tokens=st.floats(1000.0, 100_000.0),
)
def test_no_minute_holds_more_than_the_limits(asked: list[tuple[float, int]], requests: float, tokens: float) -> None:
    clock = [100.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: clock[0])
        pace = Pace(requests, tokens)
        turns = []
        for pause, size in asked:
            clock[0] += pause
            turns.append((clock[0] + pace.turn(size), size))
    for start, _ in turns:
        minute = [size for turn, size in turns if start <= turn < start + 60 - 1e-6]
        assert len(minute) <= requests + 1
        assert sum(minute) <= tokens + minute[-1]  # the last may begin within and go on beyond


def test_without_limits_nothing_waits_but_what_the_server_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace = Pace(None, None)
    assert [pace.turn(10**9) for _ in range(3)] == [0.0, 0.0, 0.0]
    pace.hold(7.0)
    pace.hold(2.0)
    clock[0] += 3.0
    assert pace.turn(1) == 4.0
    clock[0] += 10.0
    assert pace.turn(1) == 0.0


def test_a_server_says_in_seconds_or_by_a_date_when_to_come_back() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after": "-1"}) == 0.0
    assert retry_after({"retry-after": "soon"}) == 0.0
    assert retry_after({}) == 0.0
    past = datetime.now(UTC) - timedelta(hours=1)
    assert retry_after({"retry-after": format_datetime(past, usegmt=True)}) == 0.0
    future = datetime.now(UTC) + timedelta(hours=1)
    assert 3500 < retry_after({"retry-after": format_datetime(future, usegmt=True)}) <= 3600
