from __future__ import annotations

from bestpath.methods.recut.report.paths import TAGS, path_of, paths_of
from bestpath.stages.report.explorer import Answer
from tests.methods.recut.sums import world


def trial(round_, mode, text, **more):
    row = {
        "problem_id": "p1",
        "trial_id": f"p1.{round_}.{mode}.0",
        "round": round_,
        "mode": mode,
        "index": 0,
        "text": text,
        "n_tokens": 20,
        "finish_reason": "stop",
        "answer": "5",
        "verdict": "correct",
        "reward": 0.05,
        "step": None,
        "step_reject": None,
        "chosen": False,
        "switched": False,
        "stop": None,
    }
    return row | more


PROBLEM = {"problem_id": "p1", "question": "2 + 3?", "answer": "5"}
OPTIMAL = {
    "problem_id": "p1",
    "solved": True,
    "text": "best",
    "n_tokens": 9,
    "mode_path": ["long", "short"],
    "answer": "5",
}
TRIALS = [
    trial(1, "long", "Well. [STEP1]: add\n[STEP2]: done\nFinal answer: 5", step="[STEP1]: add", chosen=True),
    trial(1, "short", "nothing", verdict="wrong", reward=-0.05, step_reject="no_step_marker"),
    trial(2, "long", "", reward=float("-inf"), verdict="no_answer", answer=None, stop="finished"),
    trial(2, "short", "[STEP2]: done\nFinal answer: 5", step="[STEP2]: done", chosen=True, stop="finished"),
]


def test_a_path_holds_rounds_sides_and_the_kept_step_within_its_text():
    path = path_of(TRIALS, PROBLEM, OPTIMAL, ())
    assert [round_.title for round_ in path.rounds] == ["Round 1", "Round 2"]
    kept = path.rounds[0].alternatives[0]
    assert (kept.before, kept.kept_part, kept.after) == ("Well. [STEP1]: ", "add", "\n[STEP2]: done\nFinal answer: 5")
    assert path.rounds[0].outcome == "long kept"
    assert path.rounds[0].why == "only the long one is correct"
    assert path.end == "The kept completion ends with this step: the path is complete."
    assert path.answers[0].note == "steps kept from: long, short" and path.answers[0].best
    assert (path.summary, path.conclusion) == ("solved in 9 tokens", "The optimal path")
    assert "mixed" in path.tags and "solved" in path.tags


def test_a_side_without_a_step_keeps_its_whole_text_and_an_infinite_reward_is_left_out():
    path = path_of(TRIALS, PROBLEM, OPTIMAL, ())
    other, endless = path.rounds[0].alternatives[1], path.rounds[1].alternatives[0]
    assert (other.before, other.kept_part, other.note) == ("nothing", "", "no usable step: no step marker")
    assert (other.scores, endless.scores) == ((("reward", -0.05),), ())


def test_the_first_answer_is_the_one_to_beat():
    slow = Answer("base", "long-winded", 40, "correct", "5")
    fast = Answer("other", "brief", 3, "wrong", "4")
    assert "saves" in path_of(TRIALS, PROBLEM, OPTIMAL, (slow, fast)).tags
    assert "saves" not in path_of(TRIALS, PROBLEM, OPTIMAL, (fast, slow)).tags
    assert "rescues" in path_of(TRIALS, PROBLEM, OPTIMAL, (fast, slow)).tags
    assert "rescues" not in path_of(TRIALS, PROBLEM, OPTIMAL, (slow, fast)).tags


def test_an_unsolved_problem_has_no_optimal_path():
    path = path_of(TRIALS, PROBLEM, {**OPTIMAL, "solved": False, "text": None, "n_tokens": None}, ())
    assert path.answers == () and path.conclusion == "Unsolved: no candidate is correct"
    assert "unsolved" in path.tags and "solved" not in path.tags


def test_what_is_saved_is_said():
    slow = Answer("base", "long-winded", 40, "wrong", "4")
    path = path_of(TRIALS, PROBLEM, OPTIMAL, (slow,))
    assert path.summary == "solved in 9 tokens; base: 40"
    assert path.conclusion == "The optimal path against base: 78 % fewer tokens"
    brief = Answer("base", "", 6, "wrong", "4")
    assert path_of(TRIALS, PROBLEM, OPTIMAL, (brief,)).conclusion.endswith("50 % more tokens")


def test_real_searches_become_paths():
    problems, trials, _, optimal = world()
    paths = paths_of(trials, problems, optimal, {}, limit=40)
    assert len(paths) == 40
    assert [path.id for path in paths] == sorted(path.id for path in paths)
    for path in paths:
        assert set(path.tags) <= TAGS.keys()
        for round_ in path.rounds:
            assert len(round_.alternatives) == 2
            assert sum(item.kept for item in round_.alternatives) <= 1
        for round_ in path.rounds[:-1]:
            assert any(item.kept and item.kept_part for item in round_.alternatives)


def test_rows_in_any_order_give_the_same_paths():
    answers: dict[str, list[Answer]] = {}
    made = paths_of(TRIALS, [PROBLEM], [OPTIMAL], answers)
    assert paths_of(TRIALS[::-1], [PROBLEM], [OPTIMAL], answers) == made
