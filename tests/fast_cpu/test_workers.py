"""Tasks shared among threads."""

import os
import threading

import numpy as np
import pytest
import threadpoolctl

from starvox.fast_cpu import workers


@pytest.mark.parametrize(("n", "parts"), [(10, 3), (3, 10), (1000, 16), (0, 3)])
def test_split_covers_every_number_once(n, parts):
    ranges = workers.split(n, parts)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(n))
    lengths = {last - first for first, last in ranges}
    assert len(ranges) == min(n, parts)
    assert not lengths or max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_task_is_done_once(threads, monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: threads)
    done = []
    workers.share(done.append, [(i,) for i in range(100)])
    assert sorted(done) == list(range(100))


def test_two_tasks_run_at_a_time(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)
    both = threading.Barrier(2, timeout=20)
    workers.share(both.wait, [(), ()])  # each waits for the other


def test_little_work_is_not_shared(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)
    seen = []
    workers.share(lambda: seen.append(threading.get_ident()), [(), ()], work=100_000)
    assert seen == [threading.get_ident()] * 2


def test_a_failing_task_is_heard_of(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)

    def one(i):
        if i == 3:
            raise MemoryError("task 3")

    with pytest.raises(MemoryError, match="task 3"):
        workers.share(one, [(i,) for i in range(8)])


def test_blas_keeps_to_one_thread(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)
    workers.share(lambda: None, [(), ()])
    assert {
        pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"
    } == {1}


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_the_number_of_threads(name, monkeypatch):
    for each in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(each, raising=False)
    count = workers.count.__wrapped__  # not the number of the first call
    cores = count()
    assert 1 <= cores <= os.cpu_count()
    for wanted, most in {"1": 1, "100000": cores, "many": cores, "0": 1}.items():
        monkeypatch.setenv(name, wanted)
        assert count() == most


def test_scratch_is_of_one_thread_and_used_again():
    first = workers.scratch("test", (3, 4))
    assert workers.scratch("test", (2, 2)).base is first.base
    others = []
    thread = threading.Thread(target=lambda: others.append(workers.scratch("test", (3, 4))))
    thread.start()
    thread.join()
    assert not np.shares_memory(first, others[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_makes_its_own_threads(monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)
    workers.share(lambda: None, [(), ()])
    child = os.fork()
    if child == 0:
        both = threading.Barrier(2, timeout=20)
        try:
            workers.share(both.wait, [(), ()])
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
