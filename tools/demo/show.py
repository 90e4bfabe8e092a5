#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the demo shows: two builds share one pool, which shrinks and grows meanwhile.

Runs as root where steve is loaded with jobs=4, nobody uses it, and stevefs is
mounted on /run/steve.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import compilers
import report
import tracing
from account import Account
from builds import PROJECTS, Build
from display import Bars, Client, Log, View

JOBS, FEWER = 4, 2
INTERVAL = 1.0                          # seconds between two looks
LIMIT = 1800                            # seconds that a pair of builds may take
TREES = pathlib.Path("/work")           # where they were configured for

# At which part of all files compiled something is done to the pool.
KILL_AT, SHRINK_AT, GROW_AT = 0.15, 0.35, 0.65


class DemoError(Exception):
    """The demo cannot go on."""


def stevectl(*arguments):
    done = subprocess.run(["stevectl", *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise DemoError(f"stevectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def status():
    return json.loads(stevectl("status", "--json"))


def clients():
    """The clients, each as a row of "stevectl ps"."""
    return json.loads(stevectl("ps", "--json"))["clients"]


def snapshot():
    """The status and the clients, between which no token moved."""
    moves = ("granted", "returned", "reclaimed")
    before = None
    after = status()
    while before is None or any(before[name] != after[name] for name in moves):
        before, rows, after = after, clients(), status()
    return after, rows


class Extra:
    """One more client, which holds a token until it is killed."""

    def __init__(self):
        self.process = subprocess.Popen(["stevectl", "run", "sleep", "infinity"],
                                        stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.back = False               # whether the token was back when wait() returned

    def holds(self):
        return any(row["pid"] == self.pid and row["held"] for row in clients())

    def wait_for_token(self):
        while not self.holds():
            if self.process.poll() is not None:
                raise DemoError("the extra client got no token")
            time.sleep(INTERVAL)

    def kill(self):
        before = status()["reclaimed"]
        self.process.kill()
        self.process.wait()
        self.back = status()["reclaimed"] > before and not self.holds()


class Families:
    """To which of some processes another one goes back, asked while it lives."""

    def __init__(self):
        self.roots = {}
        self.known = {}

    def add(self, pid, name):
        self.roots[pid] = self.known[pid] = name

    def of(self, pid):
        if pid not in self.known:
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                parent = 0
            self.known[pid] = self.of(parent) if parent > 1 else "others"
        return self.known[pid]


def command(row):
    """The name of a client's program."""
    words = (row["command"] or "?").split()
    return os.path.basename(words[0]) if words else "?"


class Course:
    """Both builds from their start to their end, and what is seen meanwhile."""

    def __init__(self, options, display, name, pooled):
        self.display = display
        self.results = options.out
        self.name = name
        self.builds = [Build(project, options.sources, TREES, pooled) for project in PROJECTS]
        self.recording = tracing.Recording(f"steve-demo-{name}")
        self.families = Families()
        self.samples = []               # (time, jobs, held, compilers)
        self.marks = []                 # (time, what was done)
        self.begin = time.monotonic()
        self.started = self.begin       # when the builds were
        self.seconds = 0.0              # that they took
        self.extra = None
        self.status = None              # of the pool when all was over
        self.account = None             # of the trace

    def part_done(self):
        done, files = zip(*(build.progress() for build in self.builds))
        return sum(done) / sum(files)

    def look(self):
        """One look at the pool and at the compilers, in this order: what is held can
        grow between the two, but only up to the number of jobs."""
        (pool, rows), running = snapshot(), compilers.running()
        now = time.monotonic()
        self.samples.append((now, pool["jobs"], pool["held"], running))
        shown = [Client(self.families.of(row["pid"]), row["pid"], command(row),
                        row["held"], row["wait"] != "none") for row in rows]
        shown.sort(key=lambda client: (client.group, client.pid))
        self.display.update(View(now - self.begin, pool["jobs"], pool["held"],
                                 pool["available"], pool["waiting"], running,
                                 {build.name: build.progress() for build in self.builds},
                                 shown))

    def say(self, text):
        self.display.say(f"{time.monotonic() - self.begin:6.1f} s  {text}")

    def mark(self, text, words):
        self.marks.append((time.monotonic(), words))
        self.say(f"== {text}")

    def go(self, acts=()):
        """Starts the builds and looks on until they have ended; does each act at its part."""
        acts = list(acts)
        self.started = time.monotonic()
        for build in self.builds:
            build.start(self.results / f"{self.name}-{build.name}.log")
            self.families.add(build.process.pid, build.name)
        try:
            while any(build.running() for build in self.builds):
                if time.monotonic() > self.started + LIMIT:
                    raise DemoError(f"the builds did not end in {LIMIT} s; see {self.results}")
                self.look()
                if acts and self.part_done() >= acts[0][0]:
                    acts.pop(0)[1]()
                time.sleep(INTERVAL)
        finally:
            for build in self.builds:
                build.kill()
        self.display.close()
        for build in self.builds:
            build.try_out()

    def count(self):
        """Counts what the trace tells; keeps the trace and the samples."""
        lines = self.recording.stop(self.results / f"{self.name}-trace.txt")
        with (self.results / f"{self.name}-samples.tsv").open("w") as out:
            out.write("time\tjobs\theld\tcompilers\n")
            for sample in self.samples:
                out.write("\t".join(map(str, sample)) + "\n")
        self.account = Account(jobs=JOBS, roots=self.families.roots, begin=self.begin)
        self.account.replay(tracing.parse(lines))
        self.seconds = max(self.account.ended[build.process.pid]
                           for build in self.builds) - self.started


def with_pool(options, display):
    """The builds on one pool, and what happens to it meanwhile."""
    course = Course(options, display, "pool", pooled=True)
    course.recording.start()
    course.begin = time.monotonic()
    extra = course.extra = Extra()
    course.families.add(extra.pid, "extra")

    def kill_extra():
        course.mark(f"kill -KILL {extra.pid}: the extra client, which holds a token",
                    "SIGKILL to extra")
        extra.kill()
        course.say(f"   its token is {'back' if extra.back else 'NOT back'}")

    def set_jobs(jobs):
        course.mark(f"stevectl set-jobs {jobs}", f"set-jobs {jobs}")
        stevectl("set-jobs", str(jobs))

    try:
        extra.wait_for_token()
        course.go(((KILL_AT, kill_extra),
                   (SHRINK_AT, lambda: set_jobs(FEWER)),
                   (GROW_AT, lambda: set_jobs(JOBS))))
    finally:
        extra.process.kill()
        extra.process.wait()
    course.status = status()
    course.count()
    return course


def without_pool(options, display):
    """The same builds, each with as many jobs of its own."""
    course = Course(options, display, "alone", pooled=False)
    course.recording.start()
    course.begin = time.monotonic()
    course.go()
    course.count()
    return course


def first_line(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()[0]


def introduce():
    """Says what runs here, and refuses a pool that is not as it must be."""
    pool = status()
    if pool["jobs"] != JOBS or pool["held"] or pool["lent"]:
        raise DemoError(f"the pool must have {JOBS} jobs and nobody may hold one: has "
                        f"{pool['jobs']} jobs, {pool['held']} held, {pool['lent']} lent")
    print(f"Linux {platform.release()}, {os.cpu_count()} processors\n"
          f"{first_line('make', '--version')}, ninja {first_line('ninja', '--version')}, "
          f"{first_line('gcc', '--version')}")


def show(options):
    display = Bars(options.bars, options.ascii) if options.bars else Log()
    introduce()
    print(f"\n-- Two builds on one pool of {JOBS} tokens: zstd by make, brotli by ninja", flush=True)
    shared = with_pool(options, display)
    print(f"\n-- The same builds without the pool, each with -j{JOBS}", flush=True)
    alone = without_pool(options, display)

    result = report.make(shared, alone, [JOBS, FEWER, JOBS])
    (options.out / "tokens.svg").write_text(report.draw(shared, alone))
    (options.out / "report.json").write_text(report.as_json(result, shared, alone))
    print(f"\n-- Report\n{result.text()}", flush=True)
    return 1 if result.broken() else 0


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def parse_options():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=pathlib.Path, required=True, metavar="DIR",
                        help="where the trees of the projects are")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR",
                        help="where the traces, the samples, the picture and the report go")
    parser.add_argument("--bars", type=int, default=0, metavar="COLUMNS",
                        help="draw bars on a terminal that is this wide")
    parser.add_argument("--ascii", action="store_true", help="draw them of ASCII characters")
    return parser.parse_args()


def main():
    try:
        return show(parse_options())
    except (DemoError, tracing.TraceError, subprocess.CalledProcessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
