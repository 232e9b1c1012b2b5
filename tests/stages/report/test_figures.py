from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.transforms import Bbox

from bestpath.stages.report import figures, labels
from bestpath.stages.report.blocks import Chart, Curve, Histograms, Pareto, Point, Sample, Spread, Spreads
from bestpath.stages.report.gallery import draw, slug
from bestpath.stages.report.style import BLUE, COLOURS, INK, Marks, canvas, inline, png_of, styled, svg_of

ONE, TWO = Marks(("alpha",)), Marks(("alpha", "beta"), ("Alpha", "Beta"))


def svg(figure):
    with styled():
        return svg_of(figure)


def point(label, accuracy=0.9, tokens=60.0, kind="merged", method="alpha", **more):
    return Point(label, (method, kind), accuracy, 0.02, tokens, 1.5, **more)


BASE = point("base", 0.893, 76, "base", reference=True)
POINTS = (BASE, point("specialist", 0.88, 57, "specialist"), point("merge", 0.895, 62, chosen=True))
PLOT = Pareto("pareto", "test, greedy", POINTS)


def test_the_pareto_plot_names_every_system_and_the_better_direction():
    text = svg(figures.pareto(PLOT, ONE))
    for name in ("base", "specialist", "merge", "better", "test, greedy"):
        assert f">{name}<" in text


def test_the_pareto_plot_shows_a_reference_alone_and_without_intervals():
    alone = replace(BASE, tokens_se=0.0, accuracy_se=0.0)
    assert ">base<" in svg(figures.pareto(Pareto("p", "t", (alone,)), ONE))


def test_among_many_systems_those_that_matter_are_named():
    crowd = tuple(point(f"dominated {i}", 0.7 - i / 100, 80 + i) for i in range(60))
    text = svg(figures.pareto(Pareto("p", "t", (*POINTS, *crowd, point("longer, but best", 0.95, 120))), ONE))
    for name in ("base", "specialist", "merge", "longer, but best"):
        assert f">{name}<" in text
    assert "dominated" not in text


def test_with_several_methods_colours_are_methods_and_a_legend_says_so():
    points = (*POINTS, point("other merge", 0.88, 66, method="beta"))
    figure = figures.pareto(Pareto("p", "t", points), TWO)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Alpha", "Beta", "base", "specialist", "merged"]
    shapes = {line.get_marker() for line in figure.axes[0].lines if line.get_color() == COLOURS["orange"][0]}
    assert shapes >= {"^"}  # beta's colour, the kind's shape
    assert not figures.pareto(PLOT, ONE).legends


def test_pictures_are_the_same_every_time_and_carry_no_date():
    first, again = (figures.pareto(PLOT, ONE) for _ in range(2))
    assert svg(first) == svg(again)
    with styled():
        assert png_of(first) == png_of(again)
    assert "<dc:date>" not in svg(first)


def test_names_with_dollar_signs_and_markup_are_drawn_as_they_are():
    named = replace(BASE, label="$x^2$ <b>&")
    assert "$x^2$ &lt;b&gt;&amp;" in svg(figures.pareto(Pareto("p", "t", (named,)), ONE))


def test_an_inline_figure_follows_the_page_s_colours_and_keeps_its_ids_apart():
    drawn = svg(figures.pareto(PLOT, ONE))
    one, two = inline(drawn, "one"), inline(drawn, "two")
    assert INK not in one and "var(--ink)" in one and "var(--sans)" in one
    root = ElementTree.fromstring(one)
    assert root.tag.endswith("svg") and "width" not in root.attrib
    ids = [{e.get("id") for e in ElementTree.fromstring(s).iter() if e.get("id")} for s in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    for reference in set(one.split("url(#")[1:]):
        assert reference.split(")")[0] in ids[0]


def histograms(*samples):
    return Histograms("lengths", "solution lengths", "tokens", samples)


def test_histograms_show_medians_and_put_the_longest_in_the_last_bin():
    one, two = Sample("base", (10, 20, 30, 5000), ("alpha", "base")), Sample("m", (4, 5, 6), ("alpha", "merged"))
    text = svg(figures.histograms(histograms(one, two), ONE))
    assert "median 25" in text and "median 5" in text


def test_heights_are_shares():
    assert figures._heights([1, 2, 2, 99], [1, 2, 3]) == [0.25, 0.75]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.lists(st.integers(1, 50), min_size=1, max_size=9))
@settings(max_examples=10)
def test_histograms_take_any_lengths(one, two):
    samples = (Sample("a", tuple(one), ("alpha", "base")), Sample("b", tuple(two), ("alpha", "other kind")))
    figures.histograms(histograms(*samples), ONE)


def test_positive_and_negative_values_are_counted_apart():
    spreads = (Spread("long", 1, (-0.2, -0.1, 0.1)), Spread("short", 2, (0.3,)))
    text = svg(figures.spreads(Spreads("rewards", "round", "reward", spreads, ("long", "short"))))
    assert ">long<" in text and ">short<" in text
    assert ">2<" in text and ">1<" in text


def test_lines_of_one_label_share_its_colour_and_are_labelled_once():
    solid, dashed = Curve("2e-5", (1, 2), (3.0, 2.0)), Curve("2e-5", (1, 2), (3.5, 2.5), dashed=True)
    figure = figures.lines(Chart("c", "title", "step", "loss", (solid, dashed, Curve("5e-5", (1, 2), (1.0, 1.5)))))
    colors = [line.get_color() for line in figure.axes[0].lines]
    assert colors[0] == colors[1] != colors[2]
    assert svg(figure).count(">2e-5<") == 1


def test_lines_have_labels_marks_bands_and_a_reference():
    line = Curve("2e-5", (1, 2, 3), (3.0, 2.0, 1.0), (2.5, 1.5, 0.5), (3.5, 2.5, 1.5), marked=2)
    text = svg(figures.lines(Chart("c", "title", "step", "loss", (line,), ("base", 2.2))))
    for word in ("2e-5", "chosen", "base", "title", "step", "loss"):
        assert f">{word}<" in text


def test_more_lines_than_colours_get_a_panel_each():
    few = tuple(Curve(f"line {i}", (0, 1), (i, i + 1)) for i in range(6))
    many = (*few, Curve("line 6", (0, 1), (2, 3)))
    assert len(figures.lines(Chart("c", "title", "step", "loss", few)).axes) == 1
    panels = figures.lines(Chart("c", "title", "step", "loss", many, ("base", 2.0))).axes
    assert [axes.get_title(loc="left") for axes in panels] == [line.label for line in many]
    for axes, line in zip(panels, many, strict=True):
        assert [*line.y] in [[*drawn.get_ydata()] for drawn in axes.lines if drawn.get_color() == BLUE]
        assert len(axes.lines) == len(many) + 1  # the others pale behind, and the reference


def test_panels_have_the_page_s_width():
    curves = tuple(Curve(f"line {i}", (0, 1), (i, i + 1)) for i in range(7))
    few, many = (Chart("Loss, dev", "loss", "step", "loss", some) for some in (curves[:2], curves))
    assert not draw(few, ONE).wide and draw(many, ONE).wide
    assert draw(few, ONE, "alpha-").name == "alpha-loss-dev"
    assert slug("pareto-test-sampled (T = 0.7)") == "pareto-test-sampled-t-0-7"


@pytest.mark.parametrize("n", [1, 6, 14])
def test_labels_never_overlap_where_there_is_room(n):
    with styled():
        figure, axes = canvas(6.6, 5.0)
        axes.set(xlim=(0, 100), ylim=(0, 100))
        points = [(10 + 80 * (i * 37 % n) / n, 10 + 80 * i / n) for i in range(n)]
        shown = [labels.Label(x, y, f"system {i}", INK) for i, (x, y) in enumerate(points)]
        labels.place(figure, axes, shown, [], 10)
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == n
    assert not any(one.padded(-1).overlaps(two.padded(-1)) for i, one in enumerate(boxes) for two in boxes[:i])
    assert all(Bbox.intersection(box, axes.bbox) is not None for box in boxes)
