"""What the numbers say, in sentences computed from them: gains, costs and losses alike.

An effect counts as measured when its 95 % interval excludes zero; otherwise the sentence says how large a loss the
interval still allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bestpath.stages.evaluation.results import Result
from bestpath.stages.evaluation.words import percent, points, tokens_change

NOTABLE_TRUNCATION = 0.01

JUDGEMENTS = {
    ("shorter", "better"): "shorter and more accurate",
    ("shorter", "same"): "shorter, with no measurable change in accuracy",
    ("shorter", "worse"): "shorter, but paid for with accuracy",
    ("same", "better"): "more accurate at about the same length",
    ("same", "same"): "no measurable effect",
    ("same", "worse"): "a loss: less accurate and not shorter",
    ("longer", "better"): "more accurate, but longer",
    ("longer", "same"): "a loss: longer and not measurably more accurate",
    ("longer", "worse"): "a loss on both counts",
}


def verdict(result: Result) -> str:
    """One sentence on a system against the base, for example

    `length specialist: 41 % fewer tokens [38, 44] at +0.4 points [-1.2, 2.0]: shorter, with no measurable change
    in accuracy (a loss of up to 1.2 points is not excluded).`
    """
    return f"{result.system}: {effect(result)}: {judgement(result)}."


def effect(result: Result, of: str = "") -> str:
    """The two differences from the base: `41 % fewer tokens [38, 44] at +0.4 points [-1.2, 2.0]`.

    `of` is said after the word points.
    """
    c = result.compared
    if c is None:
        raise ValueError("the base is not compared with itself")
    text = points(c.delta, c.delta_low, c.delta_high).replace(" points", f" points{of}")
    if c.token_ratio is None:
        return text
    return f"{tokens_change(c.token_ratio, c.ratio_low, c.ratio_high)} at {text}"


def judgement(result: Result) -> str:
    """What the differences amount to, in words, with the caveats that belong to them."""
    c = result.compared
    if c is None:
        raise ValueError("the base is not compared with itself")
    length, accuracy = length_change(result), accuracy_change(result)
    text = JUDGEMENTS[length, accuracy]
    if accuracy == "same" and c.delta_low is not None and c.delta_low < 0:
        text += f" (a loss of up to {-100 * c.delta_low:.1f} points is not excluded)"
    if c.delta_seed_sd is not None:
        text += f"; {result.measured.seeds} seeds, which differ by {100 * c.delta_seed_sd:.1f} points (SD)"
    if result.measured.truncation > NOTABLE_TRUNCATION:
        text += f"; {percent(result.measured.truncation)} % of its samples were cut off at {result.max_tokens} tokens"
    return text


def accuracy_change(result: Result) -> str:
    """`better`, `worse`, or `same` when the interval includes zero or there is none."""
    c = result.compared
    if c is None or c.delta_low is None or c.delta_high is None:
        return "same"
    return "better" if c.delta_low > 0 else "worse" if c.delta_high < 0 else "same"


def length_change(result: Result) -> str:
    """`shorter`, `longer`, or `same` when the interval includes no change or there is none."""
    c = result.compared
    if c is None or c.ratio_low is None or c.ratio_high is None:
        return "same"
    return "shorter" if c.ratio_high < 1 else "longer" if c.ratio_low > 1 else "same"


def verdicts(results: Iterable[Result]) -> list[str]:
    """A sentence for every system but the base."""
    return [verdict(result) for result in results if result.compared is not None]


def headline(results: Sequence[Result], chosen: str) -> list[str]:
    """What the method achieved: a sentence on the chosen system for each decoding of the first data set.

    `chosen` is the name of the system that was picked on the dev split. Raises ValueError if it is not there.
    """
    ours = [r for r in results if r.system == chosen and r.dataset == results[0].dataset and r.compared]
    if not ours:
        raise ValueError(f"there is no result of {chosen}")
    first, *others = ours
    sentences = [
        f"On {first.measured.problems} problems of {first.dataset}, under {first.decoding} decoding, {chosen} writes "
        f"{effect(first, ' of accuracy')}, against the base: {judgement(first)}."
    ]
    sentences += [f"Under {r.decoding} decoding it writes {effect(r, ' of accuracy')}: {judgement(r)}." for r in others]
    return sentences


def dominating(result: Result, rivals: Iterable[Result]) -> list[Result]:
    """The rivals that are no less accurate and no longer, and better in one of the two (point estimates)."""
    accuracy, tokens = result.measured.accuracy, result.measured.tokens
    return [
        rival
        for rival in rivals
        if tokens is not None and rival.measured.tokens is not None
        if rival.measured.accuracy >= accuracy and rival.measured.tokens <= tokens
        if (rival.measured.accuracy, rival.measured.tokens) != (accuracy, tokens)
    ]


def merge_verdicts(results: Sequence[Result]) -> list[str]:
    """For every data set and decoding, which merges lose to a system that needed no merge, and which hold.

    A merge loses when an unmerged system of its variant, or of the main one, dominates it.
    """
    sentences = []
    for where, here in _settings(results).items():
        holding = []
        for merge in (r for r in here if r.kind == "merged"):
            rivals = [r for r in here if r.kind != "merged" and r.variant in {merge.variant, "main"}]
            better = dominating(merge, rivals)
            if better:
                best = max(better, key=lambda r: (r.measured.accuracy, -(r.measured.tokens or 0.0)))
                versus = f"{_spot(merge)} against {_spot(best)}"
                sentences.append(f"{', '.join(where)}: {merge.system} loses to {best.system}, {versus}.")
            else:
                holding.append(merge.system)
        if holding:
            held = _listed(holding)
            sentences.append(f"{', '.join(where)}: no unmerged system beats {held} on both counts.")
    return sentences


def decoding_verdicts(results: Sequence[Result]) -> list[str]:
    """What a second decoding costs: the base, and the systems that hold their accuracy only under the first.

    The first decoding of a data set is the yardstick.
    """
    sentences = []
    for dataset in dict.fromkeys(r.dataset for r in results):
        first, *others = [here for where, here in _settings(results).items() if where[0] == dataset]
        for second in others:
            then = {r.system: r for r in second}
            pairs = [(r, then[r.system]) for r in first if r.system in then]
            sentences += [_base_cost(a, b) for a, b in pairs if a.compared is None]
            turns = [_turn(a, b) for a, b in pairs if _turns(a, b)]
            sentences += turns or [
                f"{dataset}: no system that keeps the base's accuracy under {first[0].decoding} decoding measurably "
                f"loses it under {second[0].decoding} decoding."
            ]
    return sentences


def _base_cost(first: Result, second: Result) -> str:
    change = 100 * (second.measured.accuracy - first.measured.accuracy)
    what = f"{'costs' if change <= 0 else 'brings'} {first.system} {abs(change):.1f} points"
    return (
        f"{first.dataset}: {second.decoding} instead of {first.decoding} {what} of accuracy "
        f"({percent(first.measured.accuracy)} to {percent(second.measured.accuracy)} %)."
    )


def _turns(first: Result, second: Result) -> bool:
    return first.compared is not None and accuracy_change(second) == "worse" != accuracy_change(first)


def _turn(first: Result, second: Result) -> str:
    a, b = first.compared, second.compared
    if a is None or b is None:
        raise ValueError("the base is not compared with itself")
    before, after = (points(c.delta, c.delta_low, c.delta_high) for c in (a, b))
    return (
        f"{first.dataset}: {first.system} is at {before} against the base under {first.decoding} decoding, "
        f"but at {after} under {second.decoding} decoding."
    )


def _settings(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """The results by data set and decoding, in their order."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.dataset, result.decoding), []).append(result)
    return groups


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _spot(result: Result) -> str:
    tokens = result.measured.tokens
    return f"{percent(result.measured.accuracy)} % with {'no' if tokens is None else f'{tokens:.1f}'} tokens"
