"""The program that `starvox.corpus.demo.espeak` runs: eSpeak NG says one text, then ends.

    python espeak_process.py LIBRARY DATA VOICE RATE PITCH PITCH_RANGE < text > samples

The text is UTF-8; the samples are mono int16 in the machine's byte order, at
`SAMPLE_RATE`. The program needs nothing but the standard library, so that it
starts in a few hundredths of a second.
"""

import os
import sys
from ctypes import CDLL, CFUNCTYPE, byref, c_char_p, c_int, c_long, c_size_t, c_uint, c_void_p, string_at

SAMPLE_RATE = 22050

# The names and values are those of eSpeak NG's speak_lib.h.
SYNCHRONOUS, DONT_EXIT = 2, 0x8000
RATE, VOLUME, PITCH, PITCH_RANGE = 1, 2, 3, 4
POS_CHARACTER, CHARS_UTF8 = 1, 1

# Per cent. At the normal 100 some voices reach full scale, and are then limited.
LOUDNESS = 50

Callback = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)

SIGNATURES = {
    "espeak_Initialize": (c_int, [c_int, c_int, c_char_p, c_int]),
    "espeak_Info": (c_char_p, [c_void_p]),
    "espeak_ng_SetRandSeed": (c_int, [c_long]),
    "espeak_SetVoiceByName": (c_int, [c_char_p]),
    "espeak_SetParameter": (c_int, [c_int, c_int, c_int]),
    "espeak_SetSynthCallback": (None, [Callback]),
    "espeak_Synth": (c_int, [c_char_p, c_size_t, c_uint, c_int, c_uint, c_uint, c_void_p, c_void_p]),
    "espeak_Synchronize": (c_int, []),
}


def load(library: str) -> CDLL:
    """Loads the library and declares what is used of it."""
    lib = CDLL(library)
    for name, (restype, argtypes) in SIGNATURES.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = restype, argtypes
    return lib


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
    check(lib.espeak_ng_SetRandSeed(1), "seed")


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

    def keep(wave, count, _events):
        if wave:
            samples.extend(string_at(wave, 2 * count))
        return 0

    callback = Callback(keep)  # must live until the end: the library does not hold it
    lib.espeak_SetSynthCallback(callback)
    check(lib.espeak_SetParameter(RATE, rate, 0), f"rate {rate}")
    check(lib.espeak_SetParameter(PITCH, pitch, 0), f"pitch {pitch}")
    check(lib.espeak_SetParameter(PITCH_RANGE, pitch_range, 0), f"pitch range {pitch_range}")
    check(lib.espeak_SetParameter(VOLUME, LOUDNESS, 0), "volume")
    check(lib.espeak_Synth(text, len(text) + 1, 0, POS_CHARACTER, 0, CHARS_UTF8, None, None), "synthesis")
    check(lib.espeak_Synchronize(), "synthesis")
    return bytes(samples)


def main() -> None:
    library, data, voice, *numbers = sys.argv[1:]
    lib = load(library)
    initialize(lib, data)
    select(lib, voice, data)
    sys.stdout.buffer.write(say(lib, sys.stdin.buffer.read(), *map(int, numbers)))


if __name__ == "__main__":
    main()
