"""The files that GSI's chapter of the report is made from, by name and labels, and facts that stand in none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bestpath.core.declarations import View

Entry = dict[str, Any]


def entries(view: View) -> Iterator[Entry]:
    """The entries of the manifest by name, with the labels that the chapter asks for:

    - `tail` (`variant`, `t`, `seed`, `id`): numbers about the training set of an iteration, and the id of the system
      that is trained on it, which every reading needs the verdicts of
    - `sampled`, `questions` (`variant`): what became of the draws and the questions in the set of iteration 1
    - `audit`: both verifiers' verdicts on the plain draws of iteration 0, first variant and seed
    - `draws`: all completions, for the cost

    Common entries that it asks for: `problems` (`dataset`: train, and the first evaluation set), `scores` (`id`,
    `dataset`).
    """
    seeds = view.common.seeds
    for variant in view.variants:
        iterations = view.own(variant).iterations
        for t in range(iterations):
            for seed in seeds:
                [path] = view.made(variant, "tail", "tail", str(t), seed)
                model = view.system(variant, "train", f"t{t}", seed).id
                yield {"name": "tail", "path": path, "variant": variant, "t": t, "seed": seed, "id": model}
        for seed in seeds if iterations > 1 else ():
            for name in ("sampled", "questions"):
                [path] = view.made(variant, "select", name, "1", seed)
                yield {"name": name, "path": path, "variant": variant}
        yield from _draws(view, variant)
    [path] = view.made(view.variants[0], "audit", "audit", seed=seeds[0])
    yield {"name": "audit", "path": path}


def _draws(view: View, variant: str) -> Iterator[Entry]:
    """The draws that the sets of a variant are made of."""
    own = view.own(variant)
    stages = {"draw": "draws", **({"guide": "graded"} if own.guidance.strategy != "none" else {})}
    for t in range(own.iterations - 1):
        for stage, file in stages.items():
            for seed in view.common.seeds:
                for path in view.made(variant, stage, file, str(t), seed):
                    yield {"name": "draws", "path": path, "draws": True}


def facts(view: View) -> Entry:
    """What stands in no file: the labels of the systems to be shown, what is guided, the settings to be shown."""
    seed, section = view.common.seeds[0], view.section
    ends = {
        variant: view.system(variant, "train", f"t{view.own(variant).iterations - 1}", seed).label
        for variant in view.variants
    }
    strategies = {variant: view.own(variant).guidance.strategy for variant in view.variants}
    published = [variant for variant in ends if strategies[variant] == "state_reset"]  # the paper recommends it
    shown = {"model": view.common.base, "sample": section.sample, "select": section.select, "train": section.train}
    return {
        "final": list(dict.fromkeys(["iteration 0", *ends.values()])),
        "main": ends[[*published, *ends][0]],
        "guided": [variant for variant in ends if strategies[variant] not in {"none", "plain"}],
        "settings": {
            f"{name}.{key}": str(value) for name, part in shown.items() for key, value in part.model_dump().items()
        },
    }
