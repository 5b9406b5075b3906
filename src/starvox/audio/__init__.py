"""Sound: file <-> waveform <-> spectrogram. Imports nothing else of the package."""

from starvox.audio.griffin_lim import griffin_lim, magnitude, resynthesize, take_phase, unused_band
from starvox.audio.spectrogram import denormalize, is_silent, log_spectrogram, normalize, spectrogram
from starvox.audio.waveform import AudioFileError, open_plain, read_blocks, read_waveform, write_wav

__all__ = [
    "AudioFileError",
    "denormalize",
    "griffin_lim",
    "is_silent",
    "log_spectrogram",
    "magnitude",
    "normalize",
    "open_plain",
    "read_blocks",
    "read_waveform",
    "resynthesize",
    "spectrogram",
    "take_phase",
    "unused_band",
    "write_wav",
]
