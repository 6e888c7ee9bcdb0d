"""Figures are looked at by people; here only what a wrong figure would say falsely."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from course_utils import plots


@pytest.fixture(autouse=True)
def fresh_figures():
    with mpl.rc_context():
        plots.use_house_style()
        yield
    plt.close("all")


def labels_beside(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_the_ladder_puts_the_smallest_error_on_top():
    ax = plots.ladder({"good": [0.9, 1.0], "bad": 1.2}, yours={"mine": 1.1}, title="One message")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bad", "mine", "good"]
    assert labels_beside(ax) == ["1.200", "1.100", "0.950"]


def test_the_ladder_puts_the_highest_hit_rate_on_top_when_told_that_higher_is_better():
    ax = plots.ladder({"good": [0.6, 0.7], "bad": 0.4}, title="One message", highest_on_top=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bad", "good"]


def test_the_bar_of_the_ladder_reaches_one_standard_deviation_of_the_runs_to_either_side():
    ax = plots.ladder({"three runs": [1.0, 2.0, 3.0]}, title="One message")
    (bar,) = ax.collections
    np.testing.assert_allclose(bar.get_segments()[0][:, 0], [1.0, 3.0])


def test_a_single_value_has_no_bar():
    assert not plots.ladder({"one run": 1.0}, title="One message").collections


def test_a_ladder_without_results_is_refused():
    with pytest.raises(ValueError, match="no results to draw"):
        plots.ladder({}, title="One message")
    with pytest.raises(ValueError, match="never run"):
        plots.ladder({"never run": []}, title="One message")


def test_learning_curves_start_at_epoch_one():
    runs = {"MF": {"train": [1.0, 0.9, 0.8], "test": [1.0, 0.95, 0.97]}}
    ax = plots.learning_curves(runs, title="One message")
    train, test = ax.get_lines()
    assert list(train.get_xdata()) == list(test.get_xdata()) == [1, 2, 3]
    assert list(test.get_ydata()) == [1.0, 0.95, 0.97]


def test_learning_curves_refuse_a_part_they_do_not_know():
    with pytest.raises(ValueError, match="validation"):
        plots.learning_curves({"MF": {"validation": [1.0]}}, title="One message")


def test_the_names_on_a_map_do_not_cover_each_other_and_stand_at_their_points():
    rng = np.random.default_rng(0)
    points = np.vstack([rng.normal(size=(80, 2)), np.zeros((30, 2))])  # thirty in one place: no room for all names
    groups = ["left" if x < 0 else "right" for x, _ in points]
    ax = plots.labelled_map(points, groups, {row: f"film {row}" for row in range(109, -1, -1)}, title="One message")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 5 < len(boxes) < 110
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
    for text in ax.texts:
        np.testing.assert_array_equal(text.xy, points[int(text.get_text().split()[1])])


def test_a_map_refuses_more_groups_than_colours():
    with pytest.raises(ValueError, match="7 groups are too many"):
        plots.labelled_map(np.zeros((7, 2)), list("abcdefg"), {}, title="One message")


def test_rivals_close_to_each_other_keep_their_names_apart():
    runs = {"MF": {"test": [1.0, 0.9]}}
    ax = plots.learning_curves(runs, title="One message", rivals={"biases": 0.941, "item mean": 0.942})
    heights = sorted(text.xy[1] for text in ax.texts)
    low, high = ax.get_ylim()
    assert heights[1] - heights[0] >= 0.049 * (high - low)
