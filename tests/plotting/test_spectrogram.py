import matplotlib.image
import numpy as np
import pytest

from starvox.config import load_experiment
from starvox.plotting import draw_spectrograms, save_figure

AUDIO = load_experiment("47c97768").audio


def clips(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def image(ax):
    return ax.get_images()[0]


def test_a_grid_of_the_given_values_on_one_scale(tmp_path):
    rows = clips(2, 3, 64, 32)
    figure = draw_spectrograms(rows, ["input", "p225", "p226\nF"], AUDIO, ["one", "two"])
    path = save_figure(figure, tmp_path / "new" / "a.png")
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]
    assert matplotlib.image.imread(path)[..., :3].std() > 0.1
    axes = np.array(figure.axes[:6]).reshape(2, 3)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(image(axes[i, j]).get_array(), 60 * rows[i, j] - 60, atol=1e-5)
        assert image(axes[i, j]).get_clim() == (-60, 0)
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["input", "p225", "p226\nF"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["one\nfrequency (Hz)", "two\nfrequency (Hz)"]
    assert [ax.get_xlabel() for ax in axes[1]] == ["time (s)"] * 3
    (bar,) = figure.axes[6:]
    assert bar.get_ylabel() == "magnitude (dB)"


def test_the_colours_go_from_the_floor_to_what_the_inputs_reach():
    quiet, loud = clips(64, 64) * 0.5, clips(64, 64)
    quiet[0, 0] = 1  # one px is not what an input reaches
    figure = draw_spectrograms([[quiet, loud]], ["input", "output"], AUDIO)
    assert [image(ax).get_clim() for ax in figure.axes[:2]] == [(-60, -30)] * 2


def test_a_long_clip_gets_a_px_a_frame_below_one_another():
    figure = draw_spectrograms([[clips(8, 1875)]] * 3, ["30 s"], AUDIO, difference=True)
    assert figure.get_figwidth() * figure.dpi >= 1875
    assert len({ax.get_position().x0 for ax in figure.axes[:3]}) == 1
    assert draw_spectrograms([[clips(8, 10**5)]], ["half an hour"], AUDIO).get_figwidth() < 65


def test_bins_are_centred_at_their_frequency_and_frames_begin_at_their_time():
    figure = draw_spectrograms([[clips(256, 256)]], ["input"], AUDIO)
    left, right, bottom, top = image(figure.axes[0]).get_extent()
    centres = bottom + (np.arange(256) + 0.5) * (top - bottom) / 256
    np.testing.assert_allclose(centres, np.fft.rfftfreq(1024, 1 / 16000)[1:257])
    starts = left + np.arange(256) * (right - left) / 256
    np.testing.assert_allclose(starts, np.arange(256) * 256 / 16000)
    assert image(figure.axes[0]).origin == "lower"


@pytest.mark.parametrize(
    ("changes", "decibels"),
    [({"floor": 1e-5}, -100), ({"floor": 2e-3}, -53.98), ({"spectrum": "power"}, -30)],
)
def test_the_scale_follows_the_floor(changes, decibels):
    figure = draw_spectrograms([[clips(8, 8)]], ["input"], AUDIO.model_copy(update=changes))
    assert image(figure.axes[0]).get_clim() == pytest.approx((decibels, 0), abs=0.01)


@pytest.mark.parametrize("size", [0.01, 0.0])
def test_differences_have_a_scale_of_their_own(size):
    source = clips(64, 200)
    output = source + size * np.sin(np.arange(200, dtype=np.float32))
    rows = [[source], [output], [output - source]]
    figure = draw_spectrograms(rows, ["a clip"], AUDIO, ["input", "output", "difference"], difference=True)
    low, high = image(figure.axes[2]).get_clim()
    assert -low == high == pytest.approx(60 * (size or 1), rel=0.01)
    assert [image(ax).get_clim() for ax in figure.axes[:2]] == [(-60, 0)] * 2
    assert [bar.get_ylabel() for bar in figure.axes[3:]] == ["magnitude (dB)", "difference (dB)"]


def test_clips_of_different_length_share_the_seconds():
    figure = draw_spectrograms([[clips(8, 125)], [clips(8, 250)]], ["input"], AUDIO)
    assert [ax.get_xlim() for ax in figure.axes[:2]] == [(0, 4), (0, 4)]
    assert image(figure.axes[0]).get_extent()[1] == 2


def test_any_words_and_values_can_be_drawn(tmp_path):
    spectrogram = clips(8, 8)
    spectrogram[2:4] = np.nan
    rows = [[spectrogram, spectrogram - 0.5]] * 2
    figure = draw_spectrograms(rows, ["$x_$", "_" * 80], AUDIO, ["a $ b $", ""], difference=True)
    save_figure(figure, tmp_path / "a.png")


def test_refuses_rows_titles_and_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="zip"):
        draw_spectrograms([[clips(8, 8)] * 2], ["input"], AUDIO)
    with pytest.raises(ValueError, match="zip"):
        draw_spectrograms([[clips(8, 8)]], ["input"], AUDIO, ["a", "b"])
