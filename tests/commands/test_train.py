"""``starvox train`` and ``resume`` when clips, decoded or not, change beside them."""

from pathlib import Path

import pytest
import soundfile

from starvox.cli import main
from starvox.training.updater import StarGANUpdater


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    lines = ["path,speaker,birthplace,sex"]
    for name, start in (("a", 0), ("b", 9000), ("c", 18000)):
        soundfile.write(f"{name}.wav", speech[start : start + 5000], 16000)
        lines.append(f"{name}.wav,{name},,")
    Path("m.csv").write_text("\n".join(lines))


def run(command, iterations, capsys):
    arguments = [command, "smoke", "--data", "m.csv", "--out", "run", "--store", "store", "--device", "cpu"]
    code = main([*arguments, "--iterations", str(iterations)])
    return code, *capsys.readouterr()


def test_what_changes_beside_a_run(capsys, speech, monkeypatch):
    code, out, _ = run("train", 1, capsys)
    assert code == 0
    assert "changed since the start" not in out

    # a decoded clip is damaged between two runs: the next to draw from it ends, and says what to do
    files = sorted(Path("store").absolute().rglob("*.npy"))
    whole = {path: path.read_bytes() for path in files}
    for path, content in whole.items():
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    code, _, error = run("resume", 2, capsys)
    assert code == 2
    assert error.splitlines()[-1].startswith("starvox: store")
    assert "a damaged decoded clip; delete it: at the next start it is made again" in error

    # deleted or cut short, it is made again
    files[0].unlink()
    files[1].write_bytes(b"")
    files[2].unlink()
    code, out, _ = run("resume", 2, capsys)
    assert code == 0
    assert {path: path.read_bytes() for path in files} == whole

    # a sound file changes while a training runs: it is told at the end
    update = StarGANUpdater.update_core

    def change(updater):
        update(updater)
        soundfile.write("b.wav", speech[30000:35000], 16000)

    monkeypatch.setattr(StarGANUpdater, "update_core", change)
    code, out, _ = run("resume", 3, capsys)
    monkeypatch.undo()
    monkeypatch.chdir(files[0].parents[2])
    assert code == 0
    assert "changed since the start, which used what they held then: b.wav\n" in out

    # the next resume refuses it, by its name
    code, _, error = run("resume", 4, capsys)
    assert code == 2
    assert (
        "run/environment.json: the corpus (its clip b.wav: changed, added or left out) is not what" in error
    )
