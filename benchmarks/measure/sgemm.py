"""The rate of float32 matrix products on this machine, FLOP a second."""

from time import perf_counter

import numpy as np


def run(job) -> dict[str, float]:
    size = 2048 if job.device == "cpu" else 8192
    multiply, synchronize = (_pytorch if job.contender == "pytorch" else _chainer)(job, size)
    multiply()
    best = float("inf")
    for _ in range(job.repeats):
        synchronize()
        start = perf_counter()
        multiply()
        synchronize()
        best = min(best, perf_counter() - start)
    return {"flops": 2 * size**3 / best}


def _matrix(size: int) -> np.ndarray:
    return np.random.default_rng(0).random((size, size), dtype=np.float32)


def _chainer(job, size: int):
    from starvox.device import find_device

    device = find_device(job.device)
    device.use()
    a = device.send(_matrix(size))
    on_gpu = job.device != "cpu"
    return (lambda: a @ a), (device.device.synchronize if on_gpu else _nothing)


def _pytorch(job, size: int):
    import torch

    torch.set_num_threads(job.threads)
    a = torch.from_numpy(_matrix(size)).to(job.device)
    return (lambda: a @ a), (torch.cuda.synchronize if job.device != "cpu" else _nothing)


def _nothing() -> None:
    pass
