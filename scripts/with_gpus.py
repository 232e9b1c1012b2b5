"""Run a command on GPUs of its own: lease N devices of this machine, or use those that a scheduler gave the job.

    python scripts/with_gpus.py 1 python scripts/train_specialist.py …

The command sees its devices in CUDA_VISIBLE_DEVICES, and none when it asks for none. Starts in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.runtime.leases import VISIBLE, devices_of, folder_of, lease
from bestpath.runtime.supervision import supervise


def tell(message: str) -> None:
    """Tell the user, not the log of the job."""
    os.write(int(os.environ.get("BESTPATH_PROGRESS_FD", "2")), f"{message}\n".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leases", type=Path, default=folder_of(os.environ), help="folder of the locks")
    parser.add_argument("n", type=int, help="GPUs that the command needs")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while waiting needs no traceback
    if "BESTPATH_SCHEDULED" not in os.environ:
        try:
            leased = lease(args.n, devices_of(os.environ), args.leases, tell) if args.n else []
        except UserError as error:
            sys.exit(f"error: {error}")
        os.environ[VISIBLE] = ",".join(leased)
    if os.environ.get(VISIBLE):
        print(f"GPUs: {os.environ[VISIBLE]}", file=sys.stderr, flush=True)
    sys.exit(supervise(args.command, os.environ))


if __name__ == "__main__":
    main()
