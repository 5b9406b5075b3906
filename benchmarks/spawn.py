"""One worker process."""

import json
import os
import subprocess
import sys

from benchmarks.job import Job

# of OpenBLAS, MKL, PyTorch's and numba's own, and Accelerate
_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class WorkerError(Exception):
    """A worker failed; ``stderr`` is what it said."""

    def __init__(self, job: Job, code: int, stderr: str):
        lines = stderr.strip().splitlines()
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        if lines:
            reason = f"{lines[-1].strip()} ({reason})"
        super().__init__(f"{job.measurement}, {job.contender}: {reason}")
        self.stderr = stderr


def spawn(job: Job) -> dict[str, float]:
    """Runs one worker and returns what it measured.

    Raises:
        WorkerError: if it fails.
    """
    environment = os.environ | dict.fromkeys(_THREADS, str(job.threads))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", job.dumps()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorkerError(job, done.returncode, done.stderr)
    return json.loads(done.stdout.splitlines()[-1])
