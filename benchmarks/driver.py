"""Tokens a second of the generation driver against a plain loop of `model.generate`, on the same prompts.

    python benchmarks/driver.py --model results/embedded/base --problems problems.jsonl

The plain loop sorts the prompts by length and cuts them into batches; a batch stops when its last row has ended. Both
sides render the chats, tokenise, generate until the natural end and decode the text, in one process with one thread,
in float32. A token counts up to and with the end token. The best of several batch sizes and of several numbers of
slots is found first. Then both sides take turns, and the medians are given: of the rates, and of the ratios of two
neighbouring runs, which share whatever else the machine is doing. The ratio of CPU times hardly feels other work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

import torch

from bestpath.answers.grading import Grader
from bestpath.core.io import read_jsonl
from bestpath.core.problems import PROBLEMS
from bestpath.core.prompts import load
from bestpath.core.randomness import seed_of
from bestpath.core.search import Generate, Message, Sampling, Search
from bestpath.core.tables import Row, read_table
from bestpath.stages.generation.driver import Players, run
from bestpath.stages.generation.engines.transformers import TransformersEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress

PROMPT = Path(__file__).resolve().parent.parent / "config/prompts/recut/neutral.jinja"


class Rate(NamedTuple):
    """Generated tokens and how long they took."""

    tokens: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.tokens / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        return self.tokens / self.cpu_s


def timed(generate: Callable[[], int]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    tokens = generate()
    return Rate(tokens, time.perf_counter() - wall, time.process_time() - cpu)


class PlainLoop:
    """Batches of `model.generate`, sorted by the length of their prompts."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def generate(self, chats: Sequence[str], sampling: Sampling, batch: int) -> int:
        rendered = [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": chat}], tokenize=False, add_generation_prompt=True
            )
            for chat in chats
        ]
        prompts = sorted(self.tokenizer(rendered, add_special_tokens=False)["input_ids"], key=len)
        draw = {"do_sample": False}
        if sampling.temperature:
            draw = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": sampling.top_p}
        end = self.tokenizer.eos_token_id
        tokens = 0
        for start in range(0, len(prompts), batch):
            inputs = self.tokenizer.pad(
                {"input_ids": prompts[start : start + batch]}, padding_side="left", return_tensors="pt"
            )
            with torch.inference_mode():
                output = self.model.generate(**inputs, max_new_tokens=sampling.max_tokens, **draw)
            rows = output[:, inputs["input_ids"].shape[1] :].tolist()
            rows = [row[: row.index(end) + 1] if end in row else row for row in rows]
            self.tokenizer.batch_decode(rows, skip_special_tokens=True)
            tokens += sum(map(len, rows))
        return tokens


class Driver:
    """One search a prompt, on the `transformers` engine, journal and all."""

    def __init__(self, folder: Path, slots: int) -> None:
        self.engine = TransformersEngine(folder, slots=slots)

    def generate(self, chats: Sequence[str], sampling: Sampling) -> int:
        def search(chat: str) -> Search[list[Row]]:
            request = Generate("actor", (Message("user", chat),), sampling, seed_of("benchmark", chat))
            (answer,) = yield [request]
            return [{"text": answer.text}]

        searches = {str(i): (lambda chat=chat: search(chat)) for i, chat in enumerate(chats)}
        with (
            tempfile.TemporaryDirectory() as folder,
            Grader() as grader,
            Journal(Path(folder) / "journal.jsonl", "benchmark") as journal,
            open(os.devnull, "w") as quiet,
        ):
            players = Players({"actor": self.engine}, grader=grader)
            run(searches, players, journal, Progress("benchmark", stream=quiet))
            return sum(finished.usage["actor"].tokens for finished in journal.finished.values())


def compare(
    plain: Callable[[int], int], driver: Callable[[int], int], batches: list[int], slots: list[int], repeats: int
) -> str:
    """The cells of one row of the table."""
    best_batch = max(batches * 2, key=lambda batch: timed(lambda: plain(batch)).per_cpu_s)
    best_slots = max(slots * 2, key=lambda n: timed(lambda: driver(n)).per_cpu_s)
    pairs = [(timed(lambda: plain(best_batch)), timed(lambda: driver(best_slots))) for _ in range(repeats)]
    return (
        f"{median(a.per_s for a, _ in pairs):,.0f} ({best_batch}) | {median(b.per_s for _, b in pairs):,.0f} "
        f"({best_slots}) | {median(b.per_s / a.per_s for a, b in pairs):.2f} "
        f"| {median(b.per_cpu_s / a.per_cpu_s for a, b in pairs):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument(
        "--problems", type=Path, nargs="+", required=True, help="JSON Lines or problems tables with a `question` each"
    )
    parser.add_argument("--n", type=int, default=1200, help="at most so many problems")
    parser.add_argument("--slots", type=int, nargs="+", default=[128, 256, 384], help="slots of the engine")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 64, 96, 128], help="sizes of the plain loop")
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    prompt = load(PROMPT, ["problem"])
    questions = [question for file in arguments.problems for question in questions_of(file)][: arguments.n]
    chats = [prompt.render(problem=question) for question in questions]
    plain = PlainLoop(arguments.model)
    drivers = {slots: Driver(arguments.model, slots) for slots in arguments.slots}

    print(f"{len(chats)} prompts, at most {arguments.max_tokens} new tokens, torch {torch.__version__}, 1 thread\n")
    print("| decoding | plain loop, tokens/s (batch) | driver, tokens/s (slots) | ratio | ratio by CPU time |")
    print("|---|---|---|---|---|")
    for name, temperature in (("greedy", 0.0), ("sampled at temperature 0.7", 0.7)):
        sampling = Sampling(temperature, max_tokens=arguments.max_tokens)
        cells = compare(
            lambda batch, sampling=sampling: plain.generate(chats, sampling, batch),
            lambda slots, sampling=sampling: drivers[slots].generate(chats, sampling),
            arguments.batches,
            arguments.slots,
            arguments.repeats,
        )
        print(f"| {name} | {cells} |", flush=True)


def questions_of(file: Path) -> list[str]:
    rows = read_table(file, PROBLEMS) if file.suffix == ".parquet" else read_jsonl(file)
    return [row["question"] for row in rows]


if __name__ == "__main__":
    main()
