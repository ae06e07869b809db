# SPDX-License-Identifier: ISC
"""The benchmark's table as one picture: a panel for each workload of a model, a
bar for each row, whiskers from the least to the most."""

from xml.sax.saxutils import escape

LABEL, PANEL, GAP = 230, 170, 14        # widths
ROW, HEAD, SPACE = 17, 40, 24           # heights
COLOURS = {"bare": "#8a8f98", "ours": "#c2410c", "info": "#f0a875",
           "peer": "#3b6ea5"}
STYLE = """
text { font: 11px sans-serif; fill: #222 }
.model { font-size: 14px; font-weight: bold }
.value { font-size: 9px }
.whisker { stroke: #222; stroke-width: 1 }
.axis { stroke: #bbb; stroke-width: 1 }
"""


def _text(x, y, text, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}">{escape(text)}</text>')


def _value(value):
    return f"{value:.2f}" if value < 10 else \
        f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _bar(x, y, cell, role, scale):
    """One row of one panel; scale is pixels for a unit."""
    if cell is None:
        return []
    if cell.is_deaf:
        return [_text(x + 3, y + 11, "deaf", "value")]
    length = cell.median * scale
    least, most = x + cell.least * scale, x + cell.most * scale
    middle = y + ROW / 2 - 1
    return [
        f'<rect x="{x}" y="{y + 2:.1f}" width="{length:.1f}" '
        f'height="{ROW - 5}" fill="{COLOURS[role]}"/>',
        f'<line x1="{least:.1f}" y1="{middle:.1f}" x2="{most:.1f}" '
        f'y2="{middle:.1f}" class="whisker"/>',
        _text(max(x + length, most) + 3, y + 11, _value(cell.median), "value"),
    ]


def _panel(x, y, title, rows):
    """A workload: its title, its axis, its bars."""
    drawn = [_text(x, y - 6, title),
             f'<line x1="{x}" y1="{y}" x2="{x}" y2="{y + len(rows) * ROW}" '
             'class="axis"/>']
    most = max((cell.most for _, _, cell in rows if cell), default=0)
    scale = (PANEL - 34) / most if most > 0 else 0
    for number, (_, role, cell) in enumerate(rows):
        drawn += _bar(x, y + number * ROW, cell, role, scale)
    return drawn


def _model(y, name, workloads):
    """(lines, height) of a model's panels, side by side."""
    rows = workloads[0][1]
    # a row that nothing was measured of has no place
    shown = [number for number in range(len(rows))
             if any(panel[number][2] for _, panel in workloads)]
    if not shown:
        return [], 0
    top = y + HEAD
    drawn = [_text(0, y + 16, name, "model")]
    drawn += [_text(LABEL - 8, top + place * ROW + 11, rows[number][0],
                    anchor="end") for place, number in enumerate(shown)]
    for column, (title, panel) in enumerate(workloads):
        drawn += _panel(LABEL + column * (PANEL + GAP), top, title,
                        [panel[number] for number in shown])
    return drawn, HEAD + len(shown) * ROW + SPACE


def svg(models):
    """The picture of report.panels()."""
    drawn, y = [], 8
    for name, workloads in models:
        lines, height = _model(y, name, workloads)
        drawn += lines
        y += height
    columns = max((len(workloads) for _, workloads in models), default=0)
    width = LABEL + columns * (PANEL + GAP) + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{y}" viewBox="-10 0 {width} {y}">',
        f"<style>{STYLE}</style>",
        f'<rect x="-10" width="{width}" height="{y}" fill="white"/>',
        *drawn, "</svg>", ""])
