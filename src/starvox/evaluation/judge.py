"""A judge from outside: names speaker, birthplace and sex of spectrograms.

The run's own D is no judge, since G is trained to please it. This one is fitted on
the real crops that the run was trained on, and sees no conversion until it judges.
"""

from copy import copy

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from starvox.audio import spectrogram
from starvox.corpus import GROUPS, Corpus, CropDataset, LabelEncoder
from starvox.evaluation.label_plan import LabelTuple

# In all; between two (a spread within a class must be seen) and this many a clip.
N_CROPS = 1000
MAX_CROPS_A_CLIP = 8

# Measured on the default corpus at the record's size: 64 already name every held-out speaker.
N_COMPONENTS = 128


class Judge:
    """A linear discriminant of averaged spectrogram statistics, one for each group.

    The mean and the deviation of every bin over time, and the mean size of its change
    from frame to frame, are standardised and reduced to `N_COMPONENTS`; the classes
    share one covariance, shrunk by Ledoit and Wolf's rule, so that a class of one clip is
    enough. 4 s of one core for 1421 classes at the record's size.

    Args:
        corpus: the run's training clips.
        encoder: the run's labels; other names are taken for unlabelled.
        seed: of the crops.

    Attributes:
        crops (int): how many it was fitted on.
    """

    def __init__(self, corpus: Corpus, encoder: LabelEncoder, seed: int = 0):
        known = copy(corpus)
        known.clips = [encoder.without_unknown(clip) for clip in corpus.clips]
        labels = [clip.labels for clip in known.clips]
        each = min(MAX_CROPS_A_CLIP, max(2, N_CROPS // len(labels)))
        dataset = CropDataset(known, encoder)
        rng = np.random.default_rng(seed)
        crops = (dataset.draw(index, rng).crop for index in range(len(labels)) for _ in range(each))
        statistics = np.stack([describe(spectrogram(crop, corpus.audio)) for crop in crops])
        self.crops = len(statistics)
        self._models = {
            group: _fit(statistics, np.repeat([row[group] or "" for row in labels], each)) for group in GROUPS
        }

    def name(self, spectrograms: NDArray[np.float32]) -> list[LabelTuple]:
        """Names the classes of spectrograms.

        Args:
            spectrograms (ndarray of shape (B, bins, frames), float32): log magnitude in [0, 1].

        Returns:
            list of LabelTuple: a group with fewer than two names in the training is None.
        """
        statistics = np.stack([describe(s) for s in spectrograms])
        columns = [
            model.predict(statistics) if model else [None] * len(statistics)
            for model in self._models.values()
        ]
        return [tuple(name and str(name) for name in row) for row in zip(*columns, strict=True)]


def describe(s: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns what the judge knows of a spectrogram: three values a bin.

    Args:
        s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1].

    Returns:
        ndarray of shape (3 * bins,), float32: mean and deviation over time, mean size of the change.
    """
    return np.concatenate([s.mean(1), s.std(1), abs(np.diff(s, axis=1)).mean(1)])


def _fit(statistics: NDArray[np.float32], names: NDArray[np.str_]) -> Pipeline | None:
    labelled = names != ""
    x, y = statistics[labelled], names[labelled]
    if len(set(y)) < 2:
        return None
    return make_pipeline(
        StandardScaler(),
        PCA(min(N_COMPONENTS, len(x) - 1, x.shape[1]), random_state=0),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ).fit(x, y)
