"""A folder with every damaged or odd file there is: each is used rightly, or listed with the reason."""

import csv
import os

import numpy as np
import pytest
import soundfile

from starvox.corpus import Corpus

SECONDS, HERTZ = 0.6, 1000.0

SUBTYPES = {
    "wav": ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM"],
    "flac": ["PCM_S8", "PCM_16", "PCM_24"],
    "aiff": ["PCM_16"],
    "au": ["ULAW"],
    "w64": ["PCM_16"],
    "rf64": ["PCM_16"],
    "caf": ["ALAC_16"],
    "ogg": ["VORBIS", "OPUS"],
    "mp3": ["MPEG_LAYER_III"],
}
NAMES = [
    *("with space.wav", "two\nlines.wav", "lone\rreturn.wav", "'quotes\".wav", "日本語.wav", "🎤👩‍🚀.wav"),
    *(
        "no suffix",
        "a,b;c.wav",
        "-n.wav",
        "=1+1.wav",
        "$HOME `x`.wav",
        "%s{}.wav",
        "x" * 200 + ".wav",
        ".hidden.wav",
    ),
]


def tone(rate, channels=1):
    """A tone that swells and fades, at another level in each channel: their mean is known."""
    n = round(SECONDS * rate)
    wave = np.sin(2 * np.pi * HERTZ * np.arange(n) / rate) * np.hanning(n)
    return wave[:, None] * np.linspace(0.2, 0.6, channels)


def usable(folder):
    """Writes the files that must be used; returns their names."""
    names = []

    def write(name, rate, channels=1, subtype="PCM_16", format="WAV"):
        soundfile.write(folder / name, tone(rate, channels), rate, subtype=subtype, format=format)
        names.append(name)

    for channels in range(1, 9):
        write(f"{channels} channels.wav", 16000, channels)
    for rate in (4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 192000):
        write(f"{rate} Hz.wav", rate)
        write(f"{rate} Hz.flac", rate, 2, format="FLAC")
    for ending, subtypes in SUBTYPES.items():
        for subtype in subtypes:
            write(f"{subtype}.{ending}", 48000 if subtype == "OPUS" else 44100, 2, subtype, ending.upper())
    for name in NAMES:
        write(name, 16000)
    (folder / "link.wav").symlink_to("16000 Hz.wav")
    content = (folder / "16000 Hz.wav").read_bytes()
    (folder / "more behind.wav").write_bytes(content + b"no sound" * 100)
    (folder / "wrong ending.mp3").write_bytes(content)
    return [*names, "link.wav", "more behind.wav", "wrong ending.mp3"]


def damaged(folder):
    """Writes the files that must be left out; returns name -> how the reason begins."""
    good = (folder / "16000 Hz.wav").read_bytes()
    (folder / "zero bytes.wav").touch()
    (folder / "text.wav").write_text("RIFF is what a wave file begins with\n" * 99)
    (folder / "page.mp3").write_text("<!DOCTYPE html><title>404 Not Found</title>")
    (folder / "noise.wav").write_bytes(np.random.default_rng(0).bytes(20_000))
    for keep in (4, 12, 20, 36, 43):
        (folder / f"header of {keep}.wav").write_bytes(good[:keep])
    (folder / "header alone.wav").write_bytes(good[:44])
    (folder / "a tenth.wav").write_bytes(good[: len(good) // 10])
    flac = bytearray((folder / "16000 Hz.flac").read_bytes())
    (folder / "header.flac").write_bytes(flac[:30])
    flac[21] |= 0x0F
    flac[22:26] = b"\xff" * 4
    (folder / "terabytes.flac").write_bytes(flac)
    (folder / "1 Hz.wav").write_bytes(good[:24] + (1).to_bytes(4, "little") + good[28:])
    for name, value in (("nan", np.nan), ("inf", np.inf), ("minus inf", -np.inf)):
        wave = tone(16000)
        wave[5000] = value
        soundfile.write(folder / f"{name}.wav", wave, 16000, subtype="FLOAT")
    soundfile.write(folder / "short.wav", tone(16000)[:4000], 16000)
    soundfile.write(folder / "no samples.wav", np.zeros(0), 16000)
    soundfile.write(folder / "silence.wav", np.zeros(20_000), 16000)
    (folder / "folder.wav").mkdir()
    (folder / "dangling.wav").symlink_to("nowhere.wav")
    (folder / "circle.wav").symlink_to("circle.wav")
    (folder / "device.wav").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.wav")
    reasons = {
        "zero bytes.wav": "unreadable: ",
        "text.wav": "unreadable: ",
        "page.mp3": "unreadable: ",
        "noise.wav": "unreadable: ",
        **{f"header of {keep}.wav": "unreadable: " for keep in (4, 12, 20, 36)},
        "header of 43.wav": ("unreadable: ", "empty"),
        "header alone.wav": ("unreadable: ", "empty"),
        "a tenth.wav": "incomplete: 0.06 s of 0.60 s can be read",
        "header.flac": "unreadable: ",
        "terabytes.flac": "unreadable: ",
        "1 Hz.wav": "unreadable: a sample rate of 1 Hz",
        **dict.fromkeys(["nan.wav", "inf.wav", "minus inf.wav"], "NaN or infinite samples"),
        "short.wav": "shorter than 0.27 s: 0.25 s",
        "no samples.wav": "empty",
        "silence.wav": "silent: constant",
        "folder.wav": "unreadable: Is a directory",
        "dangling.wav": "not found: ",
        "circle.wav": "unreadable: Too many levels of symbolic links",
        "device.wav": "unreadable: not a file",
        "pipe.wav": "unreadable: not a file",
        "not there.wav": "not found: ",
        "y" * 300: "unreadable: File name too long",
    }
    if os.geteuid() != 0:  # root reads every file
        (folder / "no permission.wav").write_bytes(good)
        (folder / "no permission.wav").chmod(0)
        reasons["no permission.wav"] = "unreadable: Permission denied"
    return reasons


def cut(folder):
    """Writes files whose second half is missing; returns name -> how the reason begins."""
    sources = {"wav": "PCM_16.wav", "flac": "PCM_16.flac", "ogg": "VORBIS.ogg", "mp3": "MPEG_LAYER_III.mp3"}
    for ending, source in sources.items():
        content = (folder / source).read_bytes()
        (folder / f"half.{ending}").write_bytes(content[: len(content) // 2])
    reasons = {"flac": "unreadable: ", "ogg": ("damaged: ", "unreadable: ")}
    return {f"half.{ending}": reasons.get(ending, "incomplete: 0.") for ending in sources}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The folder, and what is in it: name -> None or a reason."""
    folder = tmp_path_factory.mktemp("odd")
    expected = dict.fromkeys(usable(folder)) | damaged(folder) | cut(folder)
    with open(folder / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "speaker", "birthplace", "sex"])
        rows.writerows([name, f"s{i % 30}", "", "FM"[i % 2]] for i, name in enumerate(expected))
    return folder, expected


@pytest.fixture(scope="module")
def opened(corpus, small):
    folder, _ = corpus
    return Corpus.open(folder / "manifest.csv", small, folder / "store", progress=False)


def test_every_file_is_used_or_listed_with_the_reason(corpus, opened):
    folder, expected = corpus
    used = [clip.path.relative_to(folder).as_posix() for clip in opened.clips]
    rejected = {clip.path.relative_to(folder).as_posix(): reason for clip, reason in opened.rejected}
    assert sorted([*used, *rejected]) == sorted(expected)
    for name, reason in expected.items():
        if reason is None:
            assert name in used, rejected.get(name)
        else:
            assert rejected[name].startswith(reason), name
            assert rejected[name].isprintable()


def test_what_is_used_is_heard_rightly(corpus, opened):
    """The length, the pitch and the shape of every file that is used, whatever its format."""
    _, expected = corpus
    reference = tone(16000)[:, 0]
    for index, clip in enumerate(opened.clips):
        if expected[clip.path.name] is not None:
            continue
        wave = opened.wave(index).read()
        coded = clip.path.suffix in (".mp3", ".ogg") and clip.path.name != "wrong ending.mp3"
        assert abs(len(wave) - len(reference)) <= (2500 if coded else 40), clip.path.name
        spectrum = np.abs(np.fft.rfft(wave, 2**16))
        assert abs(spectrum.argmax() * 16000 / 2**16 - HERTZ) < 2, clip.path.name
        wave = wave / np.abs(wave).max()
        if not coded:  # those begin a little later
            n = min(len(wave), len(reference))
            error = np.abs(wave[:n] - reference[:n] / reference.max()).max()
            loose = {"PCM_U8": 0.04, "PCM_S8": 0.04, "ULAW": 0.05, "ALAW": 0.05, "IMA_ADPCM": 0.1}
            assert error < loose.get(clip.path.stem, 0.01), clip.path.name


def test_the_lists_of_a_run_hold_any_name(corpus, opened, tmp_path):
    _, expected = corpus
    opened.write_clips(tmp_path / "clips.csv")
    opened.write_rejected(tmp_path / "rejected.csv")
    lists = {}
    for name in ("rejected.csv", "clips.csv"):
        with open(tmp_path / name, encoding="utf-8", newline="") as file:
            lists[name] = [row["path"] for row in csv.DictReader(file)]
    assert lists["clips.csv"] == [str(clip.path) for clip in opened.clips]
    assert lists["rejected.csv"] == [str(clip.path) for clip, _ in opened.rejected]
    assert len(lists["clips.csv"]) + len(lists["rejected.csv"]) == len(expected)
