"""What GSI promises, and whether the numbers show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bestpath.methods.gsi.report.story import Story, percent, spoken


@dataclass(frozen=True)
class Claim:
    """A promise, the figures for or against it, and whether it holds."""

    text: str
    figures: str
    holds: bool

    @property
    def sentence(self) -> str:
        """The claim with its figures, and whether it holds."""
        return f"{self.text[0].upper()}{self.text[1:]}: {self.figures}{'' if self.holds else ' — not met'}."

    @property
    def warning(self) -> str:
        """That it does not hold."""
        return f"{self.text}: does not hold ({self.figures})."


def claims(story: Story) -> list[Claim]:
    """What the method promises, as far as the variants that are run can show it."""
    found: list[Claim] = []
    hardest, hard, easy = story.hardest, story.levels[-2:], story.levels[:2]
    pool = story.value(story.variants[0], 0, "row_share", hardest) or 0.0

    def share(variant: str) -> float:
        return story.value(variant, 1, "row_share", hardest) or 0.0

    def coverage(variant: str) -> float:
        return story.value(variant, 1, "coverage", hardest) or 0.0

    def claim(text: str, figures: str, holds: bool) -> None:
        found.append(Claim(text, figures, holds))

    if "vanilla" in story.variants:
        claim(
            f"vanilla: level {hardest} has at most half of its share of the pool",
            f"{percent(share('vanilla'))} % of {percent(pool)} %", share("vanilla") <= pool / 2,
        )  # fmt: skip
    if {"vanilla", "state_reset"} <= set(story.variants):
        claim(
            f"state reset (floor): at least twice vanilla's share of level {hardest}",
            f"{percent(share('state_reset'))} against {percent(share('vanilla'))} %",
            share("state_reset") >= 2 * share("vanilla"),
        )
        claim(
            f"state reset: coverage of level {hardest} at least 20 points above vanilla's",
            f"{percent(coverage('state_reset'))} against {percent(coverage('vanilla'))} %",
            coverage("state_reset") >= coverage("vanilla") + 0.2,
        )
        t = min(story.last["vanilla"], story.last["state_reset"])
        ours, theirs = story.accuracy("state_reset", t, hard), story.accuracy("vanilla", t, hard)
        error = ((story.spread("state_reset", t, hard) or 0) ** 2 + (story.spread("vanilla", t, hard) or 0) ** 2) ** 0.5
        if ours is not None and theirs is not None:
            claim(
                f"state reset: accuracy on levels {' and '.join(hard)} above vanilla's by one standard error",
                f"{percent(ours)} against {percent(theirs)} %, standard error {100 * error:.1f}",
                ours - theirs >= error,
            )
        ours, theirs = story.accuracy("state_reset", t, easy), story.accuracy("vanilla", t, easy)
        if ours is not None and theirs is not None:
            claim(
                f"state reset: levels {' and '.join(easy)} within 2 points of vanilla's",
                f"{percent(ours)} against {percent(theirs)} %", ours >= theirs - 0.02,
            )  # fmt: skip
    if "state_reset_uniform" in story.variants:
        claim(
            f"state reset (uniform): at least 0.9 of the pool's share of level {hardest}",
            f"{percent(share('state_reset_uniform'))} % of {percent(pool)} %",
            share("state_reset_uniform") >= 0.9 * pool,
        )  # fmt: skip
    if {"brute", "state_reset"} <= set(story.variants):
        ours, theirs = (story.value(v, 1, "draws", "guided") or 0.0 for v in ("state_reset", "brute"))
        claim(
            "state reset: at most half of brute force's further draws",
            f"{ours:,.0f} against {theirs:,.0f}", ours <= theirs / 2,
        )  # fmt: skip
    return found


def control_sentences(story: Story, guided: Sequence[str], control: str = "fill") -> list[str]:
    """Whether guidance beats copies of the references, variant by variant: by more than one standard error or not."""
    if control not in story.variants:
        return []
    sentences = []
    for variant in (v for v in guided if v in story.variants):
        t = min(story.last[variant], story.last[control])
        own, other = story.accuracy(variant, t), story.accuracy(control, t)
        if own is None or other is None or t == 0:
            continue
        error = ((story.spread(variant, t) or 0.0) ** 2 + (story.spread(control, t) or 0.0) ** 2) ** 0.5
        word = "beats" if own - other > error else "loses to" if other - own > error else "does not beat"
        sentences.append(
            f"{spoken(variant).capitalize()} {word} the control, which fills deficits with copies of the "
            "reference: "
            f"{percent(own)} against {percent(other)} % at iteration {t} (one standard error of the difference: "
            f"{100 * error:.1f} points)."
        )
    return sentences
