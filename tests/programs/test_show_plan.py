from __future__ import annotations

import pytest

from bestpath.planning.budget import Job, Reckoned, Work
from scripts.show_plan import cost_table, count, duration, request_table, stages


@pytest.mark.parametrize(("value", "shown"), [(0, ""), (7, "7"), (999, "999"), (80_000, "80 k"), (14.4e6, "14.4 M")])
def test_large_numbers_are_short(value: float, shown: str) -> None:
    assert count(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, ""), (0.4, "0 s"), (59, "59 s"), (90, "1.5 min"), (6120, "1.7 h"), (201_600, "56 h")]
)
def test_a_time_is_told_in_its_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def job(rule: str, gpus: int, seconds: float, runtime: int = 60, **more: object) -> Reckoned:
    work = Work(completions=10, tokens=5000, seconds=seconds, gpu_seconds=seconds * gpus, money=more.pop("money", 0.0))
    most = Work(completions=16, tokens=9000, seconds=2 * seconds, gpu_seconds=2 * seconds * gpus, money=work.money)
    asked = Job(rule, {}, 8, {"gpu": gpus, "mem_mb": 64000, "runtime": runtime})
    return Reckoned(asked, work if seconds else Work(), most if seconds else Work(), **more)


def test_stages_stand_in_their_order_and_trifles_together() -> None:
    done = [job("evaluate", 1, 60), job("tables", 0, 0), job("explore", 1, 60), job("evaluate", 1, 60)]
    assert {rule: len(jobs) for rule, jobs in stages(done).items()} == {"explore": 1, "evaluate": 2, "other rules": 1}


def test_a_table_sums_up_and_marks_what_is_missing() -> None:
    printed = cost_table([job("explore", 2, 3600), job("train", 2, 7200, disk=4e9, unknown_cost="how large")], 1e9)
    explore, train, together = (line.split("  ") for line in printed.splitlines()[2:])
    assert [cell.strip() for cell in explore if cell.strip()] == [
        *("explore", "1", "10", "16", "5 k", "9 k", "2.0 h", "4.0 h"),
    ]
    assert "4 GB + ?" in [cell.strip() for cell in train]
    assert "6.0 h + ?" in [cell.strip() for cell in together] and "5 GB + ?" in [cell.strip() for cell in together]
    assert "USD" not in printed
    priced = cost_table([job("explore", 0, 60, money=1.5)], 0.0, "USD")
    assert priced.splitlines()[0].split()[-3:] == ["USD", "at", "most"] and priced.count("1.50") == 4


def test_a_request_tells_the_longest_job_and_when_its_time_may_run_out() -> None:
    printed = request_table(
        [job("explore", 1, 600), job("explore", 1, 1200), job("train", 4, 7200), job("merge", 0, 9)]
    )
    explore, train = printed.splitlines()[2:]
    assert explore.split() == "explore 2 1 8 64000 60 20 min 40 min".split()
    assert train.split()[:6] == "train 1 4 8 64000 60".split()
    assert "more time than asked for" in train and "more time" not in explore
