from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.methods.recut.steps import boxed, count_steps, next_step, repeats, terminal

# The worked examples of docs/recut.md.
EXAMPLES = [
    (
        "[STEP2]: 6/2 = 3. So x is 3.\n[STEP3]: y=4\nFinal answer: \\boxed{4}",
        2,
        ("[STEP2]: 6/2 = 3. So x is 3.", None),
        False,
    ),
    ("Using 2.5 we go.\n[STEP2]: half is 1.25\nFinal answer: \\boxed{1}", 2, ("[STEP2]: half is 1.25", None), True),
    ("Step 10: foo\nStep 11: bar", 1, (None, "wrong_step_number"), False),
    ("**Step 1:** foo\n**Step 2:** bar", 1, ("[STEP1]: foo", None), False),
    ("### Step 1\nfoo\n### Step 2\nbar", 1, ("[STEP1]: foo", None), False),
    ("[STEP1]:\n[STEP2]: b", 1, (None, "empty_step"), False),
    ("no markers", 1, (None, "no_step_marker"), True),
]


@pytest.mark.parametrize(("text", "k", "step", "_"), EXAMPLES)
def test_worked_examples_of_steps(text, k, step, _):
    assert next_step(text, k) == step


@pytest.mark.parametrize(("text", "k", "_", "ends"), EXAMPLES)
def test_worked_examples_of_the_terminal_rule(text, k, _, ends):
    assert terminal(text, k, has_answer=True) is ends
    assert not terminal(text, k, has_answer=False)


@pytest.mark.parametrize(
    ("text", "k", "body"),
    [
        ("**Step 3**: x = 4", 3, "x = 4"),
        ("(Step 3) x = 4", 3, "x = 4"),
        ("* Step 3. x = 4", 3, "x = 4"),
        ("  [step 3]  **x** = 4", 3, "**x** = 4"),
        ("## **Step 3:** x = 4", 3, "x = 4"),
        ("Step 3.x = 4", 3, "x = 4"),
        ("[STEP3]: line one\n\n  line two\n", 3, "line one\n\n  line two"),
        ("[STEP3]: (a) 12. and 4) end\nstep by step\n", 3, "(a) 12. and 4) end\nstep by step"),
        ("[STEP3]: see Step 4: there", 3, "see Step 4: there"),
        ("[STEP3]: x\n**Final Answer**\n\\boxed{4}", 3, "x"),
        ("[STEP3]: x\nThe final answer is \\boxed{4}", 3, "x"),
        ("[STEP3]: the final answer: is near\n[STEP4]: y", 3, "the final answer: is near"),
        ("[STEP1]: again\n[STEP3]: x\n[STEP3]: y", 3, "x"),
    ],
)
def test_markers_stand_at_line_starts_in_many_dresses(text, k, body):
    assert next_step(text, k) == (f"[STEP{k}]: {body}", None)


@pytest.mark.parametrize("text", ["Step 2.5 is odd", "Steps 2 and 3", "STEP2b: x", "Step " + "2" * 5000, "a Step 2: x"])
def test_what_is_no_marker(text):
    assert next_step(text, 2) == (None, "no_step_marker")


def test_a_truncated_step_needs_something_that_ends_it():
    assert next_step("[STEP1]: x is fo", 1, truncated=True) == (None, "unfinished_step")
    assert next_step("[STEP1]: x\n[STEP2]: y is fo", 1, truncated=True) == ("[STEP1]: x", None)
    assert next_step("[STEP1]: x\nFinal answer: \\bo", 1, truncated=True) == ("[STEP1]: x", None)


def test_a_restated_earlier_step_does_not_hide_the_end():
    assert terminal("[STEP1]: again\n[STEP2]: x\nFinal answer: \\boxed{4}", 2, has_answer=True)


def test_box_in_a_step():
    assert boxed("[STEP1]: so \\boxed{4}")
    assert not boxed("[STEP1]: boxed in")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("[STEP2]: Add  3 and 4", True),  # case and spaces
        ("[STEP2]: add 3 and 5", False),
        ("[STEP9]: the check shows that 3 and 4 make 7 as it should and nothing more is to be done", True),
        ("[STEP9]: the check shows that 3 and 5 make 8 as it should and nothing more is to be done", False),
        ("[STEP9]: look: the check shows that 3 and 4 make 7 as it should and nothing more is to be done", True),
        ("[STEP2]: add", False),
    ],
)
def test_repeated_steps(step, expected):
    kept = [
        "[STEP1]: add 3 and 4",
        "[STEP2]: the check shows that 3 and 4 make 7 as it should and nothing more is to be done here",
    ]
    assert repeats(step, kept) is expected


def test_nothing_repeats_an_empty_path():
    assert not repeats("[STEP1]: add 3 and 4", [])


BODY = st.text(min_size=1).filter(lambda body: body.strip() and "ste" not in body.lower() and "fin" not in body.lower())


@given(st.lists(BODY, min_size=1, max_size=6))
def test_every_written_step_is_read_back(bodies):
    text = "\n".join([*(f"[STEP{i}]: {body}" for i, body in enumerate(bodies, 1)), "Final answer: \\boxed{1}"])
    assert [next_step(text, k)[0] for k in range(1, len(bodies) + 1)] == [
        f"[STEP{k}]: {body.strip()}" for k, body in enumerate(bodies, 1)
    ]
    assert count_steps(text) == len(bodies)
    assert [terminal(text, k, has_answer=True) for k in range(1, len(bodies) + 1)] == [
        k == len(bodies) for k in range(1, len(bodies) + 1)
    ]


@given(st.text(), st.integers(1, 12), st.booleans())
def test_any_text_gives_either_a_step_or_a_reason(text, k, truncated):
    step, reject = next_step(text, k, truncated)
    assert (step is None) != (reject is None)
    if step is not None:
        assert next_step(step, k) == (step, None)
