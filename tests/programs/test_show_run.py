"""What `make demo` shows of Snakemake's output."""

from __future__ import annotations

from show_run import shown

PRINTED = """\
Building DAG of jobs...
Provided cores: 2
Job stats:
job      count
[Sat Nov 21 12:16:50 2026]
Job 14: build the length pairs, variant main, seed 1
pretrain: 170/1000 steps, 8.49step/s, loss 0.593, 01:37 to go

RuleException:
CalledProcessError in file "rules/recut.smk", line 129:
Command 'python scripts/recut_pairs.py' returned non-zero exit status 1.
[Sat Nov 21 12:16:55 2026]
Error in rule recut_pairs:
    message: None
    jobid: 14
    log: results/logs/length.log (check log file(s) for error details)
    shell:
        python scripts/recut_pairs.py
        (command exited with non-zero exit code)
Logfile results/logs/length.log:
================================
error: the length set has 5 pairs
================================
Error in rule merge_models:
    jobid: 15
Logfile results/logs/merge.log: empty file
Exiting because a job execution failed. Look above for error messages
Complete log(s): .snakemake/log/x.log
WorkflowError:
At least one job did not complete successfully.
"""


def test_a_failure_is_what_the_program_said_and_bookkeeping_is_left_out():
    assert list(shown(PRINTED.splitlines())) == [
        "Job stats:",
        "job      count",
        "Job 14: build the length pairs, variant main, seed 1",
        "pretrain: 170/1000 steps, 8.49step/s, loss 0.593, 01:37 to go",
        "recut_pairs failed. Logfile results/logs/length.log:",
        "    error: the length set has 5 pairs",
        "merge_models failed. Logfile results/logs/merge.log: empty file",
        "Complete log(s): .snakemake/log/x.log",
    ]


def test_of_a_long_log_the_end_is_shown():
    log = ["Error in rule a:", "Logfile a.log:", "=====", *map(str, range(40)), "====="]
    assert list(shown(log)) == ["a failed. Logfile a.log:", *(f"    {i}" for i in range(28, 40))]


def test_an_output_that_breaks_off_is_no_error():
    assert list(shown(["Error in rule a:", "    jobid: 1"])) == ["a failed."]
    assert list(shown(["Traceback (most recent call last):", "  anything else"])) == [
        "Traceback (most recent call last):",
        "  anything else",
    ]
