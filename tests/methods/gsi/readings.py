"""Readings of a made-up run of GSI: two levels, three variants, two iterations."""

from __future__ import annotations

from bestpath.methods.gsi.report.story import Reading, Story


def reading(variant: str, t: int, seed: int = 1, share: float = 0.1, right: tuple[int, int] = (90, 30), **tail):  # type: ignore[no-untyped-def]
    numbers = {
        ("row_share", "1"): 1 - share,
        ("row_share", "2"): share,
        ("coverage", "2"): tail.pop("coverage", 0.5),
        ("draws", "guided"): tail.pop("draws", 0.0),
        ("generated_tokens", "plain"): 100.0 * t,
        ("rows", ""): 50.0,
    }
    return Reading(variant, t, seed, numbers, {"1": (right[0], 100), "2": (right[1], 100)})


def story(*further: Reading) -> Story:
    first = [reading(variant, 0, share=0.5) for variant in ("vanilla", "state_reset", "fill")]
    own = reading("state_reset", 1, share=0.3, right=(90, 60), coverage=0.9, draws=40.0)
    control = reading("fill", 1, share=0.4, right=(90, 61), coverage=0.9)
    return Story([*first, reading("vanilla", 1), own, control, *further])
