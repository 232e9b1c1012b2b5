from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.report.data import Answer, Path
from bestpath.stages.report.paths import TAGS, clip, most_instructive, path_of, paths_of


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
    assert [round_.number for round_ in path.rounds] == [1, 2]
    kept = path.rounds[0].sides[0]
    assert (kept.before, kept.step, kept.after) == ("Well. [STEP1]: ", "add", "\n[STEP2]: done\nFinal answer: 5")
    assert path.rounds[0].reason == "only the long one is correct"
    assert path.end == "The kept completion ends with this step: the path is complete."
    assert path.optimal.note == "steps kept from: long, short"
    assert "mixed" in path.tags and "solved" in path.tags


def test_a_side_without_a_step_keeps_its_whole_text_and_an_infinite_reward_is_left_out():
    path = path_of(TRIALS, PROBLEM, OPTIMAL, ())
    assert (path.rounds[0].sides[1].before, path.rounds[0].sides[1].step) == ("nothing", "")
    assert path.rounds[1].sides[0].reward is None


def test_the_first_answer_is_the_one_to_beat():
    slow = Answer("base", "long-winded", 40, "correct", "5")
    fast = Answer("other", "brief", 3, "wrong", "4")
    assert "saves" in path_of(TRIALS, PROBLEM, OPTIMAL, (slow, fast)).tags
    assert "saves" not in path_of(TRIALS, PROBLEM, OPTIMAL, (fast, slow)).tags
    assert "rescues" in path_of(TRIALS, PROBLEM, OPTIMAL, (fast, slow)).tags
    assert "rescues" not in path_of(TRIALS, PROBLEM, OPTIMAL, (slow, fast)).tags


def test_an_unsolved_problem_has_no_optimal_path():
    path = path_of(TRIALS, PROBLEM, {**OPTIMAL, "solved": False, "text": None, "n_tokens": None}, ())
    assert path.optimal is None and "unsolved" in path.tags and "solved" not in path.tags


def test_real_searches_become_paths(data):
    assert len(data.paths) == 60
    assert [path.problem_id for path in data.paths] == sorted(path.problem_id for path in data.paths)
    for path in data.paths:
        assert set(path.tags) <= TAGS.keys()
        for round_ in path.rounds:
            assert len(round_.sides) == 2
            assert sum(side.kept for side in round_.sides) <= 1
        for round_ in path.rounds[:-1]:
            assert any(side.kept and side.step for side in round_.sides)


def test_rows_in_any_order_give_the_same_paths():
    answers: dict[str, list[Answer]] = {}
    made = paths_of(TRIALS, [PROBLEM], [OPTIMAL], answers)
    assert paths_of(TRIALS[::-1], [PROBLEM], [OPTIMAL], answers) == made


paths = st.lists(st.sets(st.sampled_from(list(TAGS)), min_size=1), max_size=30).map(
    lambda tags: [Path(f"p{i}", "", "", tuple(sorted(t)), (), "", None, ()) for i, t in enumerate(tags)]
)


@given(paths, st.integers(0, 20))
def test_the_choice_is_as_many_as_allowed_without_repetition(paths, limit):
    picked = most_instructive(paths, limit)
    assert len(picked) == min(limit, len(paths))
    assert len({path.problem_id for path in picked}) == len(picked)


@given(paths)
def test_every_tag_that_occurs_is_represented(paths):
    picked = most_instructive(paths, len(TAGS))
    assert {tag for path in picked for tag in path.tags} == {tag for path in paths for tag in path.tags}


@given(st.text(max_size=50), st.integers(2, 20))
def test_clipping_keeps_both_ends_and_says_how_much_is_gone(text, limit):
    clipped = clip(text, limit)
    if len(text) <= limit:
        assert clipped == text
    else:
        half = limit // 2
        assert clipped.startswith(text[:half]) and clipped.endswith(text[-half:])
        assert f"{len(text) - 2 * half} characters left out" in clipped
