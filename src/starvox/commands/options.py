"""Options and types that several commands share."""

import argparse
import tomllib
from typing import Any


def add_command(commands, name: str, text: str) -> argparse.ArgumentParser:
    """Adds a subcommand; ``text`` begins in lower case and has no full stop."""
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    # also before the command's name; SUPPRESS keeps what was said there
    command.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
    )
    return command


def add_experiment(command: argparse.ArgumentParser) -> None:
    """Adds the argument EXP."""
    command.add_argument(
        "experiment", metavar="EXP", help="id, for example 47c97768, or the path of a config.toml"
    )


def count(text: str) -> int:
    """Reads a whole number of at least 1."""
    value = natural(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def natural(text: str) -> int:
    """Reads a whole number of at least 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, got {text!r}")
    return int(text)


def seed(text: str) -> int:
    """Reads what NumPy takes for a seed."""
    if (value := natural(text)) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be less than 2^32 = 4294967296, got {text}")
    return value


def setting(text: str) -> tuple[str, Any]:
    """Reads ``dotted.key=value``; a value that is no TOML is text."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
