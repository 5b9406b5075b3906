import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
import soundfile

from starvox.corpus import WaveformStore
from starvox.errors import UserError


@pytest.fixture
def store(tmp_path):
    return WaveformStore(tmp_path / "store", 16000)


def sound(path, seed=0, n=4000, rate=16000, gain=0.01):
    """Writes noise; the same bytes every time, as AU does not hold the time of writing."""
    wave = gain * np.random.default_rng(seed).uniform(-1, 1, n)
    soundfile.write(path, wave, rate, format="AU", subtype="FLOAT")
    return path


def stored(store):
    return {path: path.stat().st_mtime_ns for path in store._folder.rglob("*.npy")}


def test_stores_the_waveform_as_it_was_decoded(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    keys, reasons = store.add([path])
    assert not reasons
    wave = store.open(keys[path]).read()
    assert wave.dtype == np.float32
    np.testing.assert_array_equal(wave, soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("value", [0.0, 0.3, 1e-42])
def test_constant_clips_are_stored(store, tmp_path, value):
    soundfile.write(tmp_path / "a.wav", np.full(100, value), 16000, subtype="FLOAT")
    keys, _ = store.add([tmp_path / "a.wav"])
    assert np.ptp(store.open(keys[tmp_path / "a.wav"]).read()) == 0


def test_key_is_the_content(store, tmp_path):
    first, copy, other = sound(tmp_path / "a.wav"), tmp_path / "b.wav", sound(tmp_path / "c.wav", seed=1)
    copy.write_bytes(first.read_bytes())
    keys, _ = store.add([first, copy, other])
    assert keys[first] == keys[copy] != keys[other]
    assert len(stored(store)) == 2
    assert {path.parent.name for path in stored(store)} == {keys[first][:2], keys[other][:2]}


def test_sample_rates_are_kept_apart(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    half = WaveformStore(store._folder, 8000)
    lengths = [len(s.open(s.add([path])[0][path])) for s in (store, half, store)]
    assert lengths == [4000, 2000, 4000]


def test_second_time_nothing_is_read(store, tmp_path, capfd, monkeypatch):
    good, bad = sound(tmp_path / "a.wav"), tmp_path / "b.wav"
    bad.write_text("text")
    first = store.add([good, bad])
    assert "decoding: 2 clips" in capfd.readouterr().err
    assert first[1][bad].startswith("unreadable: Format not recognised")
    monkeypatch.delattr("starvox.corpus.store.open_plain")
    before = stored(store)
    assert WaveformStore(store._folder, 16000).add([good, bad]) == first
    assert stored(store) == before
    assert capfd.readouterr().err == ""


def test_changed_file_is_noticed(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    old = store.add([path])[0][path]
    sound(path, seed=1)
    os.utime(path, ns=(1, 1))
    new = store.add([path])[0][path]
    assert new != old
    path.write_text("text")
    assert path in store.add([path])[1]
    path.unlink()
    assert store.add([path])[1][path] == "not found: paths start at the manifest's folder"
    sound(path)
    assert store.add([path])[0][path] == old


def test_files_of_one_size_and_time_that_change_their_names_are_noticed(store, tmp_path):
    first, second, third = (sound(tmp_path / f"{name}.wav", seed) for seed, name in enumerate("abc"))
    for path in (first, second, third):
        os.utime(path, ns=(1, 1))
    keys, _ = store.add([first, second])
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    swapped, _ = WaveformStore(store._folder, 16000).add([first, second])
    assert (swapped[first], swapped[second]) == (keys[second], keys[first])
    first.write_bytes(third.read_bytes())  # in place
    os.utime(first, ns=(1, 1))
    assert store.add([first])[0][first] == store.add([third])[0][third]


def test_lost_waveform_is_decoded_again(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    keys, _ = store.add([path])
    next(iter(stored(store))).unlink()
    assert store.add([path])[0] == keys
    assert len(store.open(keys[path])) == 4000


@pytest.mark.parametrize(
    "damage",
    ["", "{", "\udcff", "[]", "3", "[" * 100_000, '{"files": 3}', '{"files": {}}']
    + [
        '{"files": {"16000": ' + text + '}, "verdicts": {}}'
        for text in ("[]", '{"a": 3}', '{"a": {"stamp": 1}}')
    ],
)
def test_damaged_index_is_made_again(store, tmp_path, damage):
    path = sound(tmp_path / "a.wav")
    keys, _ = store.add([path])
    (store._folder / "starvox-index.json").write_text(damage, encoding="utf-8", errors="surrogateescape")
    again = WaveformStore(store._folder, 16000)
    assert again.add([path])[0] == keys
    assert len(again.open(keys[path]).read()) == 4000
    assert json.loads((store._folder / "starvox-index.json").read_text())["files"]


def test_unusable_files(store, tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "dangling.wav").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan), 16000, subtype="FLOAT")
    expected = {
        "folder.wav": "unreadable: Is a directory",
        "dangling.wav": "not found: paths start at the manifest's folder",
        "pipe.wav": "unreadable: not a file",
        "empty.wav": "empty",
        "nan.wav": "NaN or infinite samples",
        "x" * 300: "unreadable: File name too long",
    }
    keys, reasons = store.add([tmp_path / name for name in expected])
    assert not keys
    assert {path.name: reason for path, reason in reasons.items()} == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_file_is_tried_again_once_it_may_be_read(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    path.chmod(0)
    assert store.add([path])[1] == {path: "unreadable: Permission denied"}
    path.chmod(0o600)  # changes neither its size nor its time
    assert not store.add([path])[1]


def test_too_many_open_files_is_no_clips_fault(store, tmp_path):
    paths = [sound(tmp_path / f"{i}.wav", seed=i) for i in range(3)]
    store.add(paths[:1])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # which are open
    try:
        with pytest.raises(UserError, match="Too many open files"):
            store.add(paths, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    again, reasons = WaveformStore(store._folder, 16000).add(paths)
    assert not reasons
    assert len(again) == 3


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="Linux has a file that cannot be read")
def test_a_failing_disk_is_no_clips_fault(store, tmp_path):
    """Nobody may read the first page of a process: EIO, as of a disk that fails."""
    good, bad = sound(tmp_path / "a.wav"), tmp_path / "b.wav"
    bad.symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"b\.wav: Input/output error; start again when that is mended"):
        store.add([good, bad])
    bad.unlink()
    sound(bad, seed=1)
    assert not WaveformStore(store._folder, 16000).add([good, bad])[1]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda wave: bytearray(2**60), "not enough memory; give fewer --jobs, or leave it out"),
        (lambda wave: wave + "text", "reading it failed (UFuncTypeError: "),
    ],
)
def test_any_other_failure_names_its_item_and_is_not_stored(store, tmp_path, rule, words):
    path = sound(tmp_path / "a.wav")
    key = store.add([path])[0][path]
    with pytest.raises(UserError) as caught:
        store.judge([key], rule, "rule")
    assert f"{key}: {words}" in str(caught.value)
    assert WaveformStore(store._folder, 16000).judge([key], lambda wave: "judged", "rule") == {key: "judged"}


def test_what_does_not_end_is_named(store, tmp_path, monkeypatch, capsys):
    """A read of a pipe into which nobody writes hangs as a disk does that is gone."""
    monkeypatch.setattr("starvox.corpus.store.PATIENCE", 0.2)
    key = store.add([path := sound(tmp_path / "a.wav")])[0][path]
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    threading.Timer(1, os.write, (writer, b"x")).start()
    rule = lambda wave: os.read(os.open(tmp_path / "pipe", os.O_RDONLY), 1).decode()  # noqa: E731
    assert store.judge([key], rule, "rule") == {key: "x"}
    assert f"still reading {key}; does its disk answer?" in capsys.readouterr().err


LONG = """
import sys
from starvox.corpus import WaveformStore
WaveformStore(sys.argv[1], 16000).add(sys.argv[2:], 2)
"""


def test_ctrl_c_while_long_clips_are_decoded_ends_soon_and_leaves_nothing_half_written(tmp_path):
    paths = [tmp_path / "a.flac", tmp_path / "b.flac"]
    with soundfile.SoundFile(paths[0], "w", 96000, 1) as file:  # little to write, much to resample
        for _ in range(10):
            file.write(np.zeros(96000 * 60))
    paths[1].write_bytes(paths[0].read_bytes() + b"another")
    command = [sys.executable, "-c", LONG, tmp_path / "store", *paths]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "store").rglob("*.tmp")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGINT  # as Python ends of it; not SIGABRT, not SIGSEGV
    assert time.monotonic() - started < 20
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["starvox-index.json"]


def test_memory_does_not_go_with_the_length_of_a_clip(store, tmp_path):
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        for _ in range(30):
            file.write(np.zeros(16000 * 60))
    tracemalloc.start()
    keys, _ = store.add([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(store.open(keys[path])) == 16000 * 60 * 30  # 115 MB
    assert peak < 80e6


def test_no_temporary_files_stay(store, tmp_path):
    paths = [sound(tmp_path / f"{i}.wav", seed=i % 3) for i in range(20)]
    store.add(paths, jobs=8)
    names = {path.name for path in store._folder.rglob("*") if path.is_file()}
    assert len(names) == 3 + 1
    assert not any(name.startswith(".") for name in names)


def test_interrupted_work_is_kept(store, tmp_path):
    paths = [sound(tmp_path / f"{i}.wav", seed=i) for i in range(6)]
    keys, _ = store.add(paths)
    names = {key: path.name for path, key in keys.items()}
    count = iter(range(100))

    def rule(wave):
        if next(count) == 3:
            raise KeyboardInterrupt
        return "judged"

    with pytest.raises(KeyboardInterrupt):
        store.judge(names, rule, "rule", jobs=1)
    saved = json.loads((store._folder / "starvox-index.json").read_text())["verdicts"]["rule"]
    assert list(saved.values()) == ["judged"] * len(saved)
    assert 1 <= len(saved) <= 3


def test_verdicts_are_remembered_by_name(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    key = store.add([path])[0][path]
    calls = []
    lock = threading.Lock()

    def rule(wave):
        with lock:
            calls.append(len(wave))
        return "x"

    for name in ("one", "one", "two", "one"):
        assert store.judge([key, key], rule, name) == {key: "x"}
    assert calls == [4000, 4000]


def test_silent_without_progress(store, tmp_path, capfd):
    store.add([sound(tmp_path / "a.wav")], progress=False)
    assert capfd.readouterr().err == ""


def test_store_that_cannot_be_written(tmp_path):
    path = sound(tmp_path / "a.wav")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/store/.*: cannot be written .*; make room there"):
        WaveformStore(tmp_path / "file" / "store", 16000).add([path])


def test_a_stored_waveform_that_is_cut_short_is_made_again(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    keys, _ = store.add([path])
    file = next(iter(stored(store)))
    whole = file.read_bytes()
    for keep in (0, 100, 1000, len(whole) - 1):
        file.write_bytes(whole[:keep])
        assert store.add([path])[0] == keys
        assert file.read_bytes() == whole


def test_a_store_of_an_earlier_version_is_left_to_it(store, tmp_path):
    """A process of that version may be training from it."""
    path = sound(tmp_path / "a.wav")
    key = WaveformStore(tmp_path / "other", 16000).add([path])[0][path]
    older = {tmp_path / "store" / "index.json": b"{}", tmp_path / "store" / key[:2] / f"{key}.npy": b"older"}
    for file, content in older.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert store.add([path])[0] == {path: key}
    assert len(store.open(key).read()) == 4000
    assert {file: file.read_bytes() for file in older} == older


def test_a_file_that_is_still_being_written_is_not_used(store, tmp_path):
    path = sound(tmp_path / "a.wav", n=4_000_000)
    stop = threading.Event()

    def grow():
        with open(path, "ab") as file:
            while not stop.wait(0.001):
                file.write(b"0")
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        keys, reasons = store.add([path])
    finally:
        stop.set()
        writer.join()
    assert not keys
    assert reasons[path].startswith("changed while it was read")
    assert path in store.add([path])[0]  # complete now
