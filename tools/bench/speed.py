#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures how fast steve is, side by side with other jobservers.

These are the FIFO that make itself makes; the least server that CUSE allows;
and, as the floor, a read of /dev/zero and a write to /dev/null. What is compared
is measured in turns, and what counts are medians: of the times, and of the
ratios within each turn.

Runs as root where steve is loaded and nobody uses it.
"""

import argparse
import json
import pathlib
import statistics
import sys
from dataclasses import asdict, dataclass, field

from jobservers import Cuse, Floor, Pipe, Steve, build_programs, meter

# A ratio that is worse than its goal by more than this part fails a short run:
# the machines that run it are noisy.
TOLERANCE = 0.5


@dataclass
class Goal:
    """A figure that is not to be more than the goal."""
    figure: float
    of: str
    most: float | None = None           # or it is only told

    def good(self, tolerance=0):
        return self.most is None or self.figure <= self.most * (1 + tolerance)

    def text(self):
        text = f"{self.figure:.2f} {self.of}"
        if self.most is not None:
            text += f" (goal {self.most:.2f}{'' if self.good() else ', MISSED'})"
        return text


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
        self.goals.append(Goal(self.ratio("steve", other), f"× {other}", most))

    def text(self):
        figures = "  ".join(f"{column} {self.median(column):,.6g}" for column in self.figures)
        return f"{self.title}, {self.unit}: {figures}" + "".join(
            f"\n    {goal.text()}" for goal in self.goals)


def in_turns(row, rounds, columns):
    """Fills the row; columns are pairs of a name and what measures it."""
    for number in range(rounds):
        # Whoever goes first in a round is another each time.
        shift = number % len(columns)
        for name, measure in columns[shift:] + columns[:shift]:
            row.figures.setdefault(name, []).append(measure())
    row.figures = {name: row.figures[name] for name, _ in columns}


def cycle(jobserver, processes, threads, loops):
    with jobserver(max(processes * threads, 2)) as used:
        return meter("cycle", used.read_path, used.write_path, processes, threads, loops)[0]


def cycles(size):
    loops = 20000 // size.less

    def column(jobserver, processes=1, threads=1, less=1):
        return jobserver.name, lambda: cycle(jobserver, processes, threads, loops // less)

    row = Row("cycle", "take and return", "ns")
    in_turns(row, size.rounds, [column(Steve), column(Pipe), column(Floor),
                                column(Cuse, less=20)])
    row.against("FIFO", 0.70)
    row.against("floor", 1.25)
    row.against("CUSE", 0.05)
    yield row
    if size.short:
        return
    for name, title, processes, threads in (
            ("cycle-processes", "the same in 2 processes on 2 processors", 2, 1),
            ("cycle-threads", "the same in 8 threads of a process", 1, 8)):
        row = Row(name, title, "ns")
        in_turns(row, size.rounds, [column(jobserver, processes, threads, threads)
                                    for jobserver in (Steve, Pipe)])
        row.against("FIFO")
        yield row


def handoffs(size):
    count = 400 // size.less

    def column(jobserver, how, where):
        def measure():
            with jobserver(count) as used:
                return meter("handoff", used.read_path, how, where, count)[0]
        return jobserver.name, measure

    for how, title in (("read", "hand-off to a blocked reader"), ("poll", "hand-off to a poller")):
        for where, place in (("together", "on one processor"), ("free", "on any processor")):
            row = Row(f"handoff-{how}-{where}", f"{title}, {place}", "ns")
            in_turns(row, size.rounds, [column(jobserver, how, where)
                                        for jobserver in (Steve, Pipe)])
            row.against("FIFO", 1.0)
            yield row


def crowd(jobserver, kind, waiters, count):
    """Nanoseconds and wake-ups for a token."""
    with jobserver(count) as used:
        return meter("crowd", used.read_path, kind, waiters, count)


def pollers(size):
    for jobserver in (Steve, Pipe):
        most = 1.2 if jobserver is Steve else None
        numbers = (1, 64) if size.short else (1, 64, 1024)
        woken = {}

        def column(number):
            def measure():
                count = 200 if jobserver is Steve else max(20, 200 // number)
                time, wakeups = crowd(jobserver, "poll", number, count)
                woken[number] = wakeups
                return time
            return str(number), measure

        row = Row(f"pollers-{jobserver.name}",
                  f"{jobserver.name}: a token, with so many pollers", "ns")
        in_turns(row, size.rounds, [column(number) for number in numbers])
        for number in numbers[1:]:
            row.goals.append(Goal(row.ratio(str(number), "1"), f"× 1, with {number}", most))
        for number in numbers:
            row.goals.append(Goal(woken[number], f"wake-ups for a token, with {number}",
                                  1.0 if jobserver is Steve else None))
        yield row


MEASURES = {"cycles": cycles, "handoffs": handoffs, "pollers": pollers}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where the table, also as JSON, goes")
    parser.add_argument("--only", choices=MEASURES, action="append", metavar="MEASURE",
                        help="only this measure: " + ", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--short", action="store_true",
                        help="measure less, print TAP, and fail only where a figure is worse "
                        "than its goal by more than half")
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.short else 15)
    options.less = 2 if options.short else 1
    return options


def allow_real_time():
    """Those who wait for tokens may have all of a processor."""
    pathlib.Path("/proc/sys/kernel/sched_rt_runtime_us").write_text("-1")


class Tap:
    """A test for each goal."""

    def __init__(self):
        self.count = 0

    def show(self, row):
        for goal in row.goals:
            self.count += 1
            verdict = "ok" if goal.good(TOLERANCE) else "not ok"
            print(f"{verdict} {self.count} {row.name}: {goal.text()}", flush=True)

    def end(self):
        print(f"1..{self.count}")


def main():
    options = parse_options()
    build_programs()
    allow_real_time()
    tap = Tap()
    if options.short:
        print("TAP version 13")
    rows = []
    for name in options.only or MEASURES:
        for row in MEASURES[name](options):
            rows.append(row)
            if options.short:
                tap.show(row)
            else:
                print(row.text(), flush=True)
    if options.short:
        tap.end()
    if options.out:
        (options.out / "speed.txt").write_text("".join(row.text() + "\n" for row in rows))
        (options.out / "speed.json").write_text(
            json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    tolerance = TOLERANCE if options.short else 0
    return 0 if all(goal.good(tolerance) for row in rows for goal in row.goals) else 1


if __name__ == "__main__":
    sys.exit(main())
