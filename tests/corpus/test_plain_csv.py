"""Lists that appear whole or not at all."""

import pytest

from starvox.corpus.plain_csv import write_csv


def test_an_interrupted_list_leaves_the_old_one(tmp_path):
    path = tmp_path / "clips.csv"
    write_csv(path, ["path"], [["old"]])

    def rows():
        yield ["new"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_csv(path, ["path"], rows())
    assert path.read_text() == "path\nold\n"
    assert list(tmp_path.iterdir()) == [path]
