"""Who speaks in the synthetic corpora, and how."""

from typing import NamedTuple

import numpy as np
import soxr

from starvox.corpus.demo.espeak import synthesize


class Speaker(NamedTuple):
    """A synthetic speaker.

    ``variant``, ``pitch``, ``rate`` and ``pitch_range`` are eSpeak NG's (see
    `synthesize`). ``size`` multiplies all frequencies, as a shorter (above 1) or
    longer vocal tract does.
    """

    name: str
    sex: str
    birthplace: str
    variant: str
    pitch: int
    rate: int
    pitch_range: int = 50
    size: float = 1.0


def say(text: str, speaker: Speaker) -> np.ndarray:
    """Says a text in the speaker's voice; the same arguments give the same samples.

    Returns:
        ndarray of shape (samples,), int16: mono at `SAMPLE_RATE`.

    Raises:
        UserError: see `synthesize`.
    """
    voice = f"{ACCENTS[speaker.birthplace]}+{speaker.variant}"
    samples = synthesize(text, voice, speaker.rate, speaker.pitch, speaker.pitch_range)
    if speaker.size == 1:
        return samples
    sized = soxr.resample(samples.astype(np.float32), speaker.size, 1)  # of int16 it makes no two alike
    return sized.round().clip(-32768, 32767).astype(np.int16)


# The variants are those that sound least alike below 4 kHz, where the networks
# listen; where two are near, pitch and birthplace keep them apart. The Klatt
# variants are left out: their pulses are so one-sided that the record's rule
# takes many crops for silence.
SPEAKERS = [
    Speaker("f01", "F", "britain", "f2", 38, 135),
    Speaker("f02", "F", "south-england", "f3", 64, 130),
    Speaker("f03", "F", "scotland", "aunty", 38, 140),
    Speaker("f04", "F", "lancaster", "belinda", 36, 145),
    Speaker("f05", "F", "west-midlands", "linda", 45, 140),
    Speaker("f06", "F", "caribbean", "Andrea", 52, 115),
    Speaker("f07", "F", "united-states", "Annie", 14, 135),
    Speaker("f08", "F", "new-york", "Alicia", 54, 150),
    Speaker("f09", "F", "scotland", "anika", 56, 110),
    Speaker("f10", "F", "west-midlands", "steph", 54, 130),
    Speaker("f11", "F", "united-states", "shelby", 40, 140),
    Speaker("f12", "F", "caribbean", "grandma", 58, 135),
    Speaker("m01", "M", "britain", "m8", 44, 120),
    Speaker("m02", "M", "south-england", "Alex", 54, 130),
    Speaker("m03", "M", "scotland", "pablo", 62, 130),
    Speaker("m04", "M", "lancaster", "Gene", 38, 140),
    Speaker("m05", "M", "west-midlands", "Andy", 48, 135),
    Speaker("m06", "M", "caribbean", "m2", 74, 140),
    Speaker("m07", "M", "united-states", "marcelo", 52, 135),
    Speaker("m08", "M", "new-york", "Michael", 58, 135),
    Speaker("m09", "M", "britain", "Nguyen", 50, 130),
    Speaker("m10", "M", "south-england", "quincy", 62, 125),
    Speaker("m11", "M", "lancaster", "victor", 36, 130),
    Speaker("m12", "M", "new-york", "michel", 70, 140),
]

# eSpeak NG's accents of English, the default corpus' first, and then its voices of other
# languages that read Latin letters: they say English texts by their own rules. Those are left out
# that spell words out, or whose sounds are nearly another's.
ACCENTS = {
    "britain": "en",
    "south-england": "en-gb-x-rp",
    "scotland": "en-gb-scotland",
    "lancaster": "en-gb-x-gbclan",
    "west-midlands": "en-gb-x-gbcwmd",
    "caribbean": "en-029",
    "united-states": "en-us",
    "new-york": "en-us-nyc",
    "albania": "sq",
    "azerbaijan": "az",
    "basque-country": "eu",
    "botswana": "tn",
    "brazil": "pt-br",
    "catalonia": "ca",
    "croatia": "hr",
    "curacao": "pap",
    "czechia": "cs",
    "denmark": "da",
    "estonia": "et",
    "ethiopia": "om",
    "finland": "fi",
    "france": "fr",
    "germany": "de",
    "greenland": "kl",
    "haiti": "ht",
    "hungary": "hu",
    "iceland": "is",
    "indonesia": "id",
    "ireland": "ga",
    "italy": "it",
    "kurdistan": "ku",
    "latvia": "lv",
    "lithuania": "lt",
    "luxembourg": "lb",
    "malaysia": "ms",
    "malta": "mt",
    "mexico": "nci",
    "netherlands": "nl",
    "norway": "nb",
    "paraguay": "gn",
    "peru": "qu",
    "poland": "pl",
    "portugal": "pt",
    "romania": "ro",
    "slovakia": "sk",
    "slovenia": "sl",
    "south-africa": "af",
    "spain": "es",
    "sweden": "sv",
    "tanzania": "sw",
    "turkey": "tr",
    "vietnam": "vi",
    "wales": "cy",
}

# Of the record-shaped corpus: again no Klatt variants, none that whisper, reach full scale or
# speak so fast that a sentence is shorter than a crop, and one of each set of twins.
_VARIANTS = {
    "F": [
        *("Alicia", "Annie", "aunty", "belinda", "f1", "f2", "f3", "f4", "f5"),
        *("grandma", "linda", "shelby", "steph"),
    ],
    "M": [
        *("Alex", "Andy", "Denis", "Diogo", "Gene", "Lee", "Michael", "Mike", "boris", "grandpa", "gustave"),
        *("ian", "john", "kaukovalta", "m1", "m2", "m3", "m4", "m5", "m7", "m8", "marcelo", "michel"),
        *("miguel", "norbert", "pablo", "quincy", "robert", "sandro", "travis", "victor"),
    ],
}
_PITCHES = {"F": (38, 70), "M": (30, 70)}  # so that hardly any man is higher than a woman


def record_speakers() -> list[Speaker]:
    """Returns the 1421 speakers of the record-shaped corpus: 53 birthplaces, 711 women, 710 men."""
    places = list(ACCENTS)
    speakers = []
    for n in range(1421):
        sex, k = "FM"[n % 2], n // 2
        variants, (low, high) = _VARIANTS[sex], _PITCHES[sex]
        # What the speakers of a variant differ in is spread evenly over its ranges, all four at once:
        # multiples of an irrational number, modulo 1, lie so (the additive recurrence of Roberts).
        pitch, size, rate, pitch_range = (k // len(variants) * 0.8566749 ** (d + 1) % 1 for d in range(4))
        speakers.append(
            Speaker(
                name=f"{sex.lower()}{k + 1:03d}",
                sex=sex,
                birthplace=places[n % len(places)],
                variant=variants[k % len(variants)],
                pitch=round(low + (high - low) * pitch),
                rate=round(130 + 30 * rate),
                pitch_range=round(30 + 50 * pitch_range),
                size=round(0.88 + 0.24 * size, 3),
            )
        )
    return speakers
