"""A corpus that is ready to be trained on."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from starvox.corpus.clip_list import describe_difference, write_clip_list
from starvox.corpus.crops import usable_starts
from starvox.corpus.manifest import Clip, read_manifest
from starvox.corpus.plain_csv import as_text, write_csv
from starvox.corpus.store import WaveformStore, stamp
from starvox.corpus.stored_waveform import StoredWaveform
from starvox.errors import UserError

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

    def __init__(self, store: WaveformStore, audio, stored: list, rejected: list, stamps: dict):
        self.audio = audio
        self.clips = [clip for clip, _ in stored]
        self.keys = [key for _, key in stored]
        self.rejected = rejected
        self._store = store
        self._stamps = {clip.path: stamps[clip.path] for clip in self.clips}

    @classmethod
    def open(
        cls,
        manifest_path: str | Path,
        audio,
        store_folder: str | Path,
        jobs: int | None = None,
        progress: bool = True,
    ) -> "Corpus":
        """Reads a manifest, and decodes and checks what is new in it.

        Clips are left out that cannot be read, are empty, hold NaN or infinite
        samples, are shorter than a crop, or are silent by the record's rule. A
        file that changed since the last time is noticed by its size and time.

        Args:
            manifest_path: see `read_manifest`.
            audio: the ``[audio]`` table of an experiment.
            store_folder: of the `WaveformStore`.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Raises:
            UserError: if the manifest is wrong, none of its clips can be used, the
                store cannot be written, or reading a file does not end.
        """
        clips = read_manifest(manifest_path)
        stamps = {clip.path: stamp(clip.path) for clip in clips}
        store = WaveformStore(store_folder, audio.sample_rate)
        name = " ".join(f"{key}={getattr(audio, key)}" for key in _SETTINGS)
        paths = [clip.path for clip in clips]
        keys, reasons = store.add(paths, lambda wave: _judge(wave, audio), name, jobs, progress)
        stored = [(clip, keys[clip.path]) for clip in clips if clip.path not in reasons]
        rejected = [(clip, reasons[clip.path]) for clip in clips if clip.path in reasons]
        if not stored:
            raise UserError(
                f"{manifest_path}: no clip can be used: {_count(rejected)}; see {rejected[0][0].path}"
            )
        return cls(store, audio, stored, rejected, stamps)

    def wave(self, index: int) -> StoredWaveform:
        """Returns the waveform of a clip.

        Raises:
            UserError: if it is gone or damaged.
        """
        return self._store.open(self.keys[index])

    def changes(self) -> str:
        """Returns a line that names the files whose size or time is not as when this was opened, or "".

        What was decoded then is not touched by it.
        """
        changed = [path for path, then in self._stamps.items() if stamp(path) != then]
        if not changed:
            return ""
        more = f" and {len(changed) - 1} more clips" if changed[1:] else ""
        return f"changed since the start, which used what they held then: {changed[0]}{more}"

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
        write_clip_list(path, self.clips, self.keys)

    def difference(self, path: str | Path) -> str:
        """Returns in a few words how the clips differ from those that `write_clips` wrote."""
        return describe_difference(path, self.clips, self.keys)

    def write_rejected(self, path: str | Path, more: Sequence[tuple[Clip, str]] = ()) -> None:
        """Writes the clips left out, and ``more``, as UTF-8 CSV with the columns path and reason."""
        rows = ([as_text(str(clip.path)), reason] for clip, reason in [*self.rejected, *more])
        write_csv(path, ["path", "reason"], rows)


def _judge(wave: np.ndarray, audio) -> str:
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
