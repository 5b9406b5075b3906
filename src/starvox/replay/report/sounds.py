"""What a run left to see and to hear."""

import re
from pathlib import Path

from starvox.replay.report.html import Html, join, tag
from starvox.replay.report.media import Media


def newest_samples(run: Path) -> tuple[int, Path] | None:
    """Returns the iteration and the folder of the last samples that were written."""
    found = {
        int(match[1]): path
        for path in run.glob("samples/iter_*")
        if (match := re.fullmatch(r"iter_(\d+)", path.name)) and any(_files(path))
    }
    return max(found.items(), default=None)


def show_folder(folder: Path, media: Media, what: str) -> Html:
    """Returns the sounds and pictures of a folder, by the recording they were made of.

    Args:
        folder: with the folders in it.
        media: where there is room.
        what: the pictures show, for those who do not see them.
    """
    parts = []
    for source, files in _by_source(list(_files(folder)), folder).items():
        sounds = [media.player(path, name) for path, name in files if path.suffix != ".png"]
        pictures = [
            media.picture(path, name if source else "", what) for path, name in files if path.suffix == ".png"
        ]
        parts += [tag("h3", source)] if source and any(sounds + pictures) else []
        parts += [tag("div", *filter(None, sounds), class_="sounds")] if any(sounds) else []
        parts += filter(None, pictures)
    return join(*parts)


def _files(folder: Path):
    # A link in a stranger's folder could put any file of this machine on the page.
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in (".png", ".wav", ".ogg") and path.is_file() and not path.is_symlink()
    )


def _by_source(paths: list[Path], folder: Path) -> dict[str, list[tuple[Path, str]]]:
    """Groups the files of a folder by the recording X that they were made of.

    Samples are X_input, X_to_Y and X_reconstruction; replay writes
    X_copy-synthesis and X_to_Y. What has no such companion comes first.
    """
    names = {path: path.relative_to(folder).with_suffix("").as_posix() for path in paths}
    sources = {match[1] for name in names.values() if (match := _SOURCE.fullmatch(name))}
    groups = {"": []}
    for path, name in names.items():
        source = max((s for s in sources if name.startswith(f"{s}_")), key=len, default="")
        groups.setdefault(source, []).append((path, _words(name[len(source) :])))
    return {_words(source): sorted(group, key=_order) for source, group in groups.items()}


_SOURCE = re.compile(r"(.+)_(?:input|copy-synthesis(?:_.*)?)")


def _order(file: tuple[Path, str]) -> tuple[int, str]:
    """What went in, what was made of it, and the way back."""
    name = file[1]
    return 0 if name.startswith(("input", "copy-synthesis")) else 2 if name == "reconstruction" else 1, name


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
