"""Which clips the synthetic corpora hold: who says what, and which labels are told."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starvox.corpus.demo.speakers import SPEAKERS, Speaker, record_speakers

# name, as the command line has it -> what it is called
CORPORA = {"demo": "default corpus", "record": "record-shaped corpus"}

SENTENCES = Path(__file__).with_name("sentences.txt")
_TRAINING_TEXTS = 120  # the other 48 are held out


class Clip(NamedTuple):
    """A clip to be made.

    Attributes:
        speaker: who says it.
        take: the number of the speaker's clip, from 1.
        text: the sentence or two of it.
        held_out: whether it is in ``held_out.csv``, not in ``train.csv``.
        labels: of speaker, birthplace and sex; "" where it is not labelled.
    """

    speaker: Speaker
    take: int
    text: str
    held_out: bool
    labels: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its path in the corpus' folder."""
        return f"wav/{self.speaker.name}/{self.take:02d}.wav"


@cache
def list_clips(corpus: str) -> list[Clip]:
    """Returns the clips of a corpus of `CORPORA`, by their paths."""
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    clips = {"demo": _demo, "record": _record}[corpus](texts)
    return sorted(clips, key=lambda clip: clip.path)


def _labels(speaker: Speaker, *missing: bool) -> tuple[str, ...]:
    names = (speaker.name, speaker.birthplace, speaker.sex)
    return tuple("" if gone else name for name, gone in zip(names, missing or (False,) * 3, strict=True))


def _demo(texts: list[str]) -> list[Clip]:
    """Each of the 24 speakers says five texts of their own, and two that are held out."""
    clips = []
    for n, text in enumerate(texts):
        round_, place = divmod(n, len(SPEAKERS))
        speaker, held_out = SPEAKERS[place], n >= _TRAINING_TEXTS
        # No step has a factor of 24, so what is missing goes with no speaker and no sex.
        missing = () if held_out else (n % 19 == 5, n % 11 == 4, n % 13 == 2)
        clips.append(Clip(speaker, round_ + 1, text, held_out, _labels(speaker, *missing)))
    return clips


def _record(texts: list[str]) -> list[Clip]:
    """Each of the 1421 speakers says one text, and 100 of those who are named there another."""
    speakers = record_speakers()
    missing = [_draw(group, speakers) for group in ("speaker", "birthplace", "sex")]
    clips = []
    for n, (speaker, *gone) in enumerate(zip(speakers, *missing, strict=True)):
        clips.append(Clip(speaker, 1, texts[n // 2 % _TRAINING_TEXTS], False, _labels(speaker, *gone)))
    # 13 has no factor in common with 1421, 53 or 2: this goes through all places and both sexes.
    named = [clip for clip in (clips[n * 13 % 1421] for n in range(1421)) if clip.labels[0]]
    for n, clip in enumerate(named[:100]):
        text = texts[_TRAINING_TEXTS + n % (len(texts) - _TRAINING_TEXTS)]
        clips.append(Clip(clip.speaker, 2, text, True, _labels(clip.speaker)))
    return clips


def _draw(group: str, speakers: list[Speaker]) -> list[bool]:
    """Returns True for a tenth of the women and a tenth of the men, drawn by a hash."""
    drawn = set()
    for sex in "FM":
        names = [speaker.name for speaker in speakers if speaker.sex == sex]
        names.sort(key=lambda name: hashlib.sha256(f"{group} {name}".encode()).digest())
        drawn.update(names[: len(names) // 10])
    return [speaker.name in drawn for speaker in speakers]
