"""The terminal line: a bar on a terminal, plain lines elsewhere."""

import io
import time
from types import SimpleNamespace

import pytest

from starvox.training.extensions import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(
    stream, iterations, first=0, seconds=1000.0, pauses=lambda trainer: False, wait=lambda iteration: None
):
    progress = Progress(iterations, lambda trainer: False, pauses, stream, seconds)
    trainer = SimpleNamespace(
        updater=SimpleNamespace(iteration=first),
        observation={"dis/wasserstein": -0.51234, "gen/reconstruction": 0.00712, "gen/loss": 9.0},
    )
    progress.initialize(trainer)
    for _ in range(iterations - first):
        trainer.updater.iteration += 1
        wait(trainer.updater.iteration)
        progress(trainer)
    progress.finalize()
    return stream.getvalue()


def test_plain_lines_first_and_last_and_after_a_while():
    text = run(io.StringIO(), 100)
    lines = text.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"iteration {i}/100" for i in (1, 2, 3, 100)]
    assert lines[0] == "iteration 1/100, wasserstein -0.512, reconstruction 0.00712"
    assert lines[1] == "iteration 2/100, 00:00 left, wasserstein -0.512, reconstruction 0.00712"
    assert "\r" not in text
    assert "\x1b" not in text
    assert len(run(io.StringIO(), 100, seconds=0).splitlines()) == 100


def test_the_time_left_is_without_the_first_iteration_and_the_pauses(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def wait(
        iteration,
    ):  # a minute of compiling, two seconds an iteration, and half a minute after every third
        clock[0] += 60 if iteration == 1 else 32 if iteration % 3 == 1 else 2

    text = run(
        io.StringIO(), 1000, seconds=0, pauses=lambda trainer: trainer.updater.iteration % 3 == 0, wait=wait
    )
    assert [line.split(", ")[1] for line in text.splitlines()[1:500:100]] == [
        f"{seconds // 60:02}:{seconds % 60:02} left" for seconds in range(1996, 0, -200)
    ][:5]


def test_a_bar_with_the_losses_fits_a_terminal_of_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = run(Terminal(), 24039, first=24000)
    last = text.split("\r")[-1].rstrip("\n")
    assert last.startswith("24039/24039 ")
    assert last.endswith(" 00:00 left, wasserstein -0.512, reconstruction 0.00712")
    assert last.count("#") >= 8  # what is left for the bar
    assert max(len(line) for line in text.replace("\n", "\r").split("\r")) <= 80


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_resumed_run_counts_on(stream):
    text = run(stream, 20, first=15)
    assert "20/20" in text
    assert "1/20" not in text.replace("11/20", "")
