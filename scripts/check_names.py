"""Check that a method's name stands in its own files alone: elsewhere nobody knows which methods there are."""

from __future__ import annotations

import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from bestpath.catalog import NAMES

ROOT = Path(__file__).resolve().parent.parent
CATALOG = Path("scripts/bestpath/catalog.py")
_TEXT = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_APART = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def own_names(file: Path) -> list[str]:
    """The methods whose file this is, by its path in the project; the catalog may name all."""
    place = file.as_posix()
    return [
        name
        for name in NAMES
        if file == CATALOG
        or place == f"rules/{name}.smk"
        or place.startswith((f"scripts/bestpath/methods/{name}/", f"scripts/{name}_"))
    ]


def words(text: str) -> set[str]:
    """The words of an identifier or a text in small letters; `GsiTrain` has three: gsi, train and gsitrain."""
    whole = re.findall(r"[A-Za-z]+", text)
    parts = [part for word in whole for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", word)]
    return {word.lower() for word in (*whole, *parts)}


def strangers(file: Path, root: Path = ROOT) -> Iterator[tuple[int, str]]:
    """The lines of a file in which an identifier or a text names a method that is not its own, and the name.

    Comments are left out, and so are docstrings: texts in triple quotes that are a statement of their own.
    """
    others = set(NAMES) - set(own_names(file))
    for name in sorted(others & words(file.with_suffix("").as_posix())):
        yield 1, name
    with tokenize.open(root / file) as text:
        tokens = list(tokenize.generate_tokens(text.readline))
    for place, token in enumerate(tokens):
        is_text = token.type in _TEXT
        if (is_text or token.type == tokenize.NAME) and not (is_text and _is_docstring(tokens, place)):
            for name in sorted(others & words(token.string)):
                yield token.start[0], name


def _is_docstring(tokens: Sequence[tokenize.TokenInfo], place: int) -> bool:
    alone = (place == 0 or tokens[place - 1].type in _APART) and tokens[place + 1].type == tokenize.NEWLINE
    return alone and tokens[place].string.lstrip("rR").startswith('"""')


def files(root: Path = ROOT) -> list[Path]:
    """All files that may not name a method of others: the library, the programs and the rules."""
    found = [root / "Snakefile", *root.glob("scripts/**/*.py"), *root.glob("rules/*.smk")]
    return sorted(file.relative_to(root) for file in found)


def main() -> None:
    """Exit with 1 when a name stands where it must not."""
    found = [f"{file}:{line}: names {name}" for file in files() for line, name in strangers(file)]
    if found:
        print(*dict.fromkeys(found), sep="\n", file=sys.stderr)
        sys.exit(
            f"error: {len(found)} times a method is named outside its own files; ask its declaration (bestpath.catalog)"
        )


if __name__ == "__main__":
    main()
