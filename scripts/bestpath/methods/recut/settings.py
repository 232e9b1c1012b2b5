"""The settings of ReCUT, and its ablations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bestpath.settings.base import Count, MethodSettings, Positive, Section, Share, Training


class Explore(Section):
    """ReCUT's stepwise exploration."""

    strategy: Literal["stepwise", "whole"] = Field(
        "stepwise", description="`whole` draws complete solutions under the neutral prompt instead"
    )
    rounds: Count = Field(8, description="R, the most steps that a path can have")
    modes: list[Literal["long", "short"]] = Field(
        ["long", "short"], min_length=1, description="prompts under which each round completes the solution"
    )
    samples_per_mode: Count = Field(1, description="completions a round under each of them")
    temperature: float = Field(0.7, ge=0.0)
    top_p: Share = 0.95
    max_tokens: Count = Field(2048, description="longest completion")
    continuation: Literal["prompt", "prefill"] = Field(
        "prompt", description="kept steps stand in the user's turn, or start the assistant's"
    )
    stop_rule: Literal["terminal", "boxed_in_step"] = Field(
        "terminal", description="`boxed_in_step` is the released rule, which hardly ever stops"
    )
    alpha: Positive = Field(1.0, description="reward of a correct completion, before division by its length")
    beta: float = Field(1.0, ge=0.0, description="penalty of a wrong completion, before division by its length")
    both_wrong: Literal["formula", "figure"] = Field(
        "formula", description="of two wrong completions keep the longer (`formula`) or the shorter (`figure`)"
    )
    unparsable_tier: Literal["below_wrong", "same"] = Field(
        "below_wrong",
        description="how a completion that was cut off or has no answer ranks; `same`: as a wrong one",
    )
    length_unit: Literal["tokens", "chars"] = Field("tokens", description="what the reward divides by")


class Policy(Section):
    """Which candidate loses against the optimal path."""

    rejected: Literal["longest", "random", "median", "shortest", "length_matched", "all"] = "longest"


class Pairs(Section):
    """ReCUT's preference pairs."""

    rule: Literal["fixed", "released"] = Field(
        "fixed", description="`released` is the rule of the released code, with its wrong winners"
    )
    rounds: Count | None = Field(None, description="use only candidates of the first rounds of the trace")
    verifier: Literal["dataset", "exact"] = Field(
        "dataset", description="`exact` re-grades the trace by string equality"
    )
    length_unit: Literal["tokens", "chars"] = Field("tokens", description="what makes a candidate short or long")
    rho: float = Field(1.2, ge=1.0, description="a length loser has at least rho times the winner's tokens")
    max_per_problem: Count = Field(1, description="pairs a problem in each set; the policy `all` has no limit")
    min_pairs: Count = Field(50, description="stop when a set has fewer pairs to train on than this")
    train_prompt: Literal["neutral", "bare"] = Field("neutral", description="`bare` is the problem alone")
    length: Policy = Policy(rejected="longest")
    accuracy: Policy = Policy(rejected="random")


class LearningRates(Section):
    """Learning rates to try, by training set; the best is chosen on the dev split."""

    length: list[Positive] = [1.0e-5]
    accuracy: list[Positive] = [1.0e-6]
    union: list[Positive] = [1.0e-6]
    sft: list[Positive] = [1.0e-5]


class Train(Training):
    """Training through TRL."""

    loss: Literal["sigmoid", "sigmoid_norm", "ipo"] = "sigmoid"
    beta: Positive = Field(0.1, description="DPO's beta")
    ld_alpha: Share | None = Field(None, description="length-desensitised DPO: weight of the tokens past the shorter")
    sft_weight: float = Field(0.0, ge=0.0, description="weight of an added SFT term on the chosen text")
    learning_rates: LearningRates = LearningRates()
    checkpoints: Count = Field(4, description="checkpoints a training, evenly spaced; the dev split chooses")
    select: Literal["dev", "last"] = Field(
        "dev", description="the checkpoint that is taken: by the dev split, or the last"
    )


class MergeMethod(Section):
    """One way to merge the two specialists (mergekit's names)."""

    method: Literal["dare_ties", "ties", "dare_linear", "linear", "task_arithmetic", "slerp", "sce"]
    density: Share = Field(1.0, description="share of the entries of each delta that is kept")
    weight: Positive = Field(0.5, description="weight of each specialist's delta")
    normalize: bool = Field(True, description="divide by the sum of the weights")
    share: Share | None = Field(None, description="`linear`, `slerp`: the length specialist's share")


class Merge(Section):
    """Merging the specialists."""

    methods: dict[str, MergeMethod] = {
        "dare_ties": MergeMethod(method="dare_ties", density=0.25, weight=0.25),
        "ties": MergeMethod(method="ties"),
        "linear-0.25": MergeMethod(method="linear", share=0.25),
        "linear-0.5": MergeMethod(method="linear", share=0.5),
        "linear-0.75": MergeMethod(method="linear", share=0.75),
    }
    dtype: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="the one final cast; the merge itself is float32"
    )


VARIANTS: dict[str, dict[str, Any]] = {
    "no_stepwise": {"explore": {"rounds": 1, "samples_per_mode": 4}},
    "long_only": {"explore": {"modes": ["long"], "samples_per_mode": 2}},
    "short_only": {"explore": {"modes": ["short"], "samples_per_mode": 2}},
    "both_wrong_figure": {"explore": {"both_wrong": "figure"}},
    "beta_0": {"explore": {"beta": 0.0}},
    "released_stop_rule": {"explore": {"stop_rule": "boxed_in_step"}},
    "rounds_1": {"pairs": {"rounds": 1}},
    "rounds_2": {"pairs": {"rounds": 2}},
    "rounds_4": {"pairs": {"rounds": 4}},
    "rounds_8": {"pairs": {"rounds": 8}},
    "released_pairs": {"pairs": {"rule": "released"}},
    "bare_prompt": {"pairs": {"train_prompt": "bare"}},
    "exact_verifier": {"pairs": {"verifier": "exact"}},
    "characters": {"pairs": {"length_unit": "chars"}},
    "union": {"specialists": "union"},
    "sequential": {"specialists": "sequential"},
    "sft_shortest": {"specialists": "sft"},
    "sft_rejection": {"specialists": "sft", "explore": {"strategy": "whole", "samples_per_mode": 8}},
    "sigmoid_norm": {"train": {"loss": "sigmoid_norm", "beta": 2.0}},
    "ipo": {"train": {"loss": "ipo"}},
    "merge_sweep": {
        "merge": {
            "methods": {
                "dare_ties-0.5": {"method": "dare_ties", "density": 0.5, "weight": 0.25},
                "dare_ties-1": {"method": "dare_ties", "density": 1.0, "weight": 0.25},
                "dare_linear": {"method": "dare_linear", "density": 0.5},
                "task_arithmetic": {"method": "task_arithmetic", "weight": 1.0, "normalize": False},
                "slerp": {"method": "slerp", "share": 0.5},
                "sce": {"method": "sce", "density": 0.75},
            }
        }
    },
}
"""The ablations of the paper and of its released code, as rows of the configuration."""


class Recut(MethodSettings):
    """ReCUT: stepwise exploration, two preference sets, two specialists, one merge."""

    explore: Explore = Explore()
    pairs: Pairs = Pairs()
    specialists: Literal["twin", "union", "sequential", "sft"] = Field(
        "twin", description="what is trained on the pairs; `twin` is the paper's"
    )
    train: Train = Train()
    merge: Merge = Merge()
    variants: dict[str, dict[str, Any]] = Field(
        VARIANTS, description="ablations: a name and the settings of this section that differ"
    )
    base_prompts: list[str] = Field(["long", "short"], description="prompts under which the base is evaluated, too")


EMBEDDED: dict[str, Any] = {
    "explore": {"max_tokens": 160},
    "train": {
        "learning_rates": {
            "length": [4.0e-5, 8.0e-5],
            "accuracy": [1.0e-4, 2.0e-4],
            "union": [4.0e-5, 8.0e-5],
            "sft": [5.0e-5, 1.0e-4],
        },
        "global_batch": 16,
        "micro_batch": 16,
        "max_length": 512,
        "lora": {"r": 0},
    },
    "merge": {"dtype": "float32"},
}
"""What differs where the base is the embedded one: short solutions, all weights, and rates for a small model."""
