# SPDX-License-Identifier: GPL-2.0
"""What is measured in turns, and the goals for it."""

import math
import statistics
from dataclasses import dataclass, field

# A ratio that is worse than its goal by more than this part fails a short run:
# the machines that run it are noisy.
TOLERANCE = 0.5


def outside_of_interval(count, confidence=0.95):
    """How many of the least of so many values, and of the greatest, can be left out.

    What is between the others holds the median: each value is on either side of it
    as a coin falls.
    """
    outside, chance = 0, 2 / 2 ** count
    while True:
        chance += 2 * math.comb(count, outside + 1) / 2 ** count
        if chance > 1 - confidence:
            return outside
        outside += 1


@dataclass
class Goal:
    """A figure that is not to be more than the goal, or is only told."""
    figure: float
    of: str
    most: float | None = None
    exact: bool = False                 # it is no time, and has no tolerance

    def good(self, tolerance=0):
        allowed = 0 if self.exact else tolerance
        return self.most is None or self.figure <= self.most * (1 + allowed)

    def text(self):
        text = f"{self.figure:,.2f} {self.of}"
        if self.most is None:
            return text
        return f"{text}, goal {self.most:,.2f}{'' if self.good() else ', MISSED'}"


@dataclass
class Row:
    """One measure: for each column the figures of all rounds."""
    name: str
    title: str
    unit: str
    figures: dict[str, list[float]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)

    def median(self, column):
        return statistics.median(self.figures[column])

    def ratio(self, column, other):
        """Of columns that were measured in turns."""
        return statistics.median(a / b for a, b in zip(self.figures[column],
                                                       self.figures[other]))

    def difference(self, column, other):
        """The median of the differences in each turn, between the ends of its interval."""
        differences = sorted(a - b for a, b in zip(self.figures[column], self.figures[other]))
        outside = outside_of_interval(len(differences))
        return differences[outside], statistics.median(differences), differences[-1 - outside]

    def against(self, other, most=None):
        self.goal(self.ratio("steve", other), f"× {other}", most)

    def goal(self, figure, of, most=None, exact=False):
        self.goals.append(Goal(figure, of, most, exact))

    def plot_data(self):
        """A block that gnuplot finds by its name: columns and their medians."""
        lines = [f"# {self.name}", f'"{self.title}"']
        for column in self.figures:
            word = column.replace(",", "").replace(" ", "-")
            lines.append(f'"{column}" {word} {self.median(column)}')
        return "\n".join(lines) + "\n\n\n"

    def text(self):
        figures = "".join(f"{column:>10} {round(self.median(column)):<11,}"
                          for column in self.figures)
        return "\n".join([f"{self.title} ({self.unit})", f"   {figures}",
                          *(f"       {goal.text()}" for goal in self.goals)])


def in_turns(row, rounds, columns):
    """Fills the row; columns are pairs of a name and what measures it."""
    for number in range(rounds):
        # Whoever goes first in a round is another each time.
        shift = number % len(columns)
        for name, measure in columns[shift:] + columns[:shift]:
            row.figures.setdefault(name, []).append(measure())
    row.figures = {name: row.figures[name] for name, _ in columns}
