"""Sound: file <-> waveform <-> spectrogram. Imports nothing else of the package."""

from starvox.audio.griffin_lim import griffin_lim, magnitude, resynthesize
from starvox.audio.spectrogram import is_silent, normalize, spectrogram
from starvox.audio.waveform import AudioFileError, read_waveform, write_wav

__all__ = [
    "AudioFileError",
    "griffin_lim",
    "is_silent",
    "magnitude",
    "normalize",
    "read_waveform",
    "resynthesize",
    "spectrogram",
    "write_wav",
]
