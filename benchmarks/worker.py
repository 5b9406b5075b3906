"""One measurement of one contender, by pyperf in a process of its own. Arguments: JSON, pyperf's options."""

import importlib
import json
import sys
from time import perf_counter
from types import SimpleNamespace

import psutil
import pyperf

TRAINING = ("starvox", "chainer", "torch", "torch-saving")
# measurement -> its module, how much of it a run does (crops, seconds of speech), whom it is about
MEASUREMENTS = {
    "iteration": ("training", 1, TRAINING),
    "D-step": ("training", 1, TRAINING),
    "G-step": ("training", 1, TRAINING),
    "device-memory": ("training", 1, TRAINING),  # of a GPU
    "features": ("features", 20, ("starvox", "librosa")),
    "griffin-lim": ("replay", 10, ("starvox", "chainer")),
    "source": ("replay", 10, ("starvox", "chainer")),
}


def main() -> None:
    """Starts a worker by pyperf, or is one."""
    program = ("-m", "benchmarks.worker", sys.argv[1])
    # pyperf would note them, but they are nobody's business
    metadata = dict.fromkeys(("hostname", "python_executable", "python_cflags", "python_config_args"), "-")
    runner = pyperf.Runner(values=1, loops=1, processes=1, program_args=program, metadata=metadata)
    runner.argparser.add_argument("job", type=json.loads)
    args = runner.parse_args()
    job = SimpleNamespace(**args.job)
    module, job.count, _ = MEASUREMENTS[job.measurement]
    if args.worker:  # the process that starts it stays small: a worker's peak memory begins with its parent's
        run, synchronize, memory = importlib.import_module(f"benchmarks.{module}").build(job)
        metadata["mem_before"] = psutil.Process().memory_info().rss

    def measure(loops: int) -> float:
        start = perf_counter()
        for _ in range(loops):
            run()
        if job.device != "cpu" and synchronize:
            synchronize()
        return loops * memory() if job.measurement == "device-memory" else perf_counter() - start

    metadata["unit"] = "byte" if job.measurement == "device-memory" else "second"
    runner.bench_time_func(f"{job.measurement}: {job.contender}", measure, inner_loops=job.count)


if __name__ == "__main__":
    main()
