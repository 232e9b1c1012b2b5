"""Multiple-choice answers: a letter with or without brackets, or the text of an option (docs/answers.md).

A lower-case letter counts only in brackets or when it is the whole answer, and "a" alone never: it is the
article far more often than the option.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bestpath.answers.latex import tidy
from bestpath.answers.quantities import Quantity, parse_quantity, same_quantity

Choices = tuple[tuple[str, str], ...]

_DEFAULT_LABELS = "ABCDEFGHIJ"
_BRACKETED = re.compile(r"[(\[{]\s*([A-Za-z])\s*[)\]}]")
_ALONE = re.compile(r"(?<![\w'’\\/*+^=<>-])(?<![-/*+^=<>] )[(\[{]?([A-Z])(?![\w'’]|\s*[/*+^=<>(-]\s*[\w\\(])")  # noqa: RUF001
_BESIDE = re.compile(r"[)\]}]?\s*(?:,|/|&|or\b|and\b)\s*(?:option\s+)?[(\[{]?([A-Z])\b")
_MENTION = re.compile(
    r"\(([A-Z])\)|\b(?:[Oo]ption|[Cc]hoice)\s+(?:is:?\s+)?[(\[*]*([A-Z])\b|\b[Aa]nswer\s+[(\[*]*([A-Z])\b"
)
# "A" and "I" are also English words; before one of these they are labels.
_AFTER_A_LABEL = r"(?=\W*$|\s*[^\s\w]|\s+(?:is|are|was|because|since|as|and|or|which|with|for|from|in|by)\b)"
_WORD_OR_LABEL = re.compile(rf"[AI]{_AFTER_A_LABEL}")


def labels_of(choices: Choices) -> tuple[str, ...]:
    """The labels of a problem's options; A to J when it comes without options."""
    return tuple(label.upper() for label, _ in choices) or tuple(_DEFAULT_LABELS)


def label_in(gold: str) -> str:
    """A gold label without brackets and in upper case: `(c)` is C."""
    return gold.strip().strip("()[]{}.:").strip().upper()


@lru_cache(maxsize=4096)
def _options(choices: Choices) -> tuple[tuple[str, str, Quantity | None], ...]:
    """For each option its label, its tidy text without case and without a repeated label, and its value."""
    options = []
    for label, text in choices:
        tidied = tidy(re.sub(rf"^\s*[(\[]?{re.escape(label)}\s*[).\]:]\s*", "", text))
        options.append((label.upper(), tidied.casefold(), parse_quantity(tidied)))
    return tuple(options)


def _words(tidied: str) -> str:
    return "".join(re.findall(r"\\text\{([^{}]*)\}", tidied))


def _options_with_text(tidied: str, choices: Choices) -> list[str]:
    """The labels of the options that a text is, or else of those whose number it is without their unit."""
    folded, quantity = tidied.casefold(), parse_quantity(tidied)
    if same := [label for label, text, _ in _options(choices) if text == folded]:
        return same
    if quantity is None:
        return []
    return [
        label
        for label, text, value in _options(choices)
        if value is not None and same_quantity(quantity, value) and _words(folded) in ("", _words(text))
    ]


def _one_option(tidied: str, choices: Choices) -> str | None:
    """The label of the one option with this text; the text itself if several options share it."""
    labels = _options_with_text(tidied, choices)
    if len(labels) == 1:
        return labels[0]
    texts = {text for label, text, _ in _options(choices) if label in labels}
    return tidied if len(texts) == 1 else None


def _option_at_start(tidied: str, choices: Choices) -> str | None:
    """The longest option text with which the answer begins ("24 minutes after the start")."""
    folded = tidied.casefold().replace("}", " ").replace(r"\text{", " ")
    found: list[tuple[int, str]] = []
    for label, text, _ in _options(choices):
        stripped = text.replace("}", " ").replace(r"\text{", " ").strip()
        if stripped and re.match(rf"{re.escape(stripped)}(?=\s|[,;.)](?:\s|$)|$)", folded.strip()):
            found.append((len(stripped), label))
    found.sort(reverse=True)
    return found[0][1] if found and (len(found) == 1 or found[0][0] > found[1][0]) else None


def _letter(candidate: str, labels: tuple[str, ...]) -> str | None:
    """The first stand-alone upper-case label, unless a second one stands beside it ("B or C")."""
    for match in _ALONE.finditer(candidate):
        label = match[1]
        if label not in labels:
            continue
        bracketed = match[0][0] in "([{"
        if not bracketed and label in "AI" and not _WORD_OR_LABEL.match(candidate, match.start(1)):
            continue
        beside = _BESIDE.match(candidate, match.end())
        return None if beside and beside[1] in labels and beside[1] != label else label
    return None


def read_choice(candidate: str, choices: Choices) -> str | None:
    """The label of the option that a final answer names, or None if it names none or several.

    The answer is the option's text instead when several options carry that same text. A candidate is what
    follows "the answer is", or the content of a box.
    """
    labels = labels_of(choices)
    stripped = re.sub(r"\\(?:text|math)\w*\s*\{([^{}]*)\}", r"\1", candidate).replace("$", "").replace("**", "")
    stripped = re.sub(r"\\[()\[\]]", "", stripped).strip().rstrip(".").strip()
    whole = _BRACKETED.fullmatch(stripped) or re.fullmatch(r"([A-Zb-z])[).:]?", stripped)
    if whole and whole[1].upper() in labels:
        return whole[1].upper()
    tidied = tidy(candidate)
    if (option := _one_option(tidied, choices)) is not None:
        return option
    return _letter(stripped, labels) or _option_at_start(tidied, choices)


def mentioned_choice(text: str, choices: Choices) -> str | None:
    """Without a statement of the answer: the last "(C)", "option C" or "answer C" of the text.

    A line that lists several options settles nothing, and neither does one that begins like an option.
    """
    labels = labels_of(choices)
    for line in reversed(text.splitlines()):
        mentioned = {label for match in _MENTION.finditer(line) for label in match.groups() if label in labels}
        if mentioned and not re.match(r"\s*[(\[]?[A-Z][)\].:]", line):
            return mentioned.pop() if len(mentioned) == 1 else None
    return None


def same_choice(answer: str, gold: str, choices: Choices) -> bool:
    """Whether an answer from `read_choice` is the gold label, or the text of its option."""
    label = label_in(gold)
    if answer.upper() in labels_of(choices):
        return answer.upper() == label
    return any(text == answer.casefold() for option, text, _ in _options(choices) if option == label)


def shares_text(answer: str, gold: str, choices: Choices) -> bool:
    """Whether the options of two labels say the same."""
    texts = {option: text for option, text, _ in _options(choices)}
    gold_text = texts.get(label_in(gold))
    return gold_text is not None and texts.get(answer) == gold_text
