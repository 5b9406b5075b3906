"""The whole command, on the smallest that it can measure."""

import json
import platform

import pyperf
import pytest

from benchmarks.__main__ import main


def run(manifest, store, out, *arguments):
    paths = ["--data", str(manifest), "--store", str(store), "--out", str(out)]
    code = main(["--quick", "--device", "cpu", *paths, *arguments])
    (kept,), (page,) = out.glob("*.json"), out.glob("*.md")
    return code, kept, page.read_text(encoding="utf-8")


def test_contenders_take_turns_and_no_host_is_named(manifest, store, tmp_path, capsys):
    wanted = ["--only", "D-step", "--contenders", "starvox", "chainer", "--rounds", "2"]
    code, kept, page = run(manifest, store, tmp_path, *wanted, "--warmups", "0")
    assert code == 0
    suite = pyperf.BenchmarkSuite.load(str(kept))
    assert suite.get_benchmark_names() == ["D-step: starvox", "D-step: chainer"]
    dates = {
        (number, bench.get_name()): run.get_metadata()["date"]
        for bench in suite
        for number, run in enumerate(bench.get_runs())
    }
    assert sorted(dates, key=dates.get) == sorted(dates, key=lambda place: place[0])
    assert len(dates) == 4
    assert page in capsys.readouterr().out
    assert "| D-step | chainer |" in page
    for text in (page, kept.read_text(encoding="utf-8")):
        assert not platform.node() or f'"{platform.node()}"' not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "smke"], "no experiment 'smke'"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--only", "features", "--contenders", "chainer"], "nothing to measure"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys):
    assert main(["--quick", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("benchmarks: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_worker_that_fails_ends_it(manifest, store, tmp_path, capfd):
    paths = ["--data", str(manifest), "--store", str(store), "--out", str(tmp_path), "--device", "cpu"]
    assert main(["--quick", *paths, "--only", "features", "--unknown-option"]) == 2
    error = capfd.readouterr().err
    assert "unrecognized arguments: --unknown-option" in error
    assert error.endswith("benchmarks: features of starvox failed, see above\n")


@pytest.mark.long
def test_all_that_is_measured_on_a_cpu(manifest, store, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed (make bench installs it)")
    code, kept, page = run(manifest, store, tmp_path)
    assert code == 0
    assert "all compute the same" in page
    found = json.loads(kept.read_text(encoding="utf-8"))["benchmarks"]
    assert len(found) == 3 * 4 + 3 * 2
