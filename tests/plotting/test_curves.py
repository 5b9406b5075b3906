import re

import matplotlib.image
import numpy as np
import pytest

from starvox.errors import UserError
from starvox.plotting import CURVES, LOG_KEYS, draw_curve, plot_curves
from starvox.plotting.curves import smooth
from starvox.plotting.files import save_figure

# figure -> what its legend says -> the key; one line alone needs no word
RECORD = {
    "wasserstein": {"": "dis/wasserstein"},
    "classification": {"D": "dis/classification", "G": "gen/classification"},
    "gradient_penalty": {"": "dis/gradient_penalty"},
    "identity_reconstruction": {"identity mapping": "gen/identity", "reconstruction": "gen/reconstruction"},
    "feature_matching": {"": "gen/feature_matching"},
}


def make_log(entries, seed=0, per_epoch=10):
    rng = np.random.default_rng(seed)
    log = {key: rng.gamma(2, 0.1, entries) for key in LOG_KEYS}
    log["dis/wasserstein"] = rng.normal(-2, 1.5, entries)
    log["iteration"] = np.arange(1.0, entries + 1)
    log["epoch"] = log["iteration"] // per_epoch
    return log


def lines(figure):
    """The lines of a figure that show something, not those that only explain the legend."""
    return [line for line in figure.axes[0].get_lines() if len(line.get_xdata())]


def legend(figure):
    return [text.get_text().strip() for found in figure.legends for text in found.get_texts()]


def pixels(path):
    return matplotlib.image.imread(path)[..., :3]


def has_colour(path, colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return (np.abs(pixels(path) - rgb).max(-1) < 0.02).any()


def test_the_five_figures_of_the_record_and_nothing_else(tmp_path):
    paths = plot_curves([make_log(150), make_log(120, seed=1)], tmp_path / "new", names=["a", "b"])
    assert [path.name for path in paths] == [f"{name}.{end}" for name in RECORD for end in ("png", "svg")]
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths)
    for path in paths[::2]:
        assert has_colour(path, "#0072B2")  # both runs can be seen
        assert has_colour(path, "#D55E00")
    for path in paths[1::2]:
        assert path.read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize("curve", CURVES, ids=RECORD)
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


def test_the_five_figures_hold_the_keys_of_the_record():
    drawn = [(curve.name, list(curve.keys)) for curve in CURVES]
    assert drawn == [(name, list(keys.values())) for name, keys in RECORD.items()]


@pytest.mark.parametrize("curve", CURVES, ids=RECORD)
def test_draws_the_logs_and_the_mean_of_a_long_one_and_says_what_it_is(curve):
    long, short = make_log(150), make_log(40, seed=1)
    figure = draw_curve(curve, [long, short], ["first", "second"])
    expected = [(long, values) for key in curve.keys for values in (long[key], smooth(long[key]))]
    expected += [(short, short[key]) for key in curve.keys]
    for line, (log, values) in zip(lines(figure), expected, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), log["iteration"])
        np.testing.assert_array_equal(line.get_ydata(), values)
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", curve.ylabel)
    assert ax.get_title(loc="left") == curve.title
    words = [word.partition(",")[0] for word in legend(figure)]
    n = len(curve.keys)
    assert words == ["first"] * n + ["second"] * n + ["as logged", "centred moving mean (1/50 of points)"]
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.legends[0].get_lines()}
    assert len(looks) == len(words)


def test_names_are_shown_as_they_are(tmp_path):
    names = ["_hidden", "$x_$ costs $", "a" * 150]
    figure = draw_curve(CURVES[0], [make_log(3)] * 3, names)
    assert legend(figure) == names
    figure.savefig(tmp_path / "a.png")


def test_runs_without_names_are_numbered_and_one_alone_needs_none():
    assert legend(draw_curve(CURVES[0], [make_log(3)] * 2)) == ["run 1", "run 2"]
    assert legend(draw_curve(CURVES[0], [make_log(3)])) == []
    assert legend(draw_curve(CURVES[1], [make_log(3)])) == ["D", "G"]


@pytest.mark.parametrize(("count", "names"), [(0, None), (1, ["a", "b"]), (2, ["a"])])
def test_refuses_names_that_do_not_fit(count, names):
    with pytest.raises(ValueError, match="as many names"):
        draw_curve(CURVES[0], [make_log(3)] * count, names)


@pytest.mark.parametrize("loglog", [False, True])
@pytest.mark.parametrize("entries", [1, 50, 500])
def test_a_value_between_gaps_is_visible(tmp_path, entries, loglog):
    values = np.full(entries, np.nan)
    values[entries // 2] = 0.3
    values[entries // 2 + 1 :] = np.inf
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


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("spread", [1e-3, 3.0])
def test_loglog_shows_all_and_labels_what_is_between_the_powers_of_ten(tmp_path, spread, sign):
    log = make_log(50)
    log["dis/gradient_penalty"] = values = sign * 0.1 * np.exp(spread * np.linspace(-1, 1, 50))
    figure = draw_curve(CURVES[2], [log], loglog=True)
    figure.savefig(tmp_path / "a.png")
    ax = figure.axes[0]
    low, high = ax.get_ylim()
    assert low < values.min()
    assert high > values.max()
    minor = [label.get_text() for label in ax.get_yticklabels(which="minor")]
    assert any(r"2\times10^{-1}" in label for label in minor)
    assert sum(map(bool, minor)) >= 2


def test_epochs_stand_above_their_iterations(tmp_path):
    figure = draw_curve(CURVES[0], [make_log(95), make_log(41)])
    figure.savefig(tmp_path / "a.png")
    (top,) = figure.axes[0].child_axes
    assert top.get_xlabel() == "epoch"
    np.testing.assert_allclose(top.get_xlim(), np.array(figure.axes[0].get_xlim()) / 10)


@pytest.mark.parametrize("other", [make_log(95, per_epoch=20), make_log(5)])
def test_no_epochs_where_runs_disagree_or_none_has_ended(other):
    assert not draw_curve(CURVES[0], [make_log(95), other]).axes[0].child_axes


def test_the_mean_is_centred_as_wide_as_a_fiftieth_and_leaves_gaps():
    impulse = np.zeros(1000)
    impulse[500] = 21.0
    mean = smooth(impulse)
    assert np.flatnonzero(mean).tolist() == list(range(490, 511))
    np.testing.assert_allclose(mean[490:511], 1)
    np.testing.assert_array_equal(smooth(impulse[450:549]), impulse[450:549])
    values = np.full(300, 2.0)
    values[[0, 100, 101, 299]] = np.nan, np.inf, np.nan, -np.inf
    np.testing.assert_allclose(smooth(values), np.where(np.isfinite(values), 2, np.nan))


def test_a_figure_is_drawn_anew_over_the_old_and_a_failure_leaves_the_old(tmp_path):
    path = save_figure(draw_curve(CURVES[0], [make_log(20)]), tmp_path / "a.png")
    before = pixels(path)
    assert not np.array_equal(before, pixels(save_figure(draw_curve(CURVES[0], [make_log(21)]), path)))
    old = path.rename(tmp_path / "a.nonsense").read_bytes()
    with pytest.raises(ValueError, match="nonsense"):
        save_figure(draw_curve(CURVES[0], [make_log(3)]), tmp_path / "a.nonsense")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [old]
    with pytest.raises(UserError, match=r"wasserstein\.png: cannot be written .*choose another folder"):
        plot_curves([make_log(3)], tmp_path / "a.nonsense")
