"""The results as a page of Markdown."""

from benchmarks.plan import MEASUREMENTS

# measurement -> (quantity, what to call it, unit)
ROWS = {
    "training": [
        ("dis_step", "D step", "s"),
        ("gen_step", "G step", "s"),
        ("iteration", "iteration", "s"),
        ("waited", "of it waiting for data", "ms"),
        ("peak_iteration", "peak memory of an iteration", "MiB"),
        ("peak_process", "peak memory of the process", "MiB"),
        ("device_memory", "peak memory of the device's pool", "MiB"),
    ],
    "fit": [("batchsize", "largest batch", ""), ("iteration", "its iteration", "s")],
    "features": [("clip", "a clip", "ms")],
    "data": [("minibatch", "a minibatch", "ms")],
    "replay": [
        ("griffin-lim", "a second of speech, Griffin-Lim's phase", "s"),
        ("source", "a second of speech, the source's phase", "s"),
    ],
    "sgemm": [("flops", "rate", "GFLOP/s")],
}
TITLES = {
    "training": "Training",
    "fit": "The largest batch that fits",
    "features": "Feature extraction: a crop to its spectrogram; librosa computes its STFT alone",
    "data": "Data: a minibatch of crops from the stored corpus, to its spectrograms",
    "replay": "Replay: seconds of processing",
    "sgemm": "Matrix products, float32",
}
_SCALES = {"s": 1, "ms": 1e-3, "MiB": 2**20, "GFLOP/s": 1e9, "": 1}

NOTES = """\
Medians over the rounds, in brackets the least and the most. Every number comes from processes of their
own, one at a time, the contenders in turn; a first iteration warms up and is not counted.
`starvox` is the program as it trains, drawing its crops and making their spectrograms itself; `chainer` is
the same with Chainer's own operations; `chainer-tiled` also with the labels as maps; `pytorch` is
benchmarks/peer, whose minibatches lie ready. The step times are medians over the steps. Peak memory of an
iteration: the peak of the process's resident memory after all iterations, less what was resident with the
networks built, before the first (optimizer states are made in the first, so they count)."""


def page(report: dict) -> str:
    """Returns the whole page.

    Args:
        report: what is written as JSON.
    """
    parts = [f"# {report['experiment']}, batch {report['batchsize']}, {report['machine']['device']}"]
    parts.append(_describe(report))
    parts += [f"**{warning}**" for warning in report["warnings"]]
    parts += [table(name, report["summary"][name]) for name in ROWS if name in report["summary"]]
    parts += [_growth(report["label_growth"])] if report["label_growth"] else []
    parts.append(_bound(report["bound"]))
    return "\n\n".join([*parts, NOTES, *_checked(report["check"])]) + "\n"


def _checked(check: dict | None) -> list[str]:
    if not check:
        return []
    ((worst, deviation),) = check.items()
    return [
        "Before anything was timed, starvox and the peer computed the same losses and gradients on a small "
        f"network from the same weights: furthest from float64 was {worst}, by {deviation:.1e}."
    ]


def table(measurement: str, results: dict) -> str:
    """Returns the table of one measurement, a column a contender, and the ratio of first to last.

    Args:
        measurement: its name.
        results: contender -> quantity -> statistics.
    """
    names = [name for name in MEASUREMENTS[measurement].contenders if name in results]
    ratio = [f"{names[0]} / {names[-1]}"] if len(names) > 1 else []
    lines = [_row(["", *names, *ratio]), _row(["---"] * (1 + len(names) + len(ratio)))]
    for quantity, title, unit in ROWS[measurement]:
        cells = [results[name].get(quantity) for name in names]
        if any(cells):
            text = [_cell(cell, unit) for cell in cells]
            medians = [cell["median"] if cell else None for cell in (cells[0], cells[-1])]
            both = ratio and None not in medians and medians[1]
            text += ([f"{medians[0] / medians[1]:.2f}"] if both else [""]) if ratio else []
            lines.append(_row([f"{title}, {unit}" if unit else title, *text]))
    return "\n".join([f"## {TITLES[measurement]}", "", *lines])


def number(value: float) -> str:
    """Returns three significant digits, without an exponent: 1234, 123, 12.3, 1.23, 0.123."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def _cell(statistics: dict | None, unit: str) -> str:
    if statistics is None:
        return ""
    middle, low, high = (number(statistics[key] / _SCALES[unit]) for key in ("median", "min", "max"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _describe(report: dict) -> str:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    lines = [
        f"{report['date']}, {report['rounds_done']} of {report['rounds']} rounds, "
        f"{report['iterations']} iteration(s) a process after {report['warmup']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['memory_gib']} GiB, {machine['platform']}",
        f"Python {machine['python']}, {versions}",
        f"BLAS of NumPy and SciPy: {', '.join(machine['blas']) or 'unknown'}",
        f"commit {machine['git_commit']}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _growth(growth: dict) -> str:
    lines = [
        _row(["", "G step, s", "ratio", "G's share of the iteration", "growth"]),
        _row(["---"] * 5),
    ]
    for contender, found in growth.items():
        steps = " to ".join(number(value) for value in found["gen_step"])
        shares = " to ".join(f"{value:.1%}" for value in found["gen_share"])
        cells = [
            contender,
            steps,
            f"{found['gen_step_ratio']:.2f}",
            shares,
            f"{found['gen_share_growth']:+.1%}",
        ]
        lines.append(_row(cells))
    return "\n".join(["## 10,000 more output labels", "", *lines])


def _bound(bound: dict) -> str:
    lines = [_row(["GFLOP", "D step", "G step", "iteration"]), _row(["---"] * 4)]
    for key, title in (("needed", "needed, nothing twice"), ("tiled", "the same with the labels as maps")):
        lines.append(_row([title, *(number(value / 1e9) for value in bound[key].values())]))
    text = ["## The bound: the arithmetic alone", "", *lines]
    if "seconds" in bound:
        text += [
            "",
            f"An iteration's at {number(bound['rate'] / 1e9)} GFLOP/s: {number(bound['seconds'])} s.",
        ]
    if "times_bound" in bound:
        text[-1] += f" starvox takes {number(bound['times_bound'])} times as long."
    return "\n".join(text)
