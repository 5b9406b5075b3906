"""``starvox data`` and ``starvox train`` with ``--corpus``: synthetic speech by its name."""

from pathlib import Path

import pytest

from starvox.cli import main
from starvox.corpus import read_manifest
from starvox.corpus.demo import make
from starvox.corpus.demo.table import list_clips


@pytest.fixture(autouse=True)
def few(tmp_path, monkeypatch):
    """Lets four clips stand for a corpus, one of them held out."""
    monkeypatch.chdir(tmp_path)

    def few(corpus):
        clips = list_clips(corpus)
        return [clip for clip in clips if not clip.held_out][:3] + [clip for clip in clips if clip.held_out][
            :1
        ]

    monkeypatch.setattr(make, "list_clips", few)


@pytest.mark.parametrize(("arguments", "name"), [([], "demo"), (["--corpus", "record"], "record")])
def test_each_corpus_has_its_folder(arguments, name, capsys):
    assert main(["data", *arguments]) == 0
    assert f"the corpus is in data/{name}\n" in capsys.readouterr().out
    assert [len(read_manifest(f"data/{name}/{list}.csv")) for list in ("train", "held_out")] == [3, 1]


def test_training_makes_the_corpus_that_is_named_and_resumes_without_the_name(capsys):
    arguments = ["smoke", "--out", "run", "--store", "store", "--device", "cpu"]
    assert main(["train", *arguments, "--corpus", "record", "--iterations", "1"]) == 0
    assert main(["resume", *arguments, "--iterations", "2"]) == 0
    assert "1 clip used" in capsys.readouterr().out  # held out
    assert Path("data").is_dir()
    assert [path.name for path in Path("data").iterdir() if path.is_dir()] == ["record"]
