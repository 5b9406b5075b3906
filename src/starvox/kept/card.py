"""The README of a kept run, made from the files beside it and nothing else."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from starvox.corpus.demo import CORPORA
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.table import format_evaluation
from starvox.run.log import LOSSES, read_log
from starvox.run.run import Run


def make_card(folder: Path) -> str:
    """Returns the text of ``README.md``: card.md, with every number read from another file of the folder.

    Raises:
        UserError: if one of these files is missing or damaged.
    """
    run = Run(folder)
    exp, environment = run.experiment(), run.read_environment()
    log, evaluations = read_log(folder), read_evaluations(folder)
    iterations, epochs = (int(log[key][-1]) for key in ("iteration", "epoch"))
    command = f"make train EXP={exp.id}"
    made = next((name for name in CORPORA if environment.data == f"data/{name}/train.csv"), None)
    if made is None:
        command += f" DATA={environment.data}"
    elif made != "demo":  # the default
        command += f" CORPUS={made}"
    if epochs < exp.training.epochs:
        command += f" ITERATIONS={iterations}"
    command += f" SEED={environment.seed}"
    if changes := exp.changes():
        command += f' SET="{" ".join(f"{key}={value}" for key, value in changes.items())}"'
    template = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    ).from_string(files(__package__).joinpath("card.md").read_text(encoding="utf-8"))
    return template.render(
        exp=exp,
        name=folder.name,
        command=command,
        iterations=iterations,
        epochs=epochs,
        environment=environment.model_dump(),
        corpus=Path(environment.data).parent.name,
        labels=run.encoder(exp).classes,
        weights=list(run.generators().values()),
        first=int(log["iteration"][0]),
        losses=[(key, log[key][0], log[key][-1]) for key in LOSSES],
        evaluations=evaluations,
        evaluation=format_evaluation(evaluations[-1]) if evaluations else None,
        curves=list(run.curves.glob("*")),
        sounds=list(run.replay.glob("*.ogg")),
    )
