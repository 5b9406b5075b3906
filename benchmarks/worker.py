"""``python -m benchmarks.worker JOB``: one measurement of one contender in a process of its own."""

import importlib
import json
import sys

from benchmarks.job import Job


def main() -> None:
    job = Job.loads(sys.argv[1])
    measurement = importlib.import_module(f"benchmarks.measure.{job.module}")
    print(json.dumps(measurement.run(job)))


if __name__ == "__main__":
    main()
