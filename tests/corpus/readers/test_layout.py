"""What is refused in the same words for every corpus."""

import pytest

from starvox.corpus import readers

READERS = {
    readers.read_vctk: "speaker-info.txt",
    readers.read_common_voice: "validated.tsv",
    readers.read_librispeech: "SPEAKERS.TXT",
    readers.read_jvs: "gender_f0range.txt",
}


@pytest.mark.parametrize("read", READERS)
def test_a_wrong_folder(read, unpack, complaint, tmp_path):
    file = READERS[read]
    message = complaint(read, tmp_path)
    assert message.startswith(f"{tmp_path}: no {file} in it; ")
    assert f" is laid out as DIR/{file} with DIR/" in message
    assert complaint(read, tmp_path / "none").startswith(f"{tmp_path / 'none'}: no {file} in it; ")
    unpack(f"inner/{file}")
    assert complaint(read, tmp_path).endswith(f"; did you mean {tmp_path / 'inner'}?")


@pytest.mark.parametrize("read", READERS)
def test_a_list_that_cannot_be_read(read, unpack, complaint):
    root = unpack("wav48/p225/p225_001.wav", "clips/1.mp3")
    (root / READERS[read]).write_bytes(b"\xe9\n")
    assert complaint(read, root) == f"{root / READERS[read]}: not UTF-8; unpack the corpus again"
    (root / READERS[read]).unlink()
    (root / READERS[read]).mkdir()
    assert "Is a directory" in complaint(read, root)
