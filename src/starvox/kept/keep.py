"""Putting a kept run together."""

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import soundfile

from starvox.audio import read_waveform
from starvox.corpus import GROUPS, Clip, read_manifest
from starvox.errors import UserError
from starvox.evaluation.evaluate import read_evaluations
from starvox.evaluation.label_plan import LabelTuple, plan_labels
from starvox.evaluation.truth import synthetic_truth
from starvox.files import file_name, read_text
from starvox.kept.card import make_card
from starvox.plotting import CURVES, draw_curve, draw_evaluations
from starvox.replay.replay import Replay
from starvox.run import snapshots
from starvox.run.log import read_log
from starvox.run.run import Run

MAX_BYTES, MAX_BYTES_WITH_WEIGHTS = 1_000_000, 8_000_000
LOG_ENTRIES = 200
N_CLIPS, N_TARGETS = 4, 2
SECONDS = 4  # of a clip
_VORBIS_LEVELS = (0.7, 1.0)  # of compression: tried in turn until all fits


def keep(
    run: Path, out: Path, manifest: Path, weights: bool, device: str = "cpu", overwrite: bool = False
) -> Path:
    """Puts what should last of a run into a folder; it appears whole or not at all.

    Args:
        run: a results folder whose training has ended.
        out: the folder to make.
        manifest: of the clips to convert, best such as the run was not trained on.
        weights: whether to keep the newest generator too, as float16.
        device: for the conversions.
        overwrite: replace ``out`` if it is a kept run.

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
        _write_records(run, new)
        _write_curves(run, new)
        if weights:
            replay.gen.to_device("@numpy")
            snapshots.save_half(new, replay.iteration, replay.gen)
            replay = Replay.load(new, device=device)  # so that the sounds are those of what is kept
        sounds = _convert(replay, manifest)
        for level in _VORBIS_LEVELS:
            _write_sounds(new, sounds, replay.exp.audio.sample_rate, level)
            (new / "README.md").write_text(make_card(new), encoding="utf-8")
            Run(new).sums.write_text(sums(new), encoding="utf-8")
            size = sum(path.stat().st_size for path in new.rglob("*") if path.is_file())
            if size <= (limit := MAX_BYTES_WITH_WEIGHTS if weights else MAX_BYTES):
                break
        else:
            raise UserError(
                f"{run}: to keep it takes {size / 1e6:.1f} MB, and at most {limit / 1e6:.0f} MB are for one; "
                "remove some of its evaluation_iter_*.json"
            )
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
    return out


def sums(folder: Path) -> str:
    """Returns what `sha256sum` says of the files of a kept run, less the file that holds it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != Run(folder).sums]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    lines = (f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    return "".join(lines)


def thin(entries: list[dict]) -> list[dict]:
    """Returns every k-th entry of a log, at most `LOG_ENTRIES`; the first and the last always."""
    step = max(1, -(-(len(entries) - 1) // (LOG_ENTRIES - 1)))
    return entries[:-1:step] + entries[-1:]


def _write_records(run: Path, new: Path) -> None:
    old, kept = Run(run), Run(new)
    shutil.copyfile(old.config, kept.config)
    shutil.copyfile(old.labels, kept.labels)
    log = thin(_read_entries(old.log))
    rounded = [{key: _seven_digits(value) for key, value in entry.items()} for entry in log]
    kept.log.write_text(json.dumps(rounded, indent=0) + "\n", encoding="utf-8")
    environment = old.read_environment().model_dump(exclude_unset=True)
    environment["hours"] = round(log[-1]["elapsed_time"] / 3600, 3)
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


def _seven_digits(value):
    """Returns what float32 holds of a number."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _write_curves(run: Path, new: Path) -> None:
    log = read_log(run)
    figures = {curve.name: draw_curve(curve, [log]) for curve in CURVES}
    evaluations = read_evaluations(run)
    if len(evaluations) > 1:
        figures["evaluation"] = draw_evaluations(evaluations)
    curves = Run(new).curves
    curves.mkdir()
    for name, figure in figures.items():
        drawn = {}
        for ending in ("png", "svg"):
            figure.savefig(file := io.BytesIO(), format=ending, dpi=80)
            drawn[ending] = file.getvalue()
        smaller = min(drawn, key=lambda ending: len(drawn[ending]))
        (curves / f"{name}.{smaller}").write_bytes(drawn[smaller])


def _convert(replay: Replay, manifest: Path) -> dict[str, np.ndarray]:
    """Returns file name -> waveform of the clips, through Griffin-Lim but for the inputs and the truth."""
    clips = [replay.encoder.without_unknown(clip) for clip in read_manifest(manifest)]
    voices = list(dict.fromkeys(filter(any, map(_names, clips))))
    rate = replay.exp.audio.sample_rate
    truth = synthetic_truth(manifest, rate)
    sounds = {}
    for number in range(min(N_CLIPS, len(clips))):
        clip = clips[number * len(clips) // N_CLIPS if len(clips) > N_CLIPS else number]
        own = _names(clip)
        source = replay.source(wave := read_waveform(clip.path, rate)[: SECONDS * rate])
        plan = plan_labels(own, voices, replay.encoder.classes, np.random.default_rng([0, number]))
        stem = f"{number + 1}_{_title(own)}"
        sounds[f"{stem}_input"] = wave
        sounds[f"{stem}_copy-synthesis"] = source.sound(source.spectrogram)
        for target in plan.targets[:N_TARGETS]:
            if truth and target[0] and (said := truth(clip, target[0])) is not None:
                sounds[f"{stem}_truth_{_title(target)}"] = said[: SECONDS * rate]
        there = {target: replay.generate(source.spectrogram, *target) for target in plan.targets[:N_TARGETS]}
        sounds |= {f"{stem}_to_{_title(target)}": source.sound(s) for target, s in there.items()}
        back = replay.generate(there[plan.targets[0]], *own)
        sounds[f"{stem}_reconstruction"] = source.sound(back)
    return sounds


def _names(clip: Clip) -> LabelTuple:
    return tuple(clip.labels[group] for group in GROUPS)


def _title(labels: Iterable[str | None]) -> str:
    return file_name("_".join(filter(None, labels))) or "unlabelled"


def _write_sounds(new: Path, sounds: Mapping[str, np.ndarray], rate: int, level: float) -> None:
    folder = Run(new).replay
    folder.mkdir(exist_ok=True)
    for name, wave in sounds.items():
        scaled = wave / max(1, np.abs(wave).max(initial=0))
        soundfile.write(
            folder / f"{name}.ogg", scaled, rate, format="OGG", subtype="VORBIS", compression_level=level
        )


def _read_entries(path: Path) -> list[dict]:
    try:
        entries = json.loads(read_text(path))
        if not isinstance(entries, list) or not entries:
            raise ValueError
        return entries
    except (OSError, ValueError, RecursionError):
        raise UserError(f"{path}: missing or damaged; only a whole run can be kept") from None


def _write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
