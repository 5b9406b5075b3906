"""Iterations and single steps, by either library; neither imports anything of the other."""

import json
from functools import partial
from types import SimpleNamespace


def build(job) -> tuple:
    """Returns what is measured and, for a GPU, what waits for it and what returns the bytes reserved."""
    return (_build_torch if job.contender.startswith("torch") else _build_chainer)(job)


def _build_chainer(job):
    """In an iteration the updater draws its crops and makes spectrograms of them, as in training."""
    from benchmarks import open_clips
    from starvox import fast_cpu, fast_gpu, load_experiment
    from starvox.device import find_device
    from starvox.training.assemble import build_updater

    exp, device = load_experiment(job.experiment), find_device(job.device)
    device.use()
    updater = build_updater(exp, open_clips(exp, job.data, job.store)[0], device, seed=0)
    if job.contender == "chainer":
        fast_cpu.disable()
        fast_gpu.disable()
    pair = next(updater._draw(1))
    steps = {"D-step": partial(updater._update_dis, 0, *pair), "G-step": partial(updater._update_gen, *pair)}
    run = steps.get(job.measurement, updater.update)
    return run, lambda: device.device.synchronize(), lambda: device.xp.get_default_memory_pool().total_bytes()


def _build_torch(job):
    """Its minibatches are noise and lie ready on the device: drawing them costs nothing."""
    import torch

    from benchmarks.peer.saving import SavingTrainer
    from benchmarks.peer.trainer import Trainer

    torch.backends.cudnn.allow_tf32 = False  # as starvox and Chainer
    exp = json.loads(job.config, object_hook=lambda table: SimpleNamespace(**table))
    trainer = (SavingTrainer if job.contender == "torch-saving" else Trainer)(exp, job.device)
    n, n_classes = exp.training.batchsize, trainer.dis.clazz.out_channels
    x = torch.rand(n, 1, exp.audio.bins, exp.audio.frames)
    c, t = torch.eye(n_classes + 3)[:n], torch.randint(-1, 2, (n, n_classes))
    batch = [array.to(job.device) for array in (x, c, t)]
    dis_step, gen_step = (partial(step, batch, batch) for step in (trainer.dis_step, trainer.gen_step))
    steps = [dis_step] * exp.training.n_dis + [gen_step]
    run = {"D-step": dis_step, "G-step": gen_step}.get(job.measurement, lambda: [step() for step in steps])
    return run, *(partial(f, job.device) for f in (torch.cuda.synchronize, torch.cuda.max_memory_reserved))
