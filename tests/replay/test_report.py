"""The report of a real training: what is on it, that it needs nothing else, and a browser shows it."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import soundfile

from starvox import UserError
from starvox.cli import main
from starvox.replay.report import write_report

HOSTILE = "<script>document.hacked=1</script>"
EVALUATION = {
    "iteration": 2,
    "errors": {"copy": {"mean": 0.04, "n": 4}, HOSTILE: None},
    "accuracy": None,
    "verdict": {"text": "copies its input", "copy": 0.1},
}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=10000"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, speech):
    """A run of one iteration, of speakers of whom one has a hostile name."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = ["path,speaker,birthplace,sex"]
    for number, row in enumerate((f"{HOSTILE},wales,F", "b,,M", "c,leeds,", f"{HOSTILE},wales,F")):
        soundfile.write(folder / f"{number}.wav", speech[number * 16000 :][:16000], 16000)
        lines.append(f"{number}.wav,{row}")
    (folder / "train.csv").write_text("\n".join(lines), encoding="utf-8")
    out = folder / "run"
    command = ["train", "smoke", "--data", str(folder / "train.csv"), "--out", str(out), "--device", "cpu"]
    main([*command, "--store", str(folder / "store"), "--iterations", "1"])
    return out


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "smoke")


@pytest.fixture(scope="module")
def full(trained, tmp_path_factory):
    """The same with an evaluation, and replayed under a hostile name."""
    run = shutil.copytree(trained, tmp_path_factory.mktemp("full") / "smoke")
    (run / "evaluation_iter_2.json").write_text(json.dumps(EVALUATION), encoding="utf-8")
    (run / "replay").mkdir()
    sound = next(run.glob("samples/*/*.wav"))
    figure = next(run.glob("samples/*/*.png"))
    for name in ("copy-synthesis", "to_b"):
        shutil.copy(sound, run / f"replay/a<img src=x onerror='document.hacked=1'>_{name}.wav")
    shutil.copy(figure, run / "replay/a<img src=x onerror='document.hacked=1'>_to_b.png")
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
        if tag not in ("img", "meta"):
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
        assert tag not in ("script", "link", "iframe", "object", "form")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "data:audio/wav;base64,", "#"))
    assert "url(" not in found.text
    assert "@import" not in found.text
    assert not re.search(r"(https?|file)://", found.text)
    assert str(full.parent) not in found.text
    policy = next(meta["content"] for meta in found.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none';")


def test_it_can_be_read_without_seeing(found):
    assert all(len(image["alt"]) > 20 for image in found.all("img"))
    assert all(player["aria-label"] for player in found.all("audio"))
    assert [len(found.all(name)) for name in ("html", "h1", "header", "nav", "main")] == [1] * 5
    assert found.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in found.all("a")} <= set(ids)
    assert {part["aria-labelledby"] for part in found.all("section")} <= set(ids)


def test_what_is_on_it(full, found):
    for words in (
        "Iteration 1; 3 of 8 epochs in ",
        "Verdict of the evaluation of iteration ",
        "Held-out clips at iteration 1",
        "Against 47c97768, its parent",
        '<th scope="row">audio.bins</th><td>64</td><td>256</td>',
        "Record against reproduction",
        "<h3>Readings</h3>",
        '<th scope="row">seed</th><td>0</td>',
        '<th scope="row">classes of speaker</th><td>3</td>',
    ):
        assert words in found.text
    players = [player["aria-label"] for player in found.all("audio")]
    assert players[0] == "input"
    assert players.count("reconstruction") == players.count("input") == 4
    assert players[-2:] == ["copy-synthesis", "to b"]
    assert len(found.all("img")) == 5 + 1 + 1


def test_hostile_names_are_texts(found):
    assert "<script" not in found.text
    assert "&lt;script&gt;" in found.text
    assert "&lt;img src=x onerror=&#x27;" in found.text


def test_the_same_run_gives_the_same_page(run):
    first = write_report(run).path.read_bytes()
    assert write_report(run).path.read_bytes() == first


def test_a_run_that_has_just_begun(run):
    for name in ("samples", "curves"):
        shutil.rmtree(run / name)
    for name in ("log", "environment.json", "rejected.csv"):
        (run / name).unlink()
    found = page(run)
    assert "the training has just begun" in found.text
    assert "No samples yet" in found.text
    assert "<code>starvox evaluate smoke</code> makes the numbers" in found.text
    (run / "log").write_text('[{"iteration": 1, "epo')
    assert "the training has just begun" in page(run).text


def test_an_experiment_that_is_not_in_experiments(run):
    config = json.loads((run / "config.json").read_text())
    config |= {"id": "mine", "title": HOSTILE, "of_another_version": {"key": 7}}
    (run / "config.json").write_text(json.dumps(config))
    found = page(run)
    assert f"<title>mine: {HOSTILE.replace('<', '&lt;').replace('>', '&gt;')}</title>" in found.text
    assert "No README.md of the experiment mine was found" in found.text
    assert '<th scope="row">of_another_version.key</th><td>7</td>' in found.text


def test_values_that_have_changed_since(run):
    config = json.loads((run / "config.json").read_text())
    config["training"]["epochs"] = 77
    (run / "config.json").write_text(json.dumps(config))
    assert re.search(r"changed since this run.*training\.epochs</th><td>77</td><td>8</td>", page(run).text)


def test_a_run_in_the_current_folder_is_not_taken_for_its_experiment(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    assert "Against 47c97768, its parent" in page(run).text


def test_what_there_is_no_room_for_is_named(full, found, tmp_path):
    report = write_report(full, tmp_path / "small.html", limit=500_000)
    assert report.path.stat().st_size < 700_000
    assert report.left_out
    small = Page(report.path)
    assert all(f"<li>{name}</li>" in small.text for name in report.left_out if "<" not in name)
    media = [len(page.all("img") + page.all("audio")) for page in (small, found)]
    assert media[0] + len(report.left_out) == media[1]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("evaluation_iter_2.json", "{", "evaluation_iter_2.json: damaged"),
        ("environment.json", "[]", "environment.json: damaged"),
        ("config.json", "[]", "config.json: damaged"),
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
    assert "neither has a config.json; train first" in capsys.readouterr().err


# In the page, waits for every picture and player, and leaves what it found in the title.
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
  document.title = JSON.stringify({
    images: await Promise.all(images), sounds: await Promise.all(sounds), hacked: document.hacked ?? 0,
    width: innerWidth, content: document.documentElement.scrollWidth,
    background: getComputedStyle(document.body).backgroundColor,
  });
});
</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")
@pytest.mark.parametrize("look", ["1280,900", "1280,900,dark", "390,844"])
def test_in_a_browser(full, look, tmp_path):
    path = write_report(full).path
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("style-src", "script-src 'unsafe-inline'; style-src").replace("</body>", PROBE)
    )
    width, height, *dark = look.split(",")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    command = [
        BROWSER,
        *FLAGS,
        *scheme,
        f"--window-size={width},{height}",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    done = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=60)
    shown = json.loads(re.search("<title>(.*?)</title>", done.stdout)[1])
    assert len(shown["images"]) == 7
    assert all(shown["images"])
    assert len(shown["sounds"]) > 5
    assert all(shown["sounds"])
    assert shown["hacked"] == 0
    assert shown["content"] <= shown["width"]
    assert shown["background"] == ("rgb(21, 24, 28)" if dark else "rgb(253, 253, 252)")
