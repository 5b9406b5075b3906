"""Evaluates the finished runs of the ladder, keeps them, and writes what came out into its README.

    python scripts/ladder_report.py                 # of results/ladder: make ladder does it at its end
    python scripts/ladder_report.py another/folder

A run that is kept already, as experiments/ladder/RUNG/runs/CORPUS-sSEED, is not evaluated again. The table in
experiments/ladder/README.md, between two marks, and the figure ladder.png beside it are of all kept runs.
"""

import argparse
import re
import sys
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from starvox import experiment_ids
from starvox.cli import main as starvox
from starvox.commands.keep import default_folder
from starvox.corpus.demo import make_demo
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.measures import MEASURES, Measure, look_up
from starvox.files import write_text
from starvox.kept.keep import write_card
from starvox.plotting.curves import COLOURS
from starvox.plotting.files import save_figure
from starvox.run.run import Run

LADDER = Path("experiments/ladder")
README = LADDER / "README.md"
MARKS = ("<!-- made by scripts/ladder_report.py -->", "<!-- to here -->")
Evaluation = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="?", type=Path, default=Path("results/ladder"), metavar="FOLDER")
    runs = parser.parse_args().runs
    for folder in sorted(path.parent for path in runs.glob("*/config.json")):
        keep(Run(folder))
    rungs = [name.partition("/")[2] for name in experiment_ids() if name.startswith("ladder/")]
    text = README.read_text(encoding="utf-8").partition(MARKS[0])[0]
    told = re.findall(r"[\w-]+", text.partition("| rung |")[2])
    rungs.sort(key=lambda rung: told.index(rung) if rung in told else len(told))  # as the README tells them
    kept = {rung: sorted((LADDER / rung / "runs").glob("*/")) for rung in rungs}
    for folder in chain(*kept.values()):
        write_card(folder)  # an earlier version's may read otherwise
    found = {rung: [read_evaluations(folder)[-1] for folder in kept[rung]] for rung in rungs}
    write_readme(kept, found)
    if any(found.values()):
        print(save_figure(draw(found), LADDER / "ladder.png"))
    return 0


def keep(run: Run) -> None:
    """Evaluates and keeps a run if it is finished."""
    if run.state() != "finished" or (out := default_folder(run)).exists():
        return
    print(f"{run.folder} -> {out}", flush=True)
    if Path(run.read_environment().data).parent == Path("data/demo"):
        make_demo("data/demo")  # one that an earlier version made has no truth to say
    if max(run.generators()) not in run.evaluations():
        check(starvox(["evaluate", str(run.folder), "--device", "cpu"]))
    check(starvox(["keep", str(run.folder), "--small", "--device", "cpu"]))


def check(code: int) -> None:
    if code:
        sys.exit(code)


def write_readme(kept: dict[str, list[Path]], found: dict[str, list[Evaluation]]) -> None:
    """Puts the table between the marks of the ladder's README, at the end if it has none."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2] or "\n"
    body = f"{MARKS[0]}\n\n{table(kept, found)}\n\n{MARKS[1]}"
    write_text(README, f"{before.rstrip()}\n\n{body}{after}")
    print(README)


def table(kept: dict[str, list[Path]], found: dict[str, list[Evaluation]]) -> str:
    """Returns the table in Markdown, a row a rung, and what it holds."""
    lines = [
        ["rung", "seeds", "verdict", *(measure.name for measure in MEASURES)],
        ["---"] * (3 + len(MEASURES)),
    ]
    for rung, evaluations in found.items():
        seeds = [
            f"[{folder.name.rpartition('-s')[2]}]({folder.relative_to(LADDER).as_posix()}/README.md)"
            for folder in kept[rung]
        ]
        verdicts = Counter(e["verdict"] for e in evaluations)
        told = ", ".join(f"{text} ({n})" for text, n in verdicts.items())
        cells = (spread(measure, evaluations) for measure in MEASURES)
        count = f"{len(seeds)}: {', '.join(seeds)}" if seeds else "not run"
        lines.append([rung, count, told, *(cells if seeds else [""] * len(MEASURES))])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = (
        "Mean ± sample deviation over the seeds; of a single seed, its value. Copy error and response are in "
        "distances of two clips; judged as the target, and named rightly by D: the speaker "
        "([docs/evaluation.md](../../docs/evaluation.md))."
    )
    figure = "![The numbers of the table, rung by rung, with each seed](ladder.png)"
    return f"{rows}\n\n{note}" + (f"\n\n{figure}" if any(found.values()) else "")


def spread(measure: Measure, evaluations: list[Evaluation]) -> str:
    values = [value for e in evaluations if (value := measure.read(e)) is not None]
    if not values:
        return "-"
    mean = format(np.mean(values), measure.form)
    return f"{mean} ± {format(np.std(values, ddof=1), measure.form)}" if len(values) > 1 else mean


def draw(found: dict[str, list[Evaluation]]) -> Figure:
    """Draws a panel a kind of number, a line a rung: the seeds as points, their mean and deviation."""
    panels = list(dict.fromkeys(measure.panel for measure in MEASURES))
    size = (3.2 * len(panels), 1.6 + 0.36 * len(found))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    axes = dict(zip(panels, figure.subplots(1, len(panels), sharey=True), strict=True))
    some = next(e for evaluations in found.values() for e in evaluations)
    for panel, ax in axes.items():
        measures = [measure for measure in MEASURES if measure.panel == panel]
        for number, measure in enumerate(measures):
            offset = 0.22 * (number - (len(measures) - 1) / 2)
            look = {"color": COLOURS[number]}
            name = measure.name
            for place, evaluations in enumerate(found.values()):
                values = [value for e in evaluations if (value := measure.read(e)) is not None]
                if not values:
                    continue
                ax.plot(values, [place + offset] * len(values), "o", markersize=4, alpha=0.5, **look)
                deviation = np.std(values, ddof=1) if len(values) > 1 else 0
                bar = {"xerr": deviation, "fmt": "|", "markersize": 9, "capsize": 2, "label": name, **look}
                ax.errorbar(np.mean(values), place + offset, **bar)
                name = "_"  # in the legend once
            if measure.limit and (limit := look_up(some, measure.limit)) is not None:
                ax.axvline(limit, linestyle=":", linewidth=1, **look)
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_xlabel(panel)
        ax.grid(color="0.9")
        ax.set_axisbelow(True)
        if len(measures) > 1:
            ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8)
    first = axes[panels[0]]
    names = (f"{rung} ({len(evaluations) or 'not run'})" for rung, evaluations in found.items())
    first.set_yticks(range(len(found)), names)
    first.set_ylabel("rung (seeds)")
    first.set_ylim(len(found) - 0.5, -0.5)  # the first rung above
    return figure


if __name__ == "__main__":
    sys.exit(main())
