"""Sound files to waveforms and back."""

import os
from pathlib import Path

import librosa
import numpy as np
import soundfile


class AudioFileError(ValueError):
    """A sound file that cannot be used; the message is the reason, without the path."""


def read_waveform(path: str | Path, sample_rate: int) -> np.ndarray:
    """Reads a sound file as one channel at one rate (step 1 of the record).

    Args:
        path: a file of any format, rate and number of channels that libsndfile reads.
        sample_rate (int): Hz of the result.

    Returns:
        ndarray of shape (n,), float32: the mean of the channels, in [-1, 1] for
        integer formats (resampling can overshoot a little).

    Raises:
        AudioFileError: if the file cannot be read, is empty, or holds NaN or
            infinite samples.
    """
    try:
        # A descriptor, because given a path libsndfile says "System error" of
        # whatever goes wrong and takes a name that ends in .raw at its word.
        with open(path, "rb") as file:
            samples, rate = soundfile.read(file.fileno(), dtype="float32", always_2d=True, closefd=False)
    except OSError as error:
        raise AudioFileError(f"unreadable: {error.strerror}") from None
    except soundfile.LibsndfileError as error:
        reason = " ".join(error.error_string.split()).rstrip(".")
        raise AudioFileError(f"unreadable: {reason}") from None
    if not len(samples):
        raise AudioFileError("empty")
    wave = samples.mean(axis=1)
    if not np.isfinite(wave).all():
        raise AudioFileError("NaN or infinite samples")
    if rate == sample_rate:
        return wave
    # The resampler takes zeros beyond both ends. Without its offset a waveform
    # does not ring there, and a constant one stays constant.
    offset = np.float32(wave.mean(dtype=np.float64))
    return librosa.resample(wave - offset, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq") + offset


def write_wav(path: str | Path, wave: np.ndarray, sample_rate: int) -> None:
    """Writes a waveform as 16-bit PCM; the file appears whole or not at all.

    One that goes beyond [-1, 1] is scaled down as a whole: clipping would click,
    and be heard as the network's doing.

    Args:
        path: the file to write, replaced if it is there.
        wave (ndarray of shape (n,), float): samples.
        sample_rate (int): Hz.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        soundfile.write(
            temporary, wave / max(1, np.abs(wave).max(initial=0)), sample_rate, subtype="PCM_16", format="WAV"
        )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
