from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.transforms import Bbox

from bestpath.stages.report import figures, labels
from bestpath.stages.report.data import Chart, Extra, Lengths, Line, RewardCell
from bestpath.stages.report.gallery import gallery, training_charts
from bestpath.stages.report.style import BLUE, INK, canvas, inline, png_of, styled, svg_of


def svg(figure):
    with styled():
        return svg_of(figure)


def of_decoding(data, decoding="greedy"):
    return [row for row in data.systems if row.decoding == decoding]


def test_the_pareto_plot_names_every_system_and_the_better_direction(data):
    text = svg(figures.pareto(of_decoding(data), data.final))
    for row in of_decoding(data):
        assert row.system in text
    assert "better" in text and "test, greedy" in text


def test_the_pareto_plot_shows_a_base_without_intervals(data):
    alone = replace(of_decoding(data)[0], tokens_se=None)
    assert "base" in svg(figures.pareto([alone], "nobody"))


def test_a_system_without_lengths_is_left_out(data):
    rows = of_decoding(data)
    rows[1] = replace(rows[1], tokens=None)
    assert rows[1].system not in svg(figures.pareto(rows, data.final))


def test_pictures_are_the_same_every_time_and_carry_no_date(data):
    first, again = (figures.pareto(of_decoding(data), data.final) for _ in range(2))
    assert svg(first) == svg(again)
    with styled():
        assert png_of(first) == png_of(again)
    assert "<dc:date>" not in svg(first)


def test_names_with_dollar_signs_and_markup_are_drawn_as_they_are(data):
    row = replace(of_decoding(data)[0], system="$x^2$ <b>&")
    assert "$x^2$ &lt;b&gt;&amp;" in svg(figures.pareto([row], "nobody"))


def test_an_inline_figure_follows_the_page_s_colours_and_keeps_its_ids_apart(data):
    drawn = svg(figures.pareto(of_decoding(data), data.final))
    one, two = inline(drawn, "one"), inline(drawn, "two")
    assert INK not in one and "var(--ink)" in one and "var(--sans)" in one
    root = ElementTree.fromstring(one)
    assert root.tag.endswith("svg") and "width" not in root.attrib
    ids = [{e.get("id") for e in ElementTree.fromstring(s).iter() if e.get("id")} for s in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    for reference in set(one.split("url(#")[1:]):
        assert reference.split(")")[0] in ids[0]


def test_histograms_show_medians_and_put_the_longest_in_the_last_bin():
    text = svg(figures.histograms([Lengths("base", "base", (10, 20, 30, 5000)), Lengths("m", "merged", (4, 5, 6))]))
    assert "median 25" in text and "median 5" in text


def test_heights_are_shares():
    assert figures._heights([1, 2, 2, 99], [1, 2, 3]) == [0.25, 0.75]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.lists(st.integers(1, 50), min_size=1, max_size=9))
@settings(max_examples=10)
def test_histograms_take_any_lengths(one, two):
    figures.histograms([Lengths("a", "base", tuple(one)), Lengths("b", "other kind", tuple(two))])


def test_rewards_of_correct_and_wrong_are_counted_apart():
    text = svg(figures.rewards([RewardCell(1, "long", (-0.2, -0.1, 0.1)), RewardCell(2, "short", (0.3,))]))
    assert "long kept" in text and "short kept" in text
    assert ">2<" in text and ">1<" in text


def test_lines_of_one_label_share_its_colour_and_are_labelled_once():
    solid, dashed = Line("2e-5", (1, 2), (3.0, 2.0)), Line("2e-5", (1, 2), (3.5, 2.5), dashed=True)
    figure = figures.lines(Chart("c", "title", "step", "loss", (solid, dashed, Line("5e-5", (1, 2), (1.0, 1.5)))))
    colors = [line.get_color() for line in figure.axes[0].lines]
    assert colors[0] == colors[1] != colors[2]
    assert svg(figure).count(">2e-5<") == 1


def test_lines_have_labels_marks_bands_and_a_reference():
    line = Line("2e-5", (1, 2, 3), (3.0, 2.0, 1.0), (2.5, 1.5, 0.5), (3.5, 2.5, 1.5), marked=2)
    text = svg(figures.lines(Chart("c", "title", "step", "loss", (line,), ("base", 2.2))))
    for word in ("2e-5", "chosen", "base", "title", "step", "loss"):
        assert f">{word}<" in text


def test_more_lines_than_colours_get_a_panel_each():
    few = tuple(Line(f"line {i}", (0, 1), (i, i + 1)) for i in range(6))
    many = (*few, Line("line 6", (0, 1), (2, 3)))
    assert len(figures.lines(Chart("c", "title", "step", "loss", few)).axes) == 1
    panels = figures.lines(Chart("c", "title", "step", "loss", many, ("base", 2.0))).axes
    assert [axes.get_title(loc="left") for axes in panels] == [line.label for line in many]
    for axes, line in zip(panels, many, strict=True):
        assert [*line.y] in [[*drawn.get_ydata()] for drawn in axes.lines if drawn.get_color() == BLUE]
        assert len(axes.lines) == len(many) + 1  # the others pale behind, and the reference


def test_training_charts_leave_out_what_was_not_recorded(data):
    specialist = data.specialists[0]
    assert [chart.name for chart in training_charts(specialist)] == [
        "length-specialist-loss", "length-specialist-margin",
        "length-specialist-dev-accuracy", "length-specialist-dev-tokens",
    ]  # fmt: skip
    runs = tuple(replace(run, dev_loss=(), margin=(), readouts=()) for run in specialist.runs)
    assert [chart.name for chart in training_charts(replace(specialist, runs=runs))] == ["length-specialist-loss"]


def test_a_line_s_name_is_its_learning_rate(data):
    chart = training_charts(data.specialists[0])[3]
    assert [line.label for line in chart.lines] == ["1e-5", "2e-5", "5e-5"]
    assert [line.marked for line in chart.lines] == [None, 18, None]
    assert chart.reference == ("base", 76.0)


def test_the_gallery_has_a_figure_for_everything_and_names_them_apart(data):
    names = [picture.name for picture in gallery(data)]
    assert len(set(names)) == len(names)
    assert {"pareto-test-greedy", "pareto-test-sampled-t-0-7", "lengths", "rewards", "rounds"} <= set(names)
    assert gallery(replace(data, systems=(), lengths=(), rewards=(), specialists=(), extras=())) == ()


def test_panels_have_the_page_s_width(data):
    lines = tuple(Line(f"line {i}", (0, 1), (i, i + 1)) for i in range(7))
    charts = (Chart("few", "few", "step", "loss", lines[:2]), Chart("many", "many", "step", "loss", lines))
    wide = {picture.name: picture.wide for picture in gallery(replace(data, extras=(Extra("more", (), charts),)))}
    assert wide["many"] and not wide["few"] and not wide["lengths"]


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
