"""Putting a kept run together."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from starvox.audio import read_waveform
from starvox.corpus import GROUPS, Clip, read_manifest
from starvox.errors import UserError
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.label_plan import LabelTuple, plan_labels
from starvox.evaluation.truth import synthetic_truth
from starvox.files import file_name
from starvox.kept.card import make_card
from starvox.plotting import CURVES, draw_curve, draw_evaluations
from starvox.replay.replay import Replay
from starvox.run import snapshots
from starvox.run.log import read_log
from starvox.run.run import Run

MAX_BYTES_WITH_WEIGHTS = 8_000_000
SECONDS = 4  # of a clip


class Size(NamedTuple):
    """How much is kept: bytes without weights, log entries, clips, conversions of each, the five figures.

    ``vorbis_level`` is libsndfile's level of compression: 0 to 1, the smallest.
    """

    max_bytes: int
    log_entries: int
    clips: int
    targets: int
    curves: bool
    vorbis_level: float


WHOLE = Size(1_000_000, 200, 4, 2, True, 0.7)
SMALL = Size(150_000, 50, 1, 1, False, 1.0)


def keep(
    run: Path,
    out: Path,
    manifest: Path,
    weights: bool,
    device: str = "cpu",
    overwrite: bool = False,
    size: Size = WHOLE,
) -> Path:
    """Puts what should last of a run into a folder; it appears whole or not at all.

    Args:
        run: a results folder whose training has ended.
        out: the folder to make.
        manifest: of the clips to convert, best such as the run was not trained on.
        weights: whether to keep the newest generator too, as float16.
        device: for the conversions.
        overwrite: replace ``out`` if it is a kept run.
        size: `WHOLE` or `SMALL`.

    Returns:
        Path: ``out``.

    Raises:
        UserError: if the run is incomplete, ``out`` is there, or the result is too large.
    """
    if out.exists() and not (overwrite and Run(out).is_kept()):
        raise UserError(f"{out} is there; replace a kept run with --overwrite, or choose another --out")
    replay = Replay.load(run, device=device)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".keep-", dir=out.parent) as temporary:
        new = Path(temporary) / out.name
        new.mkdir()
        _write_records(run, new, size.log_entries)
        if size.curves:
            _write_curves(run, new)
        if weights:
            replay.gen.to_device("@numpy")
            snapshots.save_half(new, replay.iteration, replay.gen)
            replay = Replay.load(new, device=device)  # so that the sounds are those of what is kept
        _write_sounds(Run(new).replay, replay, manifest, size)
        write_card(new)
        kept, limit = folder_size(new), MAX_BYTES_WITH_WEIGHTS if weights else size.max_bytes
        if kept > limit:
            raise UserError(
                f"{run}: to keep it takes {kept / 1e6:.2f} MB, and at most {limit / 1e6} MB are for one; "
                "remove some of its evaluation_iter_*.json"
            )
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
    return out


def folder_size(folder: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_card(folder: Path) -> None:
    """Writes ``README.md`` and ``SHA256SUMS`` of a kept run, from its other files."""
    (folder / "README.md").write_text(make_card(folder), encoding="utf-8")
    Run(folder).sums.write_text(sums(folder), encoding="utf-8")


def sums(folder: Path) -> str:
    """Returns what `sha256sum` says of the files of a kept run, less the file that holds it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != Run(folder).sums]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    lines = (f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    return "".join(lines)


def thin(n: int, limit: int) -> list[int]:
    """Returns which of ``n`` log entries to keep: every k-th, the first and the last, at most ``limit``."""
    step = max(1, -(-(n - 1) // (limit - 1)))
    return [*range(0, n - 1, step), n - 1]


def _write_records(run: Path, new: Path, log_entries: int) -> None:
    old, kept = Run(run), Run(new)
    shutil.copyfile(old.config, kept.config)
    shutil.copyfile(old.labels, kept.labels)
    log = read_log(run)
    rows = thin(len(log["iteration"]), log_entries)
    # seven digits are what float32 holds
    entries = [{key: float(f"{values[row]:.7g}") for key, values in log.items()} for row in rows]
    kept.log.write_text(json.dumps(entries, indent=0) + "\n", encoding="utf-8")
    environment = old.read_environment().model_dump(exclude_unset=True)
    environment["hours"] = round(entries[-1]["elapsed_time"] / 3600, 3)
    environment.pop("store", None)
    for key in ("data", "held_out"):
        environment[key] = environment.get(key) and portable(environment[key])
    _write_json(kept.environment, environment)
    for evaluation in read_evaluations(run):
        evaluation["manifest"] = portable(evaluation["manifest"])
        _write_json(kept.evaluation(evaluation["iteration"]), evaluation)


def portable(path: str) -> str:
    """Returns a path as seen from the project's folder; of one that lies elsewhere, its folder and name."""
    if Path(path).absolute().is_relative_to(Path.cwd()):
        return Path(path).absolute().relative_to(Path.cwd()).as_posix()
    return Path(*Path(path).parts[-2:]).as_posix().lstrip("/")


def _write_curves(run: Path, new: Path) -> None:
    folder = Run(new).curves
    folder.mkdir()
    log, evaluations = read_log(run), read_evaluations(run)
    figures = {curve.name: draw_curve(curve, [log]) for curve in CURVES}
    if len(evaluations) > 1:
        figures["evaluation"] = draw_evaluations(evaluations)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=80)


def _write_sounds(folder: Path, replay: Replay, manifest: Path, size: Size) -> None:
    """Writes clips and what becomes of them, through Griffin-Lim but for the inputs and the truth."""
    clips = [replay.encoder.without_unknown(clip) for clip in read_manifest(manifest)]
    voices = list(dict.fromkeys(filter(any, map(_names, clips))))
    rate = replay.exp.audio.sample_rate
    truth = synthetic_truth(manifest, rate)
    folder.mkdir()

    def write(name: str, wave: NDArray[np.float32]) -> None:
        scaled = wave / max(1, np.abs(wave).max(initial=0))
        options = {"format": "OGG", "subtype": "VORBIS", "compression_level": size.vorbis_level}
        soundfile.write(folder / f"{name}.ogg", scaled, rate, **options)

    for number in range(min(size.clips, len(clips))):
        clip = clips[number * len(clips) // size.clips if len(clips) > size.clips else number]
        own = _names(clip)
        source = replay.source(wave := read_waveform(clip.path, rate)[: SECONDS * rate])
        plan = plan_labels(own, voices, replay.encoder.classes, np.random.default_rng([0, number]))
        stem = f"{number + 1}_{_title(own)}"
        write(f"{stem}_input", wave)
        write(f"{stem}_copy-synthesis", source.sound(source.spectrogram))
        for target in plan.targets[: size.targets]:
            if truth and target[0] and (said := truth(clip, target[0])) is not None:
                write(f"{stem}_truth_{_title(target)}", said[: SECONDS * rate])
            converted = replay.generate(source.spectrogram, **_named(target))
            write(f"{stem}_to_{_title(target)}", source.sound(converted))
            if target == plan.targets[0]:
                back = replay.generate(converted, **_named(own))
                write(f"{stem}_reconstruction", source.sound(back))


def _names(clip: Clip) -> LabelTuple:
    return tuple(clip.labels[group] for group in GROUPS)


def _named(labels: LabelTuple) -> dict[str, Any]:
    return dict(zip(GROUPS, labels, strict=True))


def _title(labels: LabelTuple) -> str:
    return file_name("_".join(filter(None, labels))) or "unlabelled"


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
