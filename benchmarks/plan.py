"""Which measurements there are, and whom each is about."""

from typing import NamedTuple


class Measurement(NamedTuple):
    """One of ``benchmarks/measure/``.

    Attributes:
        contenders: in the order of the columns; the ratio is of the first to the last.
        module: of ``benchmarks/measure/``.
        folder: prepared for it: ``base``, or ``wide`` with 10,000 more output labels.
        cpu, gpu: where it is run.
    """

    contenders: tuple[str, ...]
    module: str
    folder: str = "base"
    cpu: bool = True
    gpu: bool = True


TRAINING = ("starvox", "chainer", "chainer-tiled", "pytorch")
MORE_LABELS = 10_000

MEASUREMENTS = {
    "sgemm": Measurement(("starvox", "pytorch"), "sgemm"),
    "training": Measurement(TRAINING, "training"),
    "labels": Measurement(("starvox", "pytorch"), "training", folder="wide"),
    "features": Measurement(("starvox", "librosa"), "features", gpu=False),
    "data": Measurement(("starvox",), "data"),
    "replay": Measurement(("starvox", "chainer"), "replay"),
    "fit": Measurement(("starvox", "pytorch"), "fit", cpu=False),
}


def plan(only: list[str], contenders: list[str], device: str) -> list[tuple[str, str]]:
    """Returns (measurement, contender) of one round, in the order they are run.

    Args:
        only: names of measurements; empty for all that the device can do.
        contenders: whom to measure; ``librosa`` goes with ``starvox``.
        device: ``cpu`` or ``cuda:N``.
    """
    wanted = {*contenders, *(["librosa"] if "starvox" in contenders else [])}
    return [
        (name, contender)
        for name, measurement in MEASUREMENTS.items()
        if (name in only or not only) and (measurement.cpu if device == "cpu" else measurement.gpu)
        for contender in measurement.contenders
        if contender in wanted
    ]
