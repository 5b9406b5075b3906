"""The record's finding in numbers: does the generator copy, or answer to the labels?"""

import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from starvox.corpus import GROUPS, Corpus
from starvox.device import describe, find_device
from starvox.errors import UserError
from starvox.evaluation.distances import measure_distances
from starvox.evaluation.judge import Judge
from starvox.evaluation.measurement import Measurement
from starvox.evaluation.truth import Truth, synthetic_truth
from starvox.evaluation.verdict import give_verdict
from starvox.files import read_text, write_text
from starvox.replay.networks import Networks, load_networks
from starvox.replay.receptive_field import cell_reach, pixel_reach
from starvox.run.run import Run

DEFAULT_CROPS = 24
MAX_WHOLE_CLIPS = 12  # half as many as crops: each takes about as long as two


def evaluate(
    run_folder: str | Path,
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    clips: int | None = None,
    seed: int = 0,
    progress: bool = True,
    iteration: int | None = None,
    training: str | Path | None = None,
    truth: Truth | None = None,
) -> dict:
    """Measures what the generator of a run does to the clips of a manifest.

    Every crop is given its own labels, those of two other voices (labels that
    occur together in the manifest), and labels that differ in one group alone.
    A name that the run does not know counts as not labelled. Batch
    normalisation uses its running statistics.

    Args:
        run_folder: a results folder, or a kept run.
        manifest: of the clips, best such as the run was not trained on.
        store_folder: where decoded clips are kept.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        clips: crops to take, spread over the manifest; more than it has clips
            takes several of each. None for `DEFAULT_CROPS`. At most
            `MAX_WHOLE_CLIPS` of the clips are converted whole as well.
        seed: of the crops and the labels.
        progress: show the time left, on standard error.
        iteration: None for the newest. An iteration without a snapshot to
            resume from has no D, and ``accuracy`` is None.
        training: manifest of the clips that the run was trained on, to fit the judge
            on. Without it ``judge`` is None.
        truth: makes the same sentence in another voice. None for what a synthetic corpus can
            say itself; of others there is none.

    Returns:
        dict: what ``evaluation_iter_N.json`` holds; docs/evaluation.md names its keys.

    Raises:
        UserError: if the run, a manifest or the device cannot be used.
    """
    return next(
        evaluate_iterations(
            run_folder, [iteration], manifest, store_folder, device, clips, seed, progress, training, truth
        )
    )


def evaluate_iterations(
    run_folder: str | Path,
    iterations: Iterable[int | None],
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    clips: int | None = None,
    seed: int = 0,
    progress: bool = True,
    training: str | Path | None = None,
    truth: Truth | None = None,
) -> Iterator[dict]:
    """Does as `evaluate` for several generators of a run; the judge is fitted once.

    Yields:
        dict: as of `evaluate`, in the order of ``iterations``.
    """
    judge = None
    for iteration in iterations:
        networks = _load(Path(run_folder), iteration)
        find_device(device)  # a device that is not there is told before a corpus is decoded
        if training and judge is None:
            corpus = Corpus.open(training, networks.exp.audio, store_folder, progress=progress)
            judge = Judge(corpus, networks.encoder, seed)
        truth = truth or synthetic_truth(manifest, networks.exp.audio.sample_rate)
        yield evaluate_networks(networks, manifest, store_folder, device, clips, seed, progress, judge, truth)


def evaluate_networks(
    networks: Networks,
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    clips: int | None = None,
    seed: int = 0,
    progress: bool = True,
    judge: Judge | None = None,
    truth: Truth | None = None,
) -> dict:
    """Does as `evaluate`, with networks and a judge that are there already; moves them to the device."""
    where = find_device(device)
    corpus = Corpus.open(manifest, networks.exp.audio, store_folder, progress=progress)
    if len(corpus.clips) < 2:
        raise UserError(f"{manifest}: only one usable clip; different clips are compared, add some")
    for network in filter(None, (networks.gen, networks.dis)):
        network.to_device(where)
    speakers = [clip.speaker for clip in corpus.clips]
    corpus.clips = [networks.encoder.without_unknown(clip) for clip in corpus.clips]
    measurement = Measurement(networks, corpus, judge, truth)
    crops, available = clips or DEFAULT_CROPS, len(corpus.clips)
    for number in _show(range(crops), progress, "crops"):
        measurement.add(number * available // crops, np.random.default_rng([seed, 1 + number]))
    whole = min(crops, available, MAX_WHOLE_CLIPS)
    for number in _show(range(whole), progress, "whole clips"):
        index = number * available // whole
        other = (index + max(1, available // 2)) % available  # far off in the manifest: another's words
        measurement.add_whole(index, other, np.random.default_rng([seed, 1 + number, 1]))
    distances = measure_distances(speakers, measurement.draw, np.random.default_rng([seed, 0]))
    if not any(distances["different_clips"]):
        raise UserError(
            f"{manifest}: all its clips hold the same sound; different clips are compared, add some"
        )
    about = {
        "experiment": networks.exp.id,
        "iteration": networks.iteration,
        "manifest": str(manifest),
        "crops": crops,
        "clips": len(corpus.clips),
        "whole_clips": whole,
        "seed": seed,
        "device": describe(where),
        "judge_crops": judge and judge.crops,
    }
    return about | _summarize(measurement, distances)


def write_evaluation(folder: Path, evaluation: dict) -> Path:
    """Writes ``evaluation_iter_N.json``; returns its path."""
    path = Run(folder).evaluation(evaluation["iteration"])
    write_text(path, json.dumps(evaluation, indent=2) + "\n")
    return path


def read_evaluations(folder: Path) -> list[dict]:
    """Returns the evaluations in a folder, by iteration.

    Raises:
        UserError: if one of them is damaged.
    """
    found = []
    for path in Run(folder).evaluations().values():
        try:
            evaluation = json.loads(read_text(path))
            found.append((evaluation["iteration"], evaluation))
            evaluation["judged_by"]["thresholds"]["min_target_share"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise UserError(f"{path}: damaged, or of an earlier version; remove it") from None
    return [evaluation for _, evaluation in sorted(found, key=lambda pair: pair[0])]


def _load(folder: Path, iteration: int | None) -> Networks:
    kept = Run(folder).snapshots()
    return load_networks(folder, iteration, with_dis=bool(kept) if iteration is None else iteration in kept)


def _show(numbers: range, progress: bool, what: str):
    """Shows a bar on a terminal, one plain line elsewhere."""
    if progress and not sys.stderr.isatty():
        print(f"evaluating {len(numbers)} {what}", file=sys.stderr, flush=True)
    return tqdm(numbers, "evaluating", unit=f" {what}", disable=None if progress else True)


def _summarize(measurement: Measurement, distances: dict[str, list[float]]) -> dict:
    exp = measurement.networks.exp
    # of a magnitude; the logarithm of a power counts half
    decibels = -(20 if exp.audio.spectrum == "magnitude" else 10) * math.log10(exp.audio.floor)

    def mean(values: dict[str, list[float]]) -> dict[str, dict | None]:
        return {
            name: {"mean": float(np.mean(v)), "db": float(np.mean(v)) * decibels, "n": len(v)} if v else None
            for name, v in values.items()
        }

    found = {
        "db_per_unit": decibels,
        "errors": mean(measurement.errors),
        "response": mean(measurement.response),
        "distances": mean(distances | {"silence": measurement.level}),
        "accuracy": _accuracies(measurement),
        "judge": _judgements(measurement),
        "words": {name: _means(rows) for name, rows in measurement.words.items()},
        "truth": {name: _means(rows) for name, rows in measurement.towards.items()},
        "receptive_field": _reach(exp.generator),
    }
    return found | give_verdict(
        *(found[key] for key in ("errors", "response", "distances", "judge", "words"))
    )


def _means(rows: dict[str, list[float]]) -> dict | None:
    """Returns row -> mean and n (or None where nothing was measured), or None if all are so."""
    if not any(rows.values()):
        return None
    return {name: {"mean": float(np.mean(v)), "n": len(v)} if v else None for name, v in rows.items()}


def _judgements(measurement: Measurement) -> dict | None:
    """Returns group -> what the judge named rightly of what it was shown; None without a judge."""
    if not any(measurement.judged["real"].result().values()):
        return None
    classes = measurement.networks.encoder.classes
    counted = {name: accuracy.result() for name, accuracy in measurement.judged.items()}
    return {
        group: {name: rows[group] for name, rows in counted.items()} | {"chance": _chance(classes[group])}
        for group in GROUPS
    }


def _chance(names) -> float | None:
    return 1 / len(names) if names else None


def _accuracies(measurement: Measurement) -> dict | None:
    if measurement.networks.dis is None:
        return None
    classes = measurement.networks.encoder.classes
    real, converted = measurement.real.result(), measurement.converted.result()
    return {
        group: {
            "real": real[group],
            "converted": converted[group],
            "chance": _chance(classes[group]),
        }
        for group in GROUPS
    }


def _reach(generator) -> dict:
    return {
        "cell": {axis: {**r._asdict(), "size": r.size} for axis, r in cell_reach(generator).items()},
        "pixel": {axis: max(r.size for r in reaches) for axis, reaches in pixel_reach(generator).items()},
    }
