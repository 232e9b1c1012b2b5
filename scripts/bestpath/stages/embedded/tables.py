"""The table of pretraining, apart from it: a report that draws it does not hang on how a base is trained."""

from __future__ import annotations

from bestpath.core.tables import Table

PRETRAINING = Table("pretraining", {"step": "int64", "name": "string", "value": "float64"}, ("step", "name"))
"""The metrics of a run, one number a row: the training loss, and loss and token accuracy on held-out documents."""
