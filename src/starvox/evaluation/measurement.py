"""What a generator does to real clips."""

import numpy as np

from starvox.audio import griffin_lim, read_waveform, spectrogram
from starvox.audio.source import Source
from starvox.corpus import GROUPS, Corpus, CropDataset
from starvox.errors import UserError
from starvox.evaluation.accuracy import Accuracy, name_classes
from starvox.evaluation.judge import Judge
from starvox.evaluation.label_plan import LabelPlan, LabelTuple, plan_labels
from starvox.evaluation.truth import Truth, align, measure_distance
from starvox.evaluation.words import energy_correlation, stoi
from starvox.replay.conversion import classify, context_frames, convert, generate
from starvox.replay.networks import Networks

JUDGED = ("real", "copy_synthesis", "converted", "copy")
MAX_SECONDS = 10  # of a clip, from its start, when it is converted whole


class Measurement:
    """What a generator does to the crops of a corpus, crop by crop, and to whole clips.

    Args:
        networks: of a run; without D, nothing is asked of it.
        corpus: its labels are such as the run knows.
        judge: from outside; without one, nothing is asked of it.
        truth: makes the same sentence in another voice, where it can.

    Attributes:
        networks: as given.
        level (list of float): mean of each crop.
        errors (dict): ``copy``, ``identity`` and ``reconstruction`` -> distances.
        response (dict): ``voice``, ``speaker``, ``birthplace``, ``sex`` -> distances
            between the outputs for two labels that differ there.
        real (Accuracy): of D on the crops.
        converted (Accuracy): of D on their conversions.
        judged (dict): ``real``, ``copy_synthesis``, ``converted`` and ``copy`` (the input
            held against the target's labels) -> Accuracy of the judge.
        words (dict): ``stoi`` and ``energy`` -> ``converted``, ``copy``, ``truth``,
            ``unrelated`` -> values, one a clip.
        towards (dict): ``mcd`` (dB) and ``f0`` (semitones) -> ``converted``, ``input`` -> values.
    """

    def __init__(
        self, networks: Networks, corpus: Corpus, judge: Judge | None = None, truth: Truth | None = None
    ):
        self.networks = networks
        self._judge, self._truth = judge, truth
        self._audio, self._encoder = networks.exp.audio, networks.encoder
        self._clips = corpus.clips
        self._dataset = CropDataset(corpus, networks.encoder)
        self._labels: list[LabelTuple] = [
            tuple(clip.labels[group] for group in GROUPS) for clip in corpus.clips
        ]
        self._voices = [voice for voice in dict.fromkeys(self._labels) if any(voice)]
        self.level: list[float] = []
        self.errors: dict[str, list[float]] = {name: [] for name in ("copy", "identity", "reconstruction")}
        self.response: dict[str, list[float]] = {name: [] for name in ("voice", *GROUPS)}
        self.real, self.converted = Accuracy(), Accuracy()
        self.judged = {name: Accuracy() for name in JUDGED}
        self.words: dict[str, dict[str, list[float]]] = {
            name: {row: [] for row in ("converted", "copy", "truth", "unrelated")}
            for name in ("stoi", "energy")
        }
        self._copies: dict[int, tuple[Source, np.ndarray]] = {}
        self.towards: dict[str, dict[str, list[float]]] = {
            name: {row: [] for row in ("converted", "input")} for name in ("mcd", "f0")
        }

    def draw(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """Returns the spectrogram (bins, frames) of a crop of a clip."""
        return spectrogram(self._dataset.draw(index, rng).crop, self._audio)

    def add(self, index: int, rng: np.random.Generator) -> None:
        """Measures one crop of a clip.

        Raises:
            UserError: if the generator gives NaN or infinite values.
        """
        x = self.draw(index, rng)
        plan = self._plan(index, rng)
        outputs = dict(zip(plan.labels(), self._generate(x, plan.labels()), strict=True))
        back = self._generate(outputs[plan.targets[0]], [plan.own])[0]

        self.level.append(float(x.mean()))
        self.errors["identity"].append(_distance(outputs[plan.own], x))
        self.errors["reconstruction"].append(_distance(back, x))
        self.errors["copy"] += [_distance(outputs[target], x) for target in plan.targets]
        for name, (first, second) in plan.pairs.items():
            self.response[name].append(_distance(outputs[first], outputs[second]))
        self._ask(x, plan, outputs)
        self._ask_judge(x, plan, outputs)

    def add_whole(self, index: int, other: int, rng: np.random.Generator) -> None:
        """Converts a whole clip to another voice and looks for its words, and for the truth.

        Args:
            index: of the clip.
            other: of an unrelated one.
            rng: of the target.

        Raises:
            UserError: if the generator gives NaN or infinite values, or a file is gone.
        """
        target = self._plan(index, rng).targets[0]
        source, reference = self._copy_synthesis(index)
        true_wave = self._truth(self._clips[index], target[0]) if self._truth and target[0] else None
        truth = None if true_wave is None else self._source(true_wave)
        s = self._convert_whole(source.spectrogram, target)
        sound = source.sound(s)
        self._hear(source, reference, s, sound, self._copy_synthesis(other), truth)
        if truth is not None:
            self._compare(source, reference, s, sound, truth)

    def _plan(self, index: int, rng: np.random.Generator) -> LabelPlan:
        return plan_labels(self._labels[index], self._voices, self._encoder.classes, rng)

    def _generate(self, x: np.ndarray, labels: list[LabelTuple]) -> np.ndarray:
        c = np.stack([self._encoder.input(*names) for names in labels])
        return self._finite(generate(self.networks.gen, np.broadcast_to(x, (len(c), *x.shape)), c))

    def _convert_whole(self, s: np.ndarray, labels: LabelTuple) -> np.ndarray:
        table = self.networks.exp.generator
        context = context_frames(table) if table.normalization == "batch" else None
        return self._finite(convert(self.networks.gen, s, self._encoder.input(*labels), context))

    def _finite(self, y: np.ndarray) -> np.ndarray:
        if not np.isfinite(y).all():
            raise UserError(
                f"the generator of iteration {self.networks.iteration} gives NaN or infinite values; "
                "evaluate an earlier --iteration"
            )
        return y

    def _ask(self, x: np.ndarray, plan: LabelPlan, outputs: dict[LabelTuple, np.ndarray]) -> None:
        if self.networks.dis is None:
            return
        stacked = np.stack([x, *(outputs[target] for target in plan.targets)])
        real, *converted = (name_classes(c, self._encoder) for c in classify(self.networks.dis, stacked))
        self.real.add(real, plan.own)
        for answer, target in zip(converted, plan.targets, strict=True):
            self.converted.add(answer, target, source=plan.own)

    def _ask_judge(self, x: np.ndarray, plan: LabelPlan, outputs: dict[LabelTuple, np.ndarray]) -> None:
        if self._judge is None:
            return
        resynthesized = spectrogram(griffin_lim(x, self._audio), self._audio)
        stacked = np.stack([x, resynthesized, *(outputs[target] for target in plan.targets)])
        real, copied, *converted = self._judge.name(stacked)
        self.judged["real"].add(real, plan.own)
        self.judged["copy_synthesis"].add(copied, plan.own)
        for answer, target in zip(converted, plan.targets, strict=True):
            self.judged["converted"].add(answer, target, source=plan.own)
            self.judged["copy"].add(real, target, source=plan.own)

    def _copy_synthesis(self, index: int) -> tuple[Source, np.ndarray]:
        """Returns a clip as it is converted whole, and its copy-synthesis."""
        if index not in self._copies:
            rate = self._audio.sample_rate
            source = self._source(read_waveform(self._clips[index].path, rate)[: MAX_SECONDS * rate])
            self._copies[index] = source, source.sound(source.spectrogram)
        return self._copies[index]

    def _source(self, wave: np.ndarray) -> Source:
        return Source(wave, self._audio, 2**self.networks.exp.generator.depth)

    def _hear(self, source: Source, reference, s, sound, unrelated: tuple, truth: Source | None) -> None:
        """Compares the words, through Griffin-Lim throughout."""
        x = source.inner(source.spectrogram)
        others = {
            "converted": (source.inner(s), sound),
            "copy": (x, reference),
            "unrelated": (unrelated[0].inner(unrelated[0].spectrogram), unrelated[1]),
        }
        if truth is not None:
            # as the truth would be, were it said at the input's pace: frame by frame where the input is
            path, _ = align(x, truth.inner(truth.spectrogram), self._audio)
            warped = truth.inner(truth.spectrogram)[:, list(dict(path.tolist()).values())]
            others["truth"] = (warped, griffin_lim(warped, self._audio))
        for row, (spoken, heard) in others.items():
            self.words["energy"][row].append(energy_correlation(x, spoken))
            if (value := stoi(reference, heard, self._audio.sample_rate)) is not None:
                self.words["stoi"][row].append(value)

    def _compare(self, source: Source, reference, s, sound, truth: Source) -> None:
        """Compares the conversion and the input with the truth."""
        true_s, true_sound = truth.inner(truth.spectrogram), truth.sound(truth.spectrogram)
        for row, spoken, heard in (("converted", s, sound), ("input", source.spectrogram, reference)):
            found = measure_distance(source.inner(spoken), heard, true_s, true_sound, self._audio)
            self.towards["mcd"][row].append(found.mcd)
            if found.f0 is not None:
                self.towards["f0"][row].append(found.f0)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(abs(a - b).mean())
