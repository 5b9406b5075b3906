"""Sound: file <-> waveform <-> spectrogram."""

from starvox.audio.griffin_lim import griffin_lim, magnitude, take_phase, unused_band
from starvox.audio.spectrogram import denormalize, is_silent, log_spectrogram, normalize, spectrogram
from starvox.audio.waveform import AudioFileError, read_blocks, read_waveform, write_wav

__all__ = [
    "AudioFileError",
    "denormalize",
    "griffin_lim",
    "is_silent",
    "log_spectrogram",
    "magnitude",
    "normalize",
    "read_blocks",
    "read_waveform",
    "spectrogram",
    "take_phase",
    "unused_band",
    "write_wav",
]
