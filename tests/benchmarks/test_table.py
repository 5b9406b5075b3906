import pytest

from benchmarks.table import number, page, table


def statistics(median, low=None, high=None):
    return {"median": median, "min": low or median, "max": high or median, "count": 3}


def test_a_table_by_hand():
    results = {
        "pytorch": {"dis_step": statistics(2.0, 1.5, 2.25), "peak_process": statistics(2000 * 2**20)},
        "starvox": {"dis_step": statistics(1.0), "peak_process": statistics(500 * 2**20)},
    }
    assert table("training", results).splitlines() == [
        "## Training",
        "",
        "|  | starvox | pytorch | starvox / pytorch |",
        "| --- | --- | --- | --- |",
        "| D step, s | 1.00 | 2.00 (1.50 to 2.25) | 0.50 |",
        "| peak memory of the process, MiB | 500 | 2000 | 0.25 |",
    ]


def test_one_contender_has_no_ratio():
    lines = table("data", {"starvox": {"minibatch": statistics(0.0123)}}).splitlines()
    assert lines[2:] == ["|  | starvox |", "| --- | --- |", "| a minibatch, ms | 12.3 |"]


def test_what_a_contender_lacks_is_empty():
    results = {
        "starvox": {"batchsize": statistics(3), "iteration": statistics(1.5)},
        "pytorch": {"batchsize": statistics(0)},
    }
    assert table("fit", results).splitlines()[4:] == [
        "| largest batch | 3.00 | 0.000 |  |",
        "| its iteration, s | 1.50 |  |  |",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1234"), (123.45, "123"), (12.345, "12.3"), (1.2345, "1.23"), (0.12345, "0.123"), (0, "0.000")],
)
def test_three_digits(value, text):
    assert number(value) == text


def test_the_page_holds_everything(report):
    text = page(report)
    for line in (
        "# smoke, batch 2, cpu",
        "- 2026-01-31, 2 of 3 rounds, 1 iteration(s) a process after 1",
        "- Abacus 9, 2 cores, 2 threads, 3.5 GiB, Linux",
        "- Python 3.12.0, numpy 2.4.6",
        "**the machine was not quiet**",
        "| a minibatch, ms | 2.00 |",
        "| starvox | 4.00 to 5.00 | 1.25 | 40.0% to 30.0% | -25.0% |",
        "| needed, nothing twice | 1.00 | 3.00 | 8.00 |",
        "Before anything was timed, starvox and the peer computed the same losses and gradients on a small "
        "network from the same weights: furthest from float64 was gen/loss, by 1.0e-07.",
        "An iteration's at 4.00 GFLOP/s: 2.00 s. starvox takes 3.00 times as long.",
    ):
        assert line in text.splitlines(), line


def test_what_was_not_measured_is_left_out(report):
    counts = {key: report["bound"][key] for key in ("needed", "tiled")}
    lacking = {"warnings": [], "summary": {}, "label_growth": {}, "bound": counts, "check": None}
    text = page(report | lacking)
    assert "## Data" not in text
    assert "output labels" not in text
    assert "times as long" not in text
    assert "same losses" not in text
