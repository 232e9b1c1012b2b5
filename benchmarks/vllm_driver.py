"""vLLM under the driver: against raw `LLM.generate`, and ReCUT's exploration against one with a barrier a round.

    snakemake --configfile config/config.yaml benchmarks/lengths.yaml -- \\
        results/lengths/models/base/manifest.json results/lengths/problems/test.parquet
    .venv-vllm/bin/python benchmarks/vllm_driver.py --model results/lengths/models/base \\
        --problems results/lengths/problems/test.parquet

Tokens/s: both sides render and tokenise the chats, generate until the natural end and make the text, greedily, on one
thread in float32. Exploration: the same searches with the same requests, every fourth of a problem of 16 changes, the
others of one of 2. A lock-step loop asks for what the searches of a round want, waits for
the last answer, and only then goes on: with one call of the engine a round, or with two, first all long continuations
and then all short ones, which is the original's way. Both sides take turns; the median of the ratios of two
neighbouring runs is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from bestpath.answers.grading import Grader
from bestpath.core.problems import PROBLEMS
from bestpath.core.prompts import load
from bestpath.core.search import Generate, Grade, Message, Sampling, Search
from bestpath.core.tables import Row, read_table
from bestpath.methods.recut.explore import STEPWISE_FIELDS, ExploreRules, explore
from bestpath.methods.recut.settings import Explore
from bestpath.stages.generation import driver
from bestpath.stages.generation.engines.vllm import VllmEngine
from bestpath.stages.generation.journal import Journal
from bestpath.stages.generation.progress import Progress

PROMPTS = Path(__file__).resolve().parent.parent / "config/prompts/recut"
Searches = dict[str, Callable[[], Search[list[Row]]]]


def drive(searches: Searches, engine: VllmEngine) -> int:
    """Run searches with the driver; the tokens that they generated."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Grader() as grader,
        Journal(Path(folder) / "journal.jsonl", "benchmark") as journal,
        open(os.devnull, "w") as quiet,
    ):
        players = driver.Players({"actor": engine}, grader=grader)
        driver.run(searches, players, journal, Progress("benchmark", stream=quiet))
        return sum(finished.usage["actor"].tokens for finished in journal.finished.values())


def in_lock_step(searches: Searches, engine: VllmEngine, calls: int) -> int:
    """Run searches round by round, a barrier after each of one or two calls of the engine; the generated tokens."""
    tokens = 0
    with Grader() as grader:
        live = {name: start() for name, start in searches.items()}
        asked = {name: next(search) for name, search in live.items()}
        while live:
            waiting = [(name, i) for name, requests in asked.items() for i in range(len(requests))]
            generations = [key for key in waiting if isinstance(asked[key[0]][key[1]], Generate)]
            results: dict[tuple[str, int], object] = {}
            for call in range(calls):
                for ticket, (name, i) in enumerate(generations):
                    if i % calls == call:  # a search asks for the long continuation first, then for the short one
                        engine.submit(ticket, asked[name][i])  # type: ignore[arg-type]
                while engine.in_flight:
                    results.update({generations[ticket]: completion for ticket, completion in engine.step()})
            tokens += sum(completion.n_tokens for completion in results.values())  # type: ignore[attr-defined]
            grades = {grader.submit(asked[n][i]): (n, i) for n, i in waiting if isinstance(asked[n][i], Grade)}  # type: ignore[arg-type]
            while grades:
                results.update({grades.pop(ticket): verdict for ticket, verdict in grader.poll(0.2)})
            for name in list(live):
                try:
                    asked[name] = live[name].send([results[name, i] for i in range(len(asked[name]))])  # type: ignore[misc]
                except StopIteration:
                    del live[name], asked[name]
    return tokens


def explorations(problems: list[Row], max_tokens: int) -> Searches:
    """ReCUT's exploration of every problem, as far as the problem goes."""
    prompts = {mode: load(PROMPTS / f"{mode}.jinja", STEPWISE_FIELDS) for mode in ("long", "short")}
    settings = Explore(max_tokens=max_tokens).model_dump(exclude={"strategy"})
    rules = ExploreRules(seed=1, **{**settings, "modes": tuple(settings["modes"])})
    return {row["problem_id"]: partial(explore, row, rules, prompts) for row in problems}


def mixture(problems: list[Row], n: int) -> list[Row]:
    """`n` problems, every fourth of the hardest level and the others of the easiest."""
    easy, *_, hard = (
        [row for row in problems if row["level"] == level] for level in sorted({row["level"] for row in problems})
    )
    return [hard[i // 4] if i % 4 == 3 else easy[i - i // 4] for i in range(n)]


def answers(problems: list[Row], sampling: Sampling) -> Searches:
    """One answer a problem."""
    prompt = load(PROMPTS / "neutral.jinja", ["problem"])

    def search(row: Row) -> Search[list[Row]]:
        chat = (Message("user", prompt.render(problem=row["question"])),)
        (answer,) = yield [Generate("actor", chat, sampling, 0)]
        return [{"text": answer.text}]  # type: ignore[union-attr]

    return {row["problem_id"]: partial(search, row) for row in problems}


def raw(problems: list[Row], sampling: Sampling, llm: object) -> int:
    """`LLM.generate` on all prompts at once; the generated tokens."""
    from vllm import SamplingParams

    prompt = load(PROMPTS / "neutral.jinja", ["problem"])
    tokenizer = llm.get_tokenizer()  # type: ignore[attr-defined]
    chats = [[{"role": "user", "content": prompt.render(problem=row["question"])}] for row in problems]
    ids = [tokenizer.apply_chat_template(c, add_generation_prompt=True, return_dict=False) for c in chats]
    parameters = SamplingParams(temperature=sampling.temperature, max_tokens=sampling.max_tokens)
    outputs = llm.generate([{"prompt_token_ids": i} for i in ids], parameters, use_tqdm=False)  # type: ignore[attr-defined]
    return sum(len(output.outputs[0].token_ids) for output in outputs)


def compare(plain: Callable[[], int], ours: Callable[[], int], repeats: int) -> str:
    """The cells of a row: tokens/s of either side, and the ratios by wall time and by this process's CPU time."""
    plain(), ours()  # the first run of anything is slower
    pairs = [(timed(plain), timed(ours)) for _ in range(repeats)]
    walls, cpus = ([(a[i], b[i]) for a, b in pairs] for i in (0, 1))
    rates = " | ".join(f"{median(side):,.0f}" for side in zip(*walls, strict=True))
    return f"{rates} | {median(b / a for a, b in walls):.2f} | {median(b / a for a, b in cpus):.2f}"


def timed(generate: Callable[[], int]) -> tuple[float, float]:
    """Tokens a second of wall time and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    tokens = generate()
    return tokens / (time.perf_counter() - wall), tokens / (time.process_time() - cpu)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--problems", required=True, help="a problems table")
    parser.add_argument("--n", type=int, nargs="+", default=[16, 32, 64], help="numbers of problems to explore")
    parser.add_argument("--answers", type=int, default=400, help="problems that are answered once")
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--max-tokens", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="let vLLM compile the model")
    arguments = parser.parse_args()

    table = read_table(arguments.problems, PROBLEMS)
    problems = mixture(table, arguments.answers)
    engine = VllmEngine(arguments.model, slots=arguments.slots, context=1024, eager=not arguments.compile)
    from vllm import LLM

    llm = LLM(
        str(arguments.model), dtype="float32", max_model_len=1024, max_num_seqs=arguments.slots,
        enforce_eager=not arguments.compile, seed=0,
    )  # fmt: skip
    greedy = Sampling(max_tokens=arguments.max_tokens)
    print(f"{arguments.slots} slots, 1 thread\n")
    print("| work | problems | plain | plain, tokens/s | driver, tokens/s | ratio | ratio by CPU time |")
    print("|---|---|---|---|---|---|---|")
    cells = compare(
        lambda: raw(problems, greedy, llm), lambda: drive(answers(problems, greedy), engine), arguments.repeats
    )
    print(f"| one greedy answer a problem | {len(problems)} | `LLM.generate` | {cells} |", flush=True)
    for n in arguments.n:
        searches = explorations(mixture(table, n), arguments.max_tokens)
        for calls, barrier in ((1, "one call a round"), (2, "two calls a round")):
            cells = compare(
                partial(in_lock_step, searches, engine, calls), partial(drive, searches, engine), arguments.repeats
            )
            print(f"| exploration | {n} | {barrier} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
