from starvox.replay.report.values import tree


def test_single_values_make_a_list():
    html = tree({"iteration": 3, "none": None, "is_so": True, "share": 0.123456, "kernel": [3, 3]})
    for name, value in (
        ("iteration", "3"),
        ("none", "–"),
        ("is so", "yes"),
        ("share", "0.1235"),
        ("kernel", "3, 3"),
    ):
        assert f'<th scope="row">{name}</th><td>{value}</td>' in html
    assert "<h3>" not in html


def test_entries_that_are_alike_make_one_table():
    html = tree({"errors": {"copy": {"mean": 0.5, "n": 2}, "identity": None}})
    assert html.count("<table") == 1
    assert '<th scope="col">mean</th><th scope="col">n</th>' in html
    assert '<th scope="row">identity</th><td>–</td><td>–</td>' in html


def test_an_entry_within_an_entry_may_be_null():
    html = tree({"F": {"real": {"mean": 1, "n": 2}, "chance": 0.5}, "M": {"real": None, "chance": 0.5}})
    assert '<th scope="col">real, mean</th><th scope="col">real, n</th><th scope="col">chance</th>' in html
    assert '<th scope="row">M</th><td>–</td><td>–</td><td>0.5</td>' in html


def test_entries_that_are_not_alike_follow_under_headings():
    html = tree({"a": {"x": 1}, "b": {"y": [{"z": 1}, {"z": 2}]}})
    assert [html.count(f"<h{level}>") for level in (3, 4)] == [2, 1]
    assert '<th scope="row">2</th><td>2</td>' in html


def test_names_and_values_are_texts():
    html = tree({"<script>": "<b>", "x": {"<i>": {"<u>": 1}, "<s>": {"<u>": 2}}})
    assert not any(word in html for word in ("<script>", "<b>", "<i>", "<u>", "<s>"))
    assert "&lt;script&gt;" in html
