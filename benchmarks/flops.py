"""The arithmetic of one iteration, counted from the shapes.

A multiplication and an addition are two operations. Only convolutions and the labels' matrix product
are counted, and padding as if it were data; everything else is far below 1 %.
"""


def convolution(n_in: int, n_out: int, taps: int, cells: int) -> int:
    """Returns the operations of a convolution's output, of so many cells, and of each of its gradients."""
    return 2 * n_in * n_out * taps * cells


def passes(exp, tiled: bool = False) -> dict[str, tuple[int, int, int]]:
    """Returns, for each part, the operations of a sample's pass, and its passes in a D step and in a G step.

    A pass is one forward, to the weights, or to the input; nothing is done twice, and nothing in vain.
    D step: D sees converted, real and mixed clips; three times forward, and for converted and real once
    each to the weights and once to the input (not before the first layer); the penalty's gradient goes
    down once, and its own gradient up again once and to the weights once.
    G step: x_real is encoded once for both of its conversions, x_fake once, and the merge's part of that
    is convolved; what comes after is gone through for each of three conversions, each time forward, to
    the weights and to the input. D sees x_fake forward and backward; of x_orig the feature is needed.

    If ``tiled``, the labels are convolved as maps, with G's map, for every conversion. Otherwise they take
    a matrix product a sample, and the sum of the taps that fall inside the map.
    """
    g, d, size = exp.generator, exp.discriminator, exp.audio.bins * exp.audio.frames
    classes = exp.labels.speaker + exp.labels.birthplace + exp.labels.sex
    wide, small = g.filters * 2**g.depth, size // 4**g.depth
    merge, block = (kernel[0] * kernel[1] for kernel in (g.merge_kernel, g.block_kernel))
    levels = [(g.filters * 2**level, size // 4 ** (level + 1)) for level in range(g.depth)]
    halvings = sum(convolution(n, 2 * n, 16, cells) for n, cells in levels)
    first = convolution(1, g.filters, 49, size)
    deep = [(d.filters * 2 ** (level - 1), size // 4 ** (level + 1)) for level in range(1, d.layers)]
    n, last = d.filters * 2 ** (d.layers - 1), size // 4**d.layers
    outputs = (1 + 2 * d.class_pad) ** 2  # the kernel is as large as the map
    product, spread = convolution(classes + 3, wide, merge, 1), convolution(1, wide, merge, small)
    return {
        "first": (first, 1, 5),
        "down": (halvings, 1, 6),
        "merge": (convolution(wide, wide, merge, small), 1, 9 if tiled else 6),
        "labels": (product * small, 1, 9) if tiled else (product + spread, 1, 6),
        "bottleneck": (g.blocks * g.block_convolutions * convolution(wide, wide, block, small), 1, 9),
        "up": (halvings + first, 1, 9),  # the last layer is the first the other way
        "D's first": (convolution(1, d.filters, 16, size // 4), 8, 3),
        "D's middle": (sum(convolution(n_in, 2 * n_in, 16, cells) for n_in, cells in deep), 10, 3),
        "clazz": (convolution(n, classes, d.class_kernel**2, outputs), 3, 2),
        "discriminate": (convolution(n, 1, 9, last), 8, 2),
    }


def count(exp, tiled: bool = False) -> tuple[int, int, int]:
    """Returns the operations of a D step, a G step, and an iteration of ``n_dis`` D steps and a G step."""
    parts, size = passes(exp, tiled).values(), exp.training.batchsize
    dis, gen = (size * sum(part[0] * part[step] for part in parts) for step in (1, 2))
    return dis, gen, exp.training.n_dis * dis + gen
