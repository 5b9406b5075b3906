from benchmarks import flops
from starvox import load_experiment


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
