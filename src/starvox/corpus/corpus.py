"""A corpus that is ready to be trained on."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from starvox.config import Audio
from starvox.corpus.crops import usable_starts
from starvox.corpus.manifest import COLUMNS, Clip, as_text, read_manifest, write_csv
from starvox.corpus.store import WaveformStore
from starvox.corpus.stored_waveform import StoredWaveform
from starvox.errors import UserError
from starvox.files import read_text

# What decides whether a stored waveform can be used.
_SETTINGS = ("crop_samples", "n_fft", "hop_length", "normalization", "silence_rms")


class Corpus:
    """The usable clips of a manifest, decoded. Made by `open`.

    Attributes:
        audio: the ``[audio]`` table of the experiment.
        clips (list of Clip): the clips used, in the order of the manifest.
        keys (list of str): their waveforms' keys in the store.
        rejected (list of (Clip, str)): the clips left out, and why. What stands
            before the colon of a reason is the same for all clips of its kind.
    """

    def __init__(
        self, store: WaveformStore, audio: Audio, keys: dict[Clip, str], rejected: list[tuple[Clip, str]]
    ):
        self.audio = audio
        self.clips = list(keys)
        self.keys = list(keys.values())
        self.rejected = rejected
        self._store = store

    @classmethod
    def open(
        cls,
        manifest_path: str | Path,
        audio: Audio,
        store_folder: str | Path,
        jobs: int | None = None,
        progress: bool = True,
    ) -> "Corpus":
        """Reads a manifest, and decodes and checks what is new in it.

        Clips are left out that cannot be read, are empty, hold NaN or infinite
        samples, are shorter than a crop, or are silent by the record's rule. A
        file that changed since the last time is noticed by its `stamp`.

        Args:
            manifest_path: see `read_manifest`.
            audio: the ``[audio]`` table of an experiment.
            store_folder: of the `WaveformStore`.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Raises:
            UserError: if the manifest is wrong, none of its clips can be used, the
                store cannot be written, or the machine fails to read a file.
        """
        clips = read_manifest(manifest_path)
        store = WaveformStore(store_folder, audio.sample_rate)
        rule = " ".join(f"{key}={getattr(audio, key)}" for key in _SETTINGS)
        keys, reasons = store.add(
            [clip.path for clip in clips], lambda wave: _judge(wave, audio), rule, jobs, progress
        )
        rejected = [(clip, reasons[clip.path]) for clip in clips if clip.path in reasons]
        if len(rejected) == len(clips):
            raise UserError(
                f"{manifest_path}: no clip can be used: {_count(rejected)}; see {rejected[0][0].path}"
            )
        used = {clip: keys[clip.path] for clip in clips if clip.path not in reasons}
        return cls(store, audio, used, rejected)

    def wave(self, index: int) -> StoredWaveform:
        """Returns the waveform of a clip.

        Raises:
            UserError: if it is gone or damaged.
        """
        return self._store.open(self.keys[index])

    def changes(self) -> str:
        """Returns a line that names the files that have changed since this was opened, or "".

        What was decoded then is not touched by it.
        """
        changed = [clip.path for clip in self.clips if self._store.has_changed(clip.path)]
        if not changed:
            return ""
        return f"changed since the start, which used what they held then: {_first(changed)}"

    def summary(self) -> str:
        """Returns one line: how many clips are used, and how many are left out and why."""
        used = f"{len(self.clips)} clip{'s' * (len(self.clips) > 1)} used"
        if not self.rejected:
            return used
        return f"{used}, {len(self.rejected)} left out ({_count(self.rejected)}): see rejected.csv"

    def fingerprint(self) -> str:
        """Returns a hash of the clips' contents and labels, in their order."""
        rows = [[key, clip.labels] for key, clip in zip(self.keys, self.clips, strict=True)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def write_clips(self, path: str | Path) -> None:
        """Writes the clips used as UTF-8 CSV: path, labels and the key of the contents."""
        write_csv(path, [*COLUMNS, "content"], self._rows())

    def difference(self, path: str | Path) -> str:
        """Returns in a few words how the clips differ from those that `write_clips` wrote.

        They are compared by content and labels, not by place.
        """
        try:
            text = io.StringIO(read_text(path, errors="surrogateescape"), newline="")
            before = [row for row in csv.reader(text) if row][1:]
        except (OSError, csv.Error):
            return "its clips, their labels or their order"
        now = self._rows()
        known, present = ({tuple(row[1:]) for row in rows} for rows in (before, now))
        gone = [row[0] for row in before if tuple(row[1:]) not in present]
        new = [row[0] for row in now if tuple(row[1:]) not in known]
        names = list(dict.fromkeys([*gone, *new]))
        if not names:
            return "the order or the number of its clips"
        return f"its clip {_first(names)}: changed, added or left out"

    def _rows(self) -> list[list[str]]:
        return [
            [as_text(cell or "") for cell in (str(clip.path), *clip.labels.values(), key)]
            for clip, key in zip(self.clips, self.keys, strict=True)
        ]

    def write_rejected(self, path: str | Path, more: Sequence[tuple[Clip, str]] = ()) -> None:
        """Writes the clips left out, and ``more``, as UTF-8 CSV with the columns path and reason."""
        rows = ([as_text(str(clip.path)), reason] for clip, reason in [*self.rejected, *more])
        write_csv(path, ["path", "reason"], rows)


def _judge(wave: np.ndarray, audio: Audio) -> str:
    """Returns why a waveform cannot be used, or nothing."""
    needed = audio.crop_samples / audio.sample_rate
    if len(wave) < audio.crop_samples:
        seconds = len(wave) / audio.sample_rate
        return f"shorter than {needed:.2f} s: {seconds:.2f} s, {len(wave)} of {audio.crop_samples} samples"
    if wave.min() == wave.max():
        return "silent: constant"
    if not len(usable_starts(wave, audio)):
        return f"silent: no {needed:.2f} s of it have an RMS of at most {audio.silence_rms} once normalised"
    return ""


def _count(rejected: list[tuple[Clip, str]]) -> str:
    kinds = Counter(reason.partition(":")[0] for _, reason in rejected)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())


def _first(names: Sequence[object]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if names[1:] else str(names[0])
