"""Samples -> medians, and what follows from them."""

from collections import defaultdict
from statistics import median

from benchmarks import flops

_SPREAD = 0.1  # of the sgemm rate from round to round; more means that the machine was not quiet


def summarize(samples: list[dict]) -> dict:
    """Returns measurement -> contender -> quantity -> median, min, max and count of the rounds."""
    values = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for sample in samples:
        for quantity, value in sample.get("values", {}).items():
            values[sample["measurement"]][sample["contender"]][quantity].append(value)
    return {
        measurement: {
            contender: {quantity: _statistics(found) for quantity, found in quantities.items()}
            for contender, quantities in of_measurement.items()
        }
        for measurement, of_measurement in values.items()
    }


def _statistics(values: list[float]) -> dict:
    return {"median": median(values), "min": min(values), "max": max(values), "count": len(values)}


def spread_warnings(summary: dict) -> list[str]:
    """Returns a warning for each contender whose rate of matrix products was not the same in all rounds."""
    warnings = []
    for contender, quantities in summary.get("sgemm", {}).items():
        rate = quantities["flops"]
        if rate["max"] - rate["min"] > _SPREAD * rate["median"]:
            rates = f"{rate['min'] / 1e9:.0f} and {rate['max'] / 1e9:.0f} GFLOP/s"
            warnings.append(
                f"{contender}'s matrix products ran at between {rates}: the machine was not quiet"
            )
    return warnings


def label_growth(summary: dict) -> dict:
    """Returns contender -> how G's step and its share of the iteration grow with 10,000 more labels."""
    growth = {}
    for contender, wide in summary.get("labels", {}).items():
        base = summary.get("training", {}).get(contender)
        if base:
            steps, shares = ([of[key]["median"] for of in (base, wide)] for key in ("gen_step", "gen_share"))
            growth[contender] = {
                "gen_step": steps,
                "gen_step_ratio": steps[1] / steps[0],
                "gen_share": shares,
                "gen_share_growth": shares[1] / shares[0] - 1,
            }
    return growth


def bound(summary: dict, exp) -> dict:
    """Returns the arithmetic of an iteration, and how long it alone takes at the measured rate.

    The rate is the better one of the two libraries.
    """
    needed, tiled = flops.count(exp), flops.count(exp, tiled=True)
    found = {"needed": needed._asdict(), "tiled": tiled._asdict()}
    rates = [quantities["flops"]["median"] for quantities in summary.get("sgemm", {}).values()]
    if rates:
        found |= {"rate": max(rates), "seconds": needed.iteration / max(rates)}
        ours = summary.get("training", {}).get("starvox")
        if ours:
            found["times_bound"] = ours["iteration"]["median"] / found["seconds"]
    return found
