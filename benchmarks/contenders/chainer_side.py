"""starvox as it trains, and the same with Chainer's own operations."""

from pathlib import Path

from benchmarks.prepare import open_prepared
from starvox import fast_cpu, fast_gpu
from starvox.corpus import CropDataset
from starvox.device import find_device
from starvox.models.label_merge import LabelMerge
from starvox.training.assemble import build_updater


def build(job):
    """See `benchmarks.contenders.build`."""
    choose(job.contender)
    exp, corpus, encoder = open_prepared(Path(job.folder))
    if job.batchsize:
        training = exp.training.model_copy(update={"batchsize": job.batchsize})
        exp = exp.model_copy(update={"training": training})
    device = find_device(job.device)
    device.use()
    return ChainerSide(build_updater(exp, CropDataset(corpus, encoder), device, seed=0), device)


def choose(contender: str) -> None:
    """Makes this process the contender: ``starvox`` as it is, or with operations put back."""
    if contender != "starvox":
        fast_cpu.disable()
        fast_gpu.disable()
    if contender == "chainer-tiled":
        LabelMerge.convolve_map = lambda self, h: h
        LabelMerge.forward = _tiled


def _tiled(self, h, c):
    """`LabelMerge` as it is drawn in the record: the labels repeated over the map."""
    import chainer.functions as F  # here, because starvox has to be imported before it

    maps = self.xp.broadcast_to(c[:, :, None, None], (*c.shape, *h.shape[2:]))
    return F.convolution_2d(F.concat([h, self.xp.ascontiguousarray(maps)]), self.W, pad=self.pad)


class ChainerSide:
    """The updater, as the trainer calls it: it draws its crops and makes their spectrograms itself."""

    def __init__(self, updater, device):
        self._updater = updater
        self._device = device
        self._mark = None
        for name in ("dis", "gen"):
            updater.get_optimizer(name).add_hook(
                lambda _, name=name: self._mark(name), f"benchmark {name}", timing="post"
            )

    def iterate(self, mark) -> None:
        self._mark = mark
        self._updater.update()

    def close(self) -> None:
        self._updater.finalize()

    def waited(self) -> float:
        return sum(self._updater.get_iterator(name).waited for name in ("main", "orig"))

    def synchronize(self) -> None:
        if self._on_gpu:
            self._device.device.synchronize()

    def device_memory(self) -> int:
        return self._device.xp.get_default_memory_pool().total_bytes() if self._on_gpu else 0

    def limit_memory(self, limit: int) -> None:
        self._device.xp.get_default_memory_pool().set_limit(size=limit)

    @property
    def _on_gpu(self) -> bool:
        return self._device.name.startswith("@cupy")
