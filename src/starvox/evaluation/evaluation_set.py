"""The clips of an evaluation, with all that is known of them before a generator is asked."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from starvox.audio import griffin_lim, spectrogram
from starvox.audio.source import Source
from starvox.config import Audio, Experiment
from starvox.corpus import GROUPS, Corpus, CropDataset, LabelEncoder
from starvox.errors import UserError
from starvox.evaluation.distances import measure_distances
from starvox.evaluation.judge import Judge
from starvox.evaluation.label_plan import LabelPlan, LabelTuple, plan_labels
from starvox.evaluation.truth import align, measure_distance, synthetic_truth
from starvox.evaluation.words import energy_correlation, stoi

MAX_WHOLE_CLIPS = 12  # half as many as crops: each takes about as long as two
MAX_SECONDS = 10  # of a clip, from its start, when it is converted whole

Array = NDArray[np.float32]
Values = defaultdict[tuple[str, ...], list[float]]  # ("words", "stoi", "copy"), for example -> one a clip


class Crop(NamedTuple):
    """A crop: x (ndarray of shape (bins, frames), float32, in [0, 1]), and the labels to try on it."""

    x: Array
    plan: LabelPlan


class WholeClip(NamedTuple):
    """A clip to be converted whole.

    Attributes:
        source: the clip.
        x (ndarray of shape (bins, frames), float32): its spectrogram, in [0, 1], without mirrored ends.
        sound (ndarray of shape (n,), float32): its copy-synthesis.
        target: the labels to convert it to.
        truth: the same two of the same sentence in the target's voice, or None.
    """

    source: Source
    x: Array
    sound: Array
    target: LabelTuple
    truth: tuple[Array, Array] | None

    def compare(self, values: Values, row: str, s: Array, sound: Array, audio: Audio) -> None:
        """Adds to ``values`` how well a spectrogram and its sound keep the words, and how far the truth is.

        Args:
            values: added to.
            row: what they are: ``converted`` or ``copy``; of others only the words are looked for.
            s (ndarray of shape (bins, frames), float32): in [0, 1].
            sound (ndarray of shape (n,), float32): of ``s``, by Griffin-Lim.
            audio: the ``[audio]`` table.
        """
        values["words", "energy", row].append(energy_correlation(self.x, s))
        if (heard := stoi(self.sound, sound, audio.sample_rate)) is not None:
            values["words", "stoi", row].append(heard)
        if self.truth and row in ("converted", "copy"):
            mcd, f0 = measure_distance(s, sound, *self.truth, audio)
            values["truth", "mcd", row].append(mcd)
            if f0 is not None:
                values["truth", "f0", row].append(f0)


class EvaluationSet:
    """Crops and whole clips of a manifest, made once for all generators of a run.

    Args:
        exp: of the run.
        encoder: the run's labels; another name counts as not labelled.
        manifest: of the clips.
        store_folder: where decoded clips are kept.
        n_crops: how many, spread over the manifest; more than it has clips takes several of each.
        seed: of the crops and the labels.
        judge: names what the crops are; None for none.
        progress: whether to report on stderr, if there are clips to decode.

    Attributes:
        manifest, seed, judge: as given.
        n_clips (int): usable clips of the manifest.
        crops (list of Crop): to convert.
        named (dict): ``real``, ``copy_synthesis`` -> what the judge names each crop, or that of it.
        whole_clips (list of WholeClip): to convert, at most `MAX_WHOLE_CLIPS`.
        values (dict): what was measured.

    Raises:
        UserError: if the manifest cannot be used, or its clips cannot be compared.
    """

    def __init__(
        self,
        exp: Experiment,
        encoder: LabelEncoder,
        manifest: str | Path,
        store_folder: str | Path,
        n_crops: int,
        seed: int = 0,
        judge: Judge | None = None,
        progress: bool = True,
    ):
        self.manifest, self.seed, self.judge = manifest, seed, judge
        self._exp, self._encoder = exp, encoder
        corpus = self._corpus = Corpus.open(manifest, exp.audio, store_folder, progress=progress)
        n = self.n_clips = len(corpus.clips)
        if n < 2:
            raise UserError(f"{manifest}: only one usable clip; different clips are compared, add some")
        speakers = [clip.speaker for clip in corpus.clips]
        corpus.clips = [encoder.without_unknown(clip) for clip in corpus.clips]
        self._dataset = CropDataset(corpus, encoder)
        self._labels: list[LabelTuple] = [
            tuple(clip.labels[group] for group in GROUPS) for clip in corpus.clips
        ]
        self._voices = [voice for voice in dict.fromkeys(self._labels) if any(voice)]

        distances = measure_distances(speakers, self._draw, np.random.default_rng([seed, 0]))
        if not any(distances["different_clips"]):
            raise UserError(
                f"{manifest}: all its clips hold the same sound; different clips are compared, add some"
            )
        self.values = Values(list, {("distances", kind): found for kind, found in distances.items()})
        self.crops = []
        for number in range(n_crops):
            index, rng = number * n // n_crops, np.random.default_rng([seed, 1 + number])
            self.crops.append(Crop(self._draw(index, rng), self._plan(index, rng)))
        self.values["distances", "silence"] = [float(crop.x.mean()) for crop in self.crops]
        if judge:
            copies = [spectrogram(griffin_lim(crop.x, exp.audio), exp.audio) for crop in self.crops]
            real = judge.name(np.stack([crop.x for crop in self.crops]))
            self.named = {"real": real, "copy_synthesis": judge.name(np.stack(copies))}
        self.whole_clips = self._make_whole_clips(min(n_crops, n, MAX_WHOLE_CLIPS))

    def _draw(self, index: int, rng: np.random.Generator) -> Array:
        return spectrogram(self._dataset.draw(index, rng).crop, self._exp.audio)

    def _plan(self, index: int, rng: np.random.Generator) -> LabelPlan:
        return plan_labels(self._labels[index], self._voices, self._encoder.classes, rng)

    def _make_whole_clips(self, count: int) -> list[WholeClip]:
        audio, n = self._exp.audio, self.n_clips
        made: dict[int, tuple[Source, Array, Array]] = {}

        def synthesize(wave: Array) -> tuple[Source, Array, Array]:
            source = Source(wave, audio, 2**self._exp.generator.depth)
            return source, source.inner(source.spectrogram), source.sound(source.spectrogram)

        def copy_synthesis(index: int) -> tuple[Source, Array, Array]:
            if index not in made:
                made[index] = synthesize(self._corpus.wave(index).read()[: MAX_SECONDS * audio.sample_rate])
            return made[index]

        say = synthetic_truth(self.manifest, audio.sample_rate)
        clips = []
        for number in range(count):
            index = number * n // count
            target = self._plan(index, np.random.default_rng([self.seed, 1 + number, 1])).targets[0]
            wave = say(self._corpus.clips[index], target[0]) if say and target[0] else None
            truth = None if wave is None else synthesize(wave)[1:]
            clip = WholeClip(*copy_synthesis(index), target, truth)
            clip.compare(self.values, "copy", clip.x, clip.sound, audio)
            other = copy_synthesis((index + max(1, n // 2)) % n)  # far off in the manifest: other words
            clip.compare(self.values, "unrelated", *other[1:], audio)
            if truth:
                # as the truth would be, were it said at the input's pace: frame by frame where the input is
                path, _ = align(clip.x, truth[0], audio)
                warped = truth[0][:, list(dict(path.tolist()).values())]
                clip.compare(self.values, "truth", warped, griffin_lim(warped, audio), audio)
            clips.append(clip)
        return clips
