from functools import partial

from benchmarks.job import Job
from benchmarks.rounds import run_rounds, time_left


def test_time_left_by_hand():
    taken = {"a": [10.0, 20.0], "b": [30.0]}
    assert time_left(taken, ["a", "b", "b"]) == "75 s left"  # 15 + 30 + 30
    assert time_left(taken, ["a"] * 12) == "3 min left"  # 180 s
    assert time_left(taken, ["a", "c"]) == "at a guess 35 s left"  # 15, and the mean of all: 20
    assert time_left(taken, []) == "done"


def job(tmp_path, measurement, contender):
    """A matrix product; one of an unknown device fails."""
    device = "cpu" if contender == "starvox" else "cuda:99"
    return Job(measurement, "sgemm", contender, str(tmp_path), device, 1, 1, 1, 1, 1.0)


def test_they_take_turns_and_what_fails_is_not_tried_again(tmp_path, capsys):
    places = [("one", "starvox"), ("one", "chainer")]
    samples = list(run_rounds(places, 2, partial(job, tmp_path)))
    order = [(sample["round"], sample["measurement"], sample["contender"]) for sample in samples]
    assert order == [
        (1, "one", "starvox"),
        (1, "one", "chainer"),
        (2, "one", "starvox"),
    ]
    assert samples[0]["values"]["flops"] > 1e8
    assert "values" not in samples[1]
    assert samples[1]["error"].startswith("one, chainer: starvox.errors.UserError: no GPU for DEVICE=cuda:99")
    screen = capsys.readouterr().out.splitlines()
    assert screen[0].startswith("round 1 of 2: one, starvox ... ")
    assert screen[0].endswith(" left")
    assert screen[-1].endswith("; done")
