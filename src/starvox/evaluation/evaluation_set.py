"""The clips of an evaluation, with all that is known of them before a generator is asked."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from starvox.audio import griffin_lim, spectrogram
from starvox.audio.source import Source
from starvox.config import Experiment
from starvox.corpus import GROUPS, Corpus, CropDataset, LabelEncoder
from starvox.errors import UserError
from starvox.evaluation.distances import measure_distances
from starvox.evaluation.judge import Judge
from starvox.evaluation.label_plan import LabelPlan, LabelTuple, plan_labels
from starvox.evaluation.truth import align, measure_distance, synthetic_truth
from starvox.evaluation.words import energy_correlation, stoi

MAX_WHOLE_CLIPS = 12  # half as many as crops: each takes about as long as two
MAX_SECONDS = 10  # of a clip, from its start, when it is converted whole

Values = defaultdict[tuple[str, ...], list[float]]  # ("words", "stoi", "copy"), for example -> one a clip


class Crop(NamedTuple):
    """A crop: x (ndarray of shape (bins, frames), float32, in [0, 1]), and the labels to try on it."""

    x: NDArray[np.float32]
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
    x: NDArray[np.float32]
    sound: NDArray[np.float32]
    target: LabelTuple
    truth: tuple[NDArray[np.float32], NDArray[np.float32]] | None


class EvaluationSet:
    """Crops and whole clips of a manifest, made once for all generators of a run.

    Args:
        exp: of the run.
        encoder: the run's labels; another name counts as not labelled.
        manifest: of the clips.
        store_folder: where decoded clips are kept.
        crops: how many, spread over the manifest; more than it has clips takes several of each.
        seed: of the crops and the labels.
        judge: names what the crops are; None for none.
        progress: whether to report on stderr, if there are clips to decode.

    Attributes:
        manifest, seed, judge: as given.
        n_clips (int): usable clips of the manifest.
        crops (list of Crop): to convert.
        whole_clips (list of WholeClip): likewise, at most `MAX_WHOLE_CLIPS`.
        named (dict): ``real``, ``copy_synthesis`` -> what the judge names each crop, or that of it.
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
        crops: int,
        seed: int = 0,
        judge: Judge | None = None,
        progress: bool = True,
    ):
        self.manifest, self.seed, self.judge = manifest, seed, judge
        self._audio, self._multiple = exp.audio, 2**exp.generator.depth
        corpus = Corpus.open(manifest, exp.audio, store_folder, progress=progress)
        self.n_clips = n = len(corpus.clips)
        if n < 2:
            raise UserError(f"{manifest}: only one usable clip; different clips are compared, add some")
        speakers = [clip.speaker for clip in corpus.clips]
        corpus.clips = [encoder.without_unknown(clip) for clip in corpus.clips]
        dataset = CropDataset(corpus, encoder)
        labels = [tuple(clip.labels[group] for group in GROUPS) for clip in corpus.clips]
        voices = [voice for voice in dict.fromkeys(labels) if any(voice)]

        def draw(index: int, rng: np.random.Generator) -> NDArray[np.float32]:
            return spectrogram(dataset.draw(index, rng).crop, exp.audio)

        def plan(index: int, rng: np.random.Generator) -> LabelPlan:
            return plan_labels(labels[index], voices, encoder.classes, rng)

        self.values = Values(list)
        distances = measure_distances(speakers, draw, np.random.default_rng([seed, 0]))
        if not any(distances["different_clips"]):
            raise UserError(
                f"{manifest}: all its clips hold the same sound; different clips are compared, add some"
            )
        self.values |= {("distances", kind): found for kind, found in distances.items()}

        self.crops = []
        for number in range(crops):
            index, rng = number * n // crops, np.random.default_rng([seed, 1 + number])
            self.crops.append(Crop(draw(index, rng), plan(index, rng)))
        self.values["distances", "silence"] = [float(crop.x.mean()) for crop in self.crops]
        if judge:
            copies = [spectrogram(griffin_lim(crop.x, exp.audio), exp.audio) for crop in self.crops]
            real = judge.name(np.stack([crop.x for crop in self.crops]))
            self.named = {"real": real, "copy_synthesis": judge.name(np.stack(copies))}

        sources: dict[int, Source] = {}
        sounds: dict[int, NDArray[np.float32]] = {}

        def copy_synthesis(index: int) -> tuple[Source, NDArray[np.float32]]:
            if index not in sources:
                source = self._source(corpus.wave(index).read()[: MAX_SECONDS * exp.audio.sample_rate])
                sources[index], sounds[index] = source, source.sound(source.spectrogram)
            return sources[index], sounds[index]

        say = synthetic_truth(manifest, exp.audio.sample_rate)
        self.whole_clips = []
        whole = min(crops, n, MAX_WHOLE_CLIPS)
        for number in range(whole):
            index = number * n // whole
            target = plan(index, np.random.default_rng([seed, 1 + number, 1])).targets[0]
            source, sound = copy_synthesis(index)
            wave = say(corpus.clips[index], target[0]) if say and target[0] else None
            truth = None
            if wave is not None:
                true = self._source(wave)
                truth = true.inner(true.spectrogram), true.sound(true.spectrogram)
            clip = WholeClip(source, source.inner(source.spectrogram), sound, target, truth)
            self.whole_clips.append(clip)
            other = copy_synthesis((index + max(1, n // 2)) % n)  # far off in the manifest: other words
            self._compare_real(clip, other[0].inner(other[0].spectrogram), other[1])

    def add_words(
        self,
        values: Values,
        row: str,
        clip: WholeClip,
        s: NDArray[np.float32],
        sound: NDArray[np.float32],
    ) -> None:
        """Adds how well a clip's words are kept in a spectrogram and its sound by Griffin-Lim."""
        values["words", "energy", row].append(energy_correlation(clip.x, s))
        if (value := stoi(clip.sound, sound, self._audio.sample_rate)) is not None:
            values["words", "stoi", row].append(value)

    def add_truth(
        self,
        values: Values,
        row: str,
        clip: WholeClip,
        s: NDArray[np.float32],
        sound: NDArray[np.float32],
    ) -> None:
        """Adds how far a spectrogram and its sound are from the truth, where there is one."""
        if clip.truth:
            found = measure_distance(s, sound, *clip.truth, self._audio)
            values["truth", "mcd", row].append(found.mcd)
            if found.f0 is not None:
                values["truth", "f0", row].append(found.f0)

    def _compare_real(
        self, clip: WholeClip, unrelated: NDArray[np.float32], unrelated_sound: NDArray[np.float32]
    ) -> None:
        self.add_words(self.values, "copy", clip, clip.x, clip.sound)
        self.add_words(self.values, "unrelated", clip, unrelated, unrelated_sound)
        if clip.truth:
            # as the truth would be, were it said at the input's pace: frame by frame where the input is
            path, _ = align(clip.x, clip.truth[0], self._audio)
            warped = clip.truth[0][:, list(dict(path.tolist()).values())]
            self.add_words(self.values, "truth", clip, warped, griffin_lim(warped, self._audio))
        self.add_truth(self.values, "input", clip, clip.x, clip.sound)

    def _source(self, wave: NDArray[np.float32]) -> Source:
        return Source(wave, self._audio, self._multiple)
