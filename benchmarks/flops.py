"""The arithmetic of one iteration, counted from the shapes.

A multiplication and an addition are two operations. Only convolutions and the
labels' matrix product are counted, and padding as if it were data; everything
else (normalisation, ReLU, spectrograms, RMSprop) is far below 1 %.
"""

from typing import NamedTuple


class Convolution(NamedTuple):
    """A convolution, or a transposed one, of one sample.

    Attributes:
        n_in, n_out: channels.
        kernel: its number of taps.
        cells: of the smaller of its two maps.
    """

    n_in: int
    n_out: int
    kernel: int
    cells: int

    @property
    def flops(self) -> int:
        """Of the output. The gradient of the input and that of the weights take as many each."""
        return 2 * self.n_in * self.n_out * self.kernel * self.cells


class Counts(NamedTuple):
    """Floating-point operations.

    Attributes:
        dis_step, gen_step: of one step.
        iteration: of ``n_dis`` D steps and one G step.
    """

    dis_step: int
    gen_step: int
    iteration: int


def generator_layers(exp) -> dict[str, list[Convolution]]:
    """Returns the convolutions of G by its parts; ``labels`` is what the labels add to ``merge``."""
    g, size = exp.generator, exp.audio.bins * exp.audio.frames
    wide, small = g.filters * 2**g.depth, size // 4**g.depth
    merge, block = (kernel[0] * kernel[1] for kernel in (g.merge_kernel, g.block_kernel))
    levels = [(g.filters * 2**level, size // 4 ** (level + 1)) for level in range(g.depth)]
    halvings = [Convolution(n, 2 * n, 16, cells) for n, cells in levels]
    return {
        "first": [Convolution(1, g.filters, 49, size)],
        "down": halvings,
        "merge": [Convolution(wide, wide, merge, small)],
        "labels": [Convolution(n_labels(exp), wide, merge, small)],
        "bottleneck": [Convolution(wide, wide, block, small)] * (g.blocks * g.block_convolutions),
        "up": [*halvings, Convolution(g.filters, 1, 49, size)],
    }


def discriminator_layers(exp) -> dict[str, list[Convolution]]:
    """Returns the convolutions of D by its parts."""
    d, size = exp.discriminator, exp.audio.bins * exp.audio.frames
    channels = [1] + [d.filters * 2**level for level in range(d.layers)]
    layers = [
        Convolution(channels[level], channels[level + 1], 16, size // 4 ** (level + 1))
        for level in range(d.layers)
    ]
    last = size // 4**d.layers
    outputs = (1 + 2 * d.class_pad) ** 2  # the kernel is as large as the map
    return {
        "first": layers[:1],
        "middle": layers[1:],
        "clazz": [Convolution(channels[-1], n_labels(exp) - 3, d.class_kernel**2, outputs)],
        "discriminate": [Convolution(channels[-1], 1, 9, last)],
    }


def n_labels(exp) -> int:
    """Size of the input labels."""
    return exp.labels.speaker + exp.labels.birthplace + exp.labels.sex + 3


# How often each part is gone through, forward or backward, in one step, if
# nothing is done twice and nothing in vain. D step: D sees converted, real and
# mixed clips; three times forward, and for converted and real once each to the
# weights and once to the input (not before the first layer); the penalty's
# gradient goes down once, and its own gradient up again once and to the weights once.
_DIS_STEP = {
    "gen": {"first": 1, "down": 1, "merge": 1, "labels": 1, "bottleneck": 1, "up": 1},
    "dis": {"first": 8, "middle": 10, "clazz": 3, "discriminate": 8},
}
# G step: x_real is encoded once for both of its conversions, x_fake once, and the
# merge's part of that is convolved (with the labels as maps it cannot be told
# apart); all that comes after is gone through for each of the three
# conversions, each time forward, to the weights and to the input. D sees x_fake forward and backward,
# of x_orig only the feature is asked for.
_GEN_STEP = {
    "gen": {"first": 5, "down": 6, "merge": 6, "labels": 9, "bottleneck": 9, "up": 9},
    "dis": {"first": 3, "middle": 3, "clazz": 2, "discriminate": 2},
}


def count(exp, tiled: bool = False) -> Counts:
    """Counts the operations of one iteration of an experiment.

    Args:
        exp: the experiment: any object with its tables as attributes.
        tiled: the labels are convolved as maps. Otherwise they take a matrix
            product a sample and the sum of those taps that fall inside the map.
    """
    parts = {
        "gen": {name: sum(c.flops for c in part) for name, part in generator_layers(exp).items()},
        "dis": {name: sum(c.flops for c in part) for name, part in discriminator_layers(exp).items()},
    }

    def step(passes):
        conversions = passes["gen"]["labels"]  # forward and backward
        passes = {name: dict(of_part) for name, of_part in passes.items()}
        if tiled:
            passes["gen"]["merge"] = conversions
        else:
            del passes["gen"]["labels"]
        total = sum(
            times * parts[network][part]
            for network, of_part in passes.items()
            for part, times in of_part.items()
        )
        if not tiled:  # to the output and to the weights; there is no gradient of the labels
            total += (conversions - conversions // 3) * _split_labels(exp)
        return total * exp.training.batchsize

    dis_step, gen_step = step(_DIS_STEP), step(_GEN_STEP)
    return Counts(dis_step, gen_step, exp.training.n_dis * dis_step + gen_step)


def _split_labels(exp) -> int:
    (layer,) = generator_layers(exp)["labels"]
    product = 2 * layer.n_in * layer.n_out * layer.kernel
    spread = 2 * layer.n_out * layer.kernel * layer.cells
    return product + spread
