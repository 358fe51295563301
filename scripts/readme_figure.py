"""The figure of the README: accuracy on forgotten photographs by model, with the range of retrained models.

`scripts/render_tables.py` writes it. Each dot is a run; the band is the range of the models retrained without the
cohort under three seeds. A model that forgot as retraining does lies in the band, neither to its right nor to its left.
"""

from __future__ import annotations

from html import escape

from measured import Seeds, odir

COLUMNS = {"truncated": "Photographs with a truncated field of view", "quarter": "A quarter of one class"}
ROWS = {
    "forget_train": "forget images that the original was trained on",
    "forget_test": "forget images that no model was trained on",
}
MODELS = {
    "original": ("original", "#6b7280"),
    "finetune": ("fine-tuning", "#b45309"),
    "boundary_shrink": ("boundary_shrink", "#b91c1c"),
    "boundary_shrink_recalibrated": ("… recalibrated", "#b91c1c"),
    "psg": ("PSG", "#1d4ed8"),
    "reset": ("reset", "#047857"),
}
LEFT, TOP, WIDTH, LINE = 130, 62, 300, 22
COLUMN, ROW = WIDTH + 50, 178
HEIGHT = len(MODELS) * LINE
SIZE = (LEFT + 2 * COLUMN - 20, TOP + 2 * ROW - 16)
BAND = "#d1d5db"


def figure() -> str:
    """Return the figure as SVG."""
    parts = [_text(10, 22, "Accuracy in % on the images to forget, ODIR-5K", size=15, weight="bold")]
    for column, (cohort, title) in enumerate(COLUMNS.items()):
        left = LEFT + column * COLUMN
        parts.append(_text(left, 46, title, size=13, weight="bold"))
        for row, (subset, name) in enumerate(ROWS.items()):
            parts += _panel(odir(cohort), subset, name, left, TOP + row * ROW, named=column == 0)
    width, height = SIZE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    label = "Accuracy on forgotten photographs by model, beside the range of retrained models"
    head += f' font-family="Helvetica, Arial, sans-serif" role="img" aria-label="{label}">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>", ""])


def _panel(
    models: dict[str, dict[str, Seeds]], subset: str, name: str, left: int, top: int, *, named: bool
) -> list[str]:
    """Return one panel: the band of retrained models, and a line of dots for each model."""
    top += 16
    parts = [_text(left, top - 8, name, colour="#374151"), *_axis(models["retrained"][subset], left, top)]
    for number, (key, (title, colour)) in enumerate(MODELS.items()):
        y = top + LINE * number + LINE // 2
        if named:
            parts.append(_text(left - 10, y + 4, title, anchor="end", colour=colour))
        fill = "white" if key.endswith("recalibrated") else colour
        for value in models[key][subset].values:
            dot = f'cx="{_x(left, value):.1f}" cy="{y}" r="4.5"'
            parts.append(f'<circle {dot} fill="{fill}" fill-opacity="0.8" stroke="{colour}" stroke-width="1.5"/>')
    return parts


def _axis(retrained: Seeds, left: int, top: int) -> list[str]:
    """Return the band of retrained models and the axis below it."""
    low, high, base = _x(left, retrained.low), _x(left, retrained.high), top + HEIGHT
    return [
        f'<rect x="{low:.1f}" y="{top}" width="{high - low:.1f}" height="{HEIGHT}" fill="{BAND}"/>',
        f'<path d="M{left} {base}H{left + WIDTH}" stroke="#9ca3af"/>',
        *(_text(_x(left, tick), base + 14, str(tick), size=10, anchor="middle") for tick in range(0, 101, 25)),
        _text((low + high) / 2, base + 26, "retrained", size=10, anchor="middle"),
    ]


def _x(left: int, value: float) -> float:
    return left + WIDTH * value / 100


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", weight: str = "", colour: str = "black"
) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    style += f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(text)}</text>'
