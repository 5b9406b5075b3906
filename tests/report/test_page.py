"""The report of a real training: what is on it, that it needs nothing else, and a browser shows it."""

import base64
import io
import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from PIL import Image

from starvox import UserError
from starvox.cli import main
from starvox.evaluation.table import format_evaluation
from starvox.report import write_report
from starvox.report.media import Media
from starvox.report.page import MAX_SAMPLES, _render

HOSTILE = "<script>document.hacked=1</script>"
HOSTILE_FILE = "<img src=x onerror='document.hacked=1'>"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=10000"),
]


@pytest.fixture(scope="module")
def trained(make_manifest):
    """A run of one iteration; one of its speakers has a hostile name."""
    rows = (f"{HOSTILE},wales,F", "b,,M", "c,leeds,", f"{HOSTILE},wales,F")
    manifest = make_manifest(rows, "train.csv", step=16000, length=16000)
    out = manifest.parent / "run"
    command = ["train", "smoke", "--data", str(manifest), "--out", str(out), "--device", "cpu"]
    main([*command, "--store", str(manifest.parent / "store"), "--iterations", "1"])
    return out


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "smoke")


@pytest.fixture(scope="module")
def full(trained, evaluation, tmp_path_factory):
    """The same with two evaluations, samples of an earlier iteration, and replayed under a hostile name."""
    run = shutil.copytree(trained, tmp_path_factory.mktemp("full") / "smoke")
    hostile = evaluation | {"manifest": HOSTILE}
    (run / "evaluation_iter_2.json").write_text(json.dumps(evaluation | {"verdict": "too early"}))
    (run / "evaluation_iter_10.json").write_text(json.dumps(hostile), encoding="utf-8")
    shutil.copytree(run / "samples/iter_1", run / "samples/iter_0")
    (run / "replay").mkdir()
    for name in ("input", "copy-synthesis_source-phase", "to_b_source-phase"):
        shutil.copy(next(run.glob("samples/iter_1/*.wav")), run / f"replay/a{HOSTILE_FILE}_{name}.wav")
    shutil.copy(next(run.glob("samples/iter_1/*.png")), run / f"replay/a{HOSTILE_FILE}_to_b_source-phase.png")
    return run


class Page(HTMLParser):
    """The elements of a page; refuses one that is not well formed."""

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.open, self.elements = [], []
        self.feed(self.text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("img", "input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def page(run):
    return Page(write_report(run).path)


@pytest.fixture(scope="module")
def found(full):
    return page(full)


def test_it_needs_nothing_else(full, found):
    for tag, attributes in found.elements:
        assert tag not in ("script", "link", "iframe", "object", "form", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "data:audio/flac;base64,", "#"))
    assert not re.search(r"url\(|@import|(https?|file)://", found.text)
    assert str(full.parent) not in found.text
    assert "<script" not in found.text  # of the hostile names
    assert "&lt;script&gt;" in found.text
    assert "&lt;img src=x onerror=&#39;" in found.text
    policy = next(meta["content"] for meta in found.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none';")


def test_it_can_be_read_without_seeing(found):
    assert all(len(image["alt"]) > 20 for image in found.all("img"))
    assert all(player["aria-label"] for player in found.all("audio"))
    assert [len(found.all(name)) for name in ("html", "h1", "header", "nav", "main")] == [1] * 5
    assert found.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in found.all("a")} <= set(ids)
    assert {part["aria-labelledby"] for part in found.all("section")} <= set(ids)
    assert {label["for"] for label in found.all("label")} == {choice["id"] for choice in found.all("input")}


def test_what_is_on_it(full, found):
    for words in (
        "Iteration 1; 3 of 8 epochs in ",
        "Verdict of the evaluation of iteration 10: copies its input.",
        "Against 47c97768, its parent",
        '<th scope="row">audio.bins</th><td>64</td><td>256</td>',
        "Record against reproduction",
        "<h3>Readings</h3>",
        '<th scope="row">seed</th><td>0</td>',
        '<th scope="row">classes of speaker</th><td>3</td>',
    ):
        assert words in found.text
    assert "too early" not in found.text
    assert len(found.all("img")) == 5 + 1 + 1 + 1


def test_the_evaluation_is_what_the_terminal_prints(full, found):
    printed = format_evaluation(json.loads((full / "evaluation_iter_10.json").read_text(encoding="utf-8")))
    shown = unescape(re.search(r"<pre.*?>(.*?)</pre>", found.text, re.S)[1])
    verdict = unescape(re.search(r'class="verdict">Verdict: (.*?)</p>', found.text, re.S)[1])
    assert f"{shown}\nverdict: {verdict}" == printed


def test_the_recording_its_copy_synthesis_and_the_conversions_are_side_by_side(found):
    players = [player["aria-label"] for player in found.all("audio")]
    assert players[-3:] == ["original recording", "copy-synthesis source-phase", "to b source-phase"]
    clip = players[: len(players) // 8]  # of four, at two iterations
    assert clip[:2] == ["original recording", "copy-synthesis"]
    assert clip[-1] == "reconstruction"
    assert all(label.startswith("to ") for label in clip[2:-1])


def test_one_of_the_iterations_with_samples_is_chosen_of_many_some(run):
    for iteration in range(2, 30):
        (run / f"samples/iter_{iteration}").mkdir()
        shutil.copy(run / "samples/iter_1/spectrograms.png", run / f"samples/iter_{iteration}/a.png")
    choices = page(run).all("input")
    assert {choice["type"] for choice in choices} == {"radio"}
    shown = [int(choice["id"].removeprefix("iteration-")) for choice in choices]
    assert len(shown) == MAX_SAMPLES
    assert (shown[0], shown[-1]) == (29, 1)
    assert set(-np.diff(shown)) <= {5, 6}
    assert [choice["id"] for choice in choices if "checked" in choice] == ["iteration-29"]


def test_sounds_and_pictures_are_smaller_and_the_same(full):
    media = Media(full, 10**6)
    for path in full.glob("samples/iter_1/*"):
        head, text = media.uri(path).split(",")
        assert len(text) < path.stat().st_size
        made = io.BytesIO(base64.b64decode(text))
        if path.suffix == ".wav":
            assert head == "data:audio/flac;base64"
            sound, rate = soundfile.read(made, dtype="int16")
            assert rate == 16000
            np.testing.assert_array_equal(sound, soundfile.read(path, dtype="int16")[0])
        else:
            assert head == "data:image/webp;base64"
            was, is_ = (np.asarray(Image.open(file).convert("RGB"), float) for file in (path, made))
            assert np.abs(is_ - was).mean() < 5  # of 255


def test_what_is_damaged_or_huge_is_left_out(run):
    (run / "replay").mkdir()
    (run / "replay/a.wav").write_bytes(b"RIFF no sound")
    soundfile.write(run / "replay/b.wav", np.zeros((10**6, 30), np.int16), 8000, format="RF64")
    (run / "replay/c.png").write_bytes((run / "samples/iter_1/spectrograms.png").read_bytes()[:5000])
    Image.new("1", (5000, 5000)).save(run / "replay/d.png")
    report = write_report(run)
    assert report.left_out == [f"replay/{name}" for name in ("a.wav", "b.wav", "c.png", "d.png")]
    assert "<li>replay/a.wav</li>" in report.path.read_text(encoding="utf-8")


def test_a_run_that_has_just_begun(run):
    for name in ("samples", "curves"):
        shutil.rmtree(run / name)
    for name in ("log", "environment.json", "rejected.csv"):
        (run / name).unlink()
    found = page(run)
    assert "the training has just begun" in found.text
    assert "No samples yet" in found.text
    assert "<code>starvox evaluate smoke</code> makes the numbers" in found.text


def test_of_another_experiment_or_one_that_has_changed_since(run):
    config = json.loads((run / "config.json").read_text())
    config["training"]["epochs"] = 77
    (run / "config.json").write_text(json.dumps(config))
    changed = page(run).text.partition("changed since this run")[2]
    assert '<th scope="row">training.epochs</th><td>77</td><td>8</td>' in changed
    config |= {"id": "mine", "title": HOSTILE, "of_another_version": {"key": 7}}
    (run / "config.json").write_text(json.dumps(config))
    first = page(run).text
    assert f"<title>mine: {HOSTILE.replace('<', '&lt;').replace('>', '&gt;')}</title>" in first
    assert "No README.md of the experiment mine was found" in first
    assert '<th scope="row">of_another_version.key</th><td>7</td>' in first
    assert page(run).text == first  # the same of the same run


def test_what_there_is_no_room_for_is_named(full, found, tmp_path):
    limit = sum(len(item["src"]) for item in found.all("img") + found.all("audio")) * 9 // 10
    report = write_report(full, tmp_path / "small.html", limit)
    assert report.left_out
    small = Page(report.path)
    assert all(f"<li>{name}</li>" in small.text for name in report.left_out if "<" not in name)
    assert not any("samples/iter_1/" in name for name in report.left_out)  # the newest go first
    media = [len(page.all("img") + page.all("audio")) for page in (small, found)]
    assert media[0] + len(report.left_out) == media[1]


def test_pictures_are_left_out_before_sounds(run):
    found = page(run)
    limit = sum(len(item["src"]) for item in found.all("img") + found.all("audio")) - 1
    assert write_report(run, limit=limit).left_out == ["samples/iter_1/spectrograms.png"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("evaluation_iter_2.json", "{", "evaluation_iter_2.json: damaged"),
        ("environment.json", "[]", "environment.json: damaged"),
        ("config.json", "[]", "config.json: damaged"),
        ("config.json", f'{{"title": "{"x" * 2_000_000}"}}', "config.json: damaged"),
        ("log", "{}", "log: not a log"),
    ],
)
def test_a_damaged_file(run, file, text, message):
    (run / file).write_text(text)
    with pytest.raises(UserError, match=message):
        write_report(run)
    assert not list(run.glob("*.html*"))


def test_the_command(run, capsys, tmp_path):
    out = tmp_path / "pages/a.html"
    assert main(["report", str(run), "-o", str(out)]) == 0
    assert re.match(rf"{out}: \d\.\d MB; open it in a browser\n", capsys.readouterr().out)
    assert main(["report", str(tmp_path)]) == 2
    assert f"no run {tmp_path}; there" in capsys.readouterr().err


def test_a_readme_is_put_below_the_pages_headings_and_leads_nowhere():
    html = _render(
        "# 47c97768\n\nSee [the file](config.toml) and ![a *curve*](figure.png), <script>alert(1)</script>.\n"
        '\n## Readings\n\n| words | `switch` |\n|---|---|\n| "a < b" | [x](https://example.org) |\n'
    )
    assert "<h3>Readings</h3>" in html
    assert "See the file and a *curve*," in html
    assert "<td>&quot;a &lt; b&quot;</td>" in html
    assert not any(word in html for word in ("47c97768", "<a", "<img", "href", "example.org", "<script"))


# In the page: waits for every picture and player, chooses the other iteration, and tells what it found.
PROBE = """<script>
const seen = (element, loaded, ok) => new Promise(done => {
  if (ok()) return done(true);
  element.addEventListener(loaded, () => done(ok()));
  element.addEventListener("error", () => done(false));
});
addEventListener("load", async () => {
  const images = [...document.images].map(i => seen(i, "load", () => i.naturalWidth > 0));
  const players = [...document.querySelectorAll("audio")];
  const sounds = players.map(a => seen(a, "loadedmetadata", () => a.duration > 0.1));
  const shown = () => [...document.querySelectorAll(".choice > div")].map(panel => panel.offsetHeight > 0);
  const found = {
    images: await Promise.all(images), sounds: await Promise.all(sounds), hacked: document.hacked ?? 0,
    width: innerWidth, content: document.documentElement.scrollWidth, newest: shown(),
  };
  document.querySelectorAll(".choice > label")[1].click();
  parent.postMessage({...found, other: shown()}, "*");
});
</script></body>"""
# Two screens of it, one a phone's. What each tells is left in the title, in their order.
SCREENS = """<!DOCTYPE html><title></title><script>
const found = [];
addEventListener("message", event => {
  const screens = [...document.querySelectorAll("iframe")].map(frame => frame.contentWindow);
  found[screens.indexOf(event.source)] = event.data;
  document.title = JSON.stringify(found);
});
</script>
<iframe src="report.html" width="1280" height="900"></iframe>
<iframe src="report.html" width="390" height="844"></iframe>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")
def test_in_a_browser(full, found, tmp_path):
    policy = found.text.replace("style-src", "script-src 'unsafe-inline'; style-src")
    (tmp_path / "report.html").write_text(policy.replace("</body>", PROBE), encoding="utf-8")
    (tmp_path / "screens.html").write_text(SCREENS)
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    url = (tmp_path / "screens.html").as_uri()
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=120)
    screens = json.loads(unescape(re.search("<title>(.*?)</title>", done.stdout)[1]))
    assert [screen["width"] for screen in screens] == [1280, 390]
    for screen in screens:
        assert screen["images"] == [True] * len(found.all("img"))
        assert screen["sounds"] == [True] * len(found.all("audio"))
        assert screen["hacked"] == 0
        assert screen["content"] <= screen["width"]
        assert (screen["newest"], screen["other"]) == ([True, False], [False, True])
