"""What a generator does to real clips."""

import numpy as np

from starvox.audio import spectrogram
from starvox.corpus import GROUPS, Corpus, CropDataset
from starvox.errors import UserError
from starvox.replay.accuracy import Accuracy
from starvox.replay.infer import classify, generate
from starvox.replay.networks import Networks
from starvox.replay.plan import Labels, Plan, make_plan


class Measurement:
    """What a generator does to the crops of a corpus, crop by crop.

    Args:
        networks: of a run; without D, nothing is asked of it.
        corpus: its labels are such as the run knows.

    Attributes:
        networks: as given.
        level (list of float): mean of each crop.
        errors (dict): ``copy``, ``identity`` and ``reconstruction`` -> distances.
        response (dict): ``voice``, ``speaker``, ``birthplace``, ``sex`` -> distances
            between the outputs for two labels that differ there.
        real (Accuracy): of D on the crops.
        converted (Accuracy): of D on their conversions.
    """

    def __init__(self, networks: Networks, corpus: Corpus):
        self.networks = networks
        self._audio, self._encoder = networks.exp.audio, networks.encoder
        self._dataset = CropDataset(corpus, networks.encoder)
        self._labels: list[Labels] = [tuple(clip.labels[group] for group in GROUPS) for clip in corpus.clips]
        self._voices = [voice for voice in dict.fromkeys(self._labels) if any(voice)]
        self.level: list[float] = []
        self.errors: dict[str, list[float]] = {name: [] for name in ("copy", "identity", "reconstruction")}
        self.response: dict[str, list[float]] = {name: [] for name in ("voice", *GROUPS)}
        self.real, self.converted = Accuracy(self._encoder), Accuracy(self._encoder)

    def draw(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """Returns the spectrogram (bins, frames) of a crop of a clip."""
        return spectrogram(self._dataset.draw(index, rng).crop, self._audio)

    def add(self, index: int, rng: np.random.Generator) -> None:
        """Measures one crop of a clip.

        Raises:
            UserError: if the generator gives NaN or infinite values.
        """
        x = self.draw(index, rng)
        plan = make_plan(self._labels[index], self._voices, self._encoder.classes, rng)
        outputs = dict(zip(plan.labels(), self._generate(x, plan.labels()), strict=True))
        back = self._generate(outputs[plan.targets[0]], [plan.own])[0]

        self.level.append(float(x.mean()))
        self.errors["identity"].append(_distance(outputs[plan.own], x))
        self.errors["reconstruction"].append(_distance(back, x))
        self.errors["copy"] += [_distance(outputs[target], x) for target in plan.targets]
        for name, (first, second) in plan.pairs.items():
            self.response[name].append(_distance(outputs[first], outputs[second]))
        self._ask(x, plan, outputs)

    def _generate(self, x: np.ndarray, labels: list[Labels]) -> np.ndarray:
        c = np.stack([self._encoder.input(*names) for names in labels])
        y = generate(self.networks.gen, np.broadcast_to(x, (len(c), *x.shape)), c)
        if not np.isfinite(y).all():
            raise UserError(
                f"the generator of iteration {self.networks.iteration} gives NaN or infinite values; "
                "evaluate an earlier --iteration"
            )
        return y

    def _ask(self, x: np.ndarray, plan: Plan, outputs: dict[Labels, np.ndarray]) -> None:
        if self.networks.dis is None:
            return
        stacked = np.stack([x, *(outputs[target] for target in plan.targets)])
        real, *converted = classify(self.networks.dis, stacked)
        self.real.add(real, plan.own)
        for classification, target in zip(converted, plan.targets, strict=True):
            self.converted.add(classification, target, source=plan.own)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(abs(a - b).mean())
