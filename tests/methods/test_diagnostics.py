from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from monai_unlearn.methods import BoundarySearch, SearchTrace
from monai_unlearn.methods.diagnostics import gap, slope
from monai_unlearn.methods.projection import Box

EPSILON = 0.4
DIMENSIONS = 24


class Quadratic:
    """F(x) = −½ Σ Lᵢ (xᵢ − cᵢ)², one problem per image, whose every constant is known."""

    def __init__(self, *, problems: int = 30, spread: float = 0.8, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        shape = (problems, DIMENSIONS)
        self.curvature = 0.5 + 4 * torch.rand(shape, generator=generator, dtype=torch.float64)
        self.start = torch.zeros(shape, dtype=torch.float64)
        # Within the ball for spread < 1.
        self.centre = EPSILON * spread * (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1)
        self.box = Box.around(self.start, EPSILON)

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return -0.5 * (self.curvature * (points - self.centre).square()).sum(1)

    def searched(self, steps: int) -> SearchTrace:
        trace = SearchTrace()
        BoundarySearch(epsilon=EPSILON, steps=steps).ascend(self, self.start, box=self.box, trace=trace)
        return trace


def brute_force(gradient: np.ndarray, point: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> float:
    """max ⟨g, s − x⟩ over a box, at whose corners a linear function is largest."""
    corners = np.stack(np.meshgrid(*zip(lowest, highest, strict=True), indexing="ij"), -1).reshape(-1, len(point))
    return float(((corners - point) @ gradient).max())


def test_gap_and_slope_are_the_linear_maxima_of_their_definition():
    random = np.random.default_rng(1)
    for _ in range(50):
        lowest, highest = -random.random(4), random.random(4)
        point = lowest + (highest - lowest) * random.choice([0, 0.1, 0.5, 1], 4)
        gradient, size = random.normal(0, 1, 4) * (random.random(4) > 0.2), 0.2
        box = Box(lowest=torch.from_numpy(lowest)[None], highest=torch.from_numpy(highest)[None])
        tensors = torch.from_numpy(gradient)[None], torch.from_numpy(point)[None], box
        assert gap(*tensors).item() == pytest.approx(brute_force(gradient, point, lowest, highest), abs=1e-12)
        near = np.maximum(lowest, point - size), np.minimum(highest, point + size)
        expected = brute_force(gradient, point, *near) / size
        assert slope(*tensors, size=size).item() == pytest.approx(expected, abs=1e-12)


def test_inside_the_box_the_slope_is_the_l1_norm_of_the_gradient():
    gradient = torch.tensor([[1.0, -2.0, 0.5]])
    point = torch.zeros(1, 3)
    assert slope(gradient, point, Box.around(point, 1.0), size=0.1).item() == pytest.approx(3.5)


def test_the_bound_holds_at_every_step():
    problem = Quadratic()
    steps = problem.searched(400).steps
    # Maximum of F is 0; means over problems obey the mean of the bounds.
    distance = -problem(problem.start).mean().item()
    smoothness = problem.curvature.sum(1).mean().item()
    sizes = np.array([step.size for step in steps])
    bound = (distance + smoothness / 2 * np.cumsum(sizes**2)) / np.cumsum(sizes)
    best = np.minimum.accumulate([step.slope for step in steps])
    assert (best <= bound).all()
    assert all(step.gap <= 2 * EPSILON * step.slope + 1e-12 for step in steps)


def test_the_slope_decreases_as_one_over_the_root_of_the_steps():
    """The O(1/√T) of sign methods: four times the steps, half the slope."""
    # From about 2000 steps on, coordinates hit the optimum to the last bit, and the rate is better than the theorem's.
    numbers = np.array([16, 64, 256, 1024])
    steps = Quadratic().searched(1024).steps
    # The steps of a sign method overshoot the optimum in turn: the mean over the last half smooths that out.
    slopes = [np.mean([step.slope for step in steps[number // 2 : number]]) for number in numbers]
    rate = np.polyfit(np.log(numbers), np.log(slopes), 1)[0]
    assert rate == pytest.approx(-0.5, abs=0.01)
    gaps = [np.mean([step.gap for step in steps[number // 2 : number]]) for number in numbers]
    assert np.polyfit(np.log(numbers), np.log(gaps), 1)[0] == pytest.approx(-0.5, abs=0.04)


def test_at_a_maximum_on_the_edge_of_the_ball_both_are_zero():
    problem = Quadratic(spread=1.0)
    problem.centre = 3 * EPSILON * problem.centre.sign()
    last = problem.searched(5).steps[-1]
    assert last.gap == pytest.approx(0, abs=1e-12)
    assert last.slope == pytest.approx(0, abs=1e-12)
    assert last.objective < 0


def test_the_objective_includes_the_proximity_weight_of_its_step():
    start = torch.zeros(2, 3, dtype=torch.float64)
    trace = SearchTrace()
    search = BoundarySearch(epsilon=0.5, steps=2, proximity_weight=0.8, proximity_schedule="inverse")
    search.ascend(lambda points: points.sum(1), start, box=Box.around(start, 0.5), trace=trace)
    # The first step takes both images to 0.5 everywhere; there, F = 1.5 − 0.4/2 · 0.75.
    assert [step.objective for step in trace.steps] == pytest.approx([0.0, 1.5 - 0.2 * 0.75])
    assert [step.images for step in trace.steps] == [2, 2]


def test_tables_of_batches_sum_to_means_over_all_images():
    whole = Quadratic(problems=10)
    tables = []
    for chosen in (slice(0, 3), slice(3, 10)):
        part = Quadratic(problems=10)
        part.curvature, part.centre, part.start = (t[chosen] for t in (whole.curvature, whole.centre, whole.start))
        part.box = Box.around(part.start, EPSILON)
        tables.append(part.searched(6).table())
    found = SearchTrace.of(tables[0] + tables[1], epsilon=EPSILON).document()
    for mine, expected in zip(found, whole.searched(6).document(), strict=True):
        assert mine == pytest.approx(expected)
    assert [row["step"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert found[3]["size"] == pytest.approx(EPSILON / math.sqrt(4))
    assert found[0]["images"] == 10


@pytest.mark.parametrize(("name", "start"), [("plot.png", b"\x89PNG"), ("plot.svg", b"<?xml")])
def test_the_plot_has_the_format_of_its_suffix_and_leaves_no_partial_file(tmp_path, name, start):
    Quadratic().searched(20).plot(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes().startswith(start)


def test_the_plot_shows_objective_gap_and_slope_over_the_steps(tmp_path, monkeypatch):
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **options: figures.append(self) or save(self, *args, **options)
    )
    trace = Quadratic().searched(20)
    trace.plot(tmp_path / "plot.png")
    left, right = figures[0].axes
    numbers, steps = list(range(1, 21)), trace.steps
    (objective,) = left.lines
    assert (list(objective.get_xdata()), list(objective.get_ydata())) == (numbers, [step.objective for step in steps])
    drawn = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in right.lines}
    assert drawn == {
        "gap": (numbers, [step.gap for step in steps]),
        "slope": (numbers, [step.slope for step in steps]),
        "1/√t": (numbers, pytest.approx([steps[0].slope / math.sqrt(number) for number in numbers])),
    }
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["gap", "slope", "1/√t"]
    assert (right.get_xscale(), right.get_yscale()) == ("log", "log")
    assert [axes.get_xlabel() for axes in (left, right)] == ["search step", "search step"]
    assert [axes.get_ylabel() for axes in (left, right)] == ["inner objective", "distance from stationarity"]
