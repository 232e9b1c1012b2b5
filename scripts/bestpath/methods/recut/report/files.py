"""The files that ReCUT's chapter of the report is made from, by name and labels, and facts that stand in none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bestpath.core.declarations import View
from bestpath.methods.recut.models import SETS, merged, trained

Entry = dict[str, Any]


def entries(view: View) -> Iterator[Entry]:
    """The entries of the manifest by name, with the labels that the chapter asks for; all but `trials`, `funnel` and
    `merge_choice` are of the first variant and seed:

    - `trials` (`variant`): completions of the exploration, a file a shard; of every variant, for the cost
    - `candidates`, `optimal`: tables of the same names
    - `funnel` (`variant`): counts
    - `metrics` (`system`, `learning_rate`, `seed`): of a training run
    - `training_set`, `choice` (`system`): of a specialist: rows, and what the dev split chose of its runs
    - `merge` (`merge`, `settings`): the report of a merge
    - `merge_choice` (`variant`): what the dev split chose among a variant's merges, if it has any
    - `dev_samples`, `dev_scores` (`system`): answers to the dev problems and their verdicts, of the base first, then of
      the merges

    Common entries that it asks for: `problems` (`dataset`: train), `base` (the base's manifest).
    """
    first, seed = view.variants[0], view.common.seeds[0]
    for variant in view.variants:
        for path in view.made(variant, "explore", "trials", seed=seed):
            yield {"name": "trials", "path": path, "variant": variant, "draws": True}
        [path] = view.made(variant, "funnel", "counts", seed=seed)
        yield {"name": "funnel", "path": path, "variant": variant}
        if merged(view.own(variant)):
            [path] = view.made(variant, "choice", "choice", seed=seed)
            yield {"name": "merge_choice", "path": path, "variant": variant}
    for name in ("candidates", "optimal"):
        [path] = view.made(first, name, name, seed=seed)
        yield {"name": name, "path": path}
    for specialist in trained(view.own(first)):
        called = {"system": view.system(first, "train", specialist, seed).label}
        [choice] = view.made(first, "train", "choice", specialist, seed)
        rates = view.own(first).train.learning_rates.model_dump()[SETS[specialist]]
        for rate in rates:
            path = choice.replace("choice.json", f"{rate:g}/metrics.jsonl")
            yield {"name": "metrics", "path": path, **called, "learning_rate": rate, "seed": seed}
        [path] = view.made(first, "pairs", "train", SETS[specialist], seed)
        yield {"name": "training_set", "path": path, **called}
        yield {"name": "choice", "path": choice, **called}
    systems = [view.base_system()]
    for merge in merged(view.own(first)):
        [path] = view.made(first, "merge", "report", merge, seed)
        settings = view.own(first).merge.methods[merge].model_dump()
        yield {"name": "merge", "path": path, "merge": merge, "settings": settings}
        systems.append(view.system(first, "merge", merge, seed))
    for system in systems:
        answers, called = view.answers(system, "dev"), {"system": system.label}
        yield {"name": "dev_samples", "path": f"{answers}.samples.parquet", **called, "draws": True}
        yield {"name": "dev_scores", "path": f"{answers}.scores.parquet", **called}


def facts(view: View) -> Entry:
    """What stands in no file: the settings to be shown, and what each variant changes and ends with.

    `ends_with` gives the label of the last system by the merge that the dev split chooses, under '' if nothing is
    merged.
    """
    recut = view.own(view.variants[0])
    shown = {"model": view.common.base, "explore": recut.explore, "pairs": recut.pairs, "train": recut.train}
    return {
        "variants": [
            {"name": name, "overlay": view.section.variants.get(name, {}), "ends_with": _ends(view, name)}
            for name in view.variants
        ],
        "settings": {
            f"{name}.{key}": str(value) for name, part in shown.items() for key, value in part.model_dump().items()
        },
    }


def _ends(view: View, variant: str) -> dict[str, str]:
    """What a variant may end with: any of its merges, or else the last model that it trains."""
    own, seed = view.own(variant), view.common.seeds[0]
    if merges := merged(own):
        return {merge: view.system(variant, "merge", merge, seed).label for merge in merges}
    return {"": view.system(variant, "train", trained(own)[-1], seed).label}
