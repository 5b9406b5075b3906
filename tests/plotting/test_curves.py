import re

import matplotlib.image
import numpy as np
import pytest

from starvox.errors import UserError
from starvox.plotting import CURVES, LOG_KEYS, draw_curve, plot_curves
from starvox.plotting.curves import smooth
from starvox.plotting.files import save_figure

NAMES = ["wasserstein", "classification", "gradient_penalty", "identity_reconstruction", "feature_matching"]


def make_log(entries, seed=0, per_epoch=10):
    rng = np.random.default_rng(seed)
    log = {key: rng.gamma(2, 0.1, entries) for key in LOG_KEYS}
    log["dis/wasserstein"] = rng.normal(-2, 1.5, entries)
    log["iteration"] = np.arange(1.0, entries + 1)
    log["epoch"] = log["iteration"] // per_epoch
    return log


def lines(figure, label="_logged"):
    return [line for line in figure.axes[0].get_lines() if line.get_label() == label]


def legend(figure):
    return [text.get_text().strip() for found in figure.legends for text in found.get_texts()]


def pixels(path):
    return matplotlib.image.imread(path)[..., :3]


def has_colour(path, colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return (np.abs(pixels(path) - rgb).max(-1) < 0.02).any()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The figures of two runs."""
    folder = tmp_path_factory.mktemp("curves") / "made" / "here"
    paths = plot_curves([make_log(150), make_log(120, seed=1)], folder, names=["a", "b"])
    assert [path.name for path in paths] == [
        f"{name}.{ending}" for name in NAMES for ending in ("png", "svg")
    ]
    return folder


def test_the_five_figures_of_the_record_and_nothing_else(folder):
    assert sorted(path.stem for path in folder.glob("*.png")) == sorted(NAMES)
    assert len(list(folder.iterdir())) == 10
    for path in folder.glob("*.svg"):
        assert path.read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize("name", NAMES)
def test_both_runs_can_be_seen(folder, name):
    assert has_colour(folder / f"{name}.png", "#0072B2")
    assert has_colour(folder / f"{name}.png", "#D55E00")


RECORD = {
    "wasserstein": {"": "dis/wasserstein"},  # one line alone needs no word
    "classification": {"D": "dis/classification", "G": "gen/classification"},
    "gradient_penalty": {"": "dis/gradient_penalty"},
    "identity_reconstruction": {"identity mapping": "gen/identity", "reconstruction": "gen/reconstruction"},
    "feature_matching": {"": "gen/feature_matching"},
}


@pytest.mark.parametrize("curve", CURVES, ids=NAMES)
def test_each_line_is_the_loss_that_the_legend_names(curve):
    log = make_log(20)
    figure = draw_curve(curve, [log], ["run"])
    drawn = {line.get_color(): line.get_ydata() for line in lines(figure)}
    (box,) = figure.legends
    words = [text.get_text().strip().removeprefix("run").removeprefix(", ") for text in box.get_texts()]
    named = dict(zip(words, [drawn[line.get_color()] for line in box.get_lines()], strict=True))
    assert named.keys() == RECORD[curve.name].keys()
    for word, key in RECORD[curve.name].items():
        np.testing.assert_array_equal(named[word], log[key])


@pytest.mark.parametrize("curve", CURVES, ids=NAMES)
def test_draws_the_log_and_says_what_it_is(curve):
    logs = [make_log(150), make_log(40, seed=1)]
    figure = draw_curve(curve, logs, ["first", "second"])
    expected = [(log["iteration"], log[key]) for log in logs for key in curve.keys]
    for line, (x, y) in zip(lines(figure), expected, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), x)
        np.testing.assert_array_equal(line.get_ydata(), y)
    means = [smooth(logs[0][key]) for key in curve.keys]
    for line, mean in zip(lines(figure, "_mean"), means, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), mean)
    ax = figure.axes[0]
    assert ax.get_xlabel() == "iteration"
    assert ax.get_ylabel()
    assert ax.get_title(loc="left")
    assert sum(text.startswith("first") for text in legend(figure)) == len(curve.keys)
    assert sum(text.startswith("second") for text in legend(figure)) == len(curve.keys)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines(figure, "_mean")}) == len(means)


def test_the_five_figures_hold_the_keys_of_the_record():
    assert [curve.name for curve in CURVES] == NAMES
    keys = [key for curve in CURVES for key in curve.keys]
    assert set(keys) < set(LOG_KEYS)
    assert len(keys) == 7


def test_names_are_shown_as_they_are(tmp_path):
    names = ["_hidden", "$x_$ costs $", "a" * 150]
    figure = draw_curve(CURVES[0], [make_log(3)] * 3, names)
    assert legend(figure) == names
    figure.savefig(tmp_path / "a.png")


def test_runs_without_names_are_numbered_and_one_alone_needs_none():
    assert legend(draw_curve(CURVES[0], [make_log(3)] * 2)) == ["run 1", "run 2"]
    assert legend(draw_curve(CURVES[0], [make_log(3)])) == []
    assert legend(draw_curve(CURVES[1], [make_log(3)])) == ["D", "G"]


@pytest.mark.parametrize(("count", "names"), [(0, None), (0, []), (1, ["a", "b"]), (2, ["a"])])
def test_refuses_names_that_do_not_fit(count, names):
    with pytest.raises(ValueError, match="as many names"):
        draw_curve(CURVES[0], [make_log(3)] * count, names)


@pytest.mark.parametrize("loglog", [False, True])
def test_a_single_entry_is_visible(tmp_path, loglog):
    path = save_figure(draw_curve(CURVES[1], [make_log(1)], loglog=loglog), tmp_path / "a.png")
    assert has_colour(path, "#0072B2")
    assert has_colour(path, "#D55E00")


@pytest.mark.parametrize("loglog", [False, True])
@pytest.mark.parametrize("entries", [50, 500])
def test_a_value_between_gaps_is_visible(tmp_path, entries, loglog):
    values = np.full(entries, np.nan)
    values[20] = 0.3
    values[-1] = np.inf
    figure = draw_curve(CURVES[0], [make_log(entries) | {"dis/wasserstein": values}], loglog=loglog)
    assert has_colour(save_figure(figure, tmp_path / "a.png"), "#0072B2")


@pytest.mark.parametrize("loglog", [False, True])
def test_says_so_where_nothing_was_logged(tmp_path, loglog):
    log = make_log(5) | {"dis/wasserstein": np.full(5, np.nan)}
    figure = draw_curve(CURVES[0], [log], loglog=loglog)
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing logged"]
    figure.savefig(tmp_path / "a.png")


def test_loglog_shows_both_signs_and_tells_where_it_is_linear(tmp_path):
    log = make_log(200)
    log["dis/wasserstein"][:4] = [0.5, 0, -0.5, -3]
    figure = draw_curve(CURVES[0], [log], loglog=True)
    figure.savefig(tmp_path / "a.png")
    ax = figure.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "symlog")
    assert re.search(r"\(linear within ±0\.\d+\)", ax.get_ylabel())
    points = ax.transAxes.inverted().transform(ax.transData.transform(lines(figure)[0].get_xydata()))
    assert ((points >= 0) & (points <= 1)).all()
    assert (np.diff(points[:4, 1]) < 0).all()


@pytest.mark.parametrize("spread", [1e-3, 3.0])
def test_loglog_of_positive_losses_is_logarithmic_and_shows_all(spread):
    log = make_log(50)
    log["dis/gradient_penalty"] = 0.1 * np.exp(spread * np.linspace(-1, 1, 50))
    ax = draw_curve(CURVES[2], [log], loglog=True).axes[0]
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    assert low < log["dis/gradient_penalty"].min()
    assert high > log["dis/gradient_penalty"].max()


def test_epochs_stand_above_their_iterations(tmp_path):
    figure = draw_curve(CURVES[0], [make_log(95), make_log(41)])
    figure.savefig(tmp_path / "a.png")
    (top,) = figure.axes[0].child_axes
    assert top.get_xlabel() == "epoch"
    np.testing.assert_allclose(top.get_xlim(), np.array(figure.axes[0].get_xlim()) / 10)


@pytest.mark.parametrize("other", [make_log(95, per_epoch=20), make_log(5)])
def test_no_epochs_where_runs_disagree_or_none_has_ended(other):
    assert not draw_curve(CURVES[0], [make_log(95), other]).axes[0].child_axes


def test_the_mean_is_centred_and_as_wide_as_a_fiftieth():
    impulse = np.zeros(1000)
    impulse[500] = 21.0
    mean = smooth(impulse)
    assert np.flatnonzero(mean).tolist() == list(range(490, 511))
    np.testing.assert_allclose(mean[490:511], 1)
    np.testing.assert_allclose(smooth(np.full(1000, 0.1)), 0.1)
    np.testing.assert_array_equal(smooth(impulse[450:549]), impulse[450:549])


def test_the_mean_leaves_gaps_and_is_not_drawn_to_them():
    values = np.full(300, 2.0)
    values[[0, 100, 101, 299]] = np.nan, np.inf, np.nan, -np.inf
    mean = smooth(values)
    np.testing.assert_array_equal(np.isfinite(mean), np.isfinite(values))
    np.testing.assert_allclose(mean[np.isfinite(mean)], 2)


def test_a_figure_is_drawn_anew_over_the_old(tmp_path):
    path = tmp_path / "a.png"
    before = pixels(save_figure(draw_curve(CURVES[0], [make_log(20)]), path))
    after = pixels(save_figure(draw_curve(CURVES[0], [make_log(21)]), path))
    assert not np.array_equal(before, after)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"wasserstein\.png: cannot be written .*choose another folder"):
        plot_curves([make_log(3)], tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "wasserstein.nonsense").write_text("old")
    with pytest.raises(ValueError, match="nonsense"):
        plot_curves([make_log(3)], tmp_path, formats=["nonsense"])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
