"""``starvox data``."""

from pathlib import Path

from starvox.commands.options import add_command
from starvox.commands.paths import SYNTHETIC


def add(commands) -> None:
    command = add_command(commands, "data", "make a corpus of synthetic speech")
    command.add_argument(
        "--corpus",
        choices=SYNTHETIC,
        default="demo",
        help="demo: 24 speakers; record: the record's 1421, one clip each (default: demo)",
    )
    command.add_argument("--out", type=Path, help="folder (default: data/CORPUS)")
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.corpus.demo import make_demo

    print(f"the corpus is in {make_demo(args.out or SYNTHETIC[args.corpus], args.corpus)}")
