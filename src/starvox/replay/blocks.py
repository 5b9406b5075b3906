"""Long inputs in pieces."""

from collections.abc import Iterator

from tqdm import tqdm


def blocks(total: int, size: int, label: str | None = None) -> Iterator[tuple[int, int]]:
    """Yields (start, stop) of consecutive blocks of at most ``size`` that make up ``total``.

    Args:
        total (int): for example the frames of a spectrogram.
        size (int): of a block.
        label: what to call a bar of the progress, shown on a terminal if there is
            more than one block; None for no bar.
    """
    hidden = None if label and total > size else True  # None: shown on a terminal
    with tqdm(total=total, desc=label, unit=" frames", disable=hidden, leave=False) as bar:
        for start in range(0, total, size):
            stop = min(start + size, total)
            yield start, stop
            bar.update(stop - start)
