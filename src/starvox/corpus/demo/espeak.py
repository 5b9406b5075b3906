"""Speech from text with eSpeak NG, as bundled by the package espeakng_loader."""

import subprocess
import sys
from pathlib import Path

import espeakng_loader
import numpy as np

from starvox.corpus.demo.espeak_process import SAMPLE_RATE
from starvox.errors import UserError

__all__ = ["SAMPLE_RATE", "synthesize"]

_TIMEOUT = 60  # s; a sentence takes a twentieth of one
_PROGRAM = Path(__file__).with_name("espeak_process.py")


def synthesize(text: str, voice: str, rate: int = 160, pitch: int = 50, pitch_range: int = 50) -> np.ndarray:
    """Says a text; the same arguments give the same samples.

    Each text is said by a new process, because the library carries some of its
    state from one text into the next, even when it is initialised anew.

    Args:
        text: what to say, in the language of the voice.
        voice: an accent, or an accent and a variant, for example ``en-us+f2``.
        rate: words a minute, 80 to 450.
        pitch: 0 to 100; 50 is the variant's own pitch.
        pitch_range: 0 to 100; 0 is monotone, 50 the variant's own melody.

    Returns:
        ndarray of shape (samples,), int16: mono at `SAMPLE_RATE`, 22050 Hz.

    Raises:
        UserError: if the library cannot be used, does not know the voice, dies or hangs.
    """
    library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    numbers = [str(number) for number in (rate, pitch, pitch_range)]
    command = [sys.executable, "-I", "-S", _PROGRAM, library, data, voice, *numbers]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"eSpeak NG: {error}; try again, or reinstall espeakng-loader") from None
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode(errors="replace").splitlines() or [f"ended with {done.returncode}"]
        raise UserError(f"eSpeak NG: {lines[-1]}; check the voice, or reinstall espeakng-loader")
    return np.frombuffer(done.stdout, np.int16)
