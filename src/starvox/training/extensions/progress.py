"""Losses and time left, on the screen."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from chainer.training import Extension, Trainer
from tqdm.auto import notebook_tqdm, std_tqdm, tqdm

from starvox.training.extensions.non_finite import are_on_host

SHOWN = ("dis/wasserstein", "gen/reconstruction")  # the others are in the log
IN_NOTEBOOK = notebook_tqdm is not std_tqdm


class Progress(Extension):
    """A progress bar on a terminal or in a notebook, plain lines elsewhere; at most 80 columns.

    Chainer's ProgressBar and PrintReport write escape codes into files and read every loss. A GPU would have
    to be waited for: its losses are those of the last iteration at which ``look`` fired. The time left leaves
    out the first iteration, which compiles, and what is written between two iterations.

    Args:
        iterations: of the whole training.
        look: trigger; the log's.
        pauses: trigger of what takes its time after an iteration.
        stream: where to write; stderr by default.
        seconds: between two plain lines, after the first three iterations.
    """

    priority = 300  # after the checks, before all that takes its time

    def __init__(
        self,
        iterations: int,
        look: Callable[[Trainer], bool],
        pauses: Callable[[Trainer], bool] = lambda _: False,
        stream: TextIO | None = None,
        seconds: float = 10.0,
    ):
        self._iterations = iterations
        self._look = look
        self._pauses = pauses
        self._losses = ""
        self._stream = stream or sys.stderr
        self._seconds = seconds
        self._bar: std_tqdm | None = None
        self._counted, self._total = 0, 0.0  # iterations whose time is known, and their seconds
        self._ended: float | None = None  # when the last iteration did, unless there was a pause after it

    def initialize(self, trainer: Trainer) -> None:
        self._first = trainer.updater.iteration
        self._due = time.monotonic() + self._seconds
        if IN_NOTEBOOK or self._stream.isatty():
            form = "{n_fmt}/{total_fmt} {bar} {desc}"
            self._bar = tqdm(
                total=self._iterations,
                initial=self._first,
                file=self._stream,
                bar_format=form,
                dynamic_ncols=True,
            )

    def __call__(self, trainer: Trainer) -> None:
        iteration, now = trainer.updater.iteration, time.monotonic()
        if self._ended is not None:
            self._counted, self._total = self._counted + 1, self._total + now - self._ended
        self._ended = None if self._pauses(trainer) else now
        if are_on_host(trainer.observation) or self._look(trainer):
            shown = {key: float(trainer.observation[key]) for key in SHOWN if key in trainer.observation}
            self._losses = ", ".join(f"{key.partition('/')[2]} {value:.3g}" for key, value in shown.items())
        text = self._losses
        if self._counted:
            left = self._total / self._counted * (self._iterations - iteration)
            text = f"{tqdm.format_interval(left)} left, {text}"
        if self._bar is not None:
            self._bar.set_description_str(text, refresh=False)
            self._bar.update(iteration - self._bar.n)
        elif iteration <= self._first + 3 or iteration == self._iterations or now >= self._due:
            self._due = now + self._seconds
            print(f"iteration {iteration}/{self._iterations}, {text}", file=self._stream, flush=True)

    def finalize(self) -> None:
        if self._bar is not None:
            self._bar.close()
