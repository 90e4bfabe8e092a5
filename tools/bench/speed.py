#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures how fast steve is, side by side with other jobservers.

These are the FIFO that make itself makes; the least server that CUSE allows;
and, as the floor, a read of /dev/zero and a write to /dev/null. What is compared
is measured in turns, and what counts are medians: of the figures, and of the
ratios within each turn.

Runs as root where steve is loaded and nobody uses it.
"""

import argparse
import json
import pathlib
import sys
from dataclasses import asdict

from jobservers import build_programs
from measures import MEASURES
from rows import TOLERANCE


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="where the table, also as JSON, goes")
    parser.add_argument("--only", choices=MEASURES, action="append", metavar="MEASURE",
                        help="only this measure: " + ", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--project", type=pathlib.Path, metavar="DIR",
                        help="a project to build, by make")
    parser.add_argument("--pairs", type=int, default=12, help="how often it is built by each (12)")
    parser.add_argument("--count", action="store_true",
                        help="where a nanosecond is an instruction: what such a clock can tell")
    parser.add_argument("--short", action="store_true",
                        help="measure less, print KTAP, and fail only where a figure is worse "
                        "than its goal by more than half")
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.short else 3 if options.count else 15)
    options.few = 1 if options.count else min(options.rounds, 3)
    options.less = 2 if options.short else 1
    options.unit = "instructions" if options.count else "ns"
    return options


def allow_real_time():
    """Those who wait for tokens may have all of a processor."""
    pathlib.Path("/proc/sys/kernel/sched_rt_runtime_us").write_text("-1")


class Tap:
    """A suite of KTAP, with a test for each goal."""

    def __init__(self):
        self.count, self.failed = 0, 0
        print("KTAP version 1\n1..1\n    # Subtest: speed")

    def show(self, row):
        for goal in row.goals:
            self.count += 1
            good = goal.good(TOLERANCE)
            self.failed += not good
            print(f"    {'ok' if good else 'not ok'} {self.count} {row.name}: {goal.text()}",
                  flush=True)

    def end(self):
        print(f"    1..{self.count}\n{'not ok' if self.failed else 'ok'} 1 speed")


class Table:
    def show(self, row):
        print(row.text() + "\n", flush=True)

    def end(self):
        pass


def save(rows, out, name):
    (out / f"{name}.txt").write_text("\n".join(row.text() + "\n" for row in rows))
    (out / f"{name}.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def main():
    options = parse_options()
    build_programs()
    allow_real_time()
    shown = Tap() if options.short else Table()
    rows = []
    for name in options.only or MEASURES:
        for row in MEASURES[name](options):
            rows.append(row)
            shown.show(row)
    shown.end()
    if options.out:
        # A run of some measures does not replace one of all.
        name = "counts" if options.count else "speed"
        save(rows, options.out, "-".join([name, *(options.only or [])]))
        if not options.only and not options.count:
            (options.out / "speed.dat").write_text("".join(row.plot_data() for row in rows))
    tolerance = TOLERANCE if options.short else 0
    return 0 if all(goal.good(tolerance) for row in rows for goal in row.goals) else 1


if __name__ == "__main__":
    sys.exit(main())
