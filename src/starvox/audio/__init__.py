"""Sound: file <-> waveform <-> spectrogram."""

from starvox.audio.griffin_lim import griffin_lim
from starvox.audio.spectrogram import is_silent, log_spectrogram, normalize, spectrogram
from starvox.audio.waveform import AudioFileError, read_blocks, read_waveform, write_wav

__all__ = [
    "AudioFileError",
    "griffin_lim",
    "is_silent",
    "log_spectrogram",
    "normalize",
    "read_blocks",
    "read_waveform",
    "spectrogram",
    "write_wav",
]
