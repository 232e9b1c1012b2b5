"""Show what Snakemake prints of a run without its bookkeeping, and of a failure what the failed program said.

    snakemake --quiet host reason 2>&1 | python scripts/show_run.py

Everything that is not known stays as it is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile

_BOOKKEEPING = re.compile(
    r"Select jobs|Execute \d+ jobs|Finished jobid|\[[A-Z][a-z]{2} |Using |Assuming |Config file|Building DAG|Provided |"
    r"Rules claiming|Conda environments|RuleException:$|CalledProcessError in|Command '|WorkflowError:$|"
    r"At least one job did not|Exiting because a job|No SLURM account|No account was given|Unable to guess SLURM|\s*$"
)
_LAST_LINES = 12  # of a failed program's log


def shown(lines: Iterable[str]) -> Iterator[str]:
    """The lines to show. A failed job is its rule, where its log is, and the end of that."""
    lines = iter(lines)
    for line in lines:
        if match := re.match(r"Error in rule (\w+):", line):
            yield from _failure(match[1], lines)
        elif not _BOOKKEEPING.match(line):
            yield line


def _failure(rule: str, lines: Iterator[str]) -> Iterator[str]:
    """What is said of a failed job; every rule has a log, which ends its block between two rulers."""
    header = next((line for line in lines if line.startswith("Logfile ")), "")
    yield f"{rule} failed. {header}".rstrip()
    if header.endswith(":"):
        next(lines, None)
        said = list(takewhile(lambda line: not line.startswith("====="), lines))
        yield from (f"    {line}" for line in said[-_LAST_LINES:])


def main() -> None:
    """Filter stdin."""
    for line in shown(line.rstrip("\n") for line in sys.stdin):
        print(line, flush=True)


if __name__ == "__main__":
    main()
