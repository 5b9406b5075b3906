"""Sound files of every kind."""

import re
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile

from starvox.audio import AudioFileError, read_waveform, waveform, write_wav


def tone(rate, seconds=1.0, hertz=1000.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def loudest(wave, rate):
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * rate / len(wave)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 1), (48000, 5), (192000, 8)])
def test_rates_and_channels(tmp_path, rate, channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([tone(rate)] * channels, axis=1), rate)
    wave = read_waveform(path, 16000)
    assert wave.dtype == np.float32
    assert wave.shape == (16000,)
    assert loudest(wave, 16000) == pytest.approx(1000, abs=2)
    np.testing.assert_allclose(wave[500:-500], tone(16000)[500:-500], atol=1e-3)


def test_constant_stays_constant_at_another_rate(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(44100, 0.3), 44100)
    assert np.ptp(read_waveform(path, 16000)) == 0


def reason(path):
    with pytest.raises(AudioFileError) as caught:
        read_waveform(path, 16000)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) not in text
    return text


def test_unreadable(tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("not a sound\n" * 100)
    assert reason(text).startswith("unreadable: Format not recognised")
    (tmp_path / "zero.wav").touch()
    assert reason(tmp_path / "zero.wav").startswith("unreadable: ")
    assert reason(tmp_path / "none.wav") == "unreadable: No such file or directory"
    assert reason(tmp_path) == "unreadable: Is a directory"
    (tmp_path / "link.wav").symlink_to("nowhere.wav")
    assert reason(tmp_path / "link.wav") == "unreadable: No such file or directory"


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.au", "a.mp3", "a.w64", "a.rf64"])
def test_a_half_copied_file_is_refused(tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, tone(44100), 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    there, promised = map(float, re.findall(r"(\d\.\d\d) s", reason(path)))
    assert 0.3 < there < 0.6
    assert promised == pytest.approx(len(tone(44100)) / 44100, abs=0.1)
    assert reason(path).endswith(" can be read: copy it again")


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_wrong_bit_or_the_end_of_an_ogg_costs_no_second_unsaid(tmp_path, subtype):
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 48000 * 4), 48000, subtype=subtype)
    assert len(read_waveform(path, 48000)) == 48000 * 4
    content = path.read_bytes()
    for place in np.linspace(100, len(content) - 1, 30).astype(int):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert re.match("damaged: a page without its checksum|unreadable: ", reason(path))
    path.write_bytes(content[: len(content) // 2])
    assert reason(path).startswith("damaged: ")


def test_an_mp3_that_does_not_tell_its_length_is_read(tmp_path):
    """Without the table at its beginning libsndfile guesses: of this one, too much by half."""
    path = tmp_path / "a.mp3"
    wave = np.concatenate([np.zeros(441000), np.random.default_rng(0).normal(0, 0.3, 441000)])
    options = {"subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.5}
    with soundfile.SoundFile(path, "w", 44100, 1, **options) as file:
        file.write(wave)
    content = path.read_bytes()
    table = content.index(b"Xing")
    path.write_bytes(content[content.index(b"\xff\xfb", table) :])
    assert soundfile.info(path).frames > 1.3 * len(wave)
    assert len(read_waveform(path, 44100)) == pytest.approx(len(wave), abs=3000)


@pytest.mark.parametrize("block", [2**22, 4096])
def test_four_kilohertz_and_blocks(tmp_path, monkeypatch, block):
    """The resampler goes on from block to block: no click where two meet."""
    monkeypatch.setattr(waveform, "_BLOCK", block)
    path = tmp_path / "a.wav"
    for rate in (4000, 44100):
        soundfile.write(path, 0.2 + tone(rate, 3), rate, subtype="FLOAT")
        wave = read_waveform(path, 16000)
        assert len(wave) == 48000
        np.testing.assert_allclose(wave[500:-500], 0.2 + tone(16000, 3)[500:-500], atol=2e-3)


def patch(path, place, data):
    content = bytearray(path.read_bytes())
    content[place : place + len(data)] = data
    path.write_bytes(content)


def lie(path):
    """Makes a header claim 4 GB to 2 TB of samples."""
    soundfile.write(path, np.stack([tone(16000)] * 8, 1), 16000, format=path.suffix[1:])
    content = path.read_bytes()
    if path.suffix == ".flac":  # the last 36 bits of STREAMINFO's rate, channels, bits and length
        patch(path, 21, bytes([content[21] | 0x0F, 255, 255, 255, 255]))
    elif path.suffix == ".rf64":
        place = content.index(b"ds64") + 8
        patch(path, place, struct.pack("<QQQ", 2**41, 2**41, 2**37))
    elif path.suffix == ".aiff":
        patch(path, content.index(b"COMM") + 10, struct.pack(">I", 2**32 - 1))
        patch(path, content.index(b"SSND") + 4, struct.pack(">I", 2**32 - 1))
    else:
        patch(path, content.index(b"data") + 4, struct.pack("<I", 2**32 - 1))
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.rf64", "a.aiff", "a.flac"])
def test_a_header_that_claims_terabytes_costs_no_memory(tmp_path, name):
    path = lie(tmp_path / name)
    tracemalloc.start()
    if name == "a.flac":
        assert reason(path).startswith("unreadable: ")
    else:
        np.testing.assert_allclose(read_waveform(path, 16000), tone(16000), atol=1e-3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # the file itself holds 0.5 MB as float32


@pytest.mark.parametrize("rate", [1, 999, 1_000_001, 2**31 - 1])
def test_an_absurd_rate_is_refused(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    patch(path, 24, struct.pack("<I", rate))
    assert reason(path) == f"unreadable: a sample rate of {rate} Hz"


def test_too_long_is_refused_before_it_is_all_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(waveform, "LONGEST", 3600)
    path = tmp_path / "a.flac"  # 60 kB that hold more than an hour of silence
    with soundfile.SoundFile(path, "w", 1000, 1) as file:
        file.write(np.zeros(3600 * 1000))
        file.write(np.zeros(1))
    assert path.stat().st_size < 100_000
    assert reason(path) == "longer than 1 h: cut it into clips"


def test_write_wav(tmp_path):
    path = tmp_path / "声.wav"
    write_wav(path, np.zeros(3), 8000)
    write_wav(path, np.array([0, 0.5, -0.25]), 16000)
    np.testing.assert_allclose(soundfile.read(path)[0], [0, 0.5, -0.25], atol=1e-4)
    write_wav(path, np.array([0, 0.5, -0.25, 1.5, -2]), 16000)  # too loud: half of it
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", 16000, 1)
    np.testing.assert_allclose(soundfile.read(path)[0], [0, 0.25, -0.125, 0.75, -1], atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == ["声.wav"]
