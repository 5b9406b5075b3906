"""Losses, speed and time left, on the screen."""

import sys
import time

from chainer.training import Extension
from tqdm import tqdm

from starvox.training.extensions.on_host import are_on_host

_SHOWN = {
    "W": "dis/wasserstein",
    "GP": "dis/gradient_penalty",
    "D class": "dis/classification",
    "G class": "gen/classification",
    "rec": "gen/reconstruction",
    "id": "gen/identity",
    "FM": "gen/feature_matching",
}


class Progress(Extension):
    """A progress bar on a terminal, plain lines elsewhere.

    Losses on a GPU, which would have to be waited for, are those of the last
    iteration at which ``look`` fired.

    Args:
        iterations (int): of the whole training.
        look (callable): trigger; the log's.
        stream: where to write; stderr by default.
        seconds (float): between two plain lines, after the first three iterations.
    """

    priority = -80

    def __init__(self, iterations, look, stream=None, seconds=10.0):
        self._iterations = iterations
        self._look = look
        self._losses = ""
        self._stream = stream or sys.stderr
        self._seconds = seconds
        self._bar = None

    def initialize(self, trainer):
        self._first = trainer.updater.iteration
        self._started = self._printed = time.monotonic()
        if self._stream.isatty():
            self._bar = tqdm(
                total=self._iterations, initial=self._first, file=self._stream, unit="it", dynamic_ncols=True
            )

    def __call__(self, trainer):
        iteration, observation = trainer.updater.iteration, trainer.observation
        if not are_on_host(observation) and self._look(trainer):
            self._losses = _describe(observation)
        if self._bar is not None:
            if time.monotonic() - self._printed > self._bar.mininterval:
                self._printed = time.monotonic()
                self._bar.set_postfix_str(self._describe_last(observation), refresh=False)
            self._bar.update(iteration - self._bar.n)
        elif self._is_due(iteration):
            self._printed = time.monotonic()
            self._print_line(iteration, self._describe_last(observation))

    def finalize(self):
        if self._bar is not None:
            self._bar.close()

    def _is_due(self, iteration):
        early = iteration - self._first <= 3
        waited = time.monotonic() - self._printed >= self._seconds
        return early or waited or iteration == self._iterations

    def _print_line(self, iteration, losses):
        pace = (time.monotonic() - self._started) / (iteration - self._first)
        speed = f"{1 / pace:.2f} it/s" if pace < 1 else f"{pace:.2f} s/it"
        left = tqdm.format_interval(pace * (self._iterations - iteration))
        line = f"iteration {iteration}/{self._iterations}, {speed}, {left} left: {losses}"
        print(line, file=self._stream, flush=True)

    def _describe_last(self, observation):
        return _describe(observation) if are_on_host(observation) else self._losses


def _describe(observation):
    shown = {short: observation[key] for short, key in _SHOWN.items() if key in observation}
    return " ".join(f"{short} {float(value):.4g}" for short, value in shown.items())
