"""The command line: parses, calls, and turns a mistake into one line."""

import argparse
import signal
import sys

from starvox import __version__
from starvox.commands import COMMANDS
from starvox.errors import UserError

# what mends a mistake, by the arguments that a `UserError` names: as a user gives them
_MENDS = {
    "train": "train first: make train EXP=...",
    "resume": "resume it by `make resume`",
    "overwrite": "start anew by `make train` with ARGS=--overwrite",
    "out": "choose another OUT=",
    "store": "name the folder with --store",
    "device": "choose another DEVICE=, for example DEVICE=cpu",
    "seed": "leave SEED out",
    "processes": "give the run's own NP=",
}


def tell(error: UserError) -> str:
    """Returns the message of an error, and how the arguments that mend it are given."""
    return "; ".join(filter(None, [str(error), ", or ".join(_MENDS[name] for name in error.arguments)]))


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit code (2 for a mistake the user can mend)."""
    args = _parser().parse_args(argv)
    args.argv = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name that the terminal's encoding lacks must not end a training.
            stream.reconfigure(errors="backslashreplace")
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # as long as nothing could be lost
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return args.run(args) or 0
    except UserError as error:
        if args.debug:
            raise
        print(f"starvox: {tell(error)}", file=sys.stderr)
        return 2
    except MemoryError as error:
        if args.debug:
            raise
        mend = "make the minibatch or the networks smaller"
        reason = " ".join(str(error).split()) or "MemoryError"
        print(f"starvox: not enough memory; {mend} ({reason})", file=sys.stderr)
        return 2
    except BrokenPipeError:  # as in `starvox show smoke | head`
        sys.stdout = None
        return 141
    except OSError as error:  # a disk or a file that fails where no command expects it
        if args.debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"starvox: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("starvox: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="starvox",
        description="StarGAN voice conversion 47c97768 (2019), reproduced in Chainer.",
        epilog="Start with: starvox train smoke",
    )
    parser.add_argument("--version", action="version", version=f"starvox {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
