"""What pyperf has measured, as one table."""

from statistics import mean, median

from benchmarks import flops


def make_table(suite) -> str:
    """Returns a Markdown table of benchmarks called ``measurement: contender``, with a run for each round."""
    rounds = {}
    for bench in suite:
        what, who = bench.get_name().split(": ")
        rounds[what, who] = [mean(run.values) for run in bench.get_runs()]
        if what == "iteration":  # pyperf notes the memory of the process
            notes = [run.get_metadata() for run in bench.get_runs()]
            rounds["memory", who] = [note["mem_max_rss"] for note in notes]
            rounds["memory-grown", who] = [note["mem_max_rss"] - note["mem_before"] for note in notes]
    lines = ["|  | contender | median | least to most | of starvox's | of torch's |", "|" + " --- |" * 6]
    order = [what for what, _ in rounds]
    for what, who in sorted(rounds, key=lambda key: order.index(key[0])):
        values = rounds[what, who]
        cells = [_format(what, value) for value in (median(values), min(values), max(values))]
        ratios = [_ratio(values, rounds.get((what, other))) for other in ("starvox", "torch")]
        lines.append(
            f"| {what} | {who} | {cells[0]} | {cells[1]} to {cells[2]} | {ratios[0]} | {ratios[1]} |"
        )
    return "\n".join(lines)


def _format(what: str, value: float) -> str:
    if "memory" in what:
        return f"{value / 2**20:.0f} MiB"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def _ratio(values: list[float], others: list[float] | None) -> str:
    if not others or others is values:
        return ""
    ratios = [value / other for value, other in zip(values, others, strict=False)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def make_page(suite, exp, facts: list[str]) -> str:
    """Returns the machine, the arithmetic and the table; docs/performance.md says how to read them."""
    for tiled, text in ((False, "nothing done twice"), (True, "the labels as maps")):
        gflop = ", ".join(f"{n / 1e9:.3g}" for n in flops.count(exp, tiled))
        facts = [*facts, f"D step, G step and iteration take {gflop} GFLOP with {text}"]
    title = f"# {exp.id}, batch {exp.training.batchsize}\n"
    return "\n".join([title, *(f"- {fact}" for fact in facts), "", make_table(suite), ""])
