"""Stepwise exploration with long-short switching (docs/recut.md, exploration).

In every round the model completes the solution from the kept steps on, under a long and under a short instruction.
The better-rewarded completion (`reward`) gives the next kept step (`steps`); all completions are returned, and
those that are whole become candidates. The search ends when the kept completion takes its last step (`finished`),
when no completion has a usable step (`stalled`), when a step says what a kept one has said (`repeated_step`),
when the prompt fills the context (`prompt_too_long`), when the engine fails (`engine_error`), or after R rounds
(`round_cap`). The released loop stops only at a box inside a step, which well-formed output never has, and spends
all its rounds: `stop_rule="boxed_in_step"` reproduces it, repetitions and empty rounds included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from bestpath.core.problems import choices_of
from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Grade, Sampling, Search, Verdict
from bestpath.core.tables import Row
from bestpath.methods.recut import reward, steps

STEPWISE_FIELDS = ("problem", "previous", "step")
"""Fields of the long and the short prompt: the question, the kept steps, the number of the next step."""

WHOLE_FIELDS = ("problem",)
"""Fields of the neutral prompt."""


@dataclass(frozen=True)
class ExploreRules:
    """The settings of the exploration (docs/recut.md, settings).

    continuation: the kept steps stand in the user's turn (`prompt`) or start the assistant's (`prefill`, where
    the user's turn stays the same in all rounds, so that the prefix cache serves everything before the new step).
    length_unit: what L of the reward counts.
    """

    seed: int
    rounds: int
    modes: tuple[str, ...]
    samples_per_mode: int
    temperature: float
    top_p: float
    max_tokens: int
    continuation: Literal["prompt", "prefill"]
    stop_rule: Literal["terminal", "boxed_in_step"]
    alpha: float
    beta: float
    both_wrong: Literal["formula", "figure"]
    unparsable_tier: Literal["below_wrong", "same"]
    length_unit: Literal["tokens", "chars"]

    @property
    def choice(self) -> reward.RewardRules:
        """The part that compares completions."""
        return reward.RewardRules(self.alpha, self.beta, self.both_wrong, self.unparsable_tier)

    @property
    def sampling(self) -> Sampling:
        """The part that draws them."""
        return Sampling(self.temperature, self.top_p, max_tokens=self.max_tokens)


def explore(problem: Row, rules: ExploreRules, prompts: Mapping[str, Prompt]) -> Search[list[Row]]:
    """Explore one problem (a `problems` row) and return its rows of the trials table, in the order asked.

    `prompts` holds the prompt of each mode, with `STEPWISE_FIELDS`. All completions of a round are asked for at
    once, and then all their grades at once. A seed depends on the experiment's seed, the problem, the round, the
    mode and the sample alone, so a search with fewer rounds is the beginning of one with more.
    """
    kept: list[str] = []
    trials: list[Row] = []
    for round_ in range(1, rules.rounds + 1):
        asked = [
            _ask(problem, rules, prompts[mode], mode, index, round_, kept)
            for mode in rules.modes
            for index in range(rules.samples_per_mode)
        ]
        rows = yield from _sample(problem, rules, asked)
        trials += rows
        stop = _advance(rows, kept, rules)
        if stop or round_ == rules.rounds:
            _end(rows, stop or "round_cap")
            break
    return trials


def sample_whole(problem: Row, rules: ExploreRules, prompt: Prompt, n: int) -> Search[list[Row]]:
    """Draw `n` whole solutions under the neutral prompt, as rows of the trials table (rejection sampling).

    `prompt` has `WHOLE_FIELDS`. For a fair comparison with `explore` the caller sets `n` so that both generate as
    many tokens.
    """
    asked = [_ask(problem, rules, prompt, "neutral", index, 1, []) for index in range(n)]
    rows = yield from _sample(problem, rules, asked)
    _end(rows, "finished")
    return rows


def up_to_round(trials: Sequence[Row], rounds: int) -> list[Row]:
    """What searches with fewer rounds would have returned, so that varying R needs no new samples."""
    rows = [dict(row) for row in trials if row["round"] <= rounds]
    _end([row for row in rows if row["round"] == rounds and row["stop"] is None], "round_cap")
    return rows


def _ask(
    problem: Row, rules: ExploreRules, prompt: Prompt, mode: str, index: int, round_: int, kept: Sequence[str]
) -> tuple[Row, Generate]:
    """A request for one completion, and what is known of its row before there is an answer."""
    problem_id = problem["problem_id"]
    seed = seed_of(rules.seed, problem_id, round_, mode, index)
    in_prompt, prefill = list(kept), ""
    if rules.continuation == "prefill":
        in_prompt, prefill = [], "".join(step + "\n" for step in kept)
    fields = {"problem": problem["question"], "previous": "\n".join(in_prompt), "step": len(in_prompt) + 1}
    messages = prompt.messages(**{name: fields[name] for name in prompt.fields})
    row = {
        "problem_id": problem_id,
        "trial_id": f"{problem_id}.{round_}.{mode}.{index}",
        "round": round_,
        "mode": mode,
        "index": index,
        "prompt_sha": prompt.sha,
        "seed": seed,
        "prefix": list(kept),
    }
    return row, Generate("actor", messages, rules.sampling, seed, prefill)


def _sample(problem: Row, rules: ExploreRules, asked: Sequence[tuple[Row, Generate]]) -> Search[list[Row]]:
    """Have completions drawn and graded; return their rows, none of them chosen yet."""
    completions = cast(Sequence[Completion], (yield [request for _, request in asked]))
    verdicts: dict[int, Verdict] = {}
    drawn = [i for i, completion in enumerate(completions) if completion.finish != "error"]
    if drawn:
        gold, kind, choices = problem["answer"], problem["kind"], choices_of(problem)
        graded = yield [Grade(completions[i].text, gold, kind, choices) for i in drawn]
        verdicts = dict(zip(drawn, cast(Sequence[Verdict], graded), strict=True))
    return [_outcome(row, completions[i], verdicts.get(i), rules) for i, (row, _) in enumerate(asked)]


def _outcome(row: Row, completion: Completion, verdict: Verdict | None, rules: ExploreRules) -> Row:
    """A row with what its completion and verdict bring; there is no verdict after an error."""
    verdict = verdict or Verdict("no_answer")
    text, finish, k = completion.text, completion.finish, len(row["prefix"]) + 1
    step, step_reject = steps.next_step(text, k, truncated=finish == "length")
    row = row | {
        "text": text,
        "n_tokens": completion.n_tokens,
        "n_prompt_tokens": completion.n_prompt_tokens,
        "finish_reason": finish,
        "error": completion.error,
        "answer": verdict.answer,
        "verdict": verdict.outcome,
        "loosely_equal": verdict.loosely_equal,
        "step": step,
        "step_reject": step_reject,
        "chosen": False,
        "switched": False,
        "stop": None,
    }
    option = _option(row, rules)
    row["reward"] = None if finish == "error" else reward.reward(option, rules.choice)
    row["terminal"] = steps.terminal(text, k, has_answer=option.complete)
    return row


def _advance(rows: Sequence[Row], kept: list[str], rules: ExploreRules) -> str | None:
    """Choose among the completions of a round and keep the next step; return why the search ends, if it does."""
    if all(row["finish_reason"] == "error" for row in rows):
        too_long = all(row["error"] == "prompt_too_long" for row in rows)
        return "prompt_too_long" if too_long else "engine_error"
    ranked = [rows[i] for i in reward.ranking([_option(row, rules) for row in rows], rules.choice)]
    best = next((row for row in ranked if row["step"] is not None), None)
    released = rules.stop_rule == "boxed_in_step"
    if best is None:
        return None if released else "stalled"
    if not released and steps.repeats(best["step"], kept):
        return "repeated_step"
    best["chosen"], best["switched"] = True, best is not ranked[0]
    kept.append(best["step"])
    ended = steps.boxed(best["step"]) if released else best["terminal"]
    return "finished" if ended else None


def _option(row: Row, rules: ExploreRules) -> reward.Option:
    """What the choice looks at in a row."""
    text = row["text"]
    length = row["n_tokens"] if rules.length_unit == "tokens" else len(text)
    return reward.Option(
        row["mode"],
        row["index"],
        correct=row["verdict"] == "correct",
        complete=row["finish_reason"] == "stop" and row["answer"] is not None,
        length=length if text.strip() else 0,  # an empty completion still has its end token
    )


def _end(rows: Sequence[Row], stop: str) -> None:
    for row in rows:
        row["stop"] = stop
