"""What `make why` tells, and what `make accept` refuses."""

from __future__ import annotations

import io

import pytest

import show_reasons
from show_reasons import not_code, reasons

CODE = "Params have changed: before: 'bestpath.core.search 0123456789ab' now: 'bestpath.core.search ba9876543210'"
PRINTED = f"""\
[Sat Nov 21 12:16:50 2026]
Job 1: explore, variant main
Reason: {CODE}
Job 2: train length
Reason: Params have changed since last execution: before: '{{"beta": 0.1}}' now: '{{"beta": 0.2}}'
Job 3: merge by ties
Reason: Input files updated by another job: results/manifest.json
Job 4: answer test
Reason: Updated input files: config/prompts/recut/neutral.jinja
Job 5: write the report
Reason: Missing output files: results/report.html; Updated input files: results/results.json
"""


def test_a_job_is_told_with_its_reason_in_plain_words():
    told = list(reasons(PRINTED.splitlines()))
    assert told[0] == "explore, variant main\n    because the code of bestpath.core.search changed"
    assert "its settings changed, from" in told[1]
    assert told[4].startswith("write the report\n    because missing output files: results/report.html")


def test_only_what_code_does_not_explain_is_refused():
    told = reasons(PRINTED.splitlines())
    assert [each.splitlines()[0] for each in not_code(told)] == ["train length", "answer test"]


@pytest.mark.parametrize("arguments", [[], ["--only-code"]])
def test_an_error_of_the_dry_run_is_passed_on(arguments, monkeypatch):
    monkeypatch.setattr("sys.argv", ["show_reasons.py", *arguments])
    monkeypatch.setattr("sys.stdin", io.StringIO("\nerror: unknown setting 'recut.explor'\n"))
    with pytest.raises(SystemExit, match="error: unknown setting"):
        show_reasons.main()
