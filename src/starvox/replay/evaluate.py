"""The record's finding in numbers: does the generator copy, or answer to the labels?"""

import math
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from starvox import snapshots
from starvox.corpus import GROUPS, Corpus
from starvox.device import describe, find_device
from starvox.errors import UserError
from starvox.replay.distances import measure_distances
from starvox.replay.measurement import Measurement
from starvox.replay.networks import Networks, load_networks
from starvox.replay.receptive_field import cell_reach, pixel_reach
from starvox.replay.verdict import give_verdict

DEFAULT_CROPS = 24


def evaluate(
    run_folder: str | Path,
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    clips: int | None = None,
    seed: int = 0,
    progress: bool = True,
    iteration: int | None = None,
) -> dict:
    """Measures what the generator of a run does to the clips of a manifest.

    Every crop is given its own labels, those of two other voices (labels that
    occur together in the manifest), and labels that differ in one group alone.
    A name that the run does not know counts as not labelled. Batch
    normalisation uses its running statistics.

    Args:
        run_folder: a results folder.
        manifest: of the clips, best such as the run was not trained on.
        store_folder: where decoded clips are kept.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        clips: crops to take, spread over the manifest; more than it has clips
            takes several of each. None for `DEFAULT_CROPS`.
        seed: of the crops and the labels.
        progress: show the time left, on standard error.
        iteration: None for the newest. An iteration without a snapshot to
            resume from has no D, and ``accuracy`` is None.

    Returns:
        dict: what ``evaluation.json`` holds; docs/evaluation.md names its keys.

    Raises:
        UserError: if the run, the manifest or the device cannot be used.
    """
    networks = _load(Path(run_folder), iteration)
    return evaluate_networks(networks, manifest, store_folder, device, clips, seed, progress)


def evaluate_networks(
    networks: Networks,
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    clips: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> dict:
    """Does as `evaluate`, with networks that are loaded already; moves them to the device."""
    where = find_device(device)
    corpus = Corpus.open(manifest, networks.exp.audio, store_folder, progress=progress)
    if len(corpus.clips) < 2:
        raise UserError(f"{manifest}: only one usable clip; different clips are compared, add some")
    for network in filter(None, (networks.gen, networks.dis)):
        network.to_device(where)
    speakers = [clip.speaker for clip in corpus.clips]
    corpus.clips = [networks.encoder.without_unknown(clip) for clip in corpus.clips]
    measurement = Measurement(networks, corpus)
    crops = clips or DEFAULT_CROPS
    for number in _show(range(crops), progress):
        index = number * len(corpus.clips) // crops
        measurement.add(index, np.random.default_rng([seed, 1 + number]))
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
        "seed": seed,
        "device": describe(where),
    }
    return about | _summarize(measurement, distances)


def _load(folder: Path, iteration: int | None) -> Networks:
    kept = snapshots.find(folder, snapshots.TRAINER)
    return load_networks(folder, iteration, with_dis=bool(kept) if iteration is None else iteration in kept)


def _show(numbers, progress: bool):
    """Shows a bar on a terminal, one plain line elsewhere."""
    if progress and not sys.stderr.isatty():
        print(f"evaluating {len(numbers)} crops", file=sys.stderr, flush=True)
    return tqdm(numbers, "evaluating", unit=" crops", disable=None if progress else True)


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
        "receptive_field": _reach(exp.generator),
    }
    return found | give_verdict(found["errors"], found["response"], found["distances"])


def _accuracies(measurement: Measurement) -> dict | None:
    if measurement.networks.dis is None:
        return None
    classes = measurement.networks.encoder.classes
    real, converted = measurement.real.result(), measurement.converted.result()
    return {
        group: {
            "real": real[group],
            "converted": converted[group],
            "chance": 1 / len(classes[group]) if classes[group] else None,
        }
        for group in GROUPS
    }


def _reach(generator) -> dict:
    return {
        "cell": {axis: {**r._asdict(), "size": r.size} for axis, r in cell_reach(generator).items()},
        "pixel": {axis: max(r.size for r in reaches) for axis, reaches in pixel_reach(generator).items()},
    }
