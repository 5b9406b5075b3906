import json

import pytest

from benchmarks.keep import file_stem, free_stem, keep


def test_the_name_holds_date_machine_and_experiment(report):
    assert file_stem(report) == "2026-01-31-abacus-9-2-cores-smoke-batch-2"


@pytest.mark.parametrize(
    ("processor", "text"),
    [
        ("Intel(R) Xeon(R) CPU @ 2.50GHz", "intel-xeon-cpu-2-50ghz"),
        ("AMD EPYC 7B13 64-Core Processor", "amd-epyc-7b13-64-core-processor"),
        ("Apple M2", "apple-m2"),
    ],
)
def test_processors_become_plain_names(report, processor, text):
    report["machine"]["processor"] = processor
    assert file_stem(report) == f"2026-01-31-{text}-2-cores-smoke-batch-2"


def test_a_gpu_stands_for_its_machine(report):
    report["machine"]["device"] = "cuda:0 (NVIDIA H100)"
    assert file_stem(report) == "2026-01-31-cuda-0-nvidia-h100-smoke-batch-2"


def test_nothing_is_overwritten(report, tmp_path):
    first, second, third = (keep(report, tmp_path / "results") for _ in range(3))
    assert second.name == first.stem + "-2.md"
    assert third.name == first.stem + "-3.md"
    assert free_stem(tmp_path / "results", "other") == "other"


def test_both_files_hold_the_report(report, tmp_path):
    path = keep(report, tmp_path)
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) == report
    assert path.read_text(encoding="utf-8").startswith("# smoke, batch 2, cpu\n")
