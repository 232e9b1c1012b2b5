r"""The final answer of a completion (docs/answers.md, reading).

A box wins over everything else. Without a box the answer is what follows the last `#### `, "Final answer:",
"Answer:" or "the answer is". Nothing is guessed: a text that states no answer has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bestpath.answers.choices import Choices, mentioned_choice, read_choice
from bestpath.answers.latex import tidy
from bestpath.answers.quantities import numbers_in, parse_quantity, written
from bestpath.answers.structures import structure_of


@dataclass(frozen=True)
class Extraction:
    """`answer` is None when the text states none.

    `rule` tells how it was found, or what was empty: `boxed`, `hashes` (`#### 18`), `stated` (the answer is 18),
    `mentioned_option`, `bold`, `whole_text`, `last_line` or `none`.
    """

    answer: str | None
    rule: str


# A line that announces the final answer, also where the steps of a solution end.
FINAL_ANSWER_MARKER = re.compile(r"^[ \t>#*_\-]*(?:the\s+)?final\s+answer\b", re.IGNORECASE | re.MULTILINE)

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_NEW_PROBLEM = re.compile(
    r"\n[ \t]*\n[ \t]*(?:#{1,4}[ \t]*|\*\*)?(?:instruction|question|problem|q|user|human)(?:\*\*)?[ \t]*:",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"""\banswers?\b [*_`"]*
        (?:\s{1,3}(?:to|for|of|in)\s[^.:\n]{1,80}? | \s?\([^)\n]{1,40}\))?
        [*_`\s]{0,8} (?:,\s{0,3}(?:then|therefore|thus)\s{0,3},\s{0,3})?
        (?:\b(?:is|are|was|equals?|(?:would|should|must|will)\s+be)\b | [:=])
        (?!\s*(?:not|(?:in)?correct|wrong|right|as\s+follows)\b)
      | ^[\ \t>\#*_]*(?:the\s+)?(?:final\s+)?answer[\ \t*_]*$
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_HASHES = re.compile(r"^[ \t]*####(?!#)[ \t]*(\S.*)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_DISPLAY = re.compile(r"\s*(?:\\\[(.{1,1000}?)\\\]|\$\$(.{1,1000}?)\$\$)", re.DOTALL)
_MATH_SPAN = re.compile(r"\$[^$\n]+\$|\\\(.+?\\\)")
_FILLER = re.compile(
    r"(?:(?:indeed|therefore|thus|then|simply|just|clearly|exactly|approximately|about|option|choice"
    r"|equal\s+to|given\s+by)\b[\s:,]*)+",
    re.IGNORECASE,
)
_END_OF_SENTENCE = re.compile(r"(?<=[\d%)}$\]])[.!]\s|[.!?](?=\s+[A-Z])|\.\s*$")
_REASON = re.compile(r",?\s{1,3}(?:because|since|which|so\s+that|due\s+to|given\s+that|as\s+(?:we|it|the))\b")
_NAME = re.compile(r"\s*[A-Za-z](?:\([A-Za-z]\))?\s*=\s*(?=\S)")
_UNIT = re.compile(r"(?<=[\d})])\s*\\text\s*\{[^{}]*\}\s*$")
_SHORT_FRACTION = re.compile(r"(-?)\\[dt]?frac\s*(\d)\s*(\d)")
_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}")
_MOST_WORDS_BELOW = 8  # in the line below "Answer:"; a longer line begins an explanation
_LONGEST = 1000  # characters in an answer
_MOST_WORDS = 6  # in an answer without any mathematics


def extract(text: str, kind: str = "math", choices: Choices = ()) -> Extraction:
    r"""Find the final answer of a text, in the form that `equivalence.equal` compares.

    `math`: LaTeX, as written in a box, without name and unit from a sentence. `number`: the number in its
    shortest form. `choice`: a label. `exact`: the text itself, stripped. What follows the header of a new
    problem behind an answer is ignored.

    >>> extract(r"so $x = 2$. Final answer: \boxed{\frac{1}{2}}")
    Extraction(answer='\\frac{1}{2}', rule='boxed')
    >>> extract("The answer is **$1,250.00** in all.", "number").answer
    '1250'
    """
    text = before_new_problem(text)
    if _BOX.search(text):
        content = final_box(text)
        return Extraction(_read(content, kind, choices, boxed=True) if content else None, "boxed")
    for rule, candidate in _stated_answers(text):
        if (answer := _read(candidate, kind, choices)) is not None:
            return Extraction(answer, rule)
    if kind == "choice" and (label := mentioned_choice(text, choices)) is not None:
        return Extraction(label, "mentioned_option")
    for rule, candidate in _bare_answers(text, kind):
        if _is_bare(candidate, kind) and (answer := _read(candidate, kind, choices)) is not None:
            return Extraction(answer, rule)
    return Extraction(None, "none")


def boxes(text: str) -> list[tuple[int, str | None]]:
    r"""Position and content of every `\boxed{...}`; None for one that is never closed.

    A box inside a box is part of its content. `\boxed 5` reaches to the end of the formula or line.
    """
    closing = _closing_braces(text)
    found: list[tuple[int, str | None]] = []
    end = 0
    for match in _BOX.finditer(text):
        if match.start() < end:
            continue
        start = match.end()
        if not text.startswith("{", start):
            content: str | None = re.split(r"[$\n]", text[start:], maxsplit=1)[0]
        elif start in closing:
            end = closing[start]
            content = text[start + 1 : end]
        else:
            content = None
        found.append((match.start(), content))
    return found


def _closing_braces(text: str) -> dict[int, int]:
    """For each opening brace that is closed, where."""
    closing, opened = {}, []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            closing[opened.pop()] = match.start()
    return closing


def final_box(text: str) -> str | None:
    """The content of the box that holds the final answer; None if it is empty, unclosed or absent.

    It is the first box after the last line that begins with "Final answer", otherwise the last box.
    """
    found = boxes(text)
    if not found:
        return None
    *_, marker = [-1, *(match.start() for match in FINAL_ANSWER_MARKER.finditer(text))]
    after = [content for position, content in found if 0 <= marker < position]
    content = after[0] if after else found[-1][1]
    if content and (inner := boxes(content)):
        content = inner[-1][1]
    return " ".join(content.split()) or None if content else None


def before_new_problem(text: str) -> str:
    """A text without the next problem that a model without a sense of ending writes after its answer."""
    for header in _NEW_PROBLEM.finditer(text):
        before = text[: header.start()]
        if _BOX.search(before) or _HASHES.search(before) or _STATED.search(before):
            return before
    return text


def _stated_answers(text: str) -> Iterator[tuple[str, str]]:
    """What the text states to be its answer, the most trustworthy statement first."""
    last_line = text.strip().rpartition("\n")[2]
    for match in reversed(list(_HASHES.finditer(text))):
        # Elsewhere four hashes may be a heading, unless there is nothing but a number.
        if match[0].strip() == last_line.strip() or parse_quantity(tidy(match[1])):
            yield "hashes", match[1].strip()
    for match in reversed(list(_STATED.finditer(text))):
        if candidate := _trimmed(_following(text[match.end() :])):
            yield "stated", candidate


def _following(rest: str) -> str:
    """The remainder of the line, a displayed formula, or a short line below."""
    if display := _DISPLAY.match(rest.lstrip(" \t\n*_:")):
        return display[1] or display[2] or ""
    line, _, below = rest.partition("\n")
    if line.strip(" \t*_`:"):
        return line
    line = below.lstrip("\n \t").partition("\n")[0]
    return line if len(_WORD.findall(line)) <= _MOST_WORDS_BELOW else ""


def _trimmed(candidate: str) -> str:
    """Without markdown, filler words, reasons and further sentences."""
    stripped = candidate.strip()[: _LONGEST + 1]
    stripped = re.sub(r"(?<!\w)(?:\*\*|__)|(?:\*\*|__)(?!\w)|`", "", stripped).strip(" \t*_:>#\"'")
    if filler := _FILLER.match(stripped):
        stripped = stripped[filler.end() :]
    for ending in (_END_OF_SENTENCE, _REASON):
        if match := ending.search(stripped):
            stripped = stripped[: match.start()]
    return stripped.strip(" \t*_\"'")


def _bare_answers(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """The only bold words of the last line, the text itself if it is a single line, a letter as last line."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if lines and len(bold := _BOLD.findall(lines[-1])) == 1:
        yield "bold", bold[0].strip(" .:")
    if len(lines) == 1:
        yield "whole_text", _trimmed(lines[0])
    if lines and kind == "choice" and re.fullmatch(r"\W*[A-Z]\W*", lines[-1]):
        yield "last_line", lines[-1]


def _is_bare(candidate: str, kind: str) -> bool:
    """Whether a text that nothing announces as the answer is an answer and nothing else."""
    if kind in ("exact", "choice"):
        return len(candidate.split()) <= _MOST_WORDS_BELOW
    if kind == "number" or parse_quantity(tidy(candidate)):
        return parse_quantity(tidy(candidate)) is not None
    return not _WORD.search(candidate)


def _read(candidate: str, kind: str, choices: Choices, boxed: bool = False) -> str | None:
    if kind == "exact" or (kind in ("math", "theorem") and boxed):
        return candidate.strip() or None
    if len(candidate) > _LONGEST:
        return None
    if kind == "choice":
        return read_choice(candidate, choices)
    if kind == "number":
        return _read_number(candidate)
    return _read_math(candidate)


def _read_number(candidate: str) -> str | None:
    """The number behind the last equals sign; the candidate itself if it is a calculation or several numbers."""
    sides = [side.strip() for side in re.split(r"=|\\approx ?", tidy(candidate.rstrip("! ")))]
    for side in reversed(sides):
        if quantity := parse_quantity(side) or parse_quantity(re.sub(r"^\\text\{[^{}]*\}", "", side)):
            return written(quantity.value)
    for side in reversed(sides):
        several = (structure := structure_of(side)) and all(map(parse_quantity, structure.parts))
        for value, alone in numbers_in(side):
            return written(value) if alone and not several else candidate.strip()
    return None


def _read_math(candidate: str) -> str | None:
    """The formula of a sentence, without the words before it, its name and its unit."""
    if (span := _MATH_SPAN.search(candidate)) and re.match(r"[A-Za-z]", candidate):
        candidate = candidate[span.start() :]
    stripped = re.sub(r"(?<!\\)\$|(?<!\\)\\[()\[\]]", "", candidate).rstrip("! ").strip()
    stripped = _UNIT.sub("", _NAME.sub("", stripped, count=1) if _NAME.match(stripped) else stripped)
    if fraction := _SHORT_FRACTION.fullmatch(stripped):
        stripped = f"{fraction[1]}{fraction[2]}/{fraction[3]}"
    if not tidy(stripped) or (len(stripped.split()) > _MOST_WORDS and not re.search(r"[\d\\]", stripped)):
        return None
    return stripped
