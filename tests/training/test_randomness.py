"""Draws without hidden state."""

from starvox.training.randomness import Stream, rng_for


def test_every_seed_stream_and_place_has_its_own_draw_which_is_always_the_same():
    places = [
        (seed, stream, i, j) for seed in range(3) for stream in Stream for i in range(4) for j in range(4)
    ]
    draws = [rng_for(*place).random() for place in places]
    assert len(set(draws)) == len(places)
    assert [rng_for(*place).random() for place in places] == draws
