"""Evaluation: from scored samples to numbers (`metrics`), results (`results`), tables (`table`) and sentences
(`verdicts`)."""
