import pytest

from benchmarks.measure.fit import largest


@pytest.mark.parametrize("answer", [0, 1, 2, 3, 7, 8, 63, 64, 100])
def test_the_largest_that_fits(answer):
    tried = []

    def fits(n):
        tried.append(n)
        return n <= answer

    assert largest(fits, 100) == answer
    assert len(tried) == len(set(tried)) <= 2 * max(answer, 1).bit_length() + 1
    assert max(tried) <= 100


def test_no_more_than_the_most_is_tried():
    assert largest(lambda n: True, 100) == 100
