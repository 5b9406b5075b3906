"""Draws without hidden state."""

from starvox.training.random import Stream, generator


def test_a_place_always_gives_the_same_draw():
    assert generator(3, Stream.MIX, 10, 2).random() == generator(3, Stream.MIX, 10, 2).random()


def test_every_seed_stream_and_place_has_its_own_draw():
    places = [
        (seed, stream, i, j) for seed in range(3) for stream in Stream for i in range(4) for j in range(4)
    ]
    assert len({generator(*place).random() for place in places}) == len(places)
