from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "scripts"


def test_nothing_heavy_is_imported_before_it_is_needed():
    """A program tells a user's mistake at once, not after the seconds that torch takes."""
    code = (
        "import sys, bestpath.stages.training.train, bestpath.stages.merging.merge, bestpath.stages.merging.report; "
        "print(sorted({'torch', 'transformers', 'trl', 'peft', 'mergekit', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
