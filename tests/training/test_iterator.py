"""The order of clips and crops: each once an epoch, and a function of the position alone; drawn ahead."""

import subprocess
import sys
import threading

import chainer
import numpy as np
import pytest

from starvox.errors import UserError
from starvox.training import iterator
from starvox.training.iterator import MAX_AHEAD, ClipIterator


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


def test_every_clip_once_an_epoch_with_a_crop_drawn_anew_at_each_visit(pair):
    visits = take(pair["main"], 70)
    visited = [index for index, _ in visits]
    assert sorted(visited[:7]) == sorted(visited[7:14]) == list(range(7))
    assert visited[:7] != visited[7:14]
    assert len({draw for _, draw in visits}) == 140


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
    take(resumed, 1)
    resumed.serialize(chainer.serializers.NpzDeserializer(state.target))
    assert take(resumed, 5) == expected


def test_epochs(pair):
    iterator = pair["main"]
    seen = []
    for _ in range(8):
        next(iterator)
        seen.append(iterator.epoch)
    assert seen == [0, 0, 0, 1, 1, 1, 2, 2]
    assert iterator.epoch_detail == 16 / 7


def test_minibatches_are_prepared_before_they_are_asked_for():
    prepared = threading.Semaphore(0)

    def prepare(examples):
        prepared.release()
        return len(examples)

    iterator = ClipIterator.pair(Visits(), 2, 5, prepare=prepare)["main"]
    assert next(iterator) == 2
    for _ in range(1 + MAX_AHEAD):
        assert prepared.acquire(timeout=20)
    assert not prepared.acquire(timeout=0.05)  # no more than that


def test_an_error_is_raised_where_its_minibatch_is_asked_for():
    positions = iter(range(100))

    def prepare(examples):
        if (position := next(positions)) == 2:
            raise UserError("clip.wav: gone")
        return position

    iterator = ClipIterator.pair(Visits(), 2, 5, prepare=prepare)["main"]
    assert [next(iterator), next(iterator)] == [0, 1]
    with pytest.raises(UserError, match="gone"):
        next(iterator)


def test_a_hang_is_told(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(iterator, "TIMEOUT", 0.1)
    hanging = ClipIterator.pair(Visits(), 2, 5, prepare=lambda examples: release.wait(60))["main"]
    with pytest.raises(UserError, match="no clip could be read for 0 s"):
        next(hanging)
    hanging.finalize()  # does not wait
    release.set()


def test_a_busy_thread_does_not_abort_the_process():
    """Python kills a daemon thread at its end, in the midst of compiled code."""
    code = """
import sys, numpy, soxr
from starvox.training.iterator import ClipIterator
class Visits:
    def __len__(self): return 7
    def draw(self, index, rng): return soxr.resample(numpy.zeros(1_000_000, numpy.float32), 44100, 16000)
next(ClipIterator.pair(Visits(), 2, 5)["main"])
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (7, "")
