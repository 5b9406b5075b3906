"""The whole command, on the smallest that it can measure."""

import json

import pytest

from benchmarks.command import main


def run(manifest, store, out, *arguments):
    paths = ["--data", str(manifest), "--store", str(store), "--out", str(out)]
    code = main(["--quick", "--device", "cpu", "--threads", "1", *paths, *arguments])
    (report,) = (json.loads(path.read_text(encoding="utf-8")) for path in out.glob("*.json"))
    (text,) = (path.read_text(encoding="utf-8") for path in out.glob("*.md"))
    return code, report, text


def test_one_measurement(manifest, store, tmp_path, capsys):
    code, report, text = run(manifest, store, tmp_path, "--only", "data", "--batchsize", "3")
    assert code == 0
    assert [sample["values"].keys() for sample in report["samples"]] == [{"minibatch"}]
    assert 0 < report["summary"]["data"]["starvox"]["minibatch"]["median"] < 10
    assert report["batchsize"] == 3
    assert (report["rounds"], report["rounds_done"]) == (1, 1)
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "smke"], "no experiment 'smke'"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--only", "fit", "--contenders", "chainer"], "nothing to measure"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys):
    assert main(["--quick", "--device", "cpu", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("benchmarks: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_failure_is_kept_and_told(manifest, store, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.chdir(tmp_path)  # from here a worker finds no package `benchmarks`
    code, report, text = run(manifest, store, tmp_path / "out", "--only", "data")
    assert code == 1
    assert "No module named 'benchmarks'" in report["samples"][0]["error"]
    assert f"**{report['samples'][0]['error']}**" in text


@pytest.mark.long
def test_all_that_is_measured_on_a_cpu(manifest, store, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed (make bench installs it)")
    contenders = ["starvox", "chainer", "chainer-tiled", "pytorch"]
    code, report, text = run(manifest, store, tmp_path, "--contenders", *contenders)
    assert code == 0
    assert not [sample for sample in report["samples"] if "error" in sample]
    training = report["summary"]["training"]
    assert list(training) == contenders
    for found in training.values():
        steps = 5 * found["dis_step"]["median"] + found["gen_step"]["median"]
        assert steps == pytest.approx(
            found["iteration"]["median"], rel=0.5
        )  # a median of five steps is no mean
        assert 0 < found["peak_iteration"]["median"] < found["peak_process"]["median"] < 2**32
    assert set(report["label_growth"]) == {"starvox", "pytorch"}
    assert report["bound"]["times_bound"] > 1
    assert "starvox takes" in text
