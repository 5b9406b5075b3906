"""The processes of a benchmark one after the other: A B A B, never two at a time."""

from collections.abc import Iterator
from statistics import mean
from time import perf_counter

from benchmarks.spawn import WorkerError, spawn


def run_rounds(places: list[tuple[str, str]], rounds: int, make_job) -> Iterator[dict]:
    """Measures everything once a round, and says on the screen how far it is.

    What fails is told and not tried again.

    Args:
        places: (measurement, contender) of one round.
        rounds: how often.
        make_job: (measurement, contender) -> Job.

    Yields:
        dict: ``round``, ``measurement``, ``contender``, and ``values`` or ``error``.
    """
    durations: dict[tuple[str, str], list[float]] = {}
    failed: set[tuple[str, str]] = set()
    for number in range(1, rounds + 1):
        for index, place in enumerate(places):
            if place in failed:
                continue
            print(f"round {number} of {rounds}: {', '.join(place)} ...", end=" ", flush=True)
            sample = {"round": number, "measurement": place[0], "contender": place[1]}
            start = perf_counter()
            try:
                sample["values"] = spawn(make_job(*place))
            except WorkerError as error:
                failed.add(place)
                sample["error"] = str(error)
            durations.setdefault(place, []).append(perf_counter() - start)
            todo = places[index + 1 :] + places * (rounds - number)
            left = time_left(durations, [other for other in todo if other not in failed])
            print(sample.get("error") or f"{durations[place][-1]:.0f} s; {left}", flush=True)
            yield sample


def time_left(durations: dict, todo: list) -> str:
    """Says how long ``todo`` will take, from what each, or else the average, has taken."""
    if not todo:
        return "done"
    average = mean(value for values in durations.values() for value in values)
    seconds = sum(mean(durations.get(place, [average])) for place in todo)
    rough = "at a guess " if any(place not in durations for place in todo) else ""
    return f"{rough}{seconds:.0f} s left" if seconds < 90 else f"{rough}{seconds / 60:.0f} min left"
