from fractions import Fraction
from pathlib import Path

import pytest

from starvox import UserError
from starvox.corpus import Clip, hold_out


def clips(**counts):
    return [
        Clip(Path(f"{name}{i:03}"), name, None, None) for name, count in counts.items() for i in range(count)
    ]


def test_every_tenth_clip_of_a_speaker_is_held_out():
    train, held_out = hold_out(clips(a=25, b=9, c=10), Fraction("0.1"))
    assert [clip.path.name for clip in held_out] == ["a009", "a019", "c009"]
    assert len(train) == 41
    assert not set(train) & set(held_out)


@pytest.mark.parametrize("share", ["0.07", "1/3", "0.5", "0.9"])
def test_each_speaker_keeps_its_share_and_clips_to_train_on(share):
    share = Fraction(share)
    train, held_out = hold_out(clips(a=100, b=2, c=1), share)
    assert sum(clip.speaker == "a" for clip in held_out) == int(100 * share)
    assert {clip.speaker for clip in train} == {"a", "b", "c"}


def test_too_few_clips_to_hold_any_out():
    with pytest.raises(UserError, match=r"no speaker has more than 9 clips, too few .* 0\.1; give a larger"):
        hold_out(clips(a=9, b=3), Fraction("0.1"))
