import pytest

from starvox import UserError
from starvox.corpus import Clip, read_manifest
from starvox.corpus.readers import write_manifest


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    outside = tmp_path / "elsewhere/x.wav"
    listed = [
        Clip(tmp_path / "lists/a, b.wav", "p1", 'India (a, "b")', "F"),
        Clip(outside, None, None, None),
    ]
    manifest = tmp_path / "lists/manifest.csv"
    write_manifest(manifest, listed)
    text = manifest.read_text(encoding="utf-8")
    assert text.startswith('path,speaker,birthplace,sex\n"a, b.wav",p1,')
    assert text.endswith(f"\n{outside},,,\n")
    assert read_manifest(manifest) == listed
    assert [path.name for path in manifest.parent.iterdir()] == ["manifest.csv"]


def test_below_a_link_the_path_is_still_relative(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_manifest(tmp_path / "link/m.csv", [Clip(tmp_path / "real/a.wav", None, None, None)])
    assert (tmp_path / "real/m.csv").read_text().splitlines()[1] == "a.wav,,,"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/m\.csv: cannot be written"):
        write_manifest(tmp_path / "file/m.csv", [])
