import pytest

from benchmarks import flops
from benchmarks.plain import load_plain
from starvox import load_experiment


def test_a_convolution_by_hand():
    # 3 channels to 5, 2 x 2 taps, 4 x 6 cells: each of 120 outputs sums 12 products
    assert flops.Convolution(3, 5, 4, 24).flops == 2 * 120 * 12


def test_the_records_merge_by_hand():
    parts = flops.generator_layers(load_experiment("47c97768"))
    (merge,), (labels,) = parts["merge"], parts["labels"]
    assert merge == (128, 128, 9, 64 * 64)
    assert labels == (1479, 128, 9, 64 * 64)
    assert merge.flops + labels.flops == 2 * 1607 * 128 * 9 * 4096


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
    generator = first + down + merge + down + 2 * 2 * 49 * 64  # the last layer is the first the other way
    layer, clazz, discriminate = 2 * 3 * 16 * 16, 2 * 3 * 3 * 16, 2 * 3 * 9 * 16
    discriminator = 8 * layer + 3 * clazz + 8 * discriminate
    labels = 2 * 6 * 4 * 9 + 2 * 4 * 9 * 16  # the product, and its taps over the map
    assert flops.count(exp).dis_step == generator + labels + discriminator
    assert flops.count(exp, tiled=True).dis_step == generator + 2 * 6 * 4 * 9 * 16 + discriminator
    counts = flops.count(exp)
    assert counts.iteration == 2 * counts.dis_step + counts.gen_step


def test_twice_the_batch_is_twice_the_work():
    exp = load_experiment("smoke")
    four = exp.model_copy(update={"training": exp.training.model_copy(update={"batchsize": 4})})
    assert flops.count(four) == tuple(2 * value for value in flops.count(exp))


def total(exp, passes):
    layers = {"gen": flops.generator_layers(exp), "dis": flops.discriminator_layers(exp)}
    return exp.training.batchsize * sum(
        times * sum(layer.flops for layer in layers[network][part])
        for network, of_part in passes.items()
        for part, times in of_part.items()
    )


def test_the_peers_steps_as_pytorch_counts_them():
    """The peer does more than is needed: what, is known pass by pass."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (make bench installs it)")
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    from benchmarks.peer import Trainer

    class Counter(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if count := flop_registry.get(func._overloadpacket):
                self.total += count(*args, **(kwargs or {}), out_val=out)
            return out

    exp = load_experiment("smoke")
    peer = Trainer(load_plain(exp.dumps()))
    n, size = flops.n_labels(exp), (exp.training.batchsize, 1, exp.audio.bins, exp.audio.frames)
    batch = torch.rand(size), torch.zeros(size[0], n), torch.zeros(size[0], n - 3, dtype=torch.int32)

    with Counter() as counted:
        peer.dis_step(batch, batch)
    # all heads on all three inputs; the backward pass through the penalty's forward
    # pass, where it is 0; the gradient of the adversarial head's output
    more = {"first": 2, "middle": 2, "clazz": 2, "discriminate": 2}
    dis = {part: times + more[part] for part, times in flops._DIS_STEP["dis"].items()}
    assert counted.total == total(exp, {"gen": flops._DIS_STEP["gen"], "dis": dis})

    with Counter() as counted:
        peer.gen_step(batch, batch)
    # x_real is encoded twice, and merged for each conversion; all heads on x_orig too
    gen = flops._GEN_STEP["gen"] | {"first": 7, "down": 9, "merge": 9}
    dis = flops._GEN_STEP["dis"] | {"clazz": 3, "discriminate": 3}
    assert counted.total == total(exp, {"gen": gen, "dis": dis})
