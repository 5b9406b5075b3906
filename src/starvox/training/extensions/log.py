"""The log: every loss, in a file that is whole at any moment."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from chainer.training import Trainer
from chainer.training.extensions import LogReport

from starvox.files import write_text
from starvox.run.run import Run


class Log(LogReport):
    """Chainer's LogReport, which writes ``log`` so that it appears whole or not at all.

    A resumed run starts with the log of its snapshot: entries that a killed
    process wrote after it are made again, the same.

    Args:
        keys: what to log.
        trigger: when to write an entry.
    """

    def __init__(self, keys: Sequence[str], trigger: Callable[[Trainer], bool]):
        super().__init__(keys, trigger, log_name=None)  # Chainer writes no file itself

    def initialize(self, trainer: Trainer) -> None:
        if self.log:
            self._write(trainer)
        else:
            Run(trainer.out).log.unlink(missing_ok=True)

    def __call__(self, trainer: Trainer) -> None:
        entries = len(self.log)
        super().__call__(trainer)
        if len(self.log) > entries:
            self._write(trainer)

    def serialize(self, serializer: Any) -> None:
        super().serialize(serializer)
        if not isinstance(self.log, list) or not all(isinstance(entry, dict) for entry in self.log):
            raise ValueError("its log is no list of entries")

    def _write(self, trainer: Trainer) -> None:
        write_text(Run(trainer.out).log, json.dumps(self.log, indent=4), mend="make room there")
