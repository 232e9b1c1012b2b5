"""Run a training program in several processes, through accelerate: one a GPU, under DeepSpeed ZeRO if wanted.

    python scripts/with_processes.py --zero config/deepspeed/zero2.json 8 scripts/train_specialist.py …

In a Slurm job of several nodes, every node runs so many.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.runtime.extensions import built

MEETING = "BESTPATH_MEETING_PLACE"
"""Host and port where the processes of several nodes meet; set by the first of the two calls that they need."""


def main() -> None:
    """Replace this process by the launcher, or wait for the launchers of all nodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int, help="processes on a node")
    parser.add_argument("--zero", type=Path, help="DeepSpeed configuration")
    parser.add_argument("--cpu", action="store_true", help="train on the CPU")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    args = parser.parse_args()

    nodes = int(os.environ.get("SLURM_NNODES", "1"))
    if nodes > 1 and MEETING not in os.environ:
        os.environ[MEETING] = meeting_place()
        spread = ["srun", "--overlap", f"--nodes={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
        os.execvp("srun", [*spread, sys.executable, *sys.argv])
    host, port = os.environ.get(MEETING, f"127.0.0.1 {free_port()}").split()
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(args.n * nodes)]
    launcher += ["--num_machines", str(nodes), "--machine_rank", os.environ.get("SLURM_NODEID", "0")]
    launcher += ["--main_process_ip", host, "--main_process_port", port]
    launcher += ["--mixed_precision", "no", "--dynamo_backend", "no"]  # the program's own settings decide
    if args.zero:
        launcher += ["--use_deepspeed", "--deepspeed_config_file", str(args.zero)]
    elif args.cpu:
        launcher += ["--cpu"]
    elif args.n * nodes > 1:
        launcher += ["--multi_gpu"]
    # The launcher closes all descriptors but opens the stream of the progress by its name.
    if (stream := os.environ.get("BESTPATH_PROGRESS_FD", "")).isdigit():
        os.environ["BESTPATH_PROGRESS_FD"] = f"/proc/{os.getpid()}/fd/{stream}"
    threads = int(os.environ.get("OMP_NUM_THREADS", args.n))
    os.environ["OMP_NUM_THREADS"] = str(max(1, threads // args.n))
    try:
        compiled = built() if args.zero and args.cpu else None
    except UserError as error:
        sys.exit(f"error: {error}")
    with tempfile.TemporaryDirectory(prefix="bestpath-extensions-") as folder:
        if compiled:
            os.environ["DS_ACCELERATOR"] = "cpu"
            shutil.copytree(compiled, folder, dirs_exist_ok=True)
            os.environ["TORCH_EXTENSIONS_DIR"] = folder
        launched = subprocess.Popen([*launcher, *args.program], close_fds=False)
        signal.signal(signal.SIGTERM, lambda *_: launched.terminate())  # every process saves its part
        sys.exit(launched.wait())


def meeting_place() -> str:
    """The first node of this Slurm job, and a port of the job's own."""
    listed = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    hosts = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    return f"{hosts[0]} {20000 + int(os.environ['SLURM_JOB_ID']) % 20000}"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
