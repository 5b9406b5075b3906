"""What a sentence of a synthetic corpus sounds like in another of its voices: what a conversion aims at."""

from pathlib import Path

import numpy as np

from starvox.corpus.demo.espeak import SAMPLE_RATE
from starvox.corpus.demo.make import read_marker, version
from starvox.corpus.demo.speakers import say
from starvox.corpus.demo.table import CORPORA, list_clips
from starvox.errors import UserError


def is_synthetic(folder: str | Path) -> bool:
    """Returns whether `say_in_voice` can speak for the corpus in a folder, or of a manifest in it."""
    return _corpus(folder) is not None


def say_in_voice(folder: str | Path, clip: str | Path, speaker: str) -> tuple[np.ndarray, int]:
    """Says a clip's text in the voice of a speaker.

    The clip's own speaker gives the samples of the clip.

    Args:
        folder: a corpus made by `make_demo`, or a manifest in it.
        clip: its path as in the manifest, or with the folder before it.
        speaker: a name of the same corpus, labelled there or not.

    Returns:
        ndarray of shape (samples,), float32 in [-1, 1], and the sample rate, 22050 Hz.

    Raises:
        UserError: if the corpus is none that this version made, a name is
            unknown in it, or eSpeak NG cannot be used.
    """
    corpus = _corpus(folder)
    if corpus is None:
        raise UserError(
            f"{folder}: not a synthetic corpus of this version, so it has no voices; make it again"
        )
    clips = list_clips(corpus)
    path = "/".join(Path(clip).parts[-3:])
    texts = {known.path: known.text for known in clips}
    voices = {known.speaker.name: known.speaker for known in clips}
    for name, known in ((path, texts), (speaker, voices)):
        if name not in known:
            raise UserError(f"{folder}: no {name!r} in this corpus; see train.csv and held_out.csv")
    return say(texts[path], voices[speaker]).astype(np.float32) / 32768, SAMPLE_RATE


def _corpus(folder: str | Path) -> str | None:
    folder = Path(folder)
    marker = read_marker(folder.parent if folder.is_file() else folder)
    return next((corpus for corpus in CORPORA if marker.startswith(version(corpus))), None)
