"""A waveform on its way to a spectrogram, and back."""

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from starvox.audio.griffin_lim import griffin_lim, take_phase, unused_band
from starvox.audio.spectrogram import denormalize, log_spectrogram, normalize
from starvox.config import Audio

Array = NDArray[np.float32]

_BLOCK = 4096  # frames at a time, so that an hour takes little more memory than a minute


class Source:
    """A waveform of any length, its spectrogram, and the sound of others of that size.

    The waveform is normalised whole, as the record does with a crop, and mirrored
    at both ends: every sample then stands in as many frames as any other, so that
    no sound made of them clicks there, and the number of frames suits the generator.

    Args:
        wave (ndarray of shape (n,), float32): samples of any scale; n >= 1.
        audio: the experiment's table ``audio``.
        multiple (int): of which the number of frames is one; 2^depth of the generator.

    Attributes:
        spectrogram (ndarray of shape (bins, frames), float32): in [0, 1]; `inner`
            tells the frames of the waveform from those of its mirrored ends.

    Raises:
        ValueError: if the waveform is empty, not of one channel, or not finite.
    """

    def __init__(self, wave: Array, audio: Audio, multiple: int = 1) -> None:
        wave = np.asarray(wave, np.float32)
        if wave.ndim != 1 or not wave.size or not np.isfinite(wave).all():
            raise ValueError(f"expected finite samples of shape (n,), n >= 1, got {wave.shape}")
        self._wave, self._audio = wave, audio
        self._lead = -(-audio.n_fft // audio.hop_length) - 1  # frames before one that share samples with it
        covering = self._lead + -(-len(wave) // audio.hop_length)
        self._frames = -(-covering // multiple) * multiple
        before = self._lead * audio.hop_length
        after = audio.n_fft + (self._frames - 1) * audio.hop_length - before - len(wave)
        self._padded = np.pad(normalize(wave, audio), (before, after), mode="reflect")
        starts = range(0, self._frames, _BLOCK)
        parts = [log_spectrogram(self._samples(start, start + _BLOCK), audio) for start in starts]
        self.spectrogram: Array = np.concatenate(parts, axis=1)

    def inner(self, s: Array) -> Array:
        """Returns the frames that lie within the waveform (at least one), for a figure.

        Args:
            s (ndarray of shape (bins, frames), float32): of the size of `spectrogram`.
        """
        audio = self._audio
        count = 1 + max(0, len(self._wave) - audio.n_fft) // audio.hop_length
        return s[:, self._lead : self._lead + count]

    def sound(self, s: Array, phase: str = "griffin-lim", band: str = "record") -> Array:
        """Makes a spectrogram audible.

        Long ones are made in pieces that are faded into each other. With the
        source's phase the pieces agree, so that this is exact. On a terminal and in a
        notebook a bar shows how far it is.

        Args:
            s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1], of
                the size of `spectrogram`.
            phase: ``source`` (the waveform's) or ``griffin-lim`` (one found for ``s``).
            band: ``record`` leaves out what the network does not see (DC, and what
                is above 4 kHz for the record); ``source`` takes it from the waveform.

        Returns:
            ndarray of shape (n,), float32: the waveform's length and scale.

        Raises:
            ValueError: if ``s`` has another size, or an option is unknown.
        """
        if s.shape != self.spectrogram.shape:
            raise ValueError(f"expected a spectrogram of shape {self.spectrogram.shape}, got {s.shape}")
        check_option("phase", phase, ("source", "griffin-lim"))
        check_option("band", band, ("record", "source"))
        hop = self._audio.hop_length
        sound = np.zeros_like(self._padded)
        ramp = np.linspace(0, 1, self._lead * hop, dtype=np.float32)
        quiet = None if self._frames > _BLOCK else True  # None: shown on a terminal and in a notebook
        for start in tqdm(range(0, self._frames, _BLOCK), "sound", leave=False, disable=quiet):
            # Twice the lead: the first samples, which few frames hold, are not used at all.
            first = max(0, start - 2 * self._lead)
            piece = self._piece(s, first, start + _BLOCK, phase, band)
            if start:
                fade = slice((start - self._lead) * hop, start * hop)
                faded = slice((start - self._lead - first) * hop, (start - first) * hop)
                sound[fade] += ramp * (piece[faded] - sound[fade])
            sound[start * hop : first * hop + len(piece)] = piece[(start - first) * hop :]
        sound = sound[self._lead * hop :][: len(self._wave)]
        sound = denormalize(sound, self._wave, self._audio)
        # The offset that normalising gave leaks from the DC bin into its neighbour.
        return sound - sound.mean() if band == "record" else sound

    def _piece(self, s: Array, start: int, stop: int, phase: str, band: str) -> Array:
        samples, audio = self._samples(start, stop), self._audio
        s = s[:, start:stop]
        piece = take_phase(s, samples, audio) if phase == "source" else griffin_lim(s, audio)
        return piece + unused_band(samples, audio) if band == "source" else piece

    def _samples(self, start: int, stop: int) -> Array:
        """Returns the samples of frames ``start`` to ``stop - 1``, or to the last."""
        hop = self._audio.hop_length
        return self._padded[start * hop : (stop - 1) * hop + self._audio.n_fft]


def check_option(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raises ValueError if ``value`` is not one of those known."""
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; use {' or '.join(known)}")
