"""Sound files to waveforms and back."""

import errno
import io
import math
import re
import zlib
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
_TOLERANCE = 0.1  # s that may be missing at the end of what a header promises
_UNKNOWN_SIZE = 0x7FFF0000  # bytes
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SYSTEM_ERROR, _NO_MEMORY = 2, 17  # libsndfile's numbers


class AudioFileError(ValueError):
    """A sound file that cannot be used; the message is the reason, without the path."""


def read_waveform(path: str | Path, sample_rate: int) -> np.ndarray:
    """Reads a sound file as one channel at one rate (step 1 of the record).

    Args:
        path: see `read_blocks`.
        sample_rate (int): Hz of the result.

    Returns:
        ndarray of shape (n,), float32: the mean of the channels, in [-1, 1] for
        integer formats (resampling can overshoot a little).

    Raises:
        AudioFileError: if the file cannot be read, or is one that `read_blocks` refuses.
    """
    try:
        return np.concatenate(list(read_blocks(path, sample_rate)))
    except OSError as error:
        raise AudioFileError(f"unreadable: {error.strerror}") from None


def read_blocks(path: str | Path, sample_rate: int) -> Iterator[np.ndarray]:
    """Reads a sound file as `read_waveform` does, piece by piece.

    Memory does not go with what the file holds, or claims to hold.

    Args:
        path: a file of any format and number of channels that libsndfile reads, at
            a rate within `RATES`, of at most `LONGEST` seconds.
        sample_rate (int): Hz of the result.

    Yields:
        ndarray of shape (n,), float32: one after the other.

    Raises:
        AudioFileError: if the file is no sound or a damaged one, holds less than its
            header promises, is empty or too long, or holds NaN or infinite samples.
        OSError: if reading it fails, now.
    """
    try:
        # A descriptor, because given a path libsndfile says "System error" of
        # whatever goes wrong and takes a name that ends in .raw at its word.
        with open_plain(path) as file, soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            if not RATES[0] <= sound.samplerate <= RATES[1]:
                raise AudioFileError(f"unreadable: a sample rate of {sound.samplerate} Hz")
            if sound.format == "OGG" and not _is_whole_ogg(path):
                raise AudioFileError("damaged: a page without its checksum: copy it again")
            yield from _resample(_mono(sound, _promised_frames(sound, path)), sound.samplerate, sample_rate)
    except soundfile.LibsndfileError as error:
        if error.code == _NO_MEMORY:
            raise MemoryError from None
        reason = " ".join(error.error_string.split()).rstrip(".")
        if error.code == _SYSTEM_ERROR:  # of no damaged file
            raise OSError(errno.EIO, reason) from None
        raise AudioFileError(f"unreadable: {reason}") from None


def _promised_frames(sound: soundfile.SoundFile, path: str | Path) -> float:
    """Returns how many frames the header promises, 0 where it does not tell."""
    if sound.format == "MP3":
        with open(path, "rb") as file:
            head = file.read(2**20)
        # Without this table libsndfile guesses the number from the size of the file.
        return sound.frames if b"Xing" in head or b"Info" in head else 0
    # Of a file that is cut off libsndfile tells what is there; what should be there is in its notes.
    # Of W64 (riff) and RF64 (Riff size) the note is on the whole file.
    names = "data|SSND|Data Size|riff|Riff size"
    note = re.search(rf"^ *(?:{names}) *: (\d+) \(should be (\d+)\)", sound.extra_info, re.M)
    promised, found = map(int, note.groups()) if note else (0, 0)
    # Programs that write to a pipe claim 2 or 4 GB: they do not know.
    return sound.frames * promised / found if 0 < found < promised < _UNKNOWN_SIZE else sound.frames


def _is_whole_ogg(path: str | Path) -> bool:
    """Returns whether every page of an Ogg file has its checksum; libsndfile skips those that do not."""
    with open(path, "rb") as file:
        while head := file.read(27):
            sizes = file.read(head[-1])
            page = head[:22] + bytes(4) + head[26:] + sizes + file.read(sum(sizes))
            # zlib's CRC-32, but for the order of the bits, its beginning and its end
            checksum = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
            if head[22:26] != checksum.to_bytes(4, "big").translate(_REVERSED_BITS):
                return False
    return True


def _mono(sound: soundfile.SoundFile, promised: float) -> Iterator[np.ndarray]:
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
    if total < promised - _TOLERANCE * sound.samplerate:
        there, all_ = (frames / sound.samplerate for frames in (total, promised))
        raise AudioFileError(f"incomplete: {there:.2f} s of {all_:.2f} s can be read: copy it again")


def _resample(blocks: Iterable[np.ndarray], rate: int, sample_rate: int) -> Iterator[np.ndarray]:
    """Yields a waveform at another rate, block by block."""
    if rate == sample_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, sample_rate, 1, "float32", "HQ")
    offset, total, done = None, 0, 0
    for wave in blocks:
        # The resampler takes zeros beyond both ends. Without its offset a waveform
        # does not ring there, and a constant one stays constant.
        if offset is None:
            offset = np.float32(wave.mean(dtype=np.float64))
        total += len(wave)
        piece = stream.resample_chunk(wave - offset)
        done += len(piece)
        yield piece + offset
    rest = math.ceil(total * sample_rate / rate) - done
    piece = stream.resample_chunk(np.zeros(0, np.float32), last=True)[:rest]
    yield np.pad(piece, (0, rest - len(piece))) + offset


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
