"""The PyTorch peer. Its minibatches lie ready on the device: drawing them costs it nothing."""

import numpy as np
import torch

from benchmarks.peer import Trainer
from benchmarks.plain import load_plain


def build(job):
    """See `benchmarks.contenders.build`."""
    torch.manual_seed(0)
    torch.set_num_threads(job.threads)
    exp = load_plain(job.path("config.json").read_text(encoding="utf-8"))
    with np.load(job.path("minibatches.npz")) as stored:
        arrays = [stored[name] for name in "xct"]
    if job.batchsize:
        arrays = [np.resize(a, (len(a), job.batchsize, *a.shape[2:])) for a in arrays]
    columns = [torch.from_numpy(array).to(job.device) for array in arrays]
    return PyTorchSide(Trainer(exp, job.device), list(zip(*columns, strict=True)), torch.device(job.device))


class PyTorchSide:
    """One iteration after the other over the same minibatches, two a step."""

    def __init__(self, trainer: Trainer, minibatches: list, device):
        self._trainer = trainer
        self._pairs = list(zip(minibatches[::2], minibatches[1::2], strict=True))
        self._device = device

    def iterate(self, mark) -> None:
        for pair in self._pairs[:-1]:
            self._trainer.dis_step(*pair)
            mark("dis")
        self._trainer.gen_step(*self._pairs[-1])
        mark("gen")

    def close(self) -> None:
        pass

    def waited(self) -> float:
        return 0.0

    def synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def device_memory(self) -> int:
        return torch.cuda.max_memory_reserved(self._device) if self._device.type == "cuda" else 0

    def limit_memory(self, limit: int) -> None:
        total = torch.cuda.get_device_properties(self._device).total_memory
        torch.cuda.set_per_process_memory_fraction(limit / total, self._device)
