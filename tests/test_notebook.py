"""What README and docs/notebook.ipynb show in Python runs as it stands."""

import json
import re
from pathlib import Path

import nbformat
import pytest
import soundfile
from nbclient import NotebookClient

from starvox import LabelEncoder, build_models, load_experiment
from starvox.corpus.demo import SPEAKERS, make_demo
from starvox.run import snapshots

ROOT = Path(__file__).parents[1]


def test_the_snippet_of_the_readme_runs_after_smoke(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    make_demo("data/demo", progress=False)
    exp = load_experiment("smoke")
    classes = {"speaker": [speaker.name for speaker in SPEAKERS], "birthplace": [], "sex": ["F", "M"]}
    run = Path("results/smoke")
    run.mkdir(parents=True)
    (run / "config.json").write_text(exp.dumps(), encoding="utf-8")
    (run / "labels.json").write_text(LabelEncoder(classes, exp.labels.sizes).dumps(), encoding="utf-8")
    snapshots.save(run / "gen_iter_80.npz", build_models(exp)[0])
    names: dict = {}
    exec(code, names)
    assert names["s"].shape == (256, 256)
    assert soundfile.info("m01.wav").frames == len(names["wave"])
    assert Path("results/mine/gen_iter_10.npz").is_file()


@pytest.mark.long
def test_the_notebook_gives_what_it_shows():
    path = ROOT / "docs/notebook.ipynb"
    shown, again = (nbformat.read(path, as_version=4) for _ in range(2))
    NotebookClient(again, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    for before, after in zip(shown.cells, again.cells, strict=True):
        kinds = [
            [
                set(output.get("data", {"stream": ""}))
                for output in cell.get("outputs", [])
                if output.get("name") != "stderr"
            ]
            for cell in (before, after)
        ]
        assert kinds[0] == kinds[1], before.source
    assert str(ROOT) not in json.dumps(shown)
