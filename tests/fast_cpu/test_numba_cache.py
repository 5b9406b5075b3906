"""Numba's files of compiled code, really damaged: the code is compiled again and kept."""

import resource

import numba
import pytest

from starvox.fast_cpu import numba_cache


def double(x):
    return x + x


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Returns a function that runs `double` as a new process would; it returns whether its code was kept."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    numba_cache._tell.cache_clear()

    def run():
        compiled = numba.njit(cache=True)(double)
        assert compiled(21) == 42
        return bool(compiled.stats.cache_hits)

    assert not run()
    assert run()
    return run


def halve(content):
    return content[: len(content) // 2]


def flip_in_the_middle(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def clear_the_end(content):
    return halve(content).ljust(len(content), b"\0")


DAMAGES = [halve, flip_in_the_middle, clear_the_end, lambda content: b"", lambda content: bytes(len(content))]


@pytest.mark.parametrize("damage", DAMAGES, ids=["half", "flipped", "half zeros", "empty", "zeros"])
@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc"])
def test_a_damaged_file_is_told_and_made_anew(run, tmp_path, capsys, pattern, damage):
    assert capsys.readouterr().err == ""
    paths = list(tmp_path.rglob(pattern))
    assert paths
    for path in paths:
        path.write_bytes(damage(path.read_bytes()))
    assert not run()
    assert f"compiled code in {paths[0].parent} is damaged; it is removed" in capsys.readouterr().err
    assert run()
    assert capsys.readouterr().err == ""


def test_where_nothing_can_be_written_it_runs_all_the_same(run, tmp_path):
    """The kernel lets no file grow beyond 10 bytes, as on a full disk."""
    for path in tmp_path.rglob("*.nb?"):
        path.write_bytes(b"")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        assert not run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".nbi", ".nbc"}
    assert not run()
    assert run()


def test_another_program_can_read_the_files(run):
    numba_cache.replacements.disable()
    try:
        assert run()
    finally:
        numba_cache.replacements.enable()
