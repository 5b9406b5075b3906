"""Shows where the time of an iteration goes: every Chainer function, forward and backward.

Usage: .venv/bin/python scripts/profile_iteration.py EXP [--device D] [--tf32] [--cuda-graph]

EXP is an experiment's id or config.toml; D is cpu (default), auto or cuda:N. The networks
and shapes are the experiment's, the clips are noise. On a GPU every function is
waited for, so that the sum is more than an iteration takes. `other` is the rest: the updates
of the parameters, sums of gradients, the spectrograms, and Python. Under `nsys profile` the
functions' names are in the timeline. With --cuda-graph the time of an iteration of
replayed steps follows the table.
"""

import argparse
import contextlib
import statistics
import sys
import time
from collections import Counter

import numpy as np

import starvox
from starvox.corpus.labels import GROUPS
from starvox.device import describe, find_device, require_gpu, use_tf32
from starvox.training.assemble import build_updater
from starvox.training.cuda_graph import use_cuda_graphs
from starvox.training.recorded_step import CHECKED

# isort: split
import chainer
from chainer.function_hooks import CUDAProfileHook, TimerHook


class NoiseClips:
    """Crops of noise with random labels, as many as are asked for."""

    def __init__(self, exp):
        self._samples = exp.audio.crop_samples
        self._classes = sum(getattr(exp.labels, group) for group in GROUPS)

    def __len__(self):
        return 1000

    def draw(self, index, rng):
        crop = rng.standard_normal(self._samples, dtype=np.float32)
        c = (rng.random(self._classes + len(GROUPS)) < 0.002).astype(np.float32)
        return crop, c, rng.integers(-1, 2, self._classes).astype(np.int32)


class Timer(TimerHook):
    """TimerHook that keeps forward and backward apart, and does not count a function within another twice."""

    def __init__(self):
        super().__init__()
        self.seconds, self.calls = Counter(), Counter()
        self._inner = [0.0]  # seconds of what ran within each function on the stack

    def _note(self, function, direction):
        _, elapsed = self.call_history.pop()
        name = f"{function._impl_name} {direction}"
        self.seconds[name] += elapsed - self._inner.pop()
        self.calls[name] += 1
        self._inner[-1] += elapsed

    def forward_preprocess(self, function, in_data):
        self._inner.append(0.0)
        super().forward_preprocess(function, in_data)

    def backward_preprocess(self, function, in_data, out_grad):
        self._inner.append(0.0)
        super().backward_preprocess(function, in_data, out_grad)

    def forward_postprocess(self, function, in_data):
        super().forward_postprocess(function, in_data)
        self._note(function, "forward")

    def backward_postprocess(self, function, in_data, out_grad):
        super().backward_postprocess(function, in_data, out_grad)
        self._note(function, "backward")


def iterate(updater, device):
    """Runs an iteration; returns its seconds."""
    started = time.perf_counter()
    with chainer.Reporter().scope({}):
        updater.update()
    if device.xp is not np:
        device.device.synchronize()
    return time.perf_counter() - started


def measure(updater, device, repeats=5):
    """Returns the median seconds of an iteration, after some that compile and make the optimizers' state."""
    seconds = [iterate(updater, device) for _ in range(2 + repeats)]
    return statistics.median(seconds[-repeats:])


def main(args):
    exp = starvox.load_experiment(args.experiment)
    device = find_device(args.device)
    device.use()
    if args.cuda_graph:
        require_gpu(device, "--cuda-graph")
    if args.tf32:
        use_tf32(device)
    updater = build_updater(exp, NoiseClips(exp), device, seed=0)
    plain = measure(updater, device)
    timer = Timer()
    with contextlib.ExitStack() as stack:
        stack.enter_context(timer)
        if device.xp is not np and device.xp.cuda.nvtx_enabled:
            stack.enter_context(CUDAProfileHook())
        watched = iterate(updater, device)

    took = f"{1e3 * plain:.1f} ms an iteration, {1e3 * watched:.1f} ms watched"
    print(f"{exp.id} on {describe(device)}: {took}")
    rest = ("other", watched - sum(timer.seconds.values()))
    print(f"{'share':>7} {'ms':>9} {'calls':>6}  function")
    for function, seconds in [*timer.seconds.most_common(), rest]:
        calls = timer.calls.get(function, "")
        print(f"{100 * seconds / watched:6.1f}% {1e3 * seconds:9.2f} {calls:>6}  {function}")
    if args.cuda_graph:
        use_cuda_graphs(updater)
        for _ in range(CHECKED + 1):  # G's replays are checked once an iteration
            iterate(updater, device)
        print(f"{1e3 * measure(updater, device):.1f} ms an iteration of replayed steps")
    updater.finalize()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("experiment", metavar="EXP")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--cuda-graph", action="store_true")
    try:
        main(parser.parse_args())
    except starvox.UserError as error:
        sys.exit(str(error))
