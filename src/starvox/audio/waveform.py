"""Sound files to waveforms and back."""

import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from starvox.files import open_plain, replacing

RATES = (1000, 1_000_000)  # Hz: a header that claims a rate beyond these lies, and would cost endless memory
LONGEST = 4 * 3600  # s: a compressed file of a few kB can claim years, and hold them
_BLOCK = 2**22  # samples of all channels read at a time, 16 MB
_SHORTEST = 4096  # frames read at a time, at least; 1024 channels are the most that libsndfile takes


class AudioFileError(ValueError):
    """A sound file that cannot be used; the message is the reason, without the path."""


def read_waveform(path: str | Path, sample_rate: int) -> np.ndarray:
    """Reads a sound file as one channel at one rate (step 1 of the record).

    It is decoded piece by piece, so that memory goes with what it holds at
    ``sample_rate``, whatever its header claims.

    Args:
        path: a file of any format and number of channels that libsndfile reads, at
            a rate within `RATES`, of at most `LONGEST` seconds.
        sample_rate (int): Hz of the result.

    Returns:
        ndarray of shape (n,), float32: the mean of the channels, in [-1, 1] for
        integer formats (resampling can overshoot a little).

    Raises:
        AudioFileError: if the file cannot be read, is empty or too long, or holds
            NaN or infinite samples.
    """
    try:
        # A descriptor, because given a path libsndfile says "System error" of
        # whatever goes wrong and takes a name that ends in .raw at its word.
        with open_plain(path) as file, soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            if not RATES[0] <= sound.samplerate <= RATES[1]:
                raise AudioFileError(f"unreadable: a sample rate of {sound.samplerate} Hz")
            return _resample(_mono(sound), sound.samplerate, sample_rate)
    except OSError as error:
        raise AudioFileError(f"unreadable: {error.strerror}") from None
    except soundfile.LibsndfileError as error:
        reason = " ".join(error.error_string.split()).rstrip(".")
        raise AudioFileError(f"unreadable: {reason}") from None


def _mono(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """Yields the mean of the channels, float32, block by block."""
    total = 0
    # What the header claims can make the buffer smaller, not larger.
    length = max(_SHORTEST, min(sound.frames, _BLOCK // sound.channels))
    buffer = np.empty((length, sound.channels), np.float32)
    while len(samples := sound.read(out=buffer)):
        total += len(samples)
        if total > LONGEST * sound.samplerate:
            raise AudioFileError(f"longer than {LONGEST // 3600} h: cut it into clips")
        wave = samples.mean(axis=1)
        if not np.isfinite(wave).all():
            raise AudioFileError("NaN or infinite samples")
        yield wave
    if not total:
        raise AudioFileError("empty")


def _resample(blocks: Iterable[np.ndarray], rate: int, sample_rate: int) -> np.ndarray:
    """Joins blocks of a waveform at another rate."""
    if rate == sample_rate:
        return np.concatenate(list(blocks))
    stream = soxr.ResampleStream(rate, sample_rate, 1, "float32", "HQ")
    offset, total, pieces = None, 0, []
    for wave in blocks:
        # The resampler takes zeros beyond both ends. Without its offset a waveform
        # does not ring there, and a constant one stays constant.
        if offset is None:
            offset = np.float32(wave.mean(dtype=np.float64))
        total += len(wave)
        pieces.append(stream.resample_chunk(wave - offset))
    pieces.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    length = math.ceil(total * sample_rate / rate)
    result = np.concatenate(pieces)[:length]
    if len(result) < length:
        result = np.pad(result, (0, length - len(result)))
    result += offset
    return result


def write_wav(path: str | Path, wave: np.ndarray, sample_rate: int) -> None:
    """Writes a waveform as 16-bit PCM; the file appears whole or not at all.

    One that goes beyond [-1, 1] is scaled down as a whole: clipping would click,
    and be heard as the network's doing.

    Args:
        path: the file to write, replaced if it is there.
        wave (ndarray of shape (n,), float): samples.
        sample_rate (int): Hz.
    """
    sound = io.BytesIO()  # libsndfile does not say what is wrong when a disk is full
    soundfile.write(
        sound, wave / max(1, np.abs(wave).max(initial=0)), sample_rate, subtype="PCM_16", format="WAV"
    )
    with replacing(path) as temporary:
        temporary.write_bytes(sound.getvalue())
