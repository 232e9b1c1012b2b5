"""Tell what a dry run says will run, and why. Reads the dry run's output from stdin.

With --only-code, tell only what is stale for a reason other than changed code, and fail if there is any: `make accept`
would declare numbers current that belong to other settings or inputs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator


def reasons(lines: Iterable[str]) -> Iterator[str]:
    """A job and, in the next line, why it will run."""
    job = ""
    for line in lines:
        if match := re.match(r"Job \d+: (.*)", line):
            job = match[1]
        elif (match := re.match(r"Reason: (.*)", line)) and job:
            yield f"{job}\n    because {_plain(match[1].strip())}"
            job = ""


def _plain(reason: str) -> str:
    """Snakemake's reason in plain words; changed code is named by its module."""
    now = re.search(r"before: (.*) now: (.*)", reason)
    if not now:
        return reason[0].lower() + reason[1:]
    before, after = (set(re.findall(r"'((?:[^'\\]|\\.)*)'", part)) for part in now.groups())
    modules = sorted({entry.split()[0] for entry in before ^ after if re.fullmatch(r"[\w.]+ [0-9a-f]{12}", entry)})
    settings = [part for part in now.groups() if re.search(r"[{:\d]", re.sub(r"'[\w.]+ [0-9a-f]{12}',?", "", part))]
    said = [f"the code of {', '.join(modules)} changed"] if modules else []
    if settings or not modules:
        said.append(f"its settings changed, from {now[1]} to {now[2]}")
    return "; ".join(said)


def not_code(told: Iterable[str]) -> list[str]:
    """Those of the told reasons that a change of code does not explain; what is missing will be made anyway."""
    others = ("its settings changed", "pdated input files", "et of input files has changed")
    return [each for each in told if "because missing" not in each and any(other in each for other in others)]


def main() -> None:
    """Print the jobs that would run, or refuse what is not only code; pass an error on."""
    lines = sys.stdin.read().splitlines()
    told = list(reasons(lines))
    if not told and not any("Nothing to be done" in line for line in lines):
        sys.exit("\n".join(line for line in lines if line.strip()))
    if sys.argv[1:] == ["--only-code"]:
        if others := not_code(told):
            print("error: not accepted, since more than code has changed; run these jobs first, or undo the change:")
            sys.exit("\n".join(others))
    else:
        print("\n".join(told) or "nothing is stale")


if __name__ == "__main__":
    main()
