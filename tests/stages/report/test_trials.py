from __future__ import annotations

from bestpath.stages.report.trials import exploration_of, rewards_of


def trial(problem, round_, mode, chosen, reward, **more):
    row = {
        "problem_id": problem,
        "round": round_,
        "mode": mode,
        "n_tokens": 10 if mode == "long" else 4,
        "finish_reason": "stop",
        "verdict": "correct" if reward > 0 else "wrong",
        "reward": reward,
        "step": "a b c",
        "chosen": chosen,
        "stop": None,
    }
    return row | more


TRIALS = [
    trial("p1", 1, "long", True, 0.1),
    trial("p1", 1, "short", False, -0.25),
    trial("p1", 2, "long", False, 0.1, stop="finished"),
    trial("p1", 2, "short", True, 0.25, stop="finished"),
    trial("p2", 1, "long", True, -0.1, stop="round_cap"),
    trial("p2", 1, "short", False, float("-inf"), stop="round_cap", finish_reason="length"),
]


def test_rewards_are_those_of_chosen_completions_by_round_and_mode():
    cells = [(cell.round, cell.mode, cell.rewards) for cell in rewards_of(TRIALS)]
    assert cells == [(1, "long", (-0.1, 0.1)), (2, "short", (0.25,))]


def test_the_exploration_is_counted():
    e = exploration_of(TRIALS, [{"solved": True}, {"solved": False}], lambda text: len(text.split()))
    assert (e.problems, e.solved, e.completions, e.generated_tokens) == (2, 1, 6, 42)
    assert e.rounds == ((1, 1), (2, 1))
    assert e.sequences == ((("long",), 1), (("long", "short"), 1))
    assert dict(e.stops) == {"finished": 1, "round_cap": 1}
    long, short = e.modes
    assert (long.completions, long.kept, long.tokens, long.step_tokens) == (3, 2, 10, 3)
    assert (short.completions, short.kept, short.truncated) == (3, 1, 1 / 3)


def test_real_searches_add_up(data):
    e = data.exploration
    assert sum(n for _, n in e.rounds) == sum(n for _, n in e.sequences) == sum(n for _, n in e.stops) == e.problems
    assert sum(mode.completions for mode in e.modes) == e.completions
    assert sum(len(cell.rewards) for cell in data.rewards) == sum(mode.kept for mode in e.modes)
