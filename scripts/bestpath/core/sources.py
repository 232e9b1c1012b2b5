"""Problems: read from files or a hub, normalised, deduplicated, decontaminated and split.

A bad row is rejected with a reason and counted; only what makes the whole set doubtful is an error.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError, nearest
from bestpath.core.problems import OPEN, choices_of
from bestpath.core.randomness import seed_of
from bestpath.core.rejects import Rejects
from bestpath.core.tables import Row

GoldCheck = Callable[[str, str, tuple[tuple[str, str], ...]], str | None]
"""Says why a gold answer (with its kind and choices) cannot be used, or None if it can."""


@dataclass(frozen=True)
class Fields:
    """Which field of the raw data holds what; None for what the data do not have.

    Data with `messages` need no question: what the user says there is it. Data of the kind `open` need no answer.
    """

    question: str
    answer: str
    messages: str | None
    solution: str | None
    reference: str | None
    choices: str | None
    level: str | None
    id: str | None


@dataclass(frozen=True)
class Source:
    """A set of problems as the settings name it: a local file, or a hub id with its subset and split."""

    path: str
    dataset: str
    kind: str
    fields: Fields
    subset: str | None
    split: str
    n: int | None
    file: str

    @classmethod
    def of(cls, settings: Row) -> Source:
        """A source from its settings; `file` is where its rows lie here, empty for a hub id."""
        return cls(**{**settings, "fields": Fields(**settings["fields"])})


def read(source: Source, gold_problem: GoldCheck, max_bad: float, rejects: Rejects) -> tuple[list[Row], int]:
    """The normalised problems of a source, and how many rows it has. Raises UserError as what it calls does."""
    raw = read_rows(source.file or source.path, source.subset, source.split)
    own = Rejects(rejects.stage)
    rows = normalise(raw, source.fields, source.dataset, source.kind, gold_problem, own)
    check_share_of_bad(len(raw), own, max_bad, source.dataset)
    rejects.rows += own.rows
    return rows, len(raw)


def together(sets: Iterable[Sequence[Row]], rejects: Rejects) -> list[Row]:
    """The problems of several data sets, each question once (`duplicate_question`). Raises UserError for equal ids."""
    seen: dict[str, Row] = {}
    ids: set[str] = set()
    for row in itertools.chain.from_iterable(sets):
        folded = _folded(row["question"])
        if folded in seen:
            rejects.add(row["problem_id"], "duplicate_question", f"of data set {seen[folded]['dataset']}")
            continue
        if row["problem_id"] in ids:
            raise UserError(f"two data sets have the id '{row['problem_id']}'; leave out fields.id, or give other ids")
        ids.add(row["problem_id"])
        seen[folded] = row
    return list(seen.values())


def read_rows(path: str, subset: str | None = None, split: str = "train") -> list[Row | None]:
    """The raw rows of a local JSONL, JSON, Parquet or CSV file, or of a hub data set; None for a damaged row.

    Raises UserError for a missing or empty file, text that is not UTF-8, or a data set that cannot be had.
    """
    readers = {".jsonl": _read_jsonl, ".json": _read_json, ".csv": _read_csv, ".parquet": _read_parquet}
    file = Path(path)
    reader = readers.get(file.suffix)
    if reader is None and not file.exists():
        rows = _read_hub(path, subset, split)
    elif not file.exists():
        raise UserError(f"there is no data file {path}; correct its path in the configuration")
    elif reader is None:
        raise UserError(f"cannot tell the format of {path}; name it .jsonl, .json, .parquet or .csv")
    else:
        try:
            rows = reader(file)
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path} is not UTF-8 (byte {error.start}); convert it, for example with iconv -t UTF-8"
            ) from None
    if not rows:
        raise UserError(f"{path} holds no rows; give a file with problems in it")
    return rows


def _read_jsonl(path: Path) -> list[Row | None]:
    return [_json_row(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _json_row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _read_json(path: Path) -> list[Row | None]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not valid JSON (line {error.lineno}); mend it there") from None
    if not isinstance(rows, list):
        raise UserError(f"{path} must hold a JSON list of problems; for one object a line name it .jsonl")
    return [row if isinstance(row, dict) else None for row in rows]


def _read_csv(path: Path) -> list[Row | None]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [row if None not in row else None for row in csv.DictReader(stream)]


def _read_parquet(path: Path) -> list[Row | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Row | None] = pq.read_table(path).to_pylist()
    except pa.ArrowInvalid:
        raise UserError(f"{path} is not a Parquet file, or is cut short; make it again") from None
    return rows


def _read_hub(name: str, subset: str | None, split: str) -> list[Row | None]:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise UserError(f"there is no data file {name}, nor is that a hub id; correct it in the configuration")
    from datasets import load_dataset

    try:
        return list(load_dataset(name, subset, split=split))
    except Exception as error:  # the hub's client raises many kinds; each means that the data cannot be had
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"cannot load the data set {name} ({reason}); check its name, split and the network, "
            "or download it and give the path of the file"
        ) from None


def normalise(
    rows: Sequence[Row | None],
    fields: Fields,
    dataset: str,
    kind: str,
    gold_problem: GoldCheck,
    rejects: Rejects,
) -> list[Row]:
    """Rows of the `problems` table, without `split` decided (it is `train`), from raw rows.

    Rejects `bad_row`, `bad_question`, `bad_gold` (unless the kind is `open`) and `duplicate_question`. Raises UserError
    when a mapped field is in no row, or when ids are not unique.
    """
    _check_fields(rows, fields, dataset, kind)
    problems: dict[str, Row] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if row is None:
            rejects.add(f"row {number}", "bad_row", "not a readable record")
            continue
        problem = _problem(row, fields, dataset, kind)
        problem_id = problem["problem_id"]
        if fields.id and problem_id in problems:
            raise UserError(f"data set {dataset} has the id '{problem_id}' twice; give every problem its own id")
        choices = choices_of(problem)
        folded = _folded(problem["question"])
        if fields.messages and row.get(fields.messages) and not problem["messages"]:
            detail = "the messages are no list of turns with role and content that ends with the user's"
            rejects.add(problem_id, "bad_question", detail)
        elif not folded or not (problem["messages"] or _text(row.get(fields.question))):
            rejects.add(problem_id or f"row {number}", "bad_question", "the question is missing or empty")
        elif kind != OPEN and not problem["answer"]:
            rejects.add(problem_id, "bad_gold", "the answer is missing or empty")
        elif kind != OPEN and (complaint := gold_problem(problem["answer"], problem["kind"], choices)):
            rejects.add(problem_id, "bad_gold", complaint)
        elif folded in seen:
            rejects.add(problem_id, "duplicate_question")
        else:
            seen.add(folded)
            problems[problem_id] = problem
    return list(problems.values())


def _check_fields(rows: Sequence[Row | None], fields: Fields, dataset: str, kind: str) -> None:
    """Raises UserError for a mapped field that is in no row, unless such data may lack it."""
    present = {key for row in rows if row for key in row}
    optional = {"question": bool(fields.messages), "answer": kind == OPEN}
    for role in ("question", "answer", "messages", "solution", "reference", "choices", "level", "id"):
        name = getattr(fields, role)
        if name and name not in present and not optional.get(role):
            hint = nearest(name, present)
            meant = f"did you mean '{hint}'?" if hint else f"its fields are {', '.join(sorted(present)) or 'none'}"
            raise UserError(f"data set {dataset} has no field '{name}', which fields.{role} names; {meant}")


def _problem(row: Row, fields: Fields, dataset: str, kind: str) -> Row:
    choices = _choices(row.get(fields.choices)) if fields.choices else []
    messages = _messages(row.get(fields.messages)) if fields.messages else []
    # the question is what the model reads, options included
    said = "\n\n".join(turn["content"] for turn in messages if turn["role"] == "user")
    question = "\n".join([_text(row.get(fields.question)) or said, *(f"({label}) {text}" for label, text in choices)])
    level = row.get(fields.level) if fields.level else None
    digits = re.search(r"\d+", str(level)) if level is not None else None
    normalised = dataset + "\n" + _folded(question)
    return {
        "problem_id": _text(row.get(fields.id)) if fields.id else hashlib.sha1(normalised.encode()).hexdigest()[:16],
        "dataset": dataset,
        "question": question,
        "messages": json.dumps(messages, ensure_ascii=False) if messages else None,
        "answer": _gold(_text(row.get(fields.answer))) or None,
        "kind": kind,
        "choices": json.dumps(choices, ensure_ascii=False) if choices else None,
        "solution": _text(row.get(fields.solution)) or None if fields.solution else None,
        "reference": _text(row.get(fields.reference)) or None if fields.reference else None,
        "level": int(digits[0]) if digits else None,
        "split": "train",
    }


def _messages(value: Any) -> list[dict[str, str]]:
    """The turns of a chat, also from JSON in a text; none unless all are turns and the user's comes last."""
    with suppress(ValueError):
        value = json.loads(value) if isinstance(value, str) else value
    turns = [turn for turn in value if _is_turn(turn)] if isinstance(value, list) else []
    if not turns or len(turns) < len(value) or turns[-1]["role"] != "user":
        return []
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _is_turn(turn: Any) -> bool:
    """Whether a value is a turn of a chat."""
    known = isinstance(turn, dict) and turn.get("role") in {"system", "user", "assistant"}
    return known and isinstance(turn.get("content"), str)


def _folded(question: str) -> str:
    """A question whatever its case and blanks."""
    return " ".join(question.casefold().split())


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a CSV or Parquet column of integers with gaps is read as floats
    return "" if value is None else str(value).strip()


def _gold(text: str) -> str:
    """The gold answer of an answer field; GSM8K's holds the whole rationale, with the answer after `####`."""
    return re.split(r"^####", text, flags=re.MULTILINE)[-1].strip()


def _choices(value: Any) -> list[tuple[str, str]]:
    """Options as (label, text), from {'A': …}, ['…', …], ['A)…', …] or {'label': […], 'text': […]}."""
    if isinstance(value, str) and (options := re.findall(r"\b([a-e]) \) (.*?)(?= , [a-e] \) |$)", value)):
        return [(label.upper(), text.strip()) for label, text in options]  # MathQA's
    if isinstance(value, str):
        value = json.loads(value) if value.startswith(("{", "[")) else []
    if isinstance(value, dict) and value.keys() == {"label", "text"}:
        return list(zip(map(str, value["label"]), map(str, value["text"]), strict=True))
    if isinstance(value, dict):
        return [(str(label), str(text)) for label, text in value.items() if text is not None]
    options = [str(option) for option in value or []]
    labelled = [re.match(r"\(?([A-Z])\)\s*(.*)", option, re.DOTALL) for option in options]
    if options and all(labelled):
        return [(match[1], match[2]) for match in labelled if match]
    return [(chr(ord("A") + i), option) for i, option in enumerate(options)]


def check_share_of_bad(rows_in: int, rejects: Rejects, max_bad: float, dataset: str) -> None:
    """Stop when so many rows are bad that the data or their mapping must be wrong. Raises UserError."""
    bad = [row for row in rejects.rows if row["reason"] in {"bad_row", "bad_question", "bad_gold"}]
    if len(bad) > max_bad * rows_in:
        first = bad[0]
        example = f"{first['problem_id']}: {first['reason']}" + (f", {first['detail']}" if first["detail"] else "")
        raise UserError(
            f"{len(bad)} of {rows_in} rows of data set {dataset} are unusable (first {example}); mend the data, "
            "or the fields and kind of the data set, or raise problems.max_bad"
        )


def decontaminate(problems: Iterable[Row], tests: Iterable[Row], n: int, rejects: Rejects) -> list[Row]:
    """Drop the problems that share `n` words in a row with a test question (`contaminated`); 0 keeps all."""
    if n == 0:
        return list(problems)
    tested = {gram: test["problem_id"] for test in tests for gram in _ngrams(test["question"], n)}
    kept = []
    for problem in problems:
        gram = next((gram for gram in _ngrams(problem["question"], n) if gram in tested), None)
        if gram is None:
            kept.append(problem)
        else:
            rejects.add(problem["problem_id"], "contaminated", f"shares '{' '.join(gram)}' with {tested[gram]}")
    return kept


def _ngrams(text: str, n: int) -> Iterator[tuple[str, ...]]:
    """Runs of n words; a shorter text counts as one run, so that equal short questions are found too."""
    words = re.findall(r"\w+", text.casefold())
    for start in range(max(1, len(words) - n + 1)):
        yield tuple(words[start : start + n])


def draw(problems: Sequence[Row], n: int | None, seed: int, rejects: Rejects) -> list[Row]:
    """At most `n` problems at random; the rest is rejected as `not_drawn`. A larger n keeps the same ones."""
    order = sorted(problems, key=lambda row: seed_of(seed, "draw", row["problem_id"]))
    for row in order[n:] if n is not None else []:
        rejects.add(row["problem_id"], "not_drawn")
    return order[:n]


def split_dev(problems: Sequence[Row], fraction: float, seed: int) -> list[Row]:
    """The problems with `split` set: a random share is `dev`, on which choices are made, the rest `train`."""
    order = sorted(problems, key=lambda row: seed_of(seed, "dev", row["problem_id"]))
    n_dev = round(fraction * len(order))
    return [{**row, "split": "dev" if i < n_dev else "train"} for i, row in enumerate(order)]


def check_any(problems: Sequence[Row], dataset: str, rejects: Rejects) -> None:
    """Raises UserError when no problem is left, with the reasons."""
    if not problems:
        reasons = ", ".join(f"{count} {reason}" for reason, count in rejects.counts().items())
        raise UserError(f"no problem of data set {dataset} is left ({reasons}); mend the data or its fields")
