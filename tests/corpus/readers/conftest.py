"""Small folders laid out as the known corpora are. No reader opens a sound file, so these are empty."""

import pytest

from starvox import UserError


@pytest.fixture
def unpack(tmp_path):
    """Makes empty files, and files with a text; returns their folder."""

    def unpack(*names, texts=()):
        for name in [*names, *texts]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        for name, text in dict(texts).items():
            (tmp_path / name).write_bytes(text.encode())
        return tmp_path

    return unpack


@pytest.fixture
def rows(tmp_path):
    """Path and labels of each clip, as they stand in a manifest."""

    def rows(reading):
        return [(clip.path.relative_to(tmp_path).as_posix(), *clip.labels.values()) for clip in reading.clips]

    return rows


@pytest.fixture
def complaint():
    """The one line that a reader refuses a folder with."""

    def complaint(read, root):
        with pytest.raises(UserError) as caught:
            read(root)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return complaint
