"""What a result was made from: code, settings, inputs. The ground of exact staleness (DESIGN of the rules).

Snakemake sees neither a program's text nor the modules it imports; `code_of` gives it both as a parameter, without
docstrings, comments and layout, so that only a change of behaviour makes a result stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[2]


def code_of(program: str) -> list[str]:
    """`module digest` for a program of scripts/ and for every module of the library that it reaches."""
    start = SCRIPTS / f"{program}.py"
    reached: dict[str, str] = {}
    waiting = [(program, start)]
    while waiting:
        name, path = waiting.pop()
        if name in reached:
            continue
        digest, imported = _module(path)
        reached[name] = digest
        waiting += [(module, _path_of(module)) for module in imported]
    return [f"{name} {digest}" for name, digest in sorted(reached.items())]


@cache
def _module(path: Path) -> tuple[str, tuple[str, ...]]:
    """A module's digest, blind to docstrings, comments and layout, and the library modules it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = list(_statements(tree.body))
    imported = tuple(dict.fromkeys(_imports(statements)))
    for node in (tree, *statements):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12], imported


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            # importing a.b.c runs a and a.b as well
            for length in range(1, len(parts) + 1):
                module = ".".join(parts[:length])
                if parts[0] == "bestpath" and _path_of(module).exists():
                    yield module


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All statements but those under `if TYPE_CHECKING:`, which never run; nothing else imports or has a docstring."""
    for node in nodes:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from _statements(getattr(node, part, ()))


def _path_of(module: str) -> Path:
    path = SCRIPTS.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def sha256_of(path: Path | str) -> str:
    """The SHA-256 of a file, in hex."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: object) -> str:
    """16 hex digits that depend on a JSON-like value alone."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_digest(program: str) -> str:
    """One digest of all code that a program reaches, as tables record it."""
    return digest(code_of(program))


@dataclass(frozen=True)
class Origin:
    """What one job makes its results from: the program, its settings, and its input files by content."""

    program: str
    settings: Mapping[str, Any]
    inputs: tuple[Path, ...]

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digests for a table's metadata: of the code, the settings, and each input."""
        inputs = {f"input {path.as_posix()}": sha256_of(path)[:16] for path in self.inputs}
        return {"code": code_digest(self.program), "settings": digest(dict(self.settings)), **inputs}

    @property
    def key(self) -> str:
        """Names the resume state of exactly this job; another code, setting or input gives another key."""
        contents = sorted(sha256_of(path) for path in self.inputs)
        return digest([code_of(self.program), dict(self.settings), contents])


def origin_of(program: str, arguments: Mapping[str, Any], inputs: Iterable[Path | str]) -> Origin:
    """The origin of a job from its command-line arguments and input files; `limits` change no result."""
    settings = {name: value for name, value in arguments.items() if name != "limits"}
    return Origin(program, settings, tuple(Path(path) for path in inputs))
