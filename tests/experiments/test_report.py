from __future__ import annotations

import pytest

from monai_unlearn.experiments.report import best_settings, markdown, plot, table


def document(axes, scores):
    import itertools

    trials = [
        {
            "name": str(number),
            "settings": dict(zip(axes, values, strict=True)),
            "status": "failed" if score is None else "finished",
            **({"error": "the loss is nan"} if score is None else {}),
            "forget": 0.125,
            "remain": 0.9,
            "score": score,
            "share_of_retraining_gradients": None if number else 0.071,
            "seconds": 1.234,
        }
        for number, (values, score) in enumerate(zip(itertools.product(*axes.values()), scores, strict=True))
    ]
    return {
        "axes": axes,
        "trials": trials,
        "best": trials[0],
        "criterion": {"name": "erase", "formula": "forget + lost"},
    }


def test_the_table_marks_the_best_and_what_failed():
    headings, rows = table(document({"method::noise": ["0", "1"]}, [0.2, None]))
    assert headings == ["method::noise", "forget", "remain", "score", "share of retraining", "seconds", ""]
    assert rows == [["0", "12.5", "90.0", "0.2000", "7.1%", "1.2", "*"], ["1", "failed", "", "", "", "", ""]]


def test_the_best_settings_are_options_of_a_run():
    found = document({"method::noise": ["0", "1"], "steps": ["5"]}, [0.2, None])
    assert best_settings(found) == "--method::noise 0 --steps 5"
    assert best_settings({**found, "best": None}) is None


def test_markdown_says_what_the_figures_are():
    text = markdown(document({"a": ["0"], "b": ["x", "y"]}, [0.2, 0.3]))
    assert "Score: forget + lost; smaller is better" in text
    assert "| 0 | y | 12.5 | 90.0 | 0.3000 |  | 1.2 |  |" in text.splitlines()


@pytest.mark.parametrize(
    ("axes", "scores"),
    [
        ({"a": ["0", "1"]}, [0.2, 0.1]),
        ({"a": ["0", "1"], "b": ["2", "3", "4"]}, [0.2, 0.1, None, 0.3, 0.4, 0.5]),
        ({"a": ["0"], "b": ["1"], "c": ["2", "3"]}, [0.2, None]),
    ],
)
def test_the_plot_is_an_image_and_leaves_nothing_beside_it(axes, scores, tmp_path):
    plot(document(axes, scores), tmp_path / "sweep.png")
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.png"]
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
