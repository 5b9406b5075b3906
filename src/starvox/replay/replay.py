"""Converting speech with the generator of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from starvox.audio.source import Array, Source, check_option
from starvox.config import Experiment
from starvox.corpus import LabelEncoder
from starvox.device import find_device
from starvox.errors import UserError
from starvox.models import Generator
from starvox.replay.conversion import context_frames, convert
from starvox.replay.networks import load_networks

if TYPE_CHECKING:
    from IPython.display import Audio


@dataclass(frozen=True, repr=False)
class Replay:
    """The generator of a run, ready to convert speech.

    Waveforms are at ``exp.audio.sample_rate`` (16 kHz), of any length and scale;
    what comes out has the length and the scale of what went in.

    Attributes:
        exp: the run's experiment.
        encoder: the run's labels.
        iteration: of the snapshot.
        gen: the generator, on its device.
    """

    exp: Experiment
    encoder: LabelEncoder
    iteration: int
    gen: Generator

    @classmethod
    def load(cls, run: str | Path, iteration: int | None = None, device: str = "cpu") -> "Replay":
        """Loads a generator from a results folder, also of a training that is still running.

        Switches the fast operations on, as `starvox.build_models` does.

        Args:
            run: the results folder.
            iteration: of the snapshot; None for the newest.
            device: ``cpu``, ``auto`` or ``cuda:N``.

        Raises:
            UserError: if there is no such folder, snapshot or device, or the
                snapshot is damaged. A snapshot is never unpickled.
        """
        networks = load_networks(run, iteration)
        networks.gen.to_device(find_device(device))
        return cls(networks.exp, networks.encoder, networks.iteration, networks.gen)

    def __repr__(self) -> str:
        voices = f"{len(self.speakers)} speakers"
        return f"<Replay of {self.exp.id}, iteration {self.iteration}, {voices}, on {self.gen.device}>"

    @property
    def speakers(self) -> list[str]:
        """The names that `convert` takes."""
        return list(self.encoder.classes["speaker"])

    @property
    def birthplaces(self) -> list[str]:
        """The names that `convert` takes."""
        return list(self.encoder.classes["birthplace"])

    @property
    def sexes(self) -> list[str]:
        """The names that `convert` takes."""
        return list(self.encoder.classes["sex"])

    def convert(
        self,
        wave: Array,
        speaker: str | None = None,
        birthplace: str | None = None,
        sex: str | None = None,
        *,
        phase: str = "griffin-lim",
        band: str = "record",
        statistics: str = "running",
    ) -> Array:
        """Converts speech to the voice that the labels name.

        Args:
            wave (ndarray of shape (n,), float32): samples at 16 kHz, n >= 1.
            speaker: None leaves the group unlabelled, as a clip can be in training.
            birthplace: likewise.
            sex: likewise.
            phase, band: as in `Source.sound`.
            statistics: as in `generate`.

        Returns:
            ndarray of shape (n,), float32.

        Raises:
            UserError: if a label is unknown.
            ValueError: if ``wave`` is empty, not of one channel or not finite, or
                an option is unknown.
        """
        source = self.source(wave)
        s = self.generate(source.spectrogram, speaker, birthplace, sex, statistics)
        return source.sound(s, phase, band)

    def copy_synthesis(self, wave: Array, *, phase: str = "griffin-lim", band: str = "record") -> Array:
        """Does what `convert` does without the generator: what the pipeline alone costs.

        Returns:
            ndarray of shape (n,), float32.
        """
        source = self.source(wave)
        return source.sound(source.spectrogram, phase, band)

    def audio(self, wave: Array) -> "Audio":
        """Returns a player of a waveform (ndarray of shape (n,), float32) for a notebook.

        Raises:
            UserError: if IPython is not installed.
        """
        try:
            from IPython.display import Audio
        except ImportError:
            raise UserError("IPython is not installed; use starvox.write_wav") from None
        level = max(1, np.abs(wave).max(initial=0))  # as `write_wav`: sounds can be compared
        return Audio(wave / level, rate=self.exp.audio.sample_rate, normalize=False)

    def source(self, wave: Array) -> Source:
        """Returns a waveform made ready for `generate`; its `Source.sound` is the way back.

        `convert` in steps, for more than one conversion of the same waveform.
        """
        return Source(wave, self.exp.audio, 2**self.exp.generator.depth)

    def generate(
        self,
        s: Array,
        speaker: str | None = None,
        birthplace: str | None = None,
        sex: str | None = None,
        statistics: str = "running",
    ) -> Array:
        """Converts a spectrogram.

        Args:
            s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1];
                frames is a multiple of 2^depth.
            speaker, birthplace, sex: as in `convert`.
            statistics: of batch normalisation: ``running`` (from training), or ``clip``
                (of ``s``; in one pass, 15 MB a second at the record's size).

        Returns:
            ndarray of the shape of ``s``, float32, in (0, 1).

        Raises:
            UserError: if a label is unknown.
            ValueError: if ``statistics`` is unknown.
        """
        check_option("statistics", statistics, ("running", "clip"))
        c = self.encoder.input(speaker, birthplace, sex)
        # Instance normalisation has no running statistics, only those of the whole clip.
        local = statistics == "running" and self.exp.generator.normalization == "batch"
        return convert(self.gen, s, c, context_frames(self.exp.generator) if local else None)
