# SPDX-License-Identifier: GPL-2.0
"""What is measured in turns, and the goals for it."""

import statistics
from dataclasses import dataclass, field

# A ratio that is worse than its goal by more than this part fails a short run:
# the machines that run it are noisy.
TOLERANCE = 0.5


@dataclass
class Goal:
    """A figure that is not to be more than the goal, or is only told."""
    figure: float
    of: str
    most: float | None = None

    def good(self, tolerance=0):
        return self.most is None or self.figure <= self.most * (1 + tolerance)

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

    def against(self, other, most=None):
        self.goal(self.ratio("steve", other), f"× {other}", most)

    def goal(self, figure, of, most=None):
        self.goals.append(Goal(figure, of, most))

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
