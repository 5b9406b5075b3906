"""The largest batch whose iteration fits a limit of the GPU's memory, and its time.

Every batch is tried in a process of its own, so that none finds what another left.
"""

from dataclasses import replace

from benchmarks.spawn import WorkerError, spawn

_MOST = 1024


def run(job) -> dict[str, float]:
    seconds = {}

    def fits(batchsize: int) -> bool:
        try:
            found = spawn(replace(job, module="training", batchsize=batchsize))
        except WorkerError as error:
            if "OutOfMemory" in error.stderr:
                return False
            raise
        seconds[batchsize] = found["iteration"]
        return True

    batchsize = largest(fits, _MOST)
    return {"batchsize": batchsize} | ({"iteration": seconds[batchsize]} if batchsize else {})


def largest(fits, most: int) -> int:
    """Returns the largest n in 1..most for which ``fits(n)``, if it does for all smaller ones; or 0."""
    low, high = 0, 1
    while high <= most and fits(high):
        low, high = high, high * 2
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
