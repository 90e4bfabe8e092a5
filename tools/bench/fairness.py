#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures which part of its fair share a program that never polls gets.

Some greedy builds by GNU make and one by ninja, which only ever tries, share 8
tokens: of a FIFO as make itself makes one, and of steve under both of its
policies. The jobs sleep, so that it does not matter how fast the machine is.

Runs as root where steve is loaded, nobody uses it, and stevefs is mounted on
/run/steve.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

import tracing

TOKENS = 8
MAKES = (1, 3, 7)
JOBS = {0.2: 300, 2.0: 50}              # seconds that a job takes: how many of these to measure
FIRST = 1.3                             # job lengths until its first jobs have ended

PIPE, FIFO, FAIR = "make's FIFO", "steve, fifo", "steve, fair"
GOALS = {FIFO: (0.45, 0.94), FAIR: (0.9, 0.985)}


@dataclass
class Result:
    """What came out of one run."""
    makes: int
    job: float
    jobserver: str
    share: float                        # ninja's part of its fair share of token-time
    used: float                         # part of all token-time

    def good(self):
        share, used = GOALS.get(self.jobserver, (0, 0))
        return self.share >= share and self.used >= used

    def row(self):
        goals = "   goals {:.2f}, {:.1%}".format(*GOALS[self.jobserver]) \
            if self.jobserver in GOALS else ""
        return (f"{self.makes:5}  {self.job:5.1f} s  {self.jobserver:12}  {self.share:13.3f}"
                f"  {self.used:6.1%}{goals}{'' if self.good() else '   MISSED'}")


HEAD = f"{'makes':>5}  {'jobs':>7}  {'jobserver':12}  {'ninja’s share':>13}  {'used':>6}"


@dataclass
class Usage:
    """Tokens in use by each build, summed up over the time from begin to end."""
    begin: float
    end: float
    tokens: dict[int, int] = field(default_factory=dict)
    since: dict[int, float] = field(default_factory=dict)
    time: dict[int, float] = field(default_factory=dict)

    def set(self, build, tokens, now):
        now = min(max(now, self.begin), self.end)
        passed = now - self.since.get(build, self.begin)
        self.time[build] = self.time.get(build, 0) + passed * self.tokens.get(build, 0)
        self.since[build] = now
        self.tokens[build] = tokens

    def close(self):
        for build in list(self.tokens):
            self.set(build, 0, self.end)


def count_tokens(events, usage):
    """What the clients of steve held."""
    for event in events:
        if event.name in ("steve_grant", "steve_return"):
            usage.set(event.number("pid"), event.number("held"), event.time)
        elif event.name == "steve_reclaim":
            usage.set(event.number("pid"), 0, event.time)


def count_jobs(events, usage, builds):
    """How many jobs ran, less one, for which no token is needed."""
    build_of = {build: build for build in builds}
    running = {build: set() for build in builds}
    for event in events:
        if event.name == "sched_process_fork":
            build_of.setdefault(event.number("child_pid"), build_of.get(event.number("pid")))
            continue
        if event.name not in ("sched_process_exec", "sched_process_exit"):
            continue
        pid = event.number("pid")
        build = build_of.get(pid)
        if build is None:
            continue
        if event.name == "sched_process_exit":
            running[build].discard(pid)
        elif os.path.basename(event["filename"]) == "sleep":
            running[build].add(pid)
        usage.set(build, max(0, len(running[build]) - 1), event.time)


def stevectl(*arguments):
    subprocess.run(["stevectl", *arguments], check=True)


class Jobserver:
    """Where the tokens are: what make and ninja are told to use."""

    def __init__(self, name, place):
        self.name = name
        self.descriptor = None
        if name == PIPE:
            self.for_make = self.for_ninja = place / "fifo"
            os.mkfifo(self.for_make)
            self.descriptor = os.open(self.for_make, os.O_RDWR)
            os.write(self.descriptor, b"+" * TOKENS)
        else:
            self.for_make, self.for_ninja = "/dev/steve", "/run/steve/fifo"
            stevectl("set", f"jobs={TOKENS}", f"policy={name.split()[-1]}")

    def close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)


def write_builds(place, job, jobs):
    """More jobs than there is time for."""
    names = " ".join(f"job{number}" for number in range(jobs))
    (place / "Makefile").write_text(f"all: {names}\n{names}:\n\t@sleep {job}\n.PHONY: all {names}\n")
    edges = "".join(f"build job{number}: job\n" for number in range(jobs))
    (place / "build.ninja").write_text(f"rule job\n  command = sleep {job}\n{edges}")


def start(command, jobserver, place):
    environment = dict(os.environ, MAKEFLAGS=f"--jobserver-auth=fifo:{jobserver}")
    return subprocess.Popen(command, cwd=place, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, start_new_session=True)


def build(jobserver, makes, job, place):
    """Lets all of them build for a while; returns ninja, all builds, and from when to when."""
    builds = []
    begin = time.monotonic()
    try:
        for _ in range(makes):
            builds.append(start(["make", "-s"], jobserver.for_make, place))
        ninja = start(["ninja", "--quiet"], jobserver.for_ninja, place)
        builds.append(ninja)
        begin = time.monotonic()
        time.sleep((FIRST + JOBS[job]) * job)
        end = time.monotonic()
        for process in builds:
            if process.poll() is not None:
                sys.exit(f"fairness: {process.args[0]} ended, with status {process.returncode}")
    finally:
        for process in builds:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return ninja.pid, [process.pid for process in builds], begin + FIRST * job, end


def measure(name, makes, job, out):
    with tempfile.TemporaryDirectory() as temporary:
        place = pathlib.Path(temporary)
        write_builds(place, job, 3 * TOKENS * (2 + JOBS[job]))
        jobserver = Jobserver(name, place)
        recording = tracing.Recording("steve-fairness")
        recording.start()
        try:
            ninja, builds, begin, end = build(jobserver, makes, job, place)
        finally:
            lines = recording.stop(out / "trace.txt")
            jobserver.close()
    events = list(tracing.parse(lines))
    usage = Usage(begin, end)
    if name == PIPE:
        count_jobs(events, usage, builds)
    else:
        count_tokens(events, usage)
    usage.close()
    used = sum(usage.time.get(pid, 0) for pid in builds)
    return Result(makes, job, name, usage.time.get(ninja, 0) * len(builds) / used,
                  used / (TOKENS * (end - begin)))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR",
                        help="where the table, also as JSON, and the last trace go")
    parser.add_argument("--makes", type=int, choices=MAKES, action="append", metavar="N",
                        help="only with N makes: 1, 3 or 7")
    parser.add_argument("--jobs", type=float, choices=JOBS, action="append", metavar="S",
                        help="only with jobs of S seconds: 0.2 or 2")
    return parser.parse_args()


def main():
    options = parse_options()
    results = []
    print(f"{TOKENS} tokens, one ninja\n\n{HEAD}", flush=True)
    for makes in options.makes or MAKES:
        for job in options.jobs or JOBS:
            for name in (PIPE, FIFO, FAIR):
                results.append(measure(name, makes, job, options.out))
                print(results[-1].row(), flush=True)
    (options.out / "fairness.txt").write_text(
        "\n".join([HEAD, *(result.row() for result in results)]) + "\n")
    (options.out / "fairness.json").write_text(
        json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0 if all(result.good() for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
