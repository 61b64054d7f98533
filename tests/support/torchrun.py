"""Scripts on several processes of this machine, as `torchrun` starts them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "support" / "run_script.py"
TORCHRUN = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone"]


def launch(script, processes, *arguments, seconds=120, paths=(), **environment):
    """Run a script and return what it printed; a script that fails or hangs fails the test.

    PYTHONPATH begins with `paths`.
    """
    known = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    if sys.platform == "linux":
        known["GLOO_SOCKET_IFNAME"] = "lo"  # whatever else this machine is connected to
    known["PYTHONPATH"] = os.pathsep.join([*paths, str(ROOT), str(ROOT / "tests")])
    ran = subprocess.run(
        [*TORCHRUN, f"--nproc-per-node={processes}", *map(str, (RUN, script, *arguments))],
        capture_output=True,
        text=True,
        timeout=seconds,
        env=known,
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-5000:]
    return ran.stdout
