"""The figures while training."""

import json
from types import SimpleNamespace

from starvox.training.extensions import Curves


def test_the_figures_follow_the_log(tmp_path):
    trainer = SimpleNamespace(out=tmp_path)
    Curves("a run")(trainer)  # no log yet
    assert not (tmp_path / "curves").exists()
    (tmp_path / "log").write_text(json.dumps([{"iteration": 1, "epoch": 0, "dis/wasserstein": 0.5}]))
    Curves("a run")(trainer)
    first = (tmp_path / "curves" / "wasserstein.png").read_bytes()
    (tmp_path / "log").write_text(json.dumps([{"iteration": 1, "epoch": 0, "dis/wasserstein": 9.5}]))
    Curves("a run")(trainer)
    assert len(list((tmp_path / "curves").glob("*.png"))) == 5
    assert (tmp_path / "curves" / "wasserstein.png").read_bytes() != first
