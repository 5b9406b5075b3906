"""The README of a kept run, made from the files beside it and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starvox.config import Experiment
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.table import format_evaluation
from starvox.run.environment import Environment
from starvox.run.log import LOSSES, read_log
from starvox.run.run import Run

Log = Mapping[str, NDArray[np.float64]]


def make_card(folder: Path) -> str:
    """Returns the text of ``README.md``; every number in it is read from another file of the folder.

    Raises:
        UserError: if one of these files is missing or damaged.
    """
    run = Run(folder)
    exp, environment = run.experiment(), run.read_environment()
    log, evaluations = read_log(folder), read_evaluations(folder)
    parts = [
        f"# {exp.id}: {folder.name}",
        f"{exp.title}. A finished run, kept. Every number here is read from the files beside this one, "
        "and a test holds them together.",
        _run(run, exp, environment, log),
        "## Losses, before their weight",
        _losses(log),
        "## Verdict",
        f"**{e['verdict']}** at iteration {e['iteration']}; what it means: docs/evaluation.md.\n\n"
        f"```\n{format_evaluation(e)}\n```"
        if (e := evaluations[-1] if evaluations else None)
        else "Not evaluated.",
        "## Look and listen",
        _files(folder, evaluations),
        "## Limits",
        _limits(run, environment, log, evaluations),
        "## Licence",
        "As the repository's (LICENSE). The sounds are made of clips of the corpus "
        f"`{Path(environment.data).parent.name}`, whose own terms hold for them.",
    ]
    return "\n\n".join(parts) + "\n"


def _run(run: Run, exp: Experiment, environment: Environment, log: Log) -> str:
    labels, machine = run.encoder(exp).classes, environment.model_extra or {}
    command = ["make train", f"EXP={exp.id}"]
    iterations = int(log["iteration"][-1])
    if environment.data != "data/demo/train.csv":
        command.append(f"DATA={environment.data}")
    if log["epoch"][-1] < exp.training.epochs:
        command.append(f"ITERATIONS={iterations}")
    command.append(f"SEED={environment.seed}")
    if changes := exp.changes():
        command.append(f'ARGS="{" ".join(f"--set {key}={value}" for key, value in changes.items())}"')
    resumed = len(environment.resumed)
    rows = {
        "command": f"`{' '.join(command)}`",
        "iterations": f"{iterations} ({log['epoch'][-1]:.0f} of {exp.training.epochs} epochs)",
        "corpus": f"`{environment.data}`: "
        + ", ".join(
            f"{len(names)} {group}{'es' if group == 'sex' else 's'}" for group, names in labels.items()
        ),
        "training time": f"{machine['hours']:.2f} h" + (f", resumed {resumed} times" if resumed else ""),
        "machine": f"{machine.get('device')}, {machine.get('cpus')} CPU cores, {machine.get('platform')}",
        "code": f"commit `{machine.get('git_commit')}`",
        "weights": ", ".join(
            f"`{path.name}` (float16; its SHA-256 begins so)" for path in run.generators().values()
        )
        or "not kept",
    }
    return _table(("", ""), rows.items())


def _losses(log: Log) -> str:
    rows = [(f"`{key}`", *(f"{value:.4g}" for value in (log[key][0], log[key][-1]))) for key in LOSSES]
    first, last = (f"iteration {log['iteration'][i]:.0f}" for i in (0, -1))
    return _table(("", first, last), rows)


def _files(folder: Path, evaluations: list[dict[str, Any]]) -> str:
    run = Run(folder)
    lines = []
    if curves := ", ".join(f"`{path.name}`" for path in sorted(run.curves.glob("*"))):
        lines.append(f"- curves: {curves}")
    if evaluations:
        lines.append(f"- evaluations of iterations {', '.join(str(e['iteration']) for e in evaluations)}")
    sounds = len(list(run.replay.glob("*.ogg")))
    lines.append(
        f"- `replay/`: {sounds} sounds: input, copy-synthesis (the input through the pipeline without the "
        "network), conversions and reconstruction of held-out clips, all but the input through Griffin-Lim; "
        "where the corpus can say it, the truth: the same sentence in the target's own voice"
    )
    lines.append("- `log`: thinned; `SHA256SUMS`: `sha256sum -c` holds these files against it")
    return "\n".join(lines)


def _limits(run: Run, environment: Environment, log: Log, evaluations: list[dict[str, Any]]) -> str:
    iterations = log["iteration"][-1]
    lines = [
        f"- One seed ({environment.seed}): nothing is said of how other seeds come out.",
        f"- {iterations:.0f} updates of the generator; the record's 203 epochs were about 24 000, "
        f"so this is {iterations / 24000:.1%} of them.",
        "- Sounds hold what the network sees and are no better than Griffin-Lim.",
    ]
    if run.generators():
        lines.append("- The weights are float16, the sounds here are theirs; evaluations are of float32.")
    if not evaluations:
        lines.append("- It was not evaluated.")
    return "\n".join(lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
