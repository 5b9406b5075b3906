"""What a generator does to real clips."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from starvox.config import Audio, Generator
from starvox.corpus import GROUPS, LabelEncoder
from starvox.device import describe
from starvox.evaluation.accuracy import count_right, name_classes
from starvox.evaluation.evaluation_set import Array, Crop, EvaluationSet, Values, WholeClip
from starvox.evaluation.label_plan import LabelTuple
from starvox.evaluation.verdict import give_verdict
from starvox.replay.conversion import classify, context_frames, convert, generate
from starvox.replay.networks import Networks
from starvox.replay.receptive_field import cell_reach, pixel_reach

# table -> its rows; of `words` and `truth`, measure -> rows
_DISTANCES = {
    "errors": ("copy", "identity", "reconstruction"),
    "response": ("voice", *GROUPS),
    "distances": ("same_speaker", "different_speakers", "different_clips", "silence"),
}
_WORDS = {name: name for name in ("converted", "copy", "truth", "unrelated")}
_TRUTH = {"converted": "converted", "input": "copy"}


def measure(networks: Networks, clips: EvaluationSet, progress: bool = True) -> dict[str, Any]:
    """Measures what a generator, on any device, does to the clips.

    Args:
        networks: of a run; without D, nothing is asked of it.
        clips: made for the run.
        progress: show the time left on a terminal.

    Returns:
        dict: what ``evaluation_iter_N.json`` holds; docs/evaluation.md names its keys.
    """

    def show(items: Sequence[Any], what: str) -> "tqdm[Any]":
        return tqdm(items, "evaluating", unit=f" {what}", disable=None if progress else True)

    values = Values(list)
    real: list[LabelTuple] = []  # what D names the crops, and their conversions
    converted: list[LabelTuple] = []
    judged: list[LabelTuple] = []
    for crop in show(clips.crops, "crops"):
        targets = _convert_crop(networks, crop, values)
        if networks.dis is not None:
            outputs = classify(networks.dis, np.stack([crop.x, *targets]))
            first, *others = (name_classes(c, networks.encoder) for c in outputs)
            real.append(first)
            converted += others
        if clips.judge:
            judged += clips.judge.name(np.stack(targets))
    for clip in show(clips.whole_clips, "whole clips"):
        s = _convert_whole(networks, clip)
        spoken, sound = clip.source.inner(s), clip.source.sound(s)
        clip.compare(values, "converted", spoken, sound, networks.exp.audio)

    own = [crop.plan.own for crop in clips.crops]
    wanted = [target for crop in clips.crops for target in crop.plan.targets]
    sources = [labels for labels in own for _ in range(2)]
    accuracy = judge = None
    if networks.dis is not None:
        counts = {"real": count_right(real, own), "converted": count_right(converted, wanted, sources)}
        accuracy = _by_group(counts, networks.encoder)
    if clips.judge and any(map(any, own)):
        counts = {name: count_right(answers, own) for name, answers in clips.named.items()}
        counts["converted"] = count_right(judged, wanted, sources)
        inputs = [names for names in clips.named["real"] for _ in range(2)]
        counts["copy"] = count_right(inputs, wanted, sources)
        judge = _by_group(counts, networks.encoder)

    values.update(clips.values)
    tables = _tables(values, networks.exp.audio)
    tables |= {"accuracy": accuracy, "judge": judge, "receptive_field": _reach(networks.exp.generator)}
    about = {
        "experiment": networks.exp.id,
        "iteration": networks.iteration,
        "manifest": str(clips.manifest),
        "crops": len(clips.crops),
        "clips": clips.n_clips,
        "whole_clips": len(clips.whole_clips),
        "seed": clips.seed,
        "device": describe(networks.gen.device),
        "judge_crops": clips.judge and clips.judge.crops,
    }
    return about | tables | give_verdict(tables)


def _convert_crop(networks: Networks, crop: Crop, values: Values) -> list[Array]:
    """Adds the distances of a crop's conversions; returns those to its targets."""

    def convert_crop(x: Array, labels: list[LabelTuple]) -> Array:
        c = np.stack([networks.encoder.input(*names) for names in labels])
        return generate(networks.gen, np.broadcast_to(x, (len(c), *x.shape)), c)

    (x, plan), labels = crop, crop.plan.labels()
    outputs = dict(zip(labels, convert_crop(x, labels), strict=True))
    targets = [outputs[target] for target in plan.targets]
    back = convert_crop(targets[0], [plan.own])[0]
    values["errors", "copy"] += [_distance(output, x) for output in targets]
    values["errors", "identity"].append(_distance(outputs[plan.own], x))
    values["errors", "reconstruction"].append(_distance(back, x))
    for name, (one, other) in plan.pairs.items():
        values["response", name].append(_distance(outputs[one], outputs[other]))
    return targets


def _convert_whole(networks: Networks, clip: WholeClip) -> Array:
    table = networks.exp.generator
    context = context_frames(table) if table.normalization == "batch" else None
    c = networks.encoder.input(*clip.target)
    return convert(networks.gen, clip.source.spectrogram, c, context)


def _distance(a: Array, b: Array) -> float:
    return float(abs(a - b).mean())


def _tables(values: Values, audio: Audio) -> dict[str, Any]:
    # of a magnitude; the logarithm of a power counts half
    decibels = -(20 if audio.spectrum == "magnitude" else 10) * math.log10(audio.floor)

    def mean(*key: str) -> dict[str, Any] | None:
        found = values[key]
        return {"mean": float(np.mean(found)), "n": len(found)} if found else None

    def measure(table: str, name: str, rows: Mapping[str, str]) -> dict[str, Any] | None:
        found = {title: mean(table, name, row) for title, row in rows.items()}
        return found if any(found.values()) else None

    tables: dict[str, Any] = {"db_per_unit": decibels}
    for table, rows in _DISTANCES.items():
        means = {row: mean(table, row) for row in rows}
        tables[table] = {
            row: found and found | {"db": found["mean"] * decibels} for row, found in means.items()
        }
    tables["words"] = {name: measure("words", name, _WORDS) for name in ("stoi", "energy")}
    tables["truth"] = {name: measure("truth", name, _TRUTH) for name in ("mcd", "f0")}
    return tables


def _by_group(counts: Mapping[str, Mapping[str, Any]], encoder: LabelEncoder) -> dict[str, Any]:
    """Returns group -> its row of each count, and what guessing would reach."""
    return {
        group: {name: rows[group] for name, rows in counts.items()}
        | {"chance": 1 / len(names) if names else None}
        for group, names in encoder.classes.items()
    }


def _reach(generator: Generator) -> dict[str, Any]:
    return {
        "cell": {axis: {**r._asdict(), "size": r.size} for axis, r in cell_reach(generator).items()},
        "pixel": {axis: max(r.size for r in reaches) for axis, reaches in pixel_reach(generator).items()},
    }
