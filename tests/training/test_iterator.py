"""The order of clips and crops: each once an epoch, and a function of the position alone."""

import chainer
import numpy as np
import pytest

from starvox.training.iterator import ClipIterator


class Visits:
    """A dataset whose examples tell which clip was asked for, and a draw of its generator."""

    def __len__(self):
        return 7

    def draw(self, index, rng):
        return index, rng.random()


@pytest.fixture
def pair():
    return ClipIterator.pair(Visits(), 2, seed=5)


def take(iterator, n):
    return [example for _ in range(n) for example in next(iterator)]


def test_every_clip_once_an_epoch(pair):
    visited = [index for index, _ in take(pair["main"], 7)]
    assert sorted(visited[:7]) == sorted(visited[7:]) == list(range(7))
    assert visited[:7] != visited[7:]


def test_crops_are_drawn_anew_at_each_visit(pair):
    draws = [draw for _, draw in take(pair["main"], 70)]
    assert len(set(draws)) == 140


def test_a_and_b_are_independent(pair):
    a, b = take(pair["main"], 350), take(pair["orig"], 350)
    same = np.mean([x[0] == y[0] for x, y in zip(a, b, strict=True)])
    assert 0.09 < same < 0.2  # 1/7 by chance
    assert not {draw for _, draw in a} & {draw for _, draw in b}


def test_the_seed_decides(pair):
    again, other = ClipIterator.pair(Visits(), 2, 5), ClipIterator.pair(Visits(), 2, 6)
    first = take(pair["main"], 5)
    assert take(again["main"], 5) == first
    assert take(other["main"], 5) != first


def test_the_position_is_all_there_is_to_save(pair):
    take(pair["main"], 5)
    state = chainer.serializers.DictionarySerializer()
    pair["main"].serialize(state)
    expected = take(pair["main"], 5)
    resumed = ClipIterator.pair(Visits(), 2, 5)["main"]
    resumed.serialize(chainer.serializers.NpzDeserializer(state.target))
    assert take(resumed, 5) == expected


def test_epochs(pair):
    iterator = pair["main"]
    seen = []
    for _ in range(8):
        next(iterator)
        seen.append((iterator.epoch, iterator.is_new_epoch))
    assert seen == [(0, False)] * 3 + [(1, True)] + [(1, False)] * 2 + [(2, True), (2, False)]
    assert iterator.epoch_detail == 16 / 7


def test_a_position_set_back_is_drawn_again(pair):
    first = take(pair["main"], 3)
    pair["main"].position = 0
    assert take(pair["main"], 3) == first


def test_minibatches_are_prepared():
    iterator = ClipIterator.pair(Visits(), 2, 5, prepare=len)["main"]
    assert [next(iterator), next(iterator)] == [2, 2]
