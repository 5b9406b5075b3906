"""The terminal line: a bar on a terminal, plain lines elsewhere."""

import io
from types import SimpleNamespace

import pytest

from starvox.training.extensions import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(stream, iterations, first=0, seconds=1000.0):
    progress = Progress(iterations, lambda trainer: False, stream, seconds)
    trainer = SimpleNamespace(
        updater=SimpleNamespace(iteration=first),
        observation={"dis/wasserstein": -0.5, "gen/identity": 0.25, "gen/loss": 9.0},
    )
    progress.initialize(trainer)
    for _ in range(iterations - first):
        trainer.updater.iteration += 1
        progress(trainer)
    progress.finalize()
    return stream.getvalue()


def test_plain_lines_first_and_last():
    lines = run(io.StringIO(), 100).splitlines()
    assert [line.split(",")[0] for line in lines] == [f"iteration {i}/100" for i in (1, 2, 3, 100)]
    assert lines[0].endswith("left: W -0.5 id 0.25")
    assert "it/s" in lines[0]


def test_plain_lines_after_a_while():
    assert len(run(io.StringIO(), 100, seconds=0).splitlines()) == 100


def test_no_escape_codes_outside_a_terminal():
    text = run(io.StringIO(), 20)
    assert "\r" not in text
    assert "\x1b" not in text


def test_a_bar_on_a_terminal():
    text = run(Terminal(), 20)
    assert "20/20" in text
    assert "\r" in text


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_resumed_run_counts_on(stream):
    text = run(stream, 20, first=15)
    assert "20/20" in text
    assert "1/20" not in text.replace("11/20", "")
