from __future__ import annotations

from bestpath.methods.recut.report.search import exploration_of, section_of
from bestpath.stages.report.blocks import Bars, Spreads, Table
from tests.methods.recut.sums import count, world


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


def words(text):
    return len(text.split())


def test_rewards_are_those_of_chosen_completions_by_round_and_mode():
    exploration = exploration_of(TRIALS, [{"solved": True}], words)
    assert exploration.rewards == ((1, "long", (-0.1, 0.1)), (2, "short", (0.25,)))


def test_the_exploration_is_counted():
    e = exploration_of(TRIALS, [{"solved": True}, {"solved": False}], words)
    assert (e.problems, e.solved, e.completions, e.generated_tokens) == (2, 1, 6, 42)
    assert e.rounds == ((1, 1), (2, 1))
    assert e.sequences == ((("long",), 1), (("long", "short"), 1))
    assert dict(e.stops) == {"finished": 1, "round_cap": 1}
    long, short = e.modes
    assert (long.completions, long.kept, long.tokens, long.step_tokens) == (3, 2, 10, 3)
    assert (short.completions, short.kept, short.truncated) == (3, 1, 1 / 3)


def test_real_searches_add_up():
    _, trials, _, optimal = world()
    e = exploration_of(trials, optimal, count)
    assert sum(n for _, n in e.rounds) == sum(n for _, n in e.sequences) == sum(n for _, n in e.stops) == e.problems
    assert sum(mode.completions for mode in e.modes) == e.completions
    assert sum(len(values) for _, _, values in e.rewards) == sum(mode.kept for mode in e.modes)


def test_the_section_shows_all_of_it():
    section = section_of(exploration_of(TRIALS, [{"solved": True}, {"solved": False}], words))
    text, spreads, modes, rounds, stops, sequences, rewards = section.blocks
    assert text.paragraphs[0].startswith("1 of 2 problems (50.0 %) were solved at least once, with 6 completions")
    assert isinstance(spreads, Spreads) and {spread.group for spread in spreads.spreads} == {"long kept", "short kept"}
    assert isinstance(modes, Table) and [line.values[:2] for line in modes.lines] == [("long", 3), ("short", 3)]
    assert isinstance(rounds, Bars) and rounds.items == (("1", 1), ("2", 1))
    assert dict(stops.items) == {"the path is complete": 1, "all rounds were used": 1}
    assert sequences.items == ((("long",), 1), (("long", "short"), 1))
    assert rewards.folded and rewards.lines[0].values[:3] == (1, "long", 2)


def test_what_is_never_kept_and_rare_sequences_are_told():
    several = [trial(f"p{i}", 1, "long", False, 0.1, stop="stalled") for i in range(2)]
    section = section_of(exploration_of(several, [{"solved": False}] * 2, words))
    assert [bars.items for bars in section.blocks if isinstance(bars, Bars)][-1] == (("nothing kept", 2),)
    rare = [trial(f"p{i}", r, ("long", "short")[i >> r & 1], True, 0.1) for i in range(16) for r in range(4)]
    section = section_of(exploration_of(rare, [{"solved": True}] * 16, words))
    bars = [block for block in section.blocks if isinstance(block, Bars)][-1]
    assert (len(bars.items), bars.rest) == (12, "4 other sequences, on 4 problems.")
