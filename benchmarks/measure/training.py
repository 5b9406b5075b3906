"""D step, G step, iteration and memory of one contender."""

from contextlib import closing
from statistics import median
from time import perf_counter

from benchmarks import contenders, memory


def run(job) -> dict[str, float]:
    with closing(contenders.build(job)) as contender:
        if job.limit_mib:
            contender.limit_memory(job.limit_mib * 2**20)
        before = memory.current()
        for _ in range(job.warmup):
            contender.iterate(_ignore)
        waited = contender.waited()
        whole, steps = time_iterations(contender, job.iterations)
        waited = (contender.waited() - waited) / job.iterations
        if job.device != "cpu":  # to time a step the device has to be waited for, which the whole must not do
            _, steps = time_iterations(contender, job.iterations, wait=True)
        found = {"iteration": whole, "waited": waited}
        for network in ("dis", "gen"):
            found[f"{network}_step"] = median(seconds for name, seconds in steps if name == network)
        found["gen_share"] = found["gen_step"] / whole
        if job.device != "cpu":
            return found | {"device_memory": contender.device_memory()}
        peak = memory.peak()
        return found | {"peak_process": peak, "peak_iteration": peak - before}


def time_iterations(contender, count: int, wait: bool = False) -> tuple[float, list[tuple[str, float]]]:
    """Times iterations one after the other.

    Args:
        contender: see `benchmarks.contenders.build`.
        count: of iterations.
        wait: for the device after every step.

    Returns:
        tuple: seconds an iteration, and (name, seconds) of every step.
    """
    steps, last = [], 0.0

    def mark(name):
        nonlocal last
        if wait:
            contender.synchronize()
        now = perf_counter()
        steps.append((name, now - last))
        last = now

    contender.synchronize()
    start = last = perf_counter()
    for _ in range(count):
        contender.iterate(mark)
    contender.synchronize()
    return (perf_counter() - start) / count, steps


def _ignore(name) -> None:
    pass
