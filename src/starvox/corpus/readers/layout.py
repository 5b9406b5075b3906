"""What the readers of known corpora share: finding files, reading lines, refusing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from starvox.corpus.manifest import Clip
from starvox.errors import UserError

SEXES = {"F": "F", "M": "M", "FEMALE": "F", "MALE": "M"}


class Reading(NamedTuple):
    """A corpus: its clips, sorted by path, and what a person should know of them."""

    clips: list[Clip]
    notes: list[str]


def require(root: Path, corpus: str, layout: str, *names: str) -> Path:
    """Returns the first of ``names`` that is in ``root``.

    Raises:
        UserError: if none is there; it says what the layout should be, and
            where one is if that is a folder further down.
    """
    found = next((root / name for name in names if (root / name).exists()), None)
    if found is None:
        below = next((path.parent for name in names for path in sorted(root.glob(f"*/{name}"))), None)
        hint = f"; did you mean {below}?" if below else ""
        raise UserError(f"{root}: no {' or '.join(names)} in it; {corpus} is laid out as {layout}{hint}")
    return found


def lines(path: Path) -> Iterator[str]:
    """Yields the lines of a UTF-8 file without their ends.

    Raises:
        UserError: if the file cannot be read or is not UTF-8.
    """
    try:
        # Only "\n" ends a line: a sentence of Common Voice may hold U+2028 or a lone "\r".
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            for line in file:
                yield line.rstrip("\r\n")
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


def label(
    sounds: list[tuple[Path, str]],
    table: Path,
    parse: Callable[[str], tuple[str, str | None, str] | None],
    expected: str,
    layout: str,
) -> Reading:
    """Labels sound files with what a table tells of their speakers, a line each.

    Args:
        sounds: paths, and the names of their speakers.
        table: the file.
        parse: a line -> speaker, birthplace and sex; None if it is the header or a comment,
            ValueError or KeyError if it is malformed.
        expected: what a line looks like.
        layout: what the corpus looks like.

    Raises:
        UserError: if there are no sound files, the table cannot be read, or a line is malformed.
    """
    told = {}
    for number, line in enumerate(lines(table), 1):
        try:
            if line.strip() and (found := parse(line)):
                told[found[0]] = found[1:]
        except (ValueError, KeyError):
            raise malformed(table, number, expected, line) from None
    clips = [Clip(path, speaker, *told.get(speaker, (None, None))) for path, speaker in sounds]
    missing = sorted({speaker for _, speaker in sounds} - told.keys())
    more = f" and {len(missing) - 5} more" if missing[5:] else ""
    note = f"not in {table.name}, so labelled with the speaker only: {', '.join(missing[:5])}{more}"
    return finish(table.parent, clips, layout, [note] if missing else [])
