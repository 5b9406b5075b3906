"""The log that a training writes, read as arrays."""

import json

import numpy as np
import pytest

from starvox.errors import UserError
from starvox.plotting import LOG_KEYS, read_log

ENTRIES = [
    {key: float(10 * i + k) for k, key in enumerate(LOG_KEYS)} | {"epoch": 0, "iteration": i}
    for i in (1, 2, 3)
]


def test_reads_every_key_of_a_log_or_of_the_folder_that_holds_it(tmp_path):
    (tmp_path / "log").write_text(json.dumps(ENTRIES, indent=4))
    for path in (tmp_path, tmp_path / "log", str(tmp_path)):
        log = read_log(path)
        assert set(log) == set(LOG_KEYS)
        for key in LOG_KEYS:
            assert log[key].dtype == np.float64
            np.testing.assert_array_equal(log[key], [entry[key] for entry in ENTRIES])


def test_what_an_entry_lacks_or_cannot_say_is_nan(tmp_path):
    (tmp_path / "log").write_text(
        '[{"iteration": 1, "dis/loss": 2.5}, {"iteration": 2, "dis/loss": NaN, "lr": 1e-5},'
        ' {"iteration": 3, "dis/loss": Infinity, "lr": null}, {"iteration": 4, "lr": "?"}]'
    )
    log = read_log(tmp_path)
    np.testing.assert_array_equal(log["dis/loss"], [2.5, np.nan, np.inf, np.nan])
    np.testing.assert_array_equal(log["lr"], [np.nan, 1e-5, np.nan, np.nan])
    assert np.isnan(log["gen/identity"]).all()


@pytest.mark.parametrize(
    "text",
    [
        '{"iteration": 1}',
        "epoch,iteration\n1,2\n",
        "[1, 2]",
        '[{"epoch": 1}]',
        '[{"iteration": 1}',
        "\x00\xff",
    ],
)
def test_refuses_what_is_not_a_log(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"config\.json: not a log; give") as caught:
        read_log(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [".", "absent/log"])
def test_names_the_log_that_is_not_there_or_is_empty(tmp_path, name):
    with pytest.raises(UserError, match="log: no such log; give a results folder"):
        read_log(tmp_path / name)
    (tmp_path / "log").write_text("[]")
    with pytest.raises(UserError, match="log: no entry yet; wait"):
        read_log(tmp_path)
