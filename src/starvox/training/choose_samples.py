"""Which clips a run samples, and what voices it converts them to: the same in every run."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from starvox.corpus import Clip, Corpus, CropDataset, LabelEncoder
from starvox.training.extensions.samples import SampleClip, Voice

MAX_CLIPS = 4
MAX_TARGETS = 3


def choose_samples(
    corpus: Corpus, held_out: Corpus | None, encoder: LabelEncoder
) -> tuple[list[SampleClip], list[Voice]]:
    """Chooses what `Samples` shows.

    Args:
        corpus: the training clips; the target voices are theirs.
        held_out: the clips to convert; None takes training clips, and says so.
        encoder: of the training clips. Names that it does not know, a held-out
            speaker's for example, count as unlabelled.
    """
    if held_out is None:
        print("samples: training clips, for want of a held-out manifest (--held-out)", flush=True)
    source = held_out or corpus
    source.clips = [encoder.without_unknown(clip) for clip in source.clips]
    dataset = CropDataset(source, encoder)
    clips = [
        SampleClip(dataset.draw(index, np.random.default_rng(0)).crop, _voice(source.clips[index], encoder))
        for index in _spread(range(len(source.clips)), MAX_CLIPS)
    ]
    speakers = {clip.speaker: clip for clip in corpus.clips if all(clip.labels.values())}
    targets = [_voice(clip, encoder) for clip in speakers.values() or corpus.clips]
    different = {voice.title: voice for voice in targets}
    return clips, _spread(list(different.values()), MAX_TARGETS, offset=0.5)


def _voice(clip: Clip, encoder: LabelEncoder) -> Voice:
    title = " ".join(name for name in clip.labels.values() if name) or "unlabelled"
    return Voice(title, encoder.input(**clip.labels))


def _spread(items: Sequence[Any], count: int, offset: float = 0.0) -> list[Any]:
    """Returns at most ``count`` items at even distances, ``offset`` of a distance from the start."""
    count = min(count, len(items))
    return [items[int((k + offset) * len(items) / count)] for k in range(count)]
