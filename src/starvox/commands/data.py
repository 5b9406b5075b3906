"""``starvox data``."""

from pathlib import Path

from starvox.commands.options import add_command
from starvox.commands.paths import DEMO


def add(commands) -> None:
    command = add_command(commands, "data", "make the default corpus, of synthetic speech")
    command.add_argument("--out", type=Path, default=DEMO, help=f"folder (default: {DEMO})")
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.corpus.demo import make_demo

    print(f"the default corpus is in {make_demo(args.out)}")
