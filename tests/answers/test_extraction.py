from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bestpath.answers.equivalence import KINDS
from bestpath.answers.extraction import boxes, extract

# docs/answers.md, examples of ReCUT
RECUT = [
    (r"Final answer: \boxed{20}", "20"),
    (r"$\boxed{5}$ where $x^{2}$", "5"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"a \boxed{1} and \boxed{2}", "2"),
    ("x \\boxed{9}\nFinal answer: \\boxed{4} (not \\boxed{5})", "4"),
    ("\\boxed{12\n}", "12"),
    (r"\boxed{}", None),
    (r"\boxed{4", None),
    (r"\boxed{3}. Final answer: 3", "3"),
]

# docs/gsi.md, the released verifier, with our answers: kind, text, answer
GSI = [
    ("number", "The answer is $1,250.00.", "1250"),
    ("number", "The answer is 3 boxes of 4 eggs", "3"),
    ("number", "She has 5 left, then 8 more make 13", None),
    ("number", "The answer is 10/4", "2.5"),
    ("number", "The answer is .5", "0.5"),
    ("number", "The answer is 5 - 3 = 2", "2"),
    ("number", "The answer is 40\n\n### Question: How many?\n\nThe answer is 99", "40"),
    ("number", "First we add.\n\nThe answer is 4.\n\nThe answer is 5", "5"),
    ("math", r"The answer is x = \frac12", "1/2"),
    ("math", "The answer is x+y-z+1=0", "x+y-z+1=0"),
    ("math", r"The answer is 5 \text{ cm}", "5"),
    ("math", r"The answer is \sqrt[4]{8}", r"\sqrt[4]{8}"),
    ("choice", "The answer is (C) 35", "C"),
    ("choice", "so we have a profit", None),
    ("choice", "The answer is a loss: E", "E"),
    ("number", "the final nodes are 7", None),
]

# texts as DRP (arXiv 2505.13975) and DOTS (arXiv 2410.03864) have them
DRP_DOTS = [
    ("The answer is 1,200.", "1200"),
    ("The answer is -5.", "-5"),
    ("The answer is 0.5", "0.5"),
    ("The answer is #### 007", "7"),
    (r"so \boxed{72}. (3 checks)", "72"),
    ("no digits", None),
    ("The answer is now 42", "42"),
    ("Answer: 1,234", "1234"),
]


@pytest.mark.parametrize(("text", "answer"), RECUT)
def test_recut_examples(text, answer):
    assert extract(text).answer == answer


@pytest.mark.parametrize(("kind", "text", "answer"), GSI)
def test_gsi_examples(kind, text, answer):
    assert extract(text, kind).answer == answer


@pytest.mark.parametrize(("text", "answer"), DRP_DOTS)
def test_drp_and_dots_examples(text, answer):
    assert extract(text, "number").answer == answer


@pytest.mark.parametrize(
    ("text", "answer", "rule"),
    [
        ("**Answer:** 42", "42", "stated"),
        ("**Final Answer: 42**", "42", "stated"),
        ("### Final Answer\n\n42", "42", "stated"),
        ("The final answer is:\n\\[\n42\n\\]", "42", "stated"),
        ("Thus, the answer to the question is therefore **18 dollars**.", "18", "stated"),
        ("The answer is 12. Let me check it. Indeed, the answer is correct.", "12", "stated"),
        ("The answer is not 5. The answer is 6.", "6", "stated"),
        ("The answer is 42 because 6 * 7 = 42 and 5 * 5 = 25.", "42", "stated"),
        ("The answer is 42. Let me know if you need 3 more.", "42", "stated"),
        ("The answer is 42!", "42", "stated"),
        ("The answer is approximately 1.5 million people", "1500000", "stated"),
        ("The answer is negative 5", "-5", "stated"),
        ("9 * 2 = 18\n#### 18", "18", "hashes"),
        ("#### Step 4: add\nThe answer is 3", "3", "stated"),
        ("So she has **42** apples.", "42", "bold"),
        ("42", "42", "whole_text"),
        ("Answer:\n\nFirst, we compute 6 * 7 and then we add all of the numbers", None, "none"),
        ("She has **5** and then **8** more.", None, "none"),
        (r"So $\boxed 7$ it is", "7", "boxed"),
        (r"\boxed{\boxed{7}}", "7", "boxed"),
        (r"\boxed{4} and then \boxed{5", None, "boxed"),
        (r"\boxed{4 and then \boxed{5}", "5", "boxed"),
    ],
)
def test_numbers_are_found_where_they_are_stated(text, answer, rule):
    found = extract(text, "number")
    assert (found.answer, found.rule) == (answer, rule)


@pytest.mark.parametrize(
    "text", ["5 - 3", "10:30 am", "10-12 apples", r"3\sqrt{2}", "2^{10}", r"\sqrt{2}", "3, 4", "3 or 4", "(3, 4)"]
)
def test_an_expression_is_not_taken_for_its_first_number(text):
    assert extract(f"\\boxed{{{text}}}", "number").answer == text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"The answer is $\frac{1}{2}$ cups.", r"\frac{1}{2} cups"),
        ("The answer is the polynomial $x^2+1$.", "x^2+1"),
        (r"The answer is $3\sqrt{2}$, since it is.", r"3\sqrt{2}"),
        (r"Therefore the answer is \(\pi\).", r"\pi"),
        ("The answer is obvious from all that has been said above", None),
        ("The answer is as follows.", None),
        (r"\boxed{\left\{ 1, 2 \right\}}", r"\left\{ 1, 2 \right\}"),
    ],
)
def test_formulas_in_sentences(text, answer):
    assert extract(text).answer == answer


def test_exact_answers_are_only_stripped():
    assert extract(r"\boxed{ 1/2 }", "exact").answer == "1/2"
    assert extract("Answer: sky blue ", "exact").answer == "sky blue"


def test_a_new_problem_is_cut_off_only_behind_an_answer():
    restated = "Let us see.\n\nQuestion: what is 2 + 2?\nThe answer is 4."
    assert extract(restated, "number").answer == "4"
    assert extract("\\boxed{4}\n\nProblem: what is 3 + 3?\n\\boxed{6}", "number").answer == "4"


@given(st.text(alphabet="ab1{}\\ ", max_size=30))
def test_a_box_gives_back_any_balanced_content(content):
    depth, position = 0, 0
    while position < len(content) and depth >= 0:
        if content[position] == "\\":
            position += 1
        else:
            depth += {"{": 1, "}": -1}.get(content[position], 0)
        position += 1
    complete = depth == 0 and position == len(content)
    found = boxes(f"so \\boxed{{{content}}} and")
    if complete:
        assert found == [(3, content)]


@given(st.text(max_size=200), st.sampled_from(KINDS))
def test_any_text_can_be_read(text, kind):
    for wrapped in (text, f"\\boxed{{{text}}}", f"The answer is {text}"):
        answer = extract(wrapped, kind, (("A", "5"), ("B", text))).answer
        assert answer is None or answer.strip() != ""


@given(st.integers(-(10**12), 10**12), st.sampled_from(["{}", "{:,}", "${}", "**{}**", "{} apples", "{}%", "x = {}"]))
def test_an_integer_is_read_from_any_sentence(number, form):
    assert extract(f"3 + 4 = 7.\nThe answer is {form.format(number)}.", "number").answer == str(number)


@given(st.text(alphabet=st.characters(exclude_characters="\\#*\n", exclude_categories=["Cs"]), max_size=100))
def test_what_stands_before_the_box_does_not_matter(text):
    assert extract(f"{text} \\boxed{{41}}").answer == "41"


@pytest.mark.parametrize(
    "unit", ["\\boxed{", "\n", "the answer to ", "The answer is \\[", "{", "*", " ", "#### 1 x\n", "ab "]
)
def test_endless_repetition_is_read_in_linear_time(unit):
    # a quadratic reader would need hours
    assert extract(unit * (2_000_000 // len(unit)), "math").rule in ("none", "boxed", "stated", "hashes")
