import pytest

from benchmarks import flops
from starvox import load_experiment


def test_a_convolution_by_hand():
    # 3 channels to 5, 2 x 2 taps, 4 x 6 cells: each of 120 outputs sums 12 products
    assert flops.convolution(3, 5, 4, 24) == 2 * 120 * 12


def test_the_records_merge_by_hand():
    """With the labels as maps: 128 + 1479 channels to 128, 3 x 3 taps, 64 x 64 cells."""
    parts = flops.passes(load_experiment("47c97768"), tiled=True)
    assert parts["merge"][0] + parts["labels"][0] == 2 * 1607 * 128 * 9 * 4096


def test_a_d_step_by_hand():
    """Of a network so small that it can be written out: one layer, no depth, one label a group."""
    exp = load_experiment("smoke")
    tables = {
        "audio": {"bins": 8, "frames": 8},
        "labels": {"speaker": 1, "birthplace": 1, "sex": 1},
        "generator": {"filters": 2, "depth": 1, "blocks": 0},
        "discriminator": {"filters": 3, "layers": 1},
        "training": {"batchsize": 1, "n_dis": 2},
    }
    changed = {name: getattr(exp, name).model_copy(update=values) for name, values in tables.items()}
    exp = exp.model_copy(update=changed)
    first, down, merge = 2 * 2 * 49 * 64, 2 * 2 * 4 * 16 * 16, 2 * 4 * 4 * 9 * 16
    generator = first + down + merge + down + first  # the last layer is the first the other way
    layer, clazz, discriminate = 2 * 3 * 16 * 16, 2 * 3 * 3 * 16, 2 * 3 * 9 * 16
    discriminator = 8 * layer + 3 * clazz + 8 * discriminate
    labels = 2 * 6 * 4 * 9 + 2 * 4 * 9 * 16  # the product, and its taps over the map
    dis, gen, iteration = flops.count(exp)
    assert dis == generator + labels + discriminator
    assert flops.count(exp, tiled=True)[0] == generator + 2 * 6 * 4 * 9 * 16 + discriminator
    assert iteration == 2 * dis + gen


# What the peers do more than is needed, pass by pass. Both: D's backward pass through the penalty's
# forward pass, where it is 0, and the gradient of the adversarial head's output. The plain one: all
# heads on all inputs, x_real encoded and merged for each conversion. The saving one: the adversarial
# head on x_orig.
MORE = {
    "plain": (
        {"D's first": 2, "D's middle": 2, "clazz": 2, "discriminate": 2},
        {"first": 2, "down": 3, "clazz": 1, "discriminate": 1},
    ),
    "saving": ({"D's first": 2, "D's middle": 2, "discriminate": 2}, {"discriminate": 1}),
}


@pytest.mark.parametrize("kind", MORE)
def test_the_peers_steps_as_pytorch_counts_them(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (make bench installs it)")
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    from benchmarks.peer.saving import SavingTrainer
    from benchmarks.peer.trainer import Trainer

    class Counter(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if count := flop_registry.get(func._overloadpacket):
                self.total += count(*args, **(kwargs or {}), out_val=out)
            return out

    exp = load_experiment("smoke")
    peer = (Trainer if kind == "plain" else SavingTrainer)(exp)
    n, n_classes = exp.training.batchsize, peer.dis.clazz.out_channels
    x = torch.rand(n, 1, exp.audio.bins, exp.audio.frames)
    batch = x, torch.zeros(n, n_classes + 3), torch.zeros(n, n_classes, dtype=torch.int32)
    parts = flops.passes(exp, tiled=kind == "plain")
    for number, step in enumerate((peer.dis_step, peer.gen_step)):
        with Counter() as counted:
            step(batch, batch)
        more = sum(parts[part][0] * times for part, times in MORE[kind][number].items())
        assert counted.total == flops.count(exp, tiled=kind == "plain")[number] + n * more
