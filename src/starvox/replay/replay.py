"""Converting speech with the generator of a run."""

from dataclasses import dataclass
from pathlib import Path

import chainer
import numpy as np

from starvox.config import Experiment
from starvox.corpus import LabelEncoder
from starvox.device import find_device
from starvox.replay.conversion import convert, margin
from starvox.replay.networks import load_networks
from starvox.replay.source import Source, check_option

STATISTICS = ("running", "clip")


@dataclass(frozen=True)
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
    gen: chainer.Link

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

    def convert(
        self,
        wave: np.ndarray,
        speaker: str | None = None,
        birthplace: str | None = None,
        sex: str | None = None,
        *,
        phase: str = "griffin-lim",
        band: str = "record",
        statistics: str = "running",
        progress: bool = False,
    ) -> np.ndarray:
        """Converts speech to the voice that the labels name.

        Args:
            wave (ndarray of shape (n,), float32): samples at 16 kHz, n >= 1.
            speaker: None leaves the group unlabelled, as a clip can be in training.
            birthplace: likewise.
            sex: likewise.
            phase: ``source`` (that of ``wave``) or ``griffin-lim`` (found for the
                converted spectrogram).
            band: ``record`` leaves out DC and what is above 4 kHz, which the network
                does not see; ``source`` takes them from ``wave``.
            statistics: of batch normalisation: ``running`` (from training), or ``clip``
                (of this waveform; in one pass, 15 MB a second at the record's size).
            progress: show the time left of a long input on a terminal.

        Returns:
            ndarray of shape (n,), float32.

        Raises:
            UserError: if a label is unknown.
            ValueError: if ``wave`` is empty, not of one channel or not finite, or
                an option is unknown.
        """
        source = self.source(wave)
        s = self.generate(source.spectrogram, speaker, birthplace, sex, statistics, progress)
        return source.sound(s, phase, band, progress)

    def copy(self, wave: np.ndarray, *, phase: str = "griffin-lim", band: str = "record") -> np.ndarray:
        """Does what `convert` does without the generator: what the pipeline alone costs.

        Returns:
            ndarray of shape (n,), float32.
        """
        source = self.source(wave)
        return source.sound(source.spectrogram, phase, band)

    def spectrograms(
        self,
        wave: np.ndarray,
        speaker: str | None = None,
        birthplace: str | None = None,
        sex: str | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the spectrogram of speech and that of its conversion, for a figure.

        Returns:
            two ndarrays of shape (bins, frames), float32, in [0, 1]: the frames that
            lie within the waveform, the first of them at its first sample.
        """
        source = self.source(wave)
        converted = self.generate(source.spectrogram, speaker, birthplace, sex)
        return source.inner(source.spectrogram), source.inner(converted)

    def source(self, wave: np.ndarray) -> Source:
        """Returns a waveform made ready for `generate`; its `Source.sound` is the way back.

        `convert` in steps, for more than one conversion of the same waveform.
        """
        return Source(wave, self.exp.audio, 2**self.exp.generator.depth)

    def generate(
        self,
        s: np.ndarray,
        speaker: str | None = None,
        birthplace: str | None = None,
        sex: str | None = None,
        statistics: str = "running",
        progress: bool = False,
    ) -> np.ndarray:
        """Converts a spectrogram.

        Args:
            s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1];
                frames is a multiple of 2^depth.
            speaker, birthplace, sex, statistics, progress: as in `convert`.

        Returns:
            ndarray of the shape of ``s``, float32, in (0, 1).
        """
        check_option("statistics", statistics, STATISTICS)
        c = self.encoder.input(speaker, birthplace, sex)
        # Instance normalisation has no running statistics, only those of the whole clip.
        local = statistics == "running" and self.exp.generator.normalization == "batch"
        return convert(self.gen, s, c, margin(self.exp.generator) if local else None, progress)
