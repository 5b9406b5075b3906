"""``starvox show``."""

from starvox.commands.options import add_command, add_experiment


def add(commands) -> None:
    command = add_command(commands, "show", "print every value of an experiment with the file that set it")
    add_experiment(command)
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.config import load_experiment

    exp = load_experiment(args.experiment)
    for key, value in exp.flatten().items():
        print(f"{key} = {value!r}  # {exp.sources[key]}")
