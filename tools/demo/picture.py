# SPDX-License-Identifier: GPL-2.0
"""Draws the course of tokens and compilers as an SVG picture."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, PANEL, GAP = 960, 190, 64
LEFT, RIGHT, TOP = 56, 20, 76
COLOURS = ("#4c9be8", "#f0a830", "#b07cc6", "#d5d5d5")
INK, LIMIT, LINE = "#333333", "#c0392b", "#111111"


@dataclass
class Panel:
    """One diagram: areas on top of each other, and lines, against time.

    A course is a list of (time, value): the value holds until the next time.
    """
    title: str
    areas: dict[str, list[tuple[float, float]]]
    line: list[tuple[float, float]]
    limit: list[tuple[float, float]]
    marks: list[tuple[float, str]]
    end: float


class Scale:
    """Where times and values are on the paper."""

    def __init__(self, top, seconds, most):
        self.top, self.seconds, self.most = top, seconds, most

    def x(self, time):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(time, self.seconds) / self.seconds

    def y(self, value):
        return self.top + PANEL * (1 - value / self.most)

    def corners(self, course, end):
        """The points of a line that goes in steps."""
        points = []
        for index, (time, value) in enumerate(course):
            until = course[index + 1][0] if index + 1 < len(course) else end
            points += [(self.x(time), self.y(value)), (self.x(until), self.y(value))]
        return points


def tick(length, most=14):
    """A round distance that gives no more than most ticks."""
    return next(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
                if length / step <= most or step == 3600)


def path(points, style):
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{text}" {style}/>'


def text(x, y, words, anchor="start", size=12, colour=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour}">{escape(words)}</text>')


def stacked(areas):
    """For each area its name, lower and upper course; all have the same times."""
    below = None
    for name, course in areas.items():
        low = below or [(time, 0) for time, _ in course]
        below = [(time, value + low[i][1]) for i, (time, value) in enumerate(course)]
        yield name, low, below


def axes(scale):
    for value in range(0, scale.most + 1, tick(scale.most)):
        y = scale.y(value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield text(LEFT - 8, y + 4, str(value), "end")
    step = tick(scale.seconds)
    for second in range(0, int(scale.seconds) + 1, step):
        yield text(scale.x(second), scale.y(0) + 16, f"{second} s", "middle", 11)


def draw_panel(panel, scale, colours):
    yield text(LEFT, scale.top - 10, panel.title, size=13)
    yield from axes(scale)
    for name, low, high in stacked(panel.areas):
        outline = scale.corners(high, panel.end) + scale.corners(low, panel.end)[::-1]
        yield path(outline, f'fill="{colours[name]}" stroke="none"')
    yield path(scale.corners(panel.line, panel.end),
               f'fill="none" stroke="{LINE}" stroke-width="1"')
    yield path(scale.corners(panel.limit, panel.end),
               f'fill="none" stroke="{LIMIT}" stroke-width="2.5"')
    for time, words in panel.marks:
        x = scale.x(time)
        yield (f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{scale.top}" y2="{scale.y(0)}" '
               f'stroke="{INK}" stroke-dasharray="3,3"/>')
        yield text(x + 4, scale.top + 12, words, size=11)


def legend(colours):
    x = LEFT
    entries = [(name, f'fill="{colour}"') for name, colour in colours.items()]
    entries += [("jobs", f'fill="{LIMIT}"'), ("compilers running", f'fill="{LINE}"')]
    for name, style in entries:
        yield f'<rect x="{x}" y="34" width="14" height="10" {style}/>'
        yield text(x + 19, 43, name)
        x += 40 + 7 * len(name)


def draw(title, panels):
    """The picture as text; all panels share the scales."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.areas))
    colours = dict(zip(names, COLOURS))
    seconds = max(panel.end for panel in panels)
    tops = [high for panel in panels for _, _, course in stacked(panel.areas) for _, high in course]
    most = int(max(tops + [value for panel in panels for _, value in panel.limit])) + 1
    height = TOP + len(panels) * (PANEL + GAP) - GAP + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
           f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           text(LEFT, 22, title, size=15), *legend(colours)]
    for index, panel in enumerate(panels):
        scale = Scale(TOP + index * (PANEL + GAP), seconds, most)
        out += draw_panel(panel, scale, colours)
    return "\n".join(out + ["</svg>", ""])
