"""What a generator does to real clips."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from starvox.config import Audio, Generator
from starvox.corpus import GROUPS, LabelEncoder
from starvox.device import describe
from starvox.errors import UserError
from starvox.evaluation.accuracy import count_right, name_classes
from starvox.evaluation.evaluation_set import Crop, EvaluationSet, Values, WholeClip
from starvox.evaluation.label_plan import LabelTuple
from starvox.evaluation.verdict import give_verdict
from starvox.replay.conversion import classify, context_frames, convert, generate
from starvox.replay.networks import Networks
from starvox.replay.receptive_field import cell_reach, pixel_reach

# table -> its rows; of `words` and `truth`, measure -> rows
DISTANCES = {
    "errors": ("copy", "identity", "reconstruction"),
    "response": ("voice", *GROUPS),
    "distances": ("same_speaker", "different_speakers", "different_clips", "silence"),
}
_WORDS = ("converted", "copy", "truth", "unrelated")


def measure(networks: Networks, clips: EvaluationSet, progress: bool = True) -> dict[str, Any]:
    """Measures what a generator, on any device, does to the clips.

    Args:
        networks: of a run; without D, nothing is asked of it.
        clips: made for the run.
        progress: show the time left on a terminal.

    Returns:
        dict: what ``evaluation_iter_N.json`` holds; docs/evaluation.md names its keys.

    Raises:
        UserError: if the generator gives NaN or infinite values.
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
        clips.add_words(values, "converted", clip, spoken, sound)
        clips.add_truth(values, "converted", clip, spoken, sound)

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
    verdict = give_verdict(*(tables[key] for key in ("errors", "response", "distances", "judge", "words")))
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
    return about | tables | verdict


def _convert_crop(networks: Networks, crop: Crop, values: Values) -> list[NDArray[np.float32]]:
    """Adds the distances of a crop's conversions; returns those to its targets."""

    def convert_crop(x: NDArray[np.float32], labels: list[LabelTuple]) -> NDArray[np.float32]:
        c = np.stack([networks.encoder.input(*names) for names in labels])
        return _finite(generate(networks.gen, np.broadcast_to(x, (len(c), *x.shape)), c), networks)

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


def _convert_whole(networks: Networks, clip: WholeClip) -> NDArray[np.float32]:
    table = networks.exp.generator
    beyond = context_frames(table) if table.normalization == "batch" else None
    c = networks.encoder.input(*clip.target)
    return _finite(convert(networks.gen, clip.source.spectrogram, c, beyond), networks)


def _finite(y: NDArray[np.float32], networks: Networks) -> NDArray[np.float32]:
    if not np.isfinite(y).all():
        raise UserError(
            f"the generator of iteration {networks.iteration} gives NaN or infinite values; "
            "evaluate an earlier --iteration"
        )
    return y


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(abs(a - b).mean())


def _tables(values: Values, audio: Audio) -> dict[str, Any]:
    # of a magnitude; the logarithm of a power counts half
    decibels = -(20 if audio.spectrum == "magnitude" else 10) * math.log10(audio.floor)

    def mean(*key: str) -> dict[str, Any] | None:
        found = values[key]
        return {"mean": float(np.mean(found)), "n": len(found)} if found else None

    def measure(table: str, name: str, rows: Sequence[str]) -> dict[str, Any] | None:
        found = {row: mean(table, name, row) for row in rows}
        return found if any(found.values()) else None

    tables: dict[str, Any] = {"db_per_unit": decibels}
    for table, rows in DISTANCES.items():
        means = {row: mean(table, row) for row in rows}
        tables[table] = {
            row: found and found | {"db": found["mean"] * decibels} for row, found in means.items()
        }
    tables["words"] = {name: measure("words", name, _WORDS) for name in ("stoi", "energy")}
    tables["truth"] = {name: measure("truth", name, ("converted", "input")) for name in ("mcd", "f0")}
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
