"""The settings of GSI, and its variants."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bestpath.settings.base import Count, Lora, MethodSettings, Positive, Section, Share, Training

Unit = Literal["line", "sentence", "fraction"]


class GsiSample(Section):
    """The plain phase: every question is asked a few times."""

    mode: Literal["cot", "pot"] = Field("cot", description="rationales, or programs that are run in a sandbox")
    n_init: Count = Field(8, description="plain draws a question")
    temperature: float = Field(0.7, ge=0.0)
    top_p: Share = 1.0
    max_tokens: Count = Field(1024, description="longest completion, a given prefix not counted")
    verifier: Literal["equiv", "gsi_compat"] = Field("equiv", description="`gsi_compat` judges as the released code")
    min_level: Literal["bubblewrap", "namespace", "rlimit"] = Field(
        "namespace", description="the weakest isolation in which programs may run; `rlimit` keeps nothing in"
    )


class Teacher(Section):
    """How the teacher of the strategy `interactive` answers; the role `teacher` says who it is."""

    temperature: float = Field(1.0, ge=0.0)
    top_p: Share = 0.95
    max_tokens: Count = Field(1024, description="longest feedback")
    attempts: Count = Field(5, description="attempts at one feedback before its round counts as not done")
    max_not_done: Share = Field(0.05, description="stop when a larger share of the questions gets no feedback")


class Guidance(Section):
    """The guided phase: questions short of k correct answers are asked again, with help."""

    strategy: Literal["none", "plain", "answer", "rationale", "interactive", "state_reset", "mixed"] = Field(
        "state_reset", description="`none` is vanilla self-improvement, `plain` brute force"
    )
    k: Count = Field(4, description="correct answers wanted of a question")
    wanted: Literal["k", "by_failure"] = Field(
        "k", description="`by_failure`: of each question a share of k that grows with its plain failures (DART)"
    )
    rounds: Count = Field(8, description="R, the most further draws of a question")
    draws: Literal["one", "adaptive"] = Field(
        "one", description="one draw at a time, or as many at once as should fill the deficit"
    )
    count_repeats: bool = Field(False, description="guided answers with equal texts all count towards k (released)")
    prefix_unit: Unit = Field("line", description="what a state reset reveals at a time")
    prefix_units: dict[str, Unit] = Field({}, description="`prefix_unit` of single data sets, by name")
    reveal_answer: bool = Field(False, description="a prefix may hold the final answer (released)")
    keep_last_step_hidden: bool = Field(False, description="a prefix never holds the last of several steps")
    max_reveal: Share | None = Field(
        None, description="the largest share of a reference solution in a prefix; default: any"
    )
    without_reference: Literal["plain", "rationale"] = Field(
        "plain", description="the help for a question whose reference solution reveals nothing"
    )
    answer_style: Literal["labelled", "bare"] = Field(
        "labelled", description="`bare` puts the answer behind the question without a label (released)"
    )
    teacher: Teacher = Teacher()


class GsiSelect(Section):
    """From draws to the next training set."""

    cap: Count | None = Field(None, description="most rows of a question; the value of k makes the set uniform")
    cap_by: Literal["first", "random", "shortest"] = "first"
    dedup: bool = Field(True, description="drop equal texts of a question")
    leaks: bool = Field(True, description="drop texts that mention the help, or go round in circles")
    hints: list[str] | None = Field(None, description="patterns of such mentions; default: those of docs/gsi.md")
    copies: Literal["one", "all", "none"] = Field(
        "one", description="copies of its reference solution that a question keeps, of answers drawn with it in sight"
    )
    step_check: Literal["off", "values", "strings"] = Field(
        "off", description="drop texts with a wrong equation; `strings` compares as the released code"
    )
    fill: bool = Field(
        False, description="fill deficits with copies of the reference solution: the control for guidance"
    )
    repeat: bool = Field(False, description="repeat the rows of a question up to k")
    tokens_of: str | None = Field(
        None, description="cut the guided phase off where it has cost as many tokens as that of this other variant"
    )
    add_references: bool = Field(False, description="mix in the reference solutions of all data sets")
    add_previous: bool = Field(False, description="mix in the training set of the iteration before")
    min_rows: Count = Field(50, description="stop when the set has fewer rows than this")


class GsiTrain(Training):
    """SFT on a training set."""

    start: Literal["base", "continue"] = Field("base", description="what each iteration is trained from")
    learning_rate: Positive = 1.0e-5
    global_batch: Count = 64
    micro_batch: Count = Field(8, description="rows at once on one device; the rest is accumulated")
    max_length: Count = Field(1024, description="longer rows are rejected, never cut")
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = "linear"
    lora: Lora = Lora(r=0)


GSI_VARIANTS: dict[str, dict[str, Any]] = {
    "vanilla": {"guidance": {"strategy": "none"}},
    "brute": {"guidance": {"strategy": "plain", "rounds": 32}},
    "brute_uniform": {"guidance": {"strategy": "plain", "rounds": 32}, "select": {"cap": 4}},
    "brute_equal": {"guidance": {"strategy": "plain", "rounds": 32}, "select": {"tokens_of": "state_reset"}},
    "answer": {"guidance": {"strategy": "answer"}},
    "rationale": {"guidance": {"strategy": "rationale"}},
    "interactive": {"guidance": {"strategy": "interactive"}},
    "state_reset": {"guidance": {"strategy": "state_reset"}},
    "state_reset_uniform": {"guidance": {"strategy": "state_reset"}, "select": {"cap": 4}},
    "state_reset_hidden": {"guidance": {"strategy": "state_reset", "keep_last_step_hidden": True}},
    "mixed": {"guidance": {"strategy": "mixed"}},
    "fill": {"guidance": {"strategy": "none"}, "select": {"fill": True}},
    "star": {"sample": {"n_init": 1}, "guidance": {"strategy": "answer", "k": 1, "rounds": 1}},
    "clip": {"guidance": {"strategy": "none"}, "select": {"cap": 4}},
    "repeat": {"guidance": {"strategy": "none"}, "select": {"repeat": True}},
    "prop2diff": {"guidance": {"strategy": "plain", "wanted": "by_failure", "rounds": 32}},
    "adaptive": {"guidance": {"strategy": "plain", "draws": "adaptive", "rounds": 32}},
    "with_references": {"select": {"add_references": True}},
    "with_previous": {"select": {"add_previous": True}},
    "continued": {"train": {"start": "continue"}},
    "released": {
        "sample": {"verifier": "gsi_compat"},
        "guidance": {"reveal_answer": True, "count_repeats": True},
        "select": {"dedup": False, "leaks": False, "copies": "all"},
    },
}
"""The paper's strategies, controls and follow-ups, as rows of the configuration (docs/gsi.md, variants)."""


class Gsi(MethodSettings):
    """GSI: sample, guide where answers are missing, train from the base again, and so on."""

    iterations: Count = Field(
        4, description="T, the number of trained models, the one trained on reference solutions included"
    )
    sample: GsiSample = GsiSample()
    guidance: Guidance = Guidance()
    select: GsiSelect = GsiSelect()
    train: GsiTrain = GsiTrain()
    run: list[str] = Field(["vanilla", "state_reset"], min_length=1, description="variants to run")
    variants: dict[str, dict[str, Any]] = Field(
        GSI_VARIANTS, description="a name and the settings of this section that differ"
    )


EMBEDDED: dict[str, Any] = {
    "sample": {"max_tokens": 160},
    "guidance": {"teacher": {"temperature": 0.7, "max_tokens": 40}},
    "train": {"learning_rate": 3.0e-4, "epochs": 2.0, "global_batch": 32, "micro_batch": 32, "max_length": 448},
}
"""What differs where the base is the embedded one: short answers, and rates for a small model."""
