r"""One spelling for the many ways of writing the same LaTeX.

`tidy` brings an answer, LaTeX or plain text, into one spelling: math delimiters, spacing and sizing commands
go, `\dfrac12` becomes `\frac{1}{2}`, unicode signs become commands, words become `\text{...}`. It decides
nothing about equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "＋": "+", "％": "%", "⁄": "/", "∕": "/",  # noqa: RUF001
        "×": r"\cdot ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": "/",  # noqa: RUF001
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "±": r"\pm ",
        "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ",  # noqa: RUF001
        "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "°": r"^{\circ}", "º": r"^{\circ}",  # noqa: RUF001
        "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}",
        "\u00a0": " ", "\u2009": r"\,", "\u202f": r"\,", "，": ",", "：": ":", "（": "(", "）": ")",  # noqa: RUF001
        "“": '"', "”": '"', "’": "'",  # noqa: RUF001
    }
)  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

# These are units only behind a number; other words are told from products of variables by their length.
_UNITS_BESIDE = r"cm|mm|km|kg|gms|hrs?|lbs|mph|kmph|kms|min|sec|days?"
_UNITS_APART = r"dm|gm|mg|ml|ft|lb|oz|yd"
_FUNCTIONS = r"arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|csc|log|ln|exp|gcd|lcm"


def _rule(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(replacement, text)


def _wrapped_words(match: re.Match[str]) -> str:
    content = match[2].strip()
    is_symbol = len(content) <= 1 and not match[1].startswith("text")
    return content if is_symbol or not content else rf"\text{{{content}}}"


# Applied in this order. A thousands separator that is no bare comma can be nothing else, so it is found first.
_SPELLING = (
    _rule(r"(?<=\d)(?:,\\!|\{,\}|\\,|\\ )(?=\d{3}(?!\d))", ""),
    _rule(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?=\s*(?:\\[A-Za-z]|[A-Za-z}]))", lambda m: m[0].replace(",", "")),
    _rule(r"(?<!\\)\$|(?<!\\)\\[()\[\]]", " "),
    _rule(r"\\!", ""),
    _rule(r"(?<!\\)\\[,;: ]|~|\\q?quad(?![A-Za-z])|\\hspace\{[^{}]*\}|[\s\"`]+", " "),
    _rule(r"\\(?:left|right)\.", ""),
    _rule(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle)(?![A-Za-z])", " "),
    _rule(r"\\lbrace(?![A-Za-z])", r"\\{"),
    _rule(r"\\rbrace(?![A-Za-z])", r"\\}"),
    _rule(r"\\langle(?![A-Za-z])", "("),
    _rule(r"\\rangle(?![A-Za-z])", ")"),
    _rule(r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
    _rule(r"\\(le|ge|ne)q(?:slant)?(?![A-Za-z])|<=|>=", lambda m: rf"\{m[1] or ('le' if m[0] == '<=' else 'ge')} "),
    _rule(r"\\lt(?![A-Za-z])", "<"),
    _rule(r"\\gt(?![A-Za-z])", ">"),
    _rule(r"\\(?:times|cdot)(?![A-Za-z])|\*", r"\\cdot "),
    _rule(r"\\div(?![A-Za-z])", "/"),
    _rule(r"\\varnothing(?![A-Za-z])", r"\\emptyset"),
    _rule(r"\\%", "%"),
    _rule(r"\^\s*\{?\s*\\circ(?![A-Za-z])\s*\}?|\\degrees?(?![A-Za-z])", r"^{\\circ}"),
    _rule(
        r"\\(text(?:rm|bf|it|sf|tt|normal|up)?|mbox|hbox|emph|math(?:rm|bf|it|sf)|boldsymbol|operatorname)"
        r"\s*\{([^{}]*)\}",
        _wrapped_words,
    ),
    _rule(r"\\text\w*\s*\{\s*(\\text\{[^{}]*\})\s*\}", r"\1"),
    _rule(r"√\s*\(([^()]*)\)|(?<![\\A-Za-z])sqrt\s*\(([^()]*)\)", lambda m: rf"\sqrt{{{m[1] or m[2] or ''}}}"),
    _rule(r"√\s*(\d+|[A-Za-z])", r"\\sqrt{\1}"),
    _rule(r"\\sqrt\s*([0-9A-Za-z])", r"\\sqrt{\1}"),
    _rule(r"\\frac\s*([0-9A-Za-z])\s*([0-9A-Za-z])", r"\\frac{\1}{\2}"),
    _rule(r"\\frac\s*([0-9A-Za-z])\s*(?=\{)", r"\\frac{\1}"),
    _rule(r"\\frac\s*(\{[^{}]*\})\s*([0-9A-Za-z])", r"\\frac\1{\2}"),
    # Plain text means 2^(10) by 2^10; nobody typesets x^1 0.
    _rule(r"([\^_])\s*(-?\d+|[A-Za-z])", r"\1{\2}"),
    _rule(r"(?i)\b(?:negative|minus) +(?=[\d.\\])", "-"),
    _rule(r"(?i)\\text\{ *per ?cent(?:age)? *\}|\bper ?cent(?:age)?\b", "%"),
    _rule(rf"(?<![\\A-Za-z])({_FUNCTIONS})(?![A-Za-z])", r"\\\1 "),
    _rule(r"(?<![\\A-Za-z])pi(?![A-Za-z])", r"\\pi "),
    _rule(r"(?<![\\A-Za-z])(?:infinity|inf|oo)(?![A-Za-z])", r"\\infty "),
    _rule(r"(?i),?\s*(?:\\text\{ *(?:and|or) *\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z]))(?=.)", ", "),
)

_TEXT = re.compile(r"(\\text\{[^{}]*\})")
_WORDS = (
    _rule(rf"(?i)(?<=[\d}}/])(?: *({_UNITS_BESIDE})| +({_UNITS_APART}))\b\.?", lambda m: rf"\text{{{m[1] or m[2]}}}"),
    _rule(r"(?i)(?<=\d)( +|(?<=:\d\d))([ap])\.?m\b\.?", r"\\text{\2m}"),
    _rule(
        r"(?<![\\A-Za-z{])((?:[A-Za-z]{2,}[ '-]+)*[A-Za-z]{4,}(?:[ '-]+[A-Za-z]+(?![A-Za-z(]))*)",
        r"\\text{\1}",
    ),
    _rule(r"(?<=\d) +([A-Za-z]{3,})(?![A-Za-z(])", r"\\text{\1}"),
    _rule(r"(?<![\\A-Za-z{])(?!Rs|US)([A-Za-z]{2,}) +(?=\d)", r"\\text{\1}"),
)
_JOINED_TEXT = _rule(r"(\\text\{[^{}]*)\}\s*\\text\{", r"\1 ")
_KEPT_SPACE = "\0"
_KEEP_SPACE = _rule(r"(?<=\d)\s+(?=[\d.])|(?<=\d,)\s+(?=\d{3}(?!\d))", _KEPT_SPACE)
_KEEP_COMMAND = _rule(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])", rf"\1{_KEPT_SPACE}")
_SPACE = re.compile(r"\s+")


def _outside_text(text: str, change: Callable[[str], str]) -> str:
    parts = _TEXT.split(text)
    return "".join(part if position % 2 else change(part) for position, part in enumerate(parts))


def _words_as_text(text: str) -> str:
    for rule in _WORDS:
        text = _outside_text(text, rule)
    return _JOINED_TEXT(text)


@lru_cache(maxsize=65536)
def tidy(text: str) -> str:
    r"""One spelling of an answer: LaTeX without delimiters, spaces and sizes; words as `\text{...}`.

    A space is kept only between two digits (`4 1/3`), between a command and a letter (`\pi r`), and behind
    a comma where without it a list would look like a thousands separator (`81, 256`).

    >>> tidy(r"$\left( \dfrac12,\, 5 \right)$.")
    '(\\frac{1}{2},5)'
    >>> tidy("24 minutes")
    '24\\text{minutes}'
    """
    text = text.strip().translate(_SIGNS)
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: f"^{{{m[0].translate(_SUPERSCRIPTS)}}}", text)
    for rule in _SPELLING:
        text = rule(text)
    text = _words_as_text(text)
    text = _outside_text(text, lambda part: _SPACE.sub("", _KEEP_COMMAND(_KEEP_SPACE(part))))
    return text.replace(_KEPT_SPACE, " ").lstrip(" ,;:").rstrip(" .,;:")


def balanced(text: str) -> bool:
    r"""Whether every brace that is no `\{` or `\}` is closed."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            return False
    return depth == 0


def nesting(text: str) -> int:
    """The greatest depth of brackets of any kind."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest
