"""What the readers of known corpora share: finding files, reading lines, refusing."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from starvox.corpus.manifest import Clip
from starvox.errors import UserError


class Reading(NamedTuple):
    """A corpus: its clips, sorted by path, and what a person should know of them."""

    clips: list[Clip]
    notes: list[str]


def require(root: Path, names: tuple[str, ...], corpus: str, layout: str) -> Path:
    """Returns the first of ``names`` that is in ``root``.

    Raises:
        UserError: if none is there; it says what the layout should be, and
            where one is if that is a folder further down.
    """
    for name in names:
        if (root / name).exists():
            return root / name
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; give the unpacked {corpus}: {layout}")
    below = next((path.parent for name in names for path in sorted(root.glob(f"*/{name}"))), None)
    hint = f"; did you mean {below}?" if below else ""
    raise UserError(f"{root}: no {' or '.join(names)} in it; {corpus} is laid out as {layout}{hint}")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yields the number and the text of each line that is not blank.

    Raises:
        UserError: if the file cannot be read or is not UTF-8.
    """
    try:
        # Only "\n" ends a line: a sentence of Common Voice may hold U+2028 or a lone "\r".
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give the folder of the unpacked corpus") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; unpack the corpus again") from None


def malformed(path: Path, number: int, expected: str, line: str) -> UserError:
    """Returns the complaint about a line, with its place."""
    return UserError(f"{path}:{number}: expected {expected}, got {line[:60]!r}; mend or remove the line")


def finish(root: Path, clips: list[Clip], expected: str, notes: list[str]) -> Reading:
    """Sorts the clips.

    Raises:
        UserError: if there are none.
    """
    if not clips:
        raise UserError(f"{root}: no sound files in it; expected {expected}")
    return Reading(sorted(clips, key=lambda clip: clip.path), notes)


def not_told(speakers: set[str], told: set[str], path: Path) -> list[str]:
    """Returns a note about the speakers that have clips but no line in ``path``, if any."""
    missing = sorted(speakers - told)
    if not missing:
        return []
    shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return [f"not in {path.name}, so labelled with the speaker only: {shown}"]
