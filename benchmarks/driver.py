"""Tokens a second of the generation driver against a plain loop of `model.generate`, on the same prompts.

    python benchmarks/driver.py --model results/embedded/base --problems problems.jsonl

The plain loop sorts the prompts by length, cuts them into batches, and stops a batch when its last row has ended; the
best of several batch sizes counts. Both sides render the chats, tokenise, generate until the natural end and decode
the text, in one process with one thread and in the model's own float32. A token counts until the end token included.
Both are repeated in turn and the best run of each counts, because other work on the machine only ever slows a run
down; the rate for each second of CPU time is given too, as it hardly feels other work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

import torch
from bestpath.answers.grading import Grader
from bestpath.prompts import load
from bestpath.randomness import seed_of
from bestpath.records import Row, read_jsonl
from bestpath.search import Generate, Message, Sampling, Search
from bestpath.stages.generation.driver import run
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
        with tempfile.TemporaryDirectory() as folder, Grader() as grader:
            with Journal(Path(folder) / "journal.jsonl", "benchmark") as journal, open("/dev/null", "w") as quiet:
                run(searches, {"actor": self.engine}, grader, journal, Progress("benchmark", stream=quiet))
                return sum(finished.tokens for finished in journal.finished.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--problems", type=Path, required=True, help="JSON Lines with a `question` each")
    parser.add_argument("--n", type=int, default=600, help="how many problems")
    parser.add_argument("--slots", type=int, nargs="+", default=[128], help="slots of the engine; the best counts")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64, 128], help="sizes of the plain loop")
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    prompt = load(PROMPT, ["problem"])
    problems = read_jsonl(arguments.problems)[: arguments.n]
    chats = [prompt.render(problem=problem["question"]) for problem in problems]
    plain = PlainLoop(arguments.model)
    drivers = {slots: Driver(arguments.model, slots) for slots in arguments.slots}

    print(f"{len(chats)} prompts, at most {arguments.max_tokens} new tokens, torch {torch.__version__}, 1 thread\n")
    print("| decoding | plain loop (best batch) | driver (best slots) | ratio | ratio of CPU time |")
    print("|---|---|---|---|---|")
    for name, temperature in (("greedy", 0.0), ("sampled, temperature 0.7", 0.7)):
        sampling = Sampling(temperature, max_tokens=arguments.max_tokens)
        plain_rates: list[tuple[Rate, int]] = []
        driver_rates: list[tuple[Rate, int]] = []
        for _ in range(arguments.repeats):
            for batch in arguments.batches:
                plain_rates.append((timed(lambda b=batch, s=sampling: plain.generate(chats, s, b)), batch))
            for slots, driver in drivers.items():
                driver_rates.append((timed(lambda d=driver, s=sampling: d.generate(chats, s)), slots))
        (a, batch), (b, slots) = (max(rates, key=lambda r: r[0].per_s) for rates in (plain_rates, driver_rates))
        cpu = max(r.per_cpu_s for r, _ in driver_rates) / max(r.per_cpu_s for r, _ in plain_rates)
        print(
            f"| {name} | {a.per_s:,.0f} tokens/s ({batch}) | {b.per_s:,.0f} tokens/s ({slots}) "
            f"| {b.per_s / a.per_s:.2f} | {cpu:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
