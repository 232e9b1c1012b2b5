r"""The released verifier of GSI, for audits (docs/gsi.md, 11): what it extracts, and equality of strings.

It is lenient where it should not be and strict where it should not be: an article counts as option A, `5 - 3 = 2` is 5,
`.5` is 5, 1 is not 1.0, and an empty gold answer equals an empty prediction. Training and evaluation use
`extraction` and `equivalence`; `audit` compares both on the same texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from bestpath.core.search import Verdict

TRIGGERS = ("The answer is:", "The answer is", "the answer is")
DATASETS = ("gsm8k", "svamp", "aqua", "mathqa", "math", "theoremqa")

_BY_KIND = {"number": "gsm8k", "choice": "aqua", "theorem": "theoremqa"}

_NUMBER = re.compile(r"-?\d+/?\.?\d*")
_OPTION = re.compile(r"\b[A-J]\b")
_LETTERED = re.compile(r"\([a-f]\)")
_LONGEST = 2000  # characters


def extract(text: str, dataset: str) -> str:
    """What the released code takes for the answer of a completion; empty when it finds none.

    Raises ValueError for a data set that it does not know.
    """
    if dataset not in DATASETS:
        raise ValueError(f"the released verifier knows no data set '{dataset}'")
    piece, flag = _piece(text[-_LONGEST:])
    find: dict[str, Callable[[str, bool], str]] = {
        "gsm8k": _number,
        "svamp": _number,
        "aqua": _option,
        "mathqa": _option,
        "math": _expression,
        "theoremqa": _theorem,
    }
    return find[dataset](piece, flag)


def equal(answer: str, gold: str) -> bool:
    """Equality of strings whatever their case; a gold `(a)` needs only to occur in the answer."""
    if _LETTERED.fullmatch(gold.strip().lower()):
        return gold.strip().lower() in answer.lower()
    return answer.strip().lower() == gold.strip().lower()


def verdict(text: str, gold: str, dataset: str, kind: str) -> Verdict:
    """The released verdict on a completion; a data set that it does not know is judged by the kind of its answers."""
    answer = extract(text, dataset if dataset in DATASETS else _BY_KIND.get(kind, "math"))
    return Verdict("correct" if equal(answer, gold) else "wrong" if answer else "no_answer", answer or None, "released")


def _piece(text: str) -> tuple[str, bool]:
    """What follows the last trigger, and whether there is one; of a text that repeats a trigger, only what stands
    before its first blank line counts."""
    text = text.strip("\n")
    if any(text.count(trigger) > 1 for trigger in TRIGGERS):
        text = text.split("\n\n")[0]
    pieces = re.split("|".join(TRIGGERS), text)
    return pieces[-1].strip().strip("\n").rstrip(".").rstrip("/").strip(), len(pieces) > 1


def _number(piece: str, flag: bool) -> str:
    found = _NUMBER.findall(piece.replace(",", ""))
    return _shortest(found[0] if flag else found[-1]) if found else ""


def _shortest(number: str) -> str:
    """A number as the shortest decimal; `a/b` is worked out."""
    whole, _, below = number.partition("/")
    try:
        value = float(Fraction(whole) / Fraction(below) if below.strip(".") else Fraction(whole.rstrip(".") or "0"))
    except (ValueError, ZeroDivisionError, OverflowError):
        return number
    return str(int(value)) if value.is_integer() else str(value)


def _option(piece: str, flag: bool) -> str:
    found = _OPTION.findall(piece.upper())
    return (found[0] if flag else found[-1]) if found else piece


def _expression(piece: str, flag: bool) -> str:
    box = _boxed(piece)
    if box is not None:
        return _cleaned(box)
    if flag:
        return _cleaned(piece.rpartition("=")[2])
    return _number(piece, flag)


def _theorem(piece: str, flag: bool) -> str:
    low = piece.lower()
    for words, value in ((("yes", "true"), "True"), (("no", "false"), "False")):
        if any(word in low for word in words):
            return value
    if option := _LETTERED.search(low):
        return option[0]
    found = _boxed(piece)
    if found is None and not flag:
        return _number(piece, flag)
    value = (found if found is not None else piece).rpartition("=")[2].replace(r"\pi", "3.14").strip()
    if re.fullmatch(r"-?[\d.]+\s*\\?%", value):
        return str(float(value.rstrip("%\\ ")) / 100) if value.count(".") < 2 else value
    return _number(value, True) or _cleaned(value)


def _boxed(piece: str) -> str | None:
    """The content of the first box, up to the brace that closes it."""
    start = piece.find(r"\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len(r"\boxed")
    for i in range(begin, len(piece)):
        depth += (piece[i] == "{") - (piece[i] == "}")
        if not depth:
            return piece[begin + 1 : i]
    return piece[begin + 1 :]


def _cleaned(latex: str) -> str:
    r"""The released clean-up: row breaks lose a backslash, and an index of a root gets into its braces."""
    text = latex.strip().replace("\n", "").replace(r"\!", "").replace("\\\\", "\\")
    text = re.sub(r"\\[td]frac", r"\\frac", text)
    text = re.sub(r"\\left|\\right|\^\{?\\circ\}?|\\?\$|\\?%", "", text)
    text = re.split(r"\\text\{ ", text)[0]
    name, equals, value = text.partition("=")
    text = value if equals and len(name.strip()) <= 2 and "=" not in value else text
    text = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", text)
    text = re.sub(r"\\frac(\w)(\w)", r"\\frac{\1}{\2}", text.replace(" ", ""))
    halves = re.fullmatch(r"(-?\d+)/(\d+)", text)
    text = rf"\frac{{{halves[1]}}}{{{halves[2]}}}" if halves else text
    return f"0{text}" if text.startswith(".") else text
