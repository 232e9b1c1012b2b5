r"""When two final answers are equal (docs/answers.md, equality).

In tiers: one spelling, exact numbers, structures element by element, clearly different values, and only then symbolic
equality, which the caller supplies because it may hang: see `grading`. Lists, tuples and intervals are equal in order;
sets and unions in any order. A lone letter before an equals sign is a name: `x = 5` is 5, but not `y = 5`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from bestpath.answers.choices import Choices, label_in, labels_of, same_choice, shares_text
from bestpath.answers.estimates import clearly_different, estimate
from bestpath.answers.latex import balanced, nesting, tidy
from bestpath.answers.quantities import numbers_in, parse_quantity, roughly_same, rounds_to, same_quantity
from bestpath.answers.structures import Structure, enclosed, structure_of

KINDS = ("math", "number", "choice", "exact", "theorem")
Symbolic = Callable[[str, str], bool]

_THEOREM = Fraction(4, 100)  # the tolerance of TheoremQA
_LONGEST = 1000  # characters: longer answers are equal only to the letter
_LONGEST_SYMBOLIC = 300
_DEEPEST = 20
_EXPLOSIVE = re.compile(r"\^\{[^{}]*\d{5,}[^{}]*\}|\^\{[^{}]*\^\{[^{}]*\^|\d{4,}!|!{3,}|\d{200,}")

_NAME = r"(?:[A-Za-z](?:_\{\w+\})?(?:\([A-Za-z]\))?|\\[a-z]+ ?|\\text\{[^{}]*\})"
_NAMED = re.compile(rf"({_NAME})?(?:=|\\approx ?|\\in(?![A-Za-z]) ?)(.+)")
_RELATION = re.compile(r"[=<>]|\\(?:le|ge|ne|approx|equiv|in)(?![A-Za-z])")
_INEQUALITY = re.compile(r"[<>]|\\(?:le|ge)(?![A-Za-z])")
_WORDS = re.compile(r"\(?(?:\\text\{[^{}]*\}|[A-Za-z]+)\)?")
_UNIT = re.compile(r"(?:\^\{\\circ\}|\\text\{[^{}]*\}(?:\^\{\d\})?(?:/(?:\\text\{[^{}]*\}|[A-Za-z]+))?)$")
_BASED = re.compile(r"(\d[\dA-F]*)_\{\d+\}")


class UndecidableError(Exception):
    """The comparison would take unbounded time, or did not end in time."""


class PostponedError(Exception):
    """Only symbolic mathematics can tell, and the caller asked not to start it here."""


def postpone(answer: str, gold: str) -> bool:
    """The `symbolic` argument of a caller that wants only what can be decided at once."""
    raise PostponedError


def equal(answer: str, gold: str, kind: str, choices: Choices = (), symbolic: Symbolic = postpone) -> bool:
    """Whether an extracted answer equals the gold answer under the rules of its kind.

    `symbolic` compares two tidy LaTeX expressions. Raises what it raises, and `UndecidableError` for a
    comparison that is not worth trying (`math` only; the other kinds never call `symbolic`).
    """
    if kind == "exact":
        return answer.strip() == gold.strip() != ""
    if kind == "choice":
        return same_choice(answer, gold, choices)
    if answer == gold:
        return answer != ""
    if max(len(answer), len(gold)) > _LONGEST:
        return False
    a, g = tidy(answer), tidy(gold)
    if kind == "theorem" and (same := _same_theorem(a, g)) is not None:
        return same
    if kind == "number":
        number, wanted = parse_quantity(a), parse_quantity(g)
        return number is not None and wanted is not None and same_quantity(number, wanted)
    if nesting(a) > _DEEPEST:
        raise UndecidableError
    return _same(a, g, symbolic)


def _same_theorem(a: str, g: str) -> bool | None:
    """TheoremQA's protocol: numbers within 4 %, integers by rounding, lists of them by their parts, words of truth.

    None where it says nothing, so that the rules of mathematics decide.
    """
    truth = {"true": True, "yes": True, "false": False, "no": False}
    words = [re.sub(r"\\text\{|[{}.]", "", text).strip().lower() for text in (a, g)]
    if words[1] in truth:
        return truth.get(words[0]) == truth[words[1]]
    number, wanted = parse_quantity(a), parse_quantity(g)
    if number and wanted:
        if wanted.value.denominator == 1:
            return round(number.value) == wanted.value
        return abs(number.value - wanted.value) <= _THEOREM * abs(wanted.value)
    parts, wanted_parts = structure_of(a), structure_of(g)
    if parts and wanted_parts and all(map(parse_quantity, (*parts.parts, *wanted_parts.parts))):
        pairs = zip(sorted(parts.parts, key=_size), sorted(wanted_parts.parts, key=_size), strict=False)
        return len(parts.parts) == len(wanted_parts.parts) and all(_same_theorem(one, other) for one, other in pairs)
    return None


def _size(tidied: str) -> Fraction:
    """The value of a text that is a number."""
    quantity = parse_quantity(tidied)
    if quantity is None:
        raise ValueError(f"no number: {tidied}")
    return quantity.value


def _same(a: str, g: str, symbolic: Symbolic) -> bool:
    if a == g:
        return a != ""
    if not a or not g:
        return False
    if (number := parse_quantity(a)) and (wanted := parse_quantity(g)):
        return same_quantity(number, wanted)
    if a.replace(", ", ",") == g.replace(", ", ","):
        return True
    parts, wanted_parts = structure_of(a), structure_of(g)
    if parts and wanted_parts:
        return _same_structure(parts, wanted_parts, symbolic)
    if parts or wanted_parts:
        return _structure_and_value(a, g, symbolic)
    return _same_value(a, g, symbolic)


def _same_structure(a: Structure, g: Structure, symbolic: Symbolic) -> bool:
    if {a.kind, g.kind} != {"set", "list"} and (a.kind, a.frame) != (g.kind, g.frame):
        return False
    if len(a.parts) != len(g.parts):
        return False
    if a.ordered and g.ordered:
        # Numbers first: they are decided at once, and one difference is enough.
        pairs = sorted(zip(a.parts, g.parts, strict=True), key=lambda pair: not all(map(parse_quantity, pair)))
        return all(_same(part, wanted, symbolic) for part, wanted in pairs)
    left = list(a.parts)
    for wanted in sorted(g.parts, key=lambda part: part not in left):
        match = wanted if wanted in left else next((part for part in left if _same(part, wanted, symbolic)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _structure_and_value(a: str, g: str, symbolic: Symbolic) -> bool:
    """An interval may be written as an inequality, and a structure may carry a name (`x \\in [0,1]`)."""
    for one, other in ((a, g), (g, a)):
        if (bare := _UNIT.sub("", one)) != one and bare:
            return _same(bare, g, symbolic) if one is a else _same(a, bare, symbolic)
        if structure_of(one) is None and (named := _named_value(one)):
            return _same(named[1], g, symbolic) if one is a else _same(a, named[1], symbolic)
        structure = structure_of(other)
        if structure and structure.kind in ("bracketed", "union") and _INEQUALITY.search(one):
            return _checked(a, g, symbolic)
    return False


def _same_value(a: str, g: str, symbolic: Symbolic) -> bool:
    named_a, named_g = _named_value(a), _named_value(g)
    if named_a and not _RELATION.search(g):
        return _same(named_a[1], g, symbolic)
    if named_g and not _RELATION.search(a):
        return _same(a, named_g[1], symbolic)
    if named_a and named_g and named_a[0] == named_g[0]:
        return _same(named_a[1], named_g[1], symbolic)
    if bool(_RELATION.search(a)) != bool(_RELATION.search(g)):
        return False
    if _WORDS.fullmatch(a) and _WORDS.fullmatch(g) and (r"\text" in a or r"\text" in g):
        return _folded(a) == _folded(g)
    bare_a, bare_g = _UNIT.sub("", a), _UNIT.sub("", g)
    if (bare_a, bare_g) != (a, g) and bare_a and bare_g:
        return _same(bare_a, bare_g, symbolic)
    if based := _BASED.fullmatch(g):  # the question asked for that base
        return a == based[1]
    if r"\text" in a or r"\text" in g or _BASED.fullmatch(a):
        return False
    return _checked(a, g, symbolic)


def _named_value(tidied: str) -> tuple[str, str] | None:
    """Name and value of `x = 2 + 3 = 5`; a calculation without any letter is a value with an empty name."""
    if named := _NAMED.fullmatch(tidied):
        return named[1] or "", named[2].rpartition("=")[2]
    calculation, _, value = tidied.rpartition("=")
    has_letters = re.search(r"[A-Za-z<>]", re.sub(r"\\[A-Za-z]+", "", calculation))
    return ("", value) if calculation and not has_letters else None


def _checked(a: str, g: str, symbolic: Symbolic) -> bool:
    if clearly_different(a, g):
        return False
    if max(len(a), len(g)) > _LONGEST_SYMBOLIC or _EXPLOSIVE.search(a) or _EXPLOSIVE.search(g):
        raise UndecidableError
    return symbolic(a, g)


def _folded(tidied: str) -> str:
    return re.sub(r"\\text|[^\w+\-/<>=]", "", tidied).casefold()


def loosely_equal(answer: str, gold: str, kind: str, choices: Choices = ()) -> bool:
    """Whether a laxer comparison accepts a wrong answer, so that it proves no mistake (docs/answers.md).

    Laxer means: rounding to the other's decimals, percent for fraction, another unit, any order, words,
    brackets and case ignored, the first or last number of a longer answer, the right side of an equation.
    """
    if kind == "choice":
        return shares_text(answer, gold, choices)
    if max(len(answer), len(gold)) > _LONGEST:
        return False
    a, g = tidy(answer), tidy(gold)
    if not a or not g:
        return False
    if (number := parse_quantity(a)) and (wanted := parse_quantity(g)):
        return roughly_same(number, wanted)
    if kind == "number":
        return True  # an unfinished calculation or a phrase: no number, so no wrong one
    if _without_brackets(a) == _without_brackets(g) or _any_order(a, g) or _rounded(a, g) or _rounded(g, a):
        return True
    if wanted := parse_quantity(g):
        found = [value for value, alone in numbers_in(a) if alone]
        parts = structure_of(a)
        spelled_out = r"\text" in a or _RELATION.search(a) or (parts and parts.kind == "list")
        return bool(spelled_out and found and wanted.value in (found[0], found[-1]))
    if r"\text" in g and _WORDS.fullmatch(g):
        return re.search(rf"\b{re.escape(_folded(g))}\b", a.casefold()) is not None
    return _wordless(a.rpartition("=")[2]) == _wordless(g.rpartition("=")[2]) != ""


def _rounded(one: str, other: str) -> bool:
    """Whether a number is the value of an expression, rounded (`37.7` and `12\\pi`)."""
    number, value = parse_quantity(one), estimate(other)
    return number is not None and value is not None and rounds_to(Fraction(value), number)


def _without_brackets(tidied: str) -> str:
    inside = tidied[1:-1] if tidied[0] == "(" and tidied[-1] == ")" and enclosed(tidied) else tidied
    return re.sub(r"\\text|[{}\s]", "", inside).casefold()


def _wordless(tidied: str) -> str:
    return re.sub(r"\\text\{[^{}]*\}", "", tidied)


def _any_order(a: str, g: str) -> bool:
    parts, wanted = structure_of(a), structure_of(g)
    if not parts or not wanted or {parts.kind, wanted.kind} - {"matrix", "bracketed", "set", "list"}:
        return False
    if parts.kind == wanted.kind == "bracketed" and parts.frame != wanted.frame:
        return False  # an interval's ends are part of the answer
    values, wanted_values = ([part.rpartition("=")[2] for part in one.parts] for one in (parts, wanted))
    return sorted(values) == sorted(wanted_values)


def check_gold(gold: str, kind: str, choices: Choices = ()) -> str | None:
    """Why a gold answer cannot be graded against, or None if it can (reject reason `bad_gold`)."""
    if not gold.strip():
        return "the gold answer is empty"
    if kind == "choice" and not all(len(label) == 1 and label.isalpha() for label in labels_of(choices)):
        return f"the options are not labelled by single letters: {', '.join(labels_of(choices))}"
    if kind == "choice" and label_in(gold) not in labels_of(choices):
        return f"the gold answer {gold!r} is not one of the options {', '.join(labels_of(choices))}"
    if kind == "number" and parse_quantity(tidy(gold)) is None:
        return f"the gold answer {gold!r} is not a number"
    if kind in ("math", "theorem") and (len(gold) > _LONGEST or nesting(gold) > _DEEPEST):
        return f"the gold answer is longer than {_LONGEST} characters or nested deeper than {_DEEPEST} brackets"
    if kind in ("math", "theorem") and not (balanced(gold) and tidy(gold)):
        return f"the gold answer {gold!r} is not complete LaTeX"
    return None
