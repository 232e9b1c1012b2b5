"""What the numbers say, in sentences computed from them: gains, costs and losses alike.

An effect counts as measured when its 95 % interval excludes zero; otherwise the sentence says how large a loss the
interval still allows. A system without accuracy is judged by its length alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace

from bestpath.core.systems import BASE, Comparison, SystemRow
from bestpath.core.tables import Row
from bestpath.stages.evaluation.words import named, percent, points, tokens_change

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
    ("shorter", "ungraded"): "shorter",
    ("same", "ungraded"): "no measurable change in length",
    ("longer", "ungraded"): "longer",
}


def verdict(line: SystemRow) -> str:
    """One sentence on a system against the reference, for example

    `length specialist: 41 % fewer tokens [38, 44] at +0.4 points [-1.2, 2.0]: shorter, with no measurable change
    in accuracy (a loss of up to 1.2 points is not excluded).`
    """
    return f"{line.system}: {effect(line)}: {judgement(line)}."


def effect(compared: Comparison, of: str = "") -> str:
    """The two differences of a system from another: `41 % fewer tokens [38, 44] at +0.4 points [-1.2, 2.0]`.

    `of` is said after the word points. What does not exist is left out. Raises ValueError if nothing exists.
    """
    parts = []
    if compared.token_ratio is not None:
        parts.append(tokens_change(compared.token_ratio, compared.ratio_low, compared.ratio_high))
    if compared.delta is not None:
        text = points(compared.delta, compared.delta_low, compared.delta_high)
        parts.append(text.replace(" points", f" points{of}"))
    if not parts:
        raise ValueError("a system that is not compared with another has no effect")
    return " at ".join(parts)


def judgement(compared: Comparison) -> str:
    """What the differences amount to, in words, with the caveats that belong to them."""
    length, accuracy = length_change(compared), accuracy_change(compared)
    text = JUDGEMENTS[length, accuracy]
    if accuracy == "same" and compared.delta_low is not None and compared.delta_low < 0:
        text += f" (a loss of up to {-100 * compared.delta_low:.1f} points is not excluded)"
    if not isinstance(compared, SystemRow):
        return text
    if compared.delta_seed_sd is not None:
        text += f"; {compared.seeds} seeds, which differ by {100 * compared.delta_seed_sd:.1f} points (SD)"
    if compared.truncation > NOTABLE_TRUNCATION:
        cut = percent(compared.truncation)
        text += f"; {cut} % of its samples were cut off at {compared.max_tokens} tokens"
    return text


def accuracy_change(compared: Comparison) -> str:
    """`better`, `worse`, `same` when the interval includes zero or there is none, or `ungraded`."""
    if compared.delta is None:
        return "ungraded"
    if compared.delta_low is None or compared.delta_high is None:
        return "same"
    return "better" if compared.delta_low > 0 else "worse" if compared.delta_high < 0 else "same"


def length_change(compared: Comparison) -> str:
    """`shorter`, `longer`, or `same` when the interval includes no change or there is none."""
    if compared.ratio_low is None or compared.ratio_high is None:
        return "same"
    return "shorter" if compared.ratio_high < 1 else "longer" if compared.ratio_low > 1 else "same"


def is_compared(compared: Comparison) -> bool:
    """Whether there is any difference to speak of; the reference itself has none."""
    return compared.delta is not None or compared.token_ratio is not None


def verdicts(lines: Iterable[SystemRow]) -> list[str]:
    """A sentence for every system but the reference."""
    return [verdict(line) for line in lines if is_compared(line)]


def comparisons(differences: Iterable[Row]) -> dict[tuple[str, str], dict[tuple[str, str], Comparison]]:
    """The rows of `DIFFERENCES` by data set and decoding, and by system and reference."""
    pairs: dict[tuple[str, str], dict[tuple[str, str], dict[str, Row]]] = {}
    for row in differences:
        place = pairs.setdefault((row["dataset"], row["decoding"]), {})
        place.setdefault((row["system"], row["reference"]), {})[row["metric"]] = row
    nothing = dict.fromkeys(("value", "ci_low", "ci_high"))

    def comparison(reference: str, by_metric: dict[str, Row]) -> Comparison:
        accuracy, tokens = by_metric.get("accuracy", nothing), by_metric.get("tokens", nothing)
        return Comparison(
            reference=reference,
            delta=accuracy["value"],
            delta_low=accuracy["ci_low"],
            delta_high=accuracy["ci_high"],
            token_ratio=tokens["value"],
            ratio_low=tokens["ci_low"],
            ratio_high=tokens["ci_high"],
        )

    return {
        place: {pair: comparison(pair[1], by_metric) for pair, by_metric in of_pairs.items()}
        for place, of_pairs in pairs.items()
    }


def pair_verdicts(differences: Iterable[Row], systems: Collection[str]) -> list[str]:
    """A sentence on any two of some systems, for each data set and decoding, for example

    `test, greedy: length specialist against iteration 2: 12 % fewer tokens [9, 15] at -3.1 points [-5.0, -1.2]:
    shorter, but paid for with accuracy.`
    """
    return [
        f"{dataset}, {decoding}: {system} against {named(reference)}: {effect(compared)}: {judgement(compared)}."
        for (dataset, decoding), pairs in comparisons(differences).items()
        for (system, reference), compared in pairs.items()
        if system in systems and reference in systems
    ]


def against_own_base(lines: Iterable[SystemRow], differences: Iterable[Row]) -> list[SystemRow]:
    """The lines, each compared with the base under the plain prompt of its own method, by the rows of `DIFFERENCES`.

    With several methods that is not always the reference, and what a method brings must not be credited with what its
    prompt brings. A line stays as it is where its method has no such system, or nothing is known of the two.
    """
    lines, pairs = list(lines), comparisons(differences)
    bases = {line.method: line.system for line in lines if line.kind == "base"}

    def compared(line: SystemRow) -> SystemRow:
        base = bases.get(line.method, line.reference)
        found = pairs.get((line.dataset, line.decoding), {}).get((line.system, base or ""))
        return line if base == line.reference or found is None else replace(line, **asdict(found))

    return [compared(line) for line in lines]


def headline(lines: Sequence[SystemRow], chosen: str) -> list[str]:
    """What a method achieved: a sentence on the chosen system for each decoding of the first data set.

    `chosen` is the name of the system that was picked on the dev split. Raises ValueError if it is not there.
    """
    ours = [line for line in lines if line.system == chosen and line.dataset == lines[0].dataset and is_compared(line)]
    if not ours:
        raise ValueError(f"there is no result of {chosen}")
    first, *others = ours
    sentences = [
        f"On {first.problems} problems of {first.dataset}, under {first.decoding} decoding, {chosen} writes "
        f"{effect(first, ' of accuracy')}, against {named(first.reference or '')}: {judgement(first)}."
    ]
    sentences += [
        f"Under {line.decoding} decoding it writes {effect(line, ' of accuracy')}: {judgement(line)}."
        for line in others
    ]
    return sentences


def dominating(line: SystemRow, rivals: Iterable[SystemRow]) -> list[SystemRow]:
    """The rivals that are no less accurate and no longer, and better in one of the two (point estimates)."""
    return [
        rival
        for rival in rivals
        if line.accuracy is not None and line.tokens is not None
        if rival.accuracy is not None and rival.tokens is not None
        if rival.accuracy >= line.accuracy and rival.tokens <= line.tokens
        if (rival.accuracy, rival.tokens) != (line.accuracy, line.tokens)
    ]


def decoding_verdicts(lines: Sequence[SystemRow]) -> list[str]:
    """What a second decoding costs: the reference, and the systems that hold their accuracy only under the first.

    The first decoding of a data set is the yardstick.
    """
    graded = [line for line in lines if line.accuracy is not None]
    reference = named(next((line.reference for line in graded if line.reference), BASE))
    sentences = []
    for dataset in dict.fromkeys(line.dataset for line in graded):
        first, *others = [here for place, here in by_decoding(graded).items() if place[0] == dataset]
        for second in others:
            then = {line.system: line for line in second}
            pairs = [(line, then[line.system]) for line in first if line.system in then]
            sentences += [_cost(a, b) for a, b in pairs if a.reference is None]
            turns = [_turn(a, b) for a, b in pairs if _turns(a, b)]
            sentences += turns or [
                f"{dataset}: no system that keeps {reference}'s accuracy under {first[0].decoding} decoding measurably "
                f"loses it under {second[0].decoding} decoding."
            ]
    return sentences


def by_decoding(lines: Iterable[SystemRow]) -> dict[tuple[str, str], list[SystemRow]]:
    """The lines by data set and decoding, in their order."""
    groups: dict[tuple[str, str], list[SystemRow]] = {}
    for line in lines:
        groups.setdefault((line.dataset, line.decoding), []).append(line)
    return groups


def _cost(first: SystemRow, second: SystemRow) -> str:
    if first.accuracy is None or second.accuracy is None:
        raise ValueError("an ungraded system has no accuracy")
    change = 100 * (second.accuracy - first.accuracy)
    what = f"{'costs' if change <= 0 else 'brings'} {first.system} {abs(change):.1f} points"
    return (
        f"{first.dataset}: {second.decoding} instead of {first.decoding} {what} of accuracy "
        f"({percent(first.accuracy)} to {percent(second.accuracy)} %)."
    )


def _turns(first: SystemRow, second: SystemRow) -> bool:
    return is_compared(first) and accuracy_change(second) == "worse" != accuracy_change(first)


def _turn(first: SystemRow, second: SystemRow) -> str:
    before, after = (effect(replace(line, token_ratio=None)) for line in (first, second))
    return (
        f"{first.dataset}: {first.system} is at {before} against {named(first.reference or '')} under "
        f"{first.decoding} decoding, but at {after} under {second.decoding} decoding."
    )
