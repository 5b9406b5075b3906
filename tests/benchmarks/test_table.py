import pyperf

from benchmarks.table import make_page, make_table
from starvox import load_experiment

MIB = 2**20


def suite(**seconds):
    """A suite of iterations: contender -> seconds of each round."""
    benches = []
    for who, values in seconds.items():
        metadata = {
            "name": f"iteration: {who}",
            "mem_max_rss": (len(benches) + 2) * 100 * MIB,
            "mem_before": 50 * MIB,
        }
        runs = [pyperf.Run([value], metadata=metadata, collect_metadata=False) for value in values]
        benches.append(pyperf.Benchmark(runs))
    return pyperf.BenchmarkSuite(benches)


def test_a_table_by_hand():
    """Ratios are taken within a round: 1/2, 2/8 and 3/4, though the medians are 2 and 4."""
    assert make_table(suite(starvox=[1.0, 2.0, 3.0], torch=[2.0, 8.0, 4.0])).splitlines() == [
        "|  | contender | median | least to most | of starvox's | of torch's |",
        "| --- | --- | --- | --- | --- | --- |",
        "| iteration | starvox | 2 s | 1 s to 3 s |  | 0.50 (0.25 to 0.75) |",
        "| iteration | torch | 4 s | 2 s to 8 s | 2.00 (1.33 to 4.00) |  |",
        "| memory | starvox | 200 MiB | 200 MiB to 200 MiB |  | 0.67 (0.67 to 0.67) |",
        "| memory | torch | 300 MiB | 300 MiB to 300 MiB | 1.50 (1.50 to 1.50) |  |",
        "| memory-grown | starvox | 150 MiB | 150 MiB to 150 MiB |  | 0.60 (0.60 to 0.60) |",
        "| memory-grown | torch | 250 MiB | 250 MiB to 250 MiB | 1.67 (1.67 to 1.67) |  |",
    ]


def test_a_contender_that_failed_in_the_last_round():
    assert "| 0.50 (0.50 to 0.50) |" in make_table(suite(starvox=[1.0, 7.0], torch=[2.0]))


def test_the_page_holds_the_machine_and_the_arithmetic():
    page = make_page(suite(starvox=[0.0123]), load_experiment("47c97768"), ["Abacus 9"])
    assert page.startswith("# 47c97768, batch 2\n\n- Abacus 9\n")
    assert "- D step, G step and iteration take 53.8, 224, 492 GFLOP with nothing done twice\n" in page
    assert "| iteration | starvox | 12.3 ms |" in page
