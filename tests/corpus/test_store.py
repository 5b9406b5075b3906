import json
import os
import threading

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
        "folder.wav": "unreadable: not a file",
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
