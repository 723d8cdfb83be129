"""Plots in the UI: short enough to be shown in place."""

from secai_assets.metadata import bars, curve, curves


def text(counts: dict[str, int]) -> str:
    return str(bars("Title", counts).value)


def test_bars_are_as_long_as_their_counts() -> None:
    chart = text({"many": 40, "half": 20, "none": 0}).splitlines()
    many, half, none = (line.count("█") for line in chart if line.endswith((" 40", " 20", " 0")))
    assert many == 2 * half > 0
    assert none == 0


def test_a_long_chart_stays_below_what_the_ui_shows_in_place() -> None:
    chart = text({f"{'kubernetes-' * 9}{n}": 10**6 - n for n in range(100)})
    assert len(chart) < 1000
    assert "and 80 more" in chart


def test_hostile_labels_stay_in_the_chart() -> None:
    chart = text({"a\n```\n# heading": 1, "b": 0})
    assert chart.count("\n```") == 2


def test_nothing_is_said_to_be_nothing() -> None:
    assert "nothing" in text({})


def test_a_curve_rises_and_falls_as_its_numbers_do() -> None:
    chart = str(curve("Loss", [4.0, 3.0, 2.0, 1.0]).value).splitlines()
    assert chart[3] == "█▆▃▁"
    assert chart[4] == "first 4, last 1, lowest 1"
    assert "▁▁▁" in str(curve("Rate", [5.0] * 3).value)
    assert "nothing" in str(curve("Loss", []).value)


def test_a_long_curve_is_the_mean_of_its_stretches_and_stays_short() -> None:
    drawn = str(curve("Loss", [float(n) for n in range(800)]).value).splitlines()[3]
    assert (drawn[0], drawn[-1], len(drawn)) == ("▁", "█", 48)
    assert drawn == "".join(sorted(drawn))


def test_curves_share_one_scale_and_begin_at_zero() -> None:
    lines = str(curves("Open", {"main": [0, 4, 8], "dev": [4]}).value).splitlines()
    assert lines[3:5] == ["main ▁▅█ 8", "dev  ▅ 4"]
    assert "nothing" in str(curves("Open", {}).value)
    many = str(curves("Open", {f"acme/shop@{n}": [n] * 100 for n in range(50)}).value)
    assert "█" in many and "@49" not in many
