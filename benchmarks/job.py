"""What one process measures, and what it finds prepared."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One measurement of one contender.

    Attributes:
        measurement: what to call it.
        module: of ``benchmarks/measure/``.
        contender: one of its contenders.
        folder: of `benchmarks.prepare`.
        device: ``cpu`` or ``cuda:N``.
        threads: of the matrix products, for every contender the same.
        warmup, iterations: not counted, and counted.
        repeats: of what takes milliseconds.
        seconds: of speech to replay.
        batchsize: instead of the experiment's; None for that.
        limit_mib: of a GPU's memory; None for all of it.
    """

    measurement: str
    module: str
    contender: str
    folder: str
    device: str
    threads: int
    warmup: int
    iterations: int
    repeats: int
    seconds: float
    batchsize: int | None = None
    limit_mib: int | None = None

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> "Job":
        return cls(**json.loads(text))

    def path(self, name: str) -> Path:
        """Returns a file of the prepared folder."""
        return Path(self.folder) / name
