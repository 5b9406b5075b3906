from starvox.replay.report.markdown import render

TEXT = """# 47c97768

See [the file](config.toml) and ![a *curve*](figure.png), <script>alert(1)</script>.

## Readings

| words | `switch` |
|---|---|
| "a < b" | [x](https://example.org) |
"""


def test_the_title_is_left_out_and_headings_move_down():
    html = render(TEXT)
    assert "47c97768" not in html
    assert "<h3>Readings</h3>" in html


def test_links_are_words_and_pictures_their_descriptions():
    html = render(TEXT)
    assert "See the file and a *curve*," in html
    assert not any(word in html for word in ("<a", "<img", "href", "example.org", "<script"))


def test_cells_know_their_column():
    html = render(TEXT)
    assert '<th scope="col">words</th>' in html
    assert '<td data-label="words">&quot;a &lt; b&quot;</td>' in html
    assert '<td data-label="switch">x</td>' in html


def test_a_text_without_a_title_keeps_everything():
    assert render("Only words.") == "<p>Only words.</p>\n"
    assert render("") == ""
