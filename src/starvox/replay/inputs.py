"""The sound files that a person names: files, folders and patterns."""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

import soundfile

from starvox.errors import UserError
from starvox.files import file_name

_ENDINGS = {f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".oga", ".opus"}


def find_inputs(given: Iterable[str], out: Path) -> dict[str, Path]:
    """Finds sound files and names each by where it is below the folder they share.

    Args:
        given: files, folders (searched to the bottom) and patterns such as ``a/*.wav``.
        out: nothing in this folder is found in another folder or by a pattern, so
            that results do not become inputs.

    Returns:
        dict: name -> file, for example ``f01_06`` for ``f01/06.wav`` beside ``f02``.

    Raises:
        UserError: if something is not there, or two files get the same name.
    """
    files = list(dict.fromkeys(path for item in given for path in _find(item, out.absolute())))
    base = os.path.commonpath([path.parent for path in files])
    named: dict[str, Path] = {}
    for path in files:
        name = file_name("_".join(path.relative_to(base).with_suffix("").parts))
        if path is not named.setdefault(name, path):
            both = f"{named[name]} and {path}"
            raise UserError(f"{both} give results of one name; replay them into two folders")
    return named


def _find(item: str, out: Path) -> list[Path]:
    if os.path.isfile(item):
        return [Path(item).absolute()]
    found = []
    for match in [item] if os.path.isdir(item) else sorted(glob.glob(item, recursive=True)):
        path = Path(match).absolute()
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in below if file.suffix.lower() in _ENDINGS and file.is_file()]
    found = [path for path in found if out not in path.parents]
    if not found:
        raise UserError(f"no sound file at {item!r}; give a file, a folder or a pattern such as 'in/*.wav'")
    return found
