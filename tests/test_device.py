"""Where to compute."""

import chainer
import pytest

from starvox import UserError
from starvox.device import describe, find_device


def test_the_cpu():
    device = find_device("cpu")
    assert device == chainer.get_device("@numpy")
    assert describe(device) == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda", "cuda:", "cuda:-1", "CPU", ""])
def test_unknown_names(name):
    with pytest.raises(UserError, match="use auto, cpu or cuda:N"):
        find_device(name)


def test_an_absent_gpu_says_why():
    with pytest.raises(UserError, match=r"no GPU for DEVICE=cuda:99: .* or use DEVICE=cpu"):
        find_device("cuda:99")


@pytest.mark.gpu
def test_auto_takes_the_gpu(cupy):
    device = find_device("auto")
    assert device.xp is cupy
    assert describe(device).startswith("cuda:0 (")
