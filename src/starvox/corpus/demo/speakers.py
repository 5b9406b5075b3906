"""Who speaks in the synthetic corpora, and how."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from starvox.corpus.demo.espeak import synthesize


class Speaker(NamedTuple):
    """A synthetic speaker.

    ``variant``, ``pitch``, ``rate`` and ``pitch_range`` are eSpeak NG's (see
    `synthesize`). ``size`` multiplies all frequencies, as a shorter (above 1) or
    longer vocal tract does.
    """

    name: str
    sex: str
    birthplace: str
    variant: str
    pitch: int
    rate: int
    pitch_range: int = 50
    size: float = 1.0


def say(text: str, speaker: Speaker) -> np.ndarray:
    """Says a text in the speaker's voice; the same arguments give the same samples.

    Returns:
        ndarray of shape (samples,), int16: mono at `SAMPLE_RATE`.

    Raises:
        UserError: see `synthesize`.
    """
    voice = f"{ACCENTS[speaker.birthplace]}+{speaker.variant}"
    samples = synthesize(text, voice, speaker.rate, speaker.pitch, speaker.pitch_range)
    if speaker.size == 1:
        return samples
    sized = soxr.resample(samples.astype(np.float32), speaker.size, 1)  # of int16 it makes no two alike
    return sized.round().clip(-32768, 32767).astype(np.int16)


_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SPEAKERS = [Speaker(*row) for row in _TABLES["default"]["speakers"]]
ACCENTS: dict[str, str] = _TABLES["accents"]
_PITCHES = {"F": (38, 70), "M": (30, 70)}  # so that hardly any man is higher than a woman


def record_speakers() -> list[Speaker]:
    """Returns the 1421 speakers of the record-shaped corpus: 53 birthplaces, 711 women, 710 men."""
    places = list(ACCENTS)
    speakers = []
    for n in range(1421):
        sex, k = "FM"[n % 2], n // 2
        variants, (low, high) = _TABLES["variants"][sex], _PITCHES[sex]
        # What the speakers of a variant differ in is spread evenly over its ranges, all four at once:
        # multiples of an irrational number, modulo 1, lie so (the additive recurrence of Roberts).
        pitch, size, rate, pitch_range = (k // len(variants) * 0.8566749 ** (d + 1) % 1 for d in range(4))
        speakers.append(
            Speaker(
                name=f"{sex.lower()}{k + 1:03d}",
                sex=sex,
                birthplace=places[n % len(places)],
                variant=variants[k % len(variants)],
                pitch=round(low + (high - low) * pitch),
                rate=round(130 + 30 * rate),
                pitch_range=round(30 + 50 * pitch_range),
                size=round(0.88 + 0.24 * size, 3),
            )
        )
    return speakers
