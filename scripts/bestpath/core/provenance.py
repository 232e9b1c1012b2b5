"""What a result was made from: code, settings, inputs. The ground of exact staleness.

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


def code_of(program: str, *modules: str) -> list[str]:
    """`module digest` for a program of scripts/, for the `modules` that it loads by name, and for every module of the
    library that these reach.

    Of a module that only declares constants, such as tables, the constants that are imported count and no others:
    `module:NAME digest`.
    """
    return list(_code_of(program, modules))


@cache
def _code_of(program: str, modules: tuple[str, ...]) -> tuple[str, ...]:
    start = SCRIPTS / f"{program}.py"
    reached: dict[str, str] = {}
    waiting = [(program, start, frozenset[str]())]
    waiting += [(name, _library()[name], frozenset[str]()) for loaded in modules for name in _with_packages(loaded)]
    while waiting:
        name, path, names = waiting.pop()
        module = _module(path)
        constants = module.constants
        if names and names <= constants.keys():
            for constant in _with_its_own(names, constants):
                entry = f"{name}:{constant}"
                if entry not in reached:
                    reached[entry] = constants[constant].digest
                    waiting += [(used, _library()[used], of_it) for used, of_it in constants[constant].imported]
            continue
        if name in reached:
            continue
        reached[name] = module.digest
        waiting += [(used, _library()[used], of_it) for used, of_it in module.imported]
    return tuple(f"{name} {digest}" for name, digest in sorted(reached.items()))


Imported = tuple[tuple[str, frozenset[str]], ...]
"""Modules of the library, and the names that are taken from each; no names: the module itself."""


@dataclass(frozen=True)
class _Constant:
    """A constant of a module that declares nothing else: what it is made of."""

    digest: str
    uses: frozenset[str]
    imported: Imported


@dataclass(frozen=True)
class _Module:
    """A module: its digest, blind to docstrings, comments and layout, the library modules that it imports, and its
    constants if it declares nothing else.
    """

    digest: str
    imported: Imported
    constants: Mapping[str, _Constant]


def _constants(tree: ast.Module) -> dict[str, _Constant]:
    """The constants of a module by name; none for a module that also has functions, classes or other statements."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    found: dict[str, _Constant] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (isinstance(target, ast.Name) or isinstance(node, ast.Import | ast.ImportFrom) or is_text):
            return {}
        if isinstance(target, ast.Name):
            uses = frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name)) - {target.id}
            taken = tuple(
                (module, names)
                for module, names in _imports(imports)
                if not names or names & uses or module.rpartition(".")[2] in uses
            )
            found[target.id] = _Constant(_digest_of(node), uses, taken)
    return found


def _with_its_own(names: Iterable[str], constants: Mapping[str, _Constant]) -> list[str]:
    """These constants and the ones of the same module that they are made of."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [used for used in constants[name].uses if used in constants]
    return found


@cache
def _module(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _constants(tree)
    statements = list(_statements(tree.body))
    imported = tuple(dict.fromkeys(_imports(statements)))
    for node in (tree, *statements):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    return _Module(_digest_of(tree), imported, constants)


def _digest_of(node: ast.AST) -> str:
    return hashlib.sha256(ast.dump(node).encode()).hexdigest()[:12]


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _imports(statements: Iterable[ast.AST]) -> Iterator[tuple[str, frozenset[str]]]:
    """The library modules that statements import, and the names that are taken from each."""
    for node in statements:
        if isinstance(node, ast.Import):
            taken = [(alias.name, frozenset[str]()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {alias.name for alias in node.names}
            modules = {name for name in names if f"{node.module}.{name}" in _library()}
            taken = [(f"{node.module}.{name}", frozenset[str]()) for name in sorted(modules)]
            taken += [(node.module, frozenset(names - modules))] if names - modules else []
        else:
            continue
        for name, used in taken:
            if name not in _library():
                continue
            yield from ((package, frozenset[str]()) for package in _with_packages(name)[:-1])
            yield name, used


def _with_packages(module: str) -> list[str]:
    """A module of the library with the packages around it: importing a.b.c runs a and a.b as well."""
    parts = module.split(".") if module.startswith("bestpath") else []
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All statements but those under `if TYPE_CHECKING:`, which never run; nothing else imports or has a docstring."""
    for node in nodes:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from _statements(getattr(node, part, ()))


@cache
def _library() -> dict[str, Path]:
    """The file of every module and package of the library."""
    files = {path.relative_to(SCRIPTS).with_suffix(""): path for path in SCRIPTS.glob("bestpath/**/*.py")}
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in files.items()}


def sha256_of(path: Path | str) -> str:
    """The SHA-256 of a file, in hex."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: object) -> str:
    """16 hex digits that depend on a JSON-like value alone."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_digest(program: str, *modules: str) -> str:
    """One digest of all code that a program reaches, as tables record it."""
    return digest(code_of(program, *modules))


@dataclass(frozen=True)
class Origin:
    """What one job makes its results from: the program, its settings, its input files by content, and the modules that
    it loads by name.
    """

    program: str
    settings: Mapping[str, Any]
    inputs: tuple[Path, ...]
    modules: tuple[str, ...] = ()

    @cached_property
    def digests(self) -> dict[str, str]:
        """For a table's metadata: the program and its modules, and digests of the code, the settings and each input."""
        inputs = {f"input {path.as_posix()}": sha256_of(path)[:16] for path in self.inputs}
        code = {"program": self.program, "modules": " ".join(self.modules)}
        code["code"] = code_digest(self.program, *self.modules)
        return {**code, "settings": digest(dict(self.settings)), **inputs}

    @cached_property
    def key(self) -> str:
        """Names the resume state of exactly this job; another code, setting or input gives another key."""
        contents = sorted(sha256_of(path) for path in self.inputs)
        return digest([code_of(self.program, *self.modules), dict(self.settings), contents])


_NO_SETTINGS = {"limits", "isolation"}


def origin_of(
    program: str, arguments: Mapping[str, Any], inputs: Iterable[Path | str], modules: Iterable[str] = ()
) -> Origin:
    """The origin of a job from its command-line arguments, its input files and the modules that it loads by name.

    `limits` change no result, nor does the isolation in which programs run.
    """
    settings = {name: value for name, value in arguments.items() if name not in _NO_SETTINGS}
    return Origin(program, settings, tuple(Path(path) for path in inputs), tuple(modules))
