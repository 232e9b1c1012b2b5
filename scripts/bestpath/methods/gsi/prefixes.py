r"""How much of a reference solution is revealed in a round, and where it is cut (docs/gsi.md, 4).

Help grows with every failed round and then starts again. By lines, n of them with the answer's: 1, 2, ..., n - 1, n - 1
once more, and from the beginning. By tokens: 1, 2, 3, 4 and 4 fifths. The answer itself is never revealed unless the
released behaviour is asked for: there, the last line shown holds the gold number in nearly all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Unit = Literal["line", "sentence", "fraction"]


class Tokenizer(Protocol):
    """The part of a tokenizer that counts a reference solution; no special tokens are added or shown."""

    def encode(self, text: str) -> list[int]:
        """Token ids."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Their text."""
        ...


@dataclass(frozen=True)
class CutRules:
    """What may be revealed.

    reveal_answer: also the final answer (released). keep_last_step_hidden: never the last line of the reasoning, if it
    has two or more. most: the largest share of the solution's tokens, None for no limit.
    """

    unit: Unit
    reveal_answer: bool
    keep_last_step_hidden: bool
    most: float | None


@dataclass(frozen=True)
class Prefix:
    """The beginning of a reference solution. `share` is of its tokens; `whole`: no reasoning is left."""

    text: str
    share: float
    whole: bool


_ANSWER_LINE = re.compile(
    r"^[ \t>#*_\-]*(?:(?:so|thus|therefore|hence),?\s+)?(?:####(?!#)|(?:the\s+)?(?:final\s+)?answer\b)", re.IGNORECASE
)
_ANSWER_SENTENCE = re.compile(
    r"(?:(?<=[.!?])\s+|^)(?:(?:so|thus|therefore|hence),?\s+)?the\s+(?:final\s+)?answer\s+is\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\\$])|\n+")
_PRINT = re.compile(r"^print\(", re.MULTILINE)
_FIFTHS = (1, 2, 3, 4, 4)
_SHORTEST_OVERLAP = 8  # characters; shorter ones come by chance


def lines_revealed(n: int, round_: int) -> int:
    """How many of `n` lines are revealed in a round, from 1."""
    return min((round_ - 1) % n + 1, n - 1)


def tokens_revealed(n: int, round_: int) -> int:
    """How many of `n` tokens are revealed in a round, from 1."""
    return _FIFTHS[(round_ - 1) % len(_FIFTHS)] * n // 5


def beginning(solution: str, round_: int, rules: CutRules, tokenizer: Tokenizer) -> Prefix | None:
    """The beginning of a reference solution that a round reveals; None if there is nothing to reveal.

    A reference solution of one line or sentence is cut by tokens.
    """
    solution = solution.strip()
    body = solution if rules.reveal_answer else without_answer(solution)
    text = ""
    if rules.unit != "fraction":
        text = _units_revealed(solution, body, round_, rules)
    if not text.strip():
        text = _tokens_revealed(body, tokens_revealed(len(tokenizer.encode(body)), round_), tokenizer)
    if rules.most is not None:
        limit = int(rules.most * len(tokenizer.encode(solution)))
        if len(tokenizer.encode(text)) > limit:
            text = _tokens_revealed(body, limit, tokenizer)
    if not text.strip():
        return None
    assert solution.startswith(text.rstrip("\n")), "a prefix that is no beginning of its solution"
    share = len(tokenizer.encode(text)) / max(1, len(tokenizer.encode(solution)))
    return Prefix(text, min(1.0, share), text.strip() == without_answer(solution).strip())


def without_overlap(prefix: str, continuation: str) -> str:
    """A continuation without what it repeats of the end of its prefix: the longest such beginning."""
    for length in range(min(len(prefix), len(continuation)), _SHORTEST_OVERLAP - 1, -1):
        if prefix.endswith(continuation[:length]):
            return continuation[length:]
    whole = prefix.rstrip("\n")  # it may begin the answer anew
    if len(whole) >= _SHORTEST_OVERLAP and continuation.lstrip().startswith(whole):
        return continuation.lstrip()[len(whole) :].removeprefix("\n")
    return continuation


def without_answer(solution: str) -> str:
    r"""The reasoning of a reference solution: up to its final line or sentence, `\boxed` or last print."""
    lines = solution.rstrip().split("\n")
    if len(lines) > 1 and _ANSWER_LINE.match(lines[-1]):
        lines.pop()
    body = "\n".join(lines)
    if prints := list(_PRINT.finditer(body)):
        body = body[: prints[-1].start()]
    ends = [match.start() for match in _ANSWER_SENTENCE.finditer(body)][-1:]
    box = body.find(r"\boxed")
    ends += [box] if box >= 0 else []
    return body[: _boundary(body, min(ends))].rstrip(" \t$") if ends else body


def _units_revealed(solution: str, body: str, round_: int, rules: CutRules) -> str:
    """The lines or sentences of the body that the schedule of the whole reference solution reveals."""
    ends = _ends(body, rules.unit)
    n = len(_ends(solution, rules.unit))
    shown = min(lines_revealed(n, round_), len(ends))
    if rules.keep_last_step_hidden and len(ends) > 1:
        shown = min(shown, len(ends) - 1)
    if not shown:
        return ""
    text = body[: ends[shown - 1]]
    return text if rules.unit == "sentence" else text.rstrip("\n") + "\n"


def _ends(text: str, unit: Unit) -> list[int]:
    """Where the lines or sentences of a text end."""
    breaks = re.finditer(r"\n+", text) if unit == "line" else _SENTENCE_END.finditer(text)
    ends = [match.end() for match in breaks if text[: match.start()].strip()]
    return ends if ends and ends[-1] == len(text) else [*ends, len(text)]


def _tokens_revealed(text: str, n: int, tokenizer: Tokenizer) -> str:
    """The first tokens of a text, cut back to where neither a character, a word, a number nor a formula breaks."""
    ids = tokenizer.encode(text)
    while n > 0 and not text.startswith(beginning_ := tokenizer.decode(ids[:n])):
        n -= 1
    return text[: _boundary(text, len(beginning_))] if n > 0 else ""


def _boundary(text: str, cut: int) -> int:
    """The nearest place at or before `cut` where a text may be broken."""
    while 0 < cut < len(text):
        opened = _open_group(text[:cut])
        if opened is None and not _is_inside(text, cut):
            break
        cut = cut - 1 if opened is None else opened
    return cut


def _is_inside(text: str, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    if before == "\\" or (before.isalnum() and after.isalnum()):
        return True
    if before.isalpha() and after in "{[" and re.search(r"\\[A-Za-z]+$", text[:cut]):
        return True  # between a command and its argument
    if before == "}" and after == "{":
        return True
    number_goes_on = after in ".,/" and before.isdigit() and text[cut + 1 : cut + 2].isdigit()
    return number_goes_on or (before in ".,/" and after.isdigit() and text[cut - 2 : cut - 1].isdigit())


def _open_group(text: str) -> int | None:
    """Where the outermost command or brace begins that a text leaves open, or a formula between dollars."""
    opened: list[int] = []
    for match in re.finditer(r"\\[A-Za-z]*\{|\\.|[{}]", text):
        if match[0] == "}":
            if opened:
                opened.pop()
        elif match[0].endswith("{") and match[0] != r"\{":
            opened.append(match.start())
    return opened[0] if opened else None
