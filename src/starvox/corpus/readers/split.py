"""Which clips are kept apart from training."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import floor

from starvox.corpus.manifest import Clip
from starvox.errors import UserError


def hold_out(clips: Sequence[Clip], share: Fraction) -> tuple[list[Clip], list[Clip]]:
    """Splits clips into those to train on and those held out.

    Within each speaker, in the order given: with a share of 1/10, every tenth.
    So every speaker with a clip held out has others to train on, and a corpus
    that grows at its end keeps its split.

    Args:
        clips: sorted.
        share: of a speaker's clips, between 0 and 1.

    Raises:
        UserError: if no speaker has enough clips for one to be held out.
    """
    seen: Counter[str | None] = Counter()
    parts: tuple[list[Clip], list[Clip]] = [], []
    for clip in clips:
        number = seen[clip.speaker]
        held_out = floor((number + 1) * share) > floor(number * share)
        parts[held_out].append(clip)
        seen[clip.speaker] += 1
    if not parts[1]:
        raise UserError(
            f"no speaker has more than {max(seen.values())} clips, too few to hold out a share of "
            f"{float(share):g}; give a larger --held-out-share"
        )
    return parts
