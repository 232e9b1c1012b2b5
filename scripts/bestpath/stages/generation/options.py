"""The command-line options that jobs of searches share, each group declared once."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


def work_option(parser: argparse.ArgumentParser, program: str) -> None:
    """Where the resume state of a program's jobs lies."""
    parser.add_argument("--work", type=Path, default=Path("results/.work") / program, help="resume state")


def model_options(parser: argparse.ArgumentParser) -> None:
    """The models of a job and how they are run, by role. A role without settings of an engine is not opened."""
    parser.add_argument("--models", nargs="*", default=[], metavar="ROLE=MANIFEST", help="manifests of the models")
    parser.add_argument("--engines", default="{}", help="settings of the engines by role, as JSON")
    parser.add_argument("--limits", default="{}", help="those settings on which no answer depends, as JSON by role")


def sampling_options(parser: argparse.ArgumentParser, program: str) -> None:
    """What a job that samples is told: problems, models, a seed, and where its state and its account lie."""
    parser.add_argument("--problems", type=Path, required=True)
    model_options(parser)
    parser.add_argument("--seed", type=int, required=True)
    work_option(parser, program)
    parser.add_argument("--usage", type=Path, required=True, help="output: what the completions cost, by role")


def shard_options(parser: argparse.ArgumentParser) -> None:
    """Which of the problems are the job's."""
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)


SANDBOX = "bestpath.answers.sandbox"
"""Where programs run; loaded by this name, so that jobs without programs do not reach it."""


def sandbox_modules(isolation: str) -> list[str]:
    """The modules that run a job's programs, for `code_of`; without an isolation there are none."""
    return [SANDBOX] if isolation else []


def isolation_option(parser: argparse.ArgumentParser) -> None:
    """How well programs must be isolated that the searches write; without a level there are none."""
    parser.add_argument(
        "--isolation",
        nargs="?",
        const="",
        default="",
        help="the weakest isolation in which programs may run, if there are any",
    )


def by_name(entries: Iterable[str]) -> dict[str, Path]:
    """The paths of options such as `role=path`, by name."""
    return {name: Path(path) for name, _, path in (entry.partition("=") for entry in entries)}
