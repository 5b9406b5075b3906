"""The program that `starvox.corpus.demo.espeak` runs: eSpeak NG says one text, then ends.

    python espeak_process.py LIBRARY DATA VOICE RATE PITCH PITCH_RANGE < text > samples

The text is UTF-8; the samples are mono int16 in the machine's byte order, at
`SAMPLE_RATE`. The program needs nothing but the standard library, so that it
starts in a few hundredths of a second.
"""

import os
import sys
from ctypes import CDLL, CFUNCTYPE, byref, c_char_p, c_int, c_long, c_size_t, c_void_p, string_at

SAMPLE_RATE = 22050

# The names and values are those of eSpeak NG's speak_lib.h.
SYNCHRONOUS, DONT_EXIT = 2, 0x8000
RATE, VOLUME, PITCH, PITCH_RANGE = 1, 2, 3, 4
POS_CHARACTER, CHARS_UTF8 = 1, 1

# Per cent. At the normal 100 some voices reach full scale, and are then limited.
LOUDNESS = 50


def check(status: int, what: str) -> None:
    if status != 0:
        sys.exit(f"{what}: the library returned {status}")


def initialize(lib: CDLL, data: str) -> None:
    """Opens the folder ``data``, and no other."""
    # The library keeps this path in 160 bytes and, where it does not fit, takes
    # whatever data it finds on the machine. A relative path always fits.
    parent, name = os.path.split(data)
    os.chdir(parent)
    rate = lib.espeak_Initialize(SYNCHRONOUS, 0, os.fsencode(name), DONT_EXIT)
    opened = c_char_p()
    lib.espeak_Info(byref(opened))
    if rate != SAMPLE_RATE or opened.value != os.fsencode(name):
        sys.exit(f"the voices in {data} cannot be used")
    # It has just seeded the noise in breath and consonants with the time.
    check(lib.espeak_ng_SetRandSeed(c_long(1)), "seed")


def select(lib: CDLL, voice: str, data: str) -> None:
    """Selects an accent and a variant of its voice, for example ``en-us+f2``."""
    variant = voice.partition("+")[2]
    # To the library an unknown variant is no error: it takes the plain voice.
    if variant and variant not in os.listdir(os.path.join(os.path.basename(data), "voices", "!v")):
        sys.exit(f"no voice variant {variant!r}")
    check(lib.espeak_SetVoiceByName(voice.encode()), f"voice {voice!r}")


def say(lib: CDLL, text: bytes, rate: int, pitch: int, pitch_range: int) -> bytes:
    """Returns the samples of ``text`` in the selected voice."""
    samples = bytearray()

    @CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
    def keep(wave, count, _events):
        if wave:
            samples.extend(string_at(wave, 2 * count))
        return 0

    lib.espeak_SetSynthCallback(keep)
    for name, value in ((RATE, rate), (PITCH, pitch), (PITCH_RANGE, pitch_range), (VOLUME, LOUDNESS)):
        check(lib.espeak_SetParameter(name, value, 0), f"parameter {name} = {value}")
    size = c_size_t(len(text) + 1)
    check(lib.espeak_Synth(text, size, 0, POS_CHARACTER, 0, CHARS_UTF8, None, None), "synthesis")
    check(lib.espeak_Synchronize(), "synthesis")
    return bytes(samples)


def main() -> None:
    library, data, voice, *numbers = sys.argv[1:]
    lib = CDLL(library)
    initialize(lib, data)
    select(lib, voice, data)
    sys.stdout.buffer.write(say(lib, sys.stdin.buffer.read(), *map(int, numbers)))


if __name__ == "__main__":
    main()
