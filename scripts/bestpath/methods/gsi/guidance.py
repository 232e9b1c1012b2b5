"""The help that a deficient question gets (docs/gsi.md, 3): the strategies, each as a small search for the next prompt.

`plain` is brute force. `answer` shows the final answer, `rationale` the reference solution, `interactive` the
feedback of a teacher on the question's own latest wrong answer, `state_reset` the beginning of the reference solution
as the beginning of the model's answer. `mixed` goes through them in the order of help. The trained prompt is always the
plain one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from bestpath.core.prompts import Prompt
from bestpath.core.randomness import seed_of
from bestpath.core.search import Completion, Generate, Sampling, Search
from bestpath.core.tables import Row
from bestpath.methods.gsi import leaks
from bestpath.methods.gsi.prefixes import CutRules, Prefix, Tokenizer, beginning
from bestpath.methods.gsi.sample import Help

Strategy = Literal["plain", "answer", "rationale", "interactive", "state_reset", "mixed"]

_MIXED = ("plain", "state_reset", "state_reset", "state_reset", "state_reset", "rationale")
"""The strategies of `mixed` by round: the prefix grows from round 2 to 5, and all later rounds have the last one."""


@dataclass(frozen=True)
class Guidance:
    """A strategy with all that it needs.

    without_reference: the strategy for a question whose solution reveals nothing. teacher: how the teacher's
    feedback is drawn; `attempts` of it may fail before a round counts as not done.
    """

    strategy: Strategy
    prompts: Mapping[str, Prompt]
    tokenizer: Tokenizer
    cut: CutRules
    without_reference: Literal["rationale", "plain"]
    teacher: Sampling
    attempts: int

    @classmethod
    def of(cls, settings: Row, prompts: Mapping[str, Prompt], tokenizer: Tokenizer, dataset: str) -> Guidance:
        """The strategy for one data set, from the settings of the guided phase and the prompts of its roles."""
        teacher = settings["teacher"]
        cut = CutRules(
            settings["prefix_units"].get(dataset, settings["prefix_unit"]),
            settings["reveal_answer"],
            settings["keep_last_step_hidden"],
            settings["max_reveal"],
        )
        return cls(
            settings["strategy"],
            prompts,
            tokenizer,
            cut,
            settings["without_reference"],
            Sampling(teacher["temperature"], teacher["top_p"], max_tokens=teacher["max_tokens"]),
            teacher["attempts"],
        )

    def help(self, problem: Row, round_: int, rows: Sequence[Row], seed: int) -> Search[Help | str]:
        """The help of a round, from 1; or a reason why there is none. `rows` are the question's graded draws."""
        strategy: str = self.strategy
        if strategy == "mixed":
            strategy, round_ = _MIXED[min(round_, len(_MIXED)) - 1], max(1, round_ - 1)
        if strategy == "interactive":
            return (yield from self._interactive(problem, rows, seed))
        if strategy == "state_reset":
            return self._state_reset(problem, round_)
        return self._fields(problem, strategy)

    def _fields(self, problem: Row, strategy: str, flags: tuple[str, ...] = ()) -> Help | str:
        """Help that stands in the prompt."""
        values = {"problem": problem["question"], "answer": problem["answer"], "reference": problem["solution"]}
        if strategy == "rationale" and not problem["solution"]:
            return "no_reference"
        return self._asked(strategy, values, strategy, flags=flags)

    def _asked(
        self,
        name: str,
        values: Mapping[str, str],
        strategy: str,
        prefix: Prefix | None = None,
        feedback: Completion | None = None,
        flags: tuple[str, ...] = (),
    ) -> Help:
        prompt = self.prompts[name]
        messages = prompt.messages(**{field_: values[field_] for field_ in prompt.fields})
        told, tokens = (feedback.text.strip(), feedback.n_tokens) if feedback else (None, 0)
        return Help(strategy, prompt, messages, prefix, told, tokens, flags)

    def _state_reset(self, problem: Row, round_: int) -> Help | str:
        prefix = problem["solution"] and beginning(problem["solution"], round_, self.cut, self.tokenizer)
        if not prefix:
            fallback = "rationale" if self.without_reference == "rationale" and problem["solution"] else "plain"
            return self._fields(problem, fallback, flags=("no_prefix",))
        return self._asked("plain", {"problem": problem["question"]}, "state_reset", prefix)

    def _interactive(self, problem: Row, rows: Sequence[Row], seed: int) -> Search[Help | str]:
        """Ask the teacher what is wrong with the latest wrong answer; without one, ask plainly."""
        wrong = [row for row in rows if row["verdict"] in {"wrong", "no_answer"} and row["text"].strip()]
        if not wrong:
            return self._fields(problem, "plain", flags=("nothing_wrong",))
        values = {
            "problem": problem["question"],
            "attempt": wrong[-1]["text"],
            "answer": problem["answer"],
            "reference": problem["solution"] or "",
        }
        prompt = self.prompts["feedback"]
        messages = prompt.messages(**{name: values[name] for name in prompt.fields})
        for attempt in range(self.attempts):
            request = Generate("teacher", messages, self.teacher, seed_of(seed, "teacher", attempt))
            feedback = cast(Completion, (yield [request])[0])
            if feedback.finish != "error" and feedback.text.strip():
                told = leaks.tells_answer(feedback.text, problem["answer"])
                values["feedback"] = feedback.text.strip()
                flags = ("answer_in_feedback",) if told else ()
                return self._asked("revise", values, "interactive", feedback=feedback, flags=flags)
        return "teacher_failed"
