from __future__ import annotations

import pytest

from bestpath.catalog import Experiment
from bestpath.planning.budget import Bill, Job, Problems, Reckoned, Reckoner
from bestpath.planning.configuration import load
from bestpath.planning.throughput import ASSUMPTIONS
from bestpath.planning.throughput import load as load_throughput
from scripts.show_plan import cost_table, count, duration, notes, paid_roles, players, request_table, stages
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("value", "shown"), [(0, ""), (7, "7"), (999, "999"), (80_000, "80 k"), (14.4e6, "14.4 M"), (1.62e12, "1.62 T")]
)
def test_large_numbers_are_short(value: float, shown: str) -> None:
    assert count(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, ""), (0.4, "0 s"), (59, "59 s"), (90, "1.5 min"), (6120, "1.7 h"), (201_600, "56 h")]
)
def test_a_time_is_told_in_its_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def job(rule: str, gpus: int, seconds: float, runtime: int = 60, **more: object) -> Reckoned:
    bill = Bill(completions=10, tokens=5000, seconds=seconds, gpu_seconds=seconds * gpus, money=more.pop("money", 0.0))
    most = Bill(completions=16, tokens=9000, seconds=2 * seconds, gpu_seconds=2 * seconds * gpus, money=bill.money)
    asked = Job(rule, {}, 8, {"gpu": gpus, "mem_mb": 64000, "runtime": runtime})
    return Reckoned(asked, bill if seconds else Bill(), most if seconds else Bill(), **more)


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


def test_a_rule_that_nobody_priced_is_not_known_and_missing_in_the_sum() -> None:
    unpriced = "what the rule vote_paths costs"
    printed = cost_table([job("explore", 0, 60), job("vote_paths", 0, 0, unknown_work=unpriced)], 0.0)
    explore, vote, together = printed.splitlines()[2:]
    assert vote.split() == "vote_paths 1 not known".split()
    assert together.split()[:5] == "together 2 10 + ?".split() and "?" not in explore


def test_money_is_told_by_role_where_several_are_paid() -> None:
    roles = {"actor": (Bill(money=1.0), Bill(money=2.0)), "teacher": (Bill(money=0.5), Bill(money=4.0))}
    [said] = paid_roles([job("guide", 0, 60, roles=roles), job("guide", 0, 60, roles=roles)], "EUR")
    assert said == "EUR by role: actor 2.00, at most 4.00, teacher 1.00, at most 8.00."
    assert list(paid_roles([job("guide", 0, 60, roles={"actor": roles["actor"]})], "EUR")) == []


SERVER = {"url": "http://localhost:8000/v1", "model": "large"}


def test_every_method_says_what_it_assumes_and_every_model_what_it_is() -> None:
    config = {
        "models": {"teacher": {"endpoint": SERVER}, "idle": {"source": "some/model"}},
        "methods": {"recut": {}, "gsi": {"run": ["vanilla", "interactive", "brute"]}},
    }
    experiment = Experiment(load(config))
    sizes = {"base": 0.0003, "teacher": None, "idle": None}
    reckoner = Reckoner(experiment, load_throughput(ROOT / ASSUMPTIONS), "h100", sizes, Problems({}, {}))
    assert list(players(reckoner, "h100")) == [
        "embedded: embedded, 0.0003 billion parameters, transformers on CPUs",
        "teacher: large at http://localhost:8000/v1",
    ]
    said = list(notes(reckoner, [job("vote_paths", 0, 0, unknown_work="what the rule vote_paths costs")], 0.0))
    assert said[:3] == [
        "ReCUT: 3.2 steps and 40 tokens a solution, 0.7 length and 0.2 accuracy pairs a problem; at most all 8 rounds, "
        "160 tokens a completion, a pair from every problem.",
        "GSI: 40 tokens a solution, 54 % of them right, 1.6 further draws a question with help and 7.6 without; at "
        "most all 8 to 32 rounds, 160 tokens a completion, a row from every draw.",
        "Evaluation: 39 tokens an answer; at most 160. The speed stays the same.",
    ]
    assert said[-1] == (
        "Unknown, and missing above: what the rule vote_paths costs; state it in the costs of its method."
    )
