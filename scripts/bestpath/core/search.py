"""What a search may ask for, and what it gets back.

A method explores one problem by asking, looking at the answers and asking again. It is written as a
generator for one problem: it yields a list of requests and receives the list of their results, in the same
order, and returns what it found. It does no input or output, so a test drives it by hand:

    search = explore(problem, rules)
    requests = next(search)                  # what it asks first
    requests = search.send(results)          # what it asks next; StopIteration.value is what it found

`stages.generation` runs thousands of searches over the engines at once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar


@dataclass(frozen=True)
class Message:
    """One turn of a chat, before the model's chat template is applied."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Sampling:
    """How to draw a completion. Temperature 0 is greedy decoding; `top_k` 0 means no limit."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 256


@dataclass(frozen=True)
class Generate:
    """Ask the model that plays `role` for one completion.

    `prefill` is text placed at the start of the assistant's turn; the completion goes on from it and does
    not repeat it. `seed` alone decides the draw (see `randomness`).
    """

    role: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    prefill: str = ""


@dataclass(frozen=True)
class Completion:
    """The answer to a `Generate` request.

    `n_tokens` counts the completion's tokens by the model's own tokenizer, the end token included.
    `finish`: `stop` (the model ended its turn), `length` (cut at `max_tokens` or the context),
    `error` (the engine failed twice, or the prompt left no room; `error` then says why: `prompt_too_long`
    or `engine_error: ...`; `text` is empty).
    """

    text: str
    n_tokens: int
    n_prompt_tokens: int
    finish: Literal["stop", "length", "error"]
    error: str | None = None


Measure = Literal["reward", "likelihood"]


@dataclass(frozen=True)
class Score:
    """Ask the model that plays `role` how good the last turn of a chat is, an assistant's, given those before it.

    `reward`: the number that a reward model (one of Bradley and Terry's kind) gives the whole chat.
    `likelihood`: how probable a language model finds the turn, taken as its own answer to the turns before.
    Raises ValueError when the last turn is not the assistant's.
    """

    role: str
    messages: tuple[Message, ...]
    of: Measure = "reward"

    def __post_init__(self) -> None:
        if not self.messages or self.messages[-1].role != "assistant":
            raise ValueError("only an assistant's turn can be scored, and it must be the last of the chat")


@dataclass(frozen=True)
class Scored:
    """The answer to a `Score` request.

    `value` is the reward, a logit, or the natural logarithm of the turn's probability: the sum over its `n_tokens`
    tokens, the end token included (as in `Completion`), so that `value / n_tokens` is the mean a token and
    `exp(-value / n_tokens)` the perplexity. For a reward, `n_tokens` counts the whole chat.
    `value` is None when `error` says why there is none, as for a `Completion`.
    """

    value: float | None
    n_tokens: int
    error: str | None = None


@dataclass(frozen=True)
class Grade:
    """Ask whether the final answer of `text` equals the gold answer of its problem.

    `kind` names the rules of extraction and equality (see `answers`); `choices` are the options of a
    multiple-choice problem, in order.
    """

    text: str
    gold: str
    kind: str = "math"
    choices: tuple[tuple[str, str], ...] = ()


Outcome = Literal["correct", "wrong", "no_answer", "timeout", "ungraded"]


@dataclass(frozen=True)
class Verdict:
    """The answer to a `Grade` request.

    `answer` is the extracted final answer, None when there is none. `timeout` means that equality could not
    be decided in time: such a completion counts neither as correct nor as wrong. `ungraded` means that the problem has
    no gold answer (kind `open`).
    `loosely_equal` is true for a wrong answer that a laxer comparison would accept: too doubtful to serve
    as an example of a mistake.
    """

    outcome: Outcome
    answer: str | None = None
    rule: str = ""
    loosely_equal: bool = False


@dataclass(frozen=True)
class Run:
    """Ask for a program to be run in the sandbox: the text of a completion, with or without a code fence."""

    program: str


RunStatus = Literal["ok", "no_output", "error", "timeout", "oom", "killed"]


@dataclass(frozen=True)
class Ran:
    """The answer to a `Run` request.

    `status`: `ok` (it ended by itself and printed something), `no_output`, `error` (an exception; `error` is its last
    line), `timeout`, `oom` (too much memory) or `killed` (a signal, or too many processes). `stdout` may be cut.
    `level` is the isolation it ran under.
    """

    status: RunStatus
    stdout: str
    error: str | None = None
    seconds: float = 0.0
    level: str = ""


Request = Generate | Score | Grade | Run
Result = Completion | Scored | Verdict | Ran

Found = TypeVar("Found")
Search = Generator[Sequence[Request], Sequence[Result], Found]
