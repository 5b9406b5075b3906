"""Decoded clips on disk: what is decoded, when again, and what is never remembered."""

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
from starvox.corpus.stored_waveform import checksum_of, stamp
from starvox.errors import UserError


@pytest.fixture
def store(tmp_path):
    return WaveformStore(tmp_path / "store", 16000)


def sound(path, seed=0, n=4000):
    """Writes noise; the same bytes every time, as AU does not hold the time of writing."""
    wave = 0.01 * np.random.default_rng(seed).uniform(-1, 1, n)
    soundfile.write(path, wave, 16000, format="AU", subtype="FLOAT")
    return path


def add(store, paths, rule=lambda wave: "", name="rule", **options):
    return store.add(paths, rule, name, **options)


def stored(store):
    return {path: path.stat().st_mtime_ns for path in store._folder.rglob("*.npy")}


def test_a_waveform_is_stored_as_it_was_decoded_by_the_content_of_its_file(store, tmp_path):
    first, copy, other = sound(tmp_path / "a.wav"), tmp_path / "b.wav", sound(tmp_path / "c.wav", seed=1)
    copy.write_bytes(first.read_bytes())
    keys, reasons = add(store, [first, copy, other])
    assert not reasons
    assert keys[first] == keys[copy] != keys[other]
    names = {
        path.relative_to(store._folder).as_posix() for path in store._folder.rglob("*") if path.is_file()
    }
    assert names == {"starvox-index.json", *(f"16000/{key[:2]}/{key}.npy" for key in keys.values())}
    wave = store.open(keys[first]).read()
    assert wave.dtype == np.float32
    np.testing.assert_array_equal(wave, soundfile.read(first, dtype="float32")[0])


def test_the_index_is_that_of_earlier_versions(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    bad = tmp_path / "b.wav"
    bad.write_text("text")
    (key,), reasons = (list(found.values()) for found in add(store, [path, bad]))
    wave = next(iter(stored(store)))
    assert json.loads((store._folder / "starvox-index.json").read_text()) == {
        "files": {
            "16000": {
                str(path): {"stamp": stamp(path), "key": key},
                str(bad): {"reason": reasons[0]},
            }
        },
        "waves": {key: [128 + 4 * 4000, 4000, checksum_of(wave)]},
        "verdicts": {"rule": {key: ""}},
    }


def test_sample_rates_are_kept_apart(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    half = WaveformStore(store._folder, 8000)
    lengths = [len(s.open(add(s, [path])[0][path])) for s in (store, half, store)]
    assert lengths == [4000, 2000, 4000]


def test_second_time_nothing_is_read_nor_told(store, tmp_path, capfd, monkeypatch):
    good = sound(tmp_path / "a.wav")
    first = add(store, [good])
    assert "decoding: 1 clips" in capfd.readouterr().err
    monkeypatch.delattr("starvox.corpus.store.hashlib")
    before = stored(store)
    assert add(WaveformStore(store._folder, 16000), [good]) == first
    assert stored(store) == before
    assert capfd.readouterr().err == ""


def test_what_cannot_be_decoded_is_tried_again_as_a_disk_may_have_failed_for_a_moment(store, tmp_path, capfd):
    bad = tmp_path / "b.wav"
    bad.write_text("text")
    for _ in range(2):
        found = add(WaveformStore(store._folder, 16000), [bad])[1]
        assert found[bad].startswith("unreadable: Format not recognised")
        assert "decoding: 1 clips" in capfd.readouterr().err


def test_changed_file_is_noticed(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    old = add(store, [path])[0][path]
    sound(path, seed=1)
    os.utime(path, ns=(1, 1))
    new = add(store, [path])[0][path]
    assert new != old
    path.write_text("text")
    assert path in add(store, [path])[1]
    path.unlink()
    assert add(store, [path])[1][path] == "not found: paths start at the manifest's folder"
    sound(path)
    assert add(store, [path])[0][path] == old


def test_files_of_one_size_and_time_that_change_their_names_are_noticed(store, tmp_path):
    first, second, third = (sound(tmp_path / f"{name}.wav", seed) for seed, name in enumerate("abc"))
    for path in (first, second, third):
        os.utime(path, ns=(1, 1))
    keys, _ = add(store, [first, second])
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    swapped, _ = add(WaveformStore(store._folder, 16000), [first, second])
    assert (swapped[first], swapped[second]) == (keys[second], keys[first])
    first.write_bytes(third.read_bytes())  # in place
    os.utime(first, ns=(1, 1))
    assert add(store, [first])[0][first] == add(store, [third])[0][third]


def test_a_stored_waveform_that_is_lost_or_cut_short_is_made_again(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    keys, _ = add(store, [path])
    file = next(iter(stored(store)))
    whole = file.read_bytes()
    file.unlink()
    for keep in (None, 0, 100, len(whole) - 1):
        if keep is not None:
            file.write_bytes(whole[:keep])
        assert add(store, [path])[0] == keys
        assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "damage",
    ["", "{", "\udcff", "[]", "[" * 100_000, '{"files": 3}']
    + ['{"files": {"16000": ' + text + "}}" for text in ("[]", '{"a": 3}', '{"a": {"stamp": 1}}')],
)
def test_damaged_index_is_made_again(store, tmp_path, damage):
    path = sound(tmp_path / "a.wav")
    keys, _ = add(store, [path])
    (store._folder / "starvox-index.json").write_text(damage, encoding="utf-8", errors="surrogateescape")
    again = WaveformStore(store._folder, 16000)
    assert add(again, [path])[0] == keys
    assert len(again.open(keys[path]).read()) == 4000


def test_too_many_open_files_is_no_clips_fault(store, tmp_path):
    paths = [sound(tmp_path / f"{i}.wav", seed=i) for i in range(3)]
    add(store, paths[:1])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # which are open
    try:
        with pytest.raises(UserError, match="Too many open files"):
            add(store, paths, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    again, reasons = add(WaveformStore(store._folder, 16000), paths)
    assert not reasons
    assert len(again) == 3


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="Linux has a file that cannot be read")
def test_a_failing_disk_is_no_clips_fault(store, tmp_path):
    """Nobody may read the first page of a process: EIO, as of a disk that fails."""
    good, bad = sound(tmp_path / "a.wav"), tmp_path / "b.wav"
    bad.symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"b\.wav: Input/output error; start again when that is mended"):
        add(store, [good, bad])
    bad.unlink()
    sound(bad, seed=1)
    assert not add(WaveformStore(store._folder, 16000), [good, bad])[1]


def test_any_other_failure_names_its_file_and_is_not_remembered(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    with pytest.raises(
        UserError, match=r"a\.wav: MemoryError: .*; start again when that is mended, or leave"
    ):
        add(store, [path], rule=lambda wave: bytearray(2**60))
    assert add(WaveformStore(store._folder, 16000), [path], rule=lambda wave: "judged")[1] == {path: "judged"}


LONG = """
import sys
from starvox.corpus import WaveformStore
WaveformStore(sys.argv[1], 16000).add(sys.argv[2:], len, "rule", 2)
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
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGINT  # as Python ends of it; not SIGABRT, not SIGSEGV
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["starvox-index.json"]


def test_memory_does_not_go_with_the_length_of_a_clip(store, tmp_path):
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", 16000, 1) as file:
        for _ in range(30):
            file.write(np.zeros(16000 * 60))
    tracemalloc.start()
    for _ in store._read(path):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # of 115 MB


def test_interrupted_work_is_kept(store, tmp_path):
    paths = [sound(tmp_path / f"{i}.wav", seed=i) for i in range(6)]
    count = iter(range(100))

    def rule(wave):
        if next(count) == 3:
            raise KeyboardInterrupt
        return "judged"

    with pytest.raises(KeyboardInterrupt):
        add(store, paths, rule, jobs=1)
    saved = json.loads((store._folder / "starvox-index.json").read_text())
    verdicts = saved["verdicts"]["rule"].values()
    assert set(verdicts) == {"judged"}
    assert len(verdicts) >= 3  # the thread may have been at the next clip already
    assert len(saved["files"]["16000"]) > 3


def test_verdicts_are_remembered_by_name(store, tmp_path):
    path = sound(tmp_path / "a.wav")
    calls = []

    def rule(wave):
        calls.append(len(wave))
        return "x"

    for name in ("one", "one", "two", "one"):
        assert add(store, [path, path], rule, name)[1] == {path: "x"}
    assert calls == [4000, 4000]


def test_store_that_cannot_be_written(tmp_path):
    path = sound(tmp_path / "a.wav")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/store/.*: cannot be written .*; make room there"):
        add(WaveformStore(tmp_path / "file" / "store", 16000), [path])


def test_an_index_of_another_name_is_left_alone(store, tmp_path):
    """It may be somebody's, or of an earlier version, from which a process may be training."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "index.json").write_text("mine")
    add(store, [sound(tmp_path / "a.wav")])
    assert (tmp_path / "store" / "index.json").read_text() == "mine"


def test_a_pipe_for_the_index_is_replaced(tmp_path):
    (tmp_path / "store").mkdir()
    os.mkfifo(tmp_path / "store" / "starvox-index.json")
    path = sound(tmp_path / "a.wav")
    assert path in add(WaveformStore(tmp_path / "store", 16000), [path])[0]


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
        keys, reasons = add(store, [path])
    finally:
        stop.set()
        writer.join()
    assert not keys
    assert reasons[path].startswith("changed while it was read")
    assert path in add(store, [path])[0]  # complete now
