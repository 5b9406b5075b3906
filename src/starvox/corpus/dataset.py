"""Crops of a corpus with their labels."""

from typing import NamedTuple

import numpy as np

from starvox.audio import is_silent, normalize
from starvox.corpus.corpus import Corpus
from starvox.corpus.crops import usable_starts
from starvox.corpus.labels import LabelEncoder
from starvox.corpus.stored_waveform import StoredWaveform


class Example(NamedTuple):
    """One slot of a minibatch.

    Attributes:
        crop (ndarray of shape (crop_samples,), float32): samples as decoded, not normalised.
        c (ndarray of shape (input_size,), float32): input label in {0, 1}.
        t (ndarray of shape (target_size,), int32): output label in {-1, 0, 1}.
    """

    crop: np.ndarray
    c: np.ndarray
    t: np.ndarray


class CropDataset:
    """Draws crops of a corpus's clips.

    Args:
        corpus: the clips.
        encoder: encodes their labels.
        drop_probability: of hiding a known group of a visit; see `draw`.

    Raises:
        UserError: if the encoder does not know a label.
    """

    def __init__(self, corpus: Corpus, encoder: LabelEncoder, drop_probability: float = 0.0):
        self._drop_probability = drop_probability
        self._corpus = corpus
        self._encoder = encoder
        for clip in corpus.clips:
            encoder.input(**clip.labels)  # an unknown name is told now, not in the midst of a training

    def __len__(self) -> int:
        return len(self._corpus.clips)

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        """Draws a crop of a clip, from anywhere in it (step 2 of the record).

        A silent crop is drawn again, ``max_redraws`` times at most; after that
        the crop starts at one of `usable_starts`.

        With a drop probability, as often as there are groups but one: with that
        probability one of the groups still known is made unknown, if another
        one is left (fbf548f6's augmentation of the labels).

        Args:
            index: of the clip.
            rng: the crop is a function of its state alone.

        Raises:
            UserError: if the stored waveform is gone or damaged.
        """
        crop = self._draw_crop(self._corpus.wave(index), rng)
        labels = self._drop(self._corpus.clips[index].labels, rng)
        return Example(crop, self._encoder.input(**labels), self._encoder.target(**labels))

    def _drop(self, labels: dict[str, str | None], rng: np.random.Generator) -> dict[str, str | None]:
        for _ in range(len(labels) - 1 if self._drop_probability else 0):
            known = [group for group, name in labels.items() if name is not None]
            if rng.random() < self._drop_probability and len(known) > 1:
                labels = labels | {known[rng.integers(len(known))]: None}
        return labels

    def _draw_crop(self, wave: StoredWaveform, rng: np.random.Generator) -> np.ndarray:
        audio = self._corpus.audio
        for _ in range(1 + audio.max_redraws):
            start = int(rng.integers(len(wave) - audio.crop_samples + 1))
            crop = wave.read(start, start + audio.crop_samples)
            if not is_silent(normalize(crop, audio), audio):
                return crop
        start = int(rng.choice(usable_starts(wave.read(), audio)))
        return wave.read(start, start + audio.crop_samples)
