"""Drawing minibatches of crops from the stored corpus, with their spectrograms, and doing nothing else."""

from itertools import islice
from pathlib import Path
from time import perf_counter

from benchmarks.prepare import drawing, open_prepared
from starvox.corpus import CropDataset
from starvox.device import find_device


def run(job) -> dict[str, float]:
    exp, corpus, encoder = open_prepared(Path(job.folder))
    device = find_device(job.device)
    device.use()
    with drawing(exp, CropDataset(corpus, encoder), device) as pairs:
        next(pairs)
        start = perf_counter()
        for (x_a, _, _), (x_b, _, _) in islice(pairs, job.repeats):
            for x in (x_a, x_b):
                x[0, 0, 0, 0].item()  # waits for a GPU
        return {"minibatch": (perf_counter() - start) / (2 * job.repeats)}
