"""Evaluation: from scored samples to numbers (`metrics`, `comparison`), results (`results`), tables (`result_tables`)
and sentences (`verdicts`)."""
