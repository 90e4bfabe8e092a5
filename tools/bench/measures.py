# SPDX-License-Identifier: GPL-2.0
"""What is measured: each function makes the rows of one part of the table."""

import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import timeit

import tracing
from jobservers import (Cuse, CuseBeside, Floor, Limited, Pipe, Steve, Waited, meter,
                        start_meter)
from rows import Row, in_turns

MEMORY_MOST = 768                       # bytes
WAKEUPS_MOST = 16                       # while a process exits
CLOCK_MONOTONIC_COARSE = 6              # of linux/time.h, which Python does not name


# ---- A token that nobody else wants ----

def cycle(jobserver, processes, threads, loops):
    with jobserver(max(processes * threads, 2)) as used:
        return meter("cycle", used.read_path, used.write_path, processes, threads, loops)[0]


def cycles(size):
    loops = 2000 if size.count else 20000 // size.less

    def column(jobserver, processes=1, threads=1, less=1):
        return jobserver.name, lambda: cycle(jobserver, processes, threads, loops // less)

    row = Row("cycle", "take and return", size.unit)
    in_turns(row, size.rounds, [column(Steve), column(Pipe), column(Floor),
                                column(Cuse, less=20), column(CuseBeside, less=20)])
    row.against("FIFO", 0.70)
    row.against("floor", 1.25)
    row.against("CUSE", 0.05)
    row.against("CUSE beside", 0.05)
    yield row
    if size.short:
        return
    row = Row("cycle-slow", "the same, out of the ordinary", size.unit)
    in_turns(row, size.rounds, [column(jobserver) for jobserver in
                                (Steve, Waited, Limited, Pipe)])
    for name in (Waited.name, Limited.name):
        row.goal(row.ratio(name, "FIFO"), f"× FIFO: {name}")
    yield row
    if size.count:
        return
    for name, title, processes, threads in (
            ("cycle-processes", "the same in 2 processes on 2 processors", 2, 1),
            ("cycle-threads", "the same in 8 threads of a process", 1, 8)):
        row = Row(name, title, size.unit)
        in_turns(row, size.rounds, [column(jobserver, processes, threads, threads)
                                    for jobserver in (Steve, Pipe)])
        row.against("FIFO")
        yield row


def clock(size):
    """A hand-off looks at it twice, to tell how long each waits and may reserve."""
    if size.short or size.count:
        return

    def column(name, which):
        return name, lambda: 1e9 * timeit.timeit(lambda: time.clock_gettime_ns(which),
                                                 number=20000) / 20000

    row = Row("clock", "a look at the clock, by Python", size.unit)
    in_turns(row, size.rounds, [column("exact", time.CLOCK_MONOTONIC),
                                column("of the last tick", CLOCK_MONOTONIC_COARSE)])
    row.goal(row.median("exact") - row.median("of the last tick"), "ns more to be exact")
    yield row


# ---- A token that somebody waits for ----

def handoffs(size):
    count = 200 if size.count else 400 // size.less
    places = {"together": "on one processor", "free": "on any processor"}
    if size.count or size.short:
        del places["free"]

    def column(jobserver, how, where):
        def measure():
            with jobserver(count) as used:
                return meter("handoff", used.read_path, how, where, count)[0]
        return jobserver.name, measure

    for how, title in (("read", "hand-off to a blocked reader"), ("poll", "hand-off to a poller")):
        for where, place in places.items():
            row = Row(f"handoff-{how}-{where}", f"{title}, {place}", size.unit)
            in_turns(row, size.rounds, [column(jobserver, how, where)
                                        for jobserver in (Steve, Pipe)])
            row.against("FIFO", 1.0)
            yield row


def crowds(row, size, jobserver, kind, numbers, most):
    """What a token costs with more and more who wait; returns the wake-ups for each."""
    woken = {number: [] for number in numbers}

    def column(number):
        def measure():
            # A FIFO wakes all of them, which takes its time.
            count = 200 if jobserver is Steve or kind == "apart" else max(20, 200 // number)
            with jobserver(count) as used:
                figure, wakeups = meter("crowd", used.read_path, kind, number, count)
            woken[number].append(wakeups)
            return figure
        return f"{number:,}", measure

    in_turns(row, size.rounds if max(numbers) < 5000 else size.few,
             [column(number) for number in numbers])
    for number in numbers[1:]:
        row.goal(row.ratio(f"{number:,}", "1"), f"× 1, with {number:,}", most)
    # In a round the machine may stand still for longer than a token is reserved.
    return {number: statistics.median(rounds) for number, rounds in woken.items()}


def pollers(size):
    for jobserver in (Steve, Pipe):
        ours = jobserver is Steve
        row = Row(f"pollers-{jobserver.name}",
                  f"{jobserver.name}: a token, with so many pollers", size.unit)
        woken = crowds(row, size, jobserver, "poll", (1, 64) if size.short else (1, 64, 1024),
                       1.2 if ours else None)
        for number, wakeups in woken.items():
            row.goal(wakeups, f"wake-ups for a token, with {number:,}", 1.0 if ours else None,
                     exact=True)
        yield row
    # What it costs the machine that another program runs each time, and no more.
    row = Row("pollers-apart", "a byte, with so many pollers who have a pipe each", size.unit)
    crowds(row, size, Pipe, "apart", (1, 64) if size.short else (1, 64, 1024), None)
    yield row


def grants(size):
    numbers = (1, 100, 1000) if size.short else (1, 100, 10000)
    for kind, who in (("read", "blocked readers"),
                      ("cold", "clients that wait, all but one of them cold")):
        row = Row(f"grants-{kind}", f"a token, with so many {who}", size.unit)
        crowds(row, size, Steve, kind, numbers, 1.3)
        yield row


# ---- The end of a process ----

def reclaim(kind, others, tokens):
    """Until the parent of one that died with tokens knows, and until all have theirs."""
    with Steve(tokens) as used:
        return meter("reclaim", used.read_path, kind, others, tokens)


def exit_wakeups(others, tokens):
    """How many clients are woken by the process itself that dies."""
    recording = tracing.Recording("steve-reclaim", tracing.RECLAIM_EVENTS)
    with tempfile.TemporaryDirectory() as place:
        recording.start()
        try:
            reclaim("waiting", others, tokens)
        finally:
            lines = recording.stop(pathlib.Path(place) / "trace")
    events = list(tracing.parse(lines))
    dead = max((event for event in events if event.name == "steve_reclaim"),
               key=lambda event: event.number("tokens"))
    mine = [event for event in events if event.task == dead.number("pid")]
    clients = {event["pid"] for event in mine if event.name == "steve_grant"} - {dead["pid"]}
    return sum(event.name == "sched_waking" and event["pid"] in clients for event in mine)


def deaths(size):
    others = 500 if size.short else 10000

    def column(kind, tokens, which):
        return f"{tokens:,}", lambda: reclaim(kind, others, tokens)[which]

    row = Row("reclaim", "a client dies with so many tokens, "
              f"{others:,} others known: until its parent knows", size.unit)
    in_turns(row, size.few, [column("known", tokens, 0) for tokens in (1, 10000)])
    row.goal(row.ratio("10,000", "1"), "× 1, with 10,000 tokens", 1.3)
    yield row

    # Meanwhile the parent sleeps now and then, and no instruction is counted.
    if size.count:
        return
    few, many = 100, others
    row = Row("reclaim-waiting", f"the same, {others:,} others waiting: until these have them",
              size.unit)
    in_turns(row, size.few, [column("waiting", tokens, 1) for tokens in (1, few, many)])
    first, some, everybody = (row.median(f"{tokens:,}") for tokens in (1, few, many))
    row.goal((everybody - first) / (many - 1) / ((some - first) / (few - 1)),
             f"× that with {few}, for each token but the first, with {many:,}", 1.3)
    row.goal(exit_wakeups(others, 10000), "wake-ups in the exit", WAKEUPS_MOST, exact=True)
    yield row


def load():
    subprocess.run(["insmod", os.environ["STEVE_KO"]], check=True)
    subprocess.run(["mount", "-t", "stevefs", "none", "/run/steve"], check=True)


def unload():
    subprocess.run(["umount", "/run/steve"], check=True)
    subprocess.run(["rmmod", "steve"], check=True)


def exits(size):
    """Of processes that know nothing of steve; only instructions are exact enough."""
    if not size.count:
        return

    def measure():
        return meter("forks", 200)[0]

    def measure_without():
        unload()
        try:
            return measure()
        finally:
            load()

    row = Row("exits", "fork and exit of a process that never used it", size.unit)
    in_turns(row, 7, [("loaded", measure), ("not loaded", measure_without)])
    scatter = max(max(figures) - min(figures) for figures in row.figures.values())
    row.goal(abs(row.median("loaded") - row.median("not loaded")),
             "apart, and those of the same kind up to that of the goal", scatter)
    yield row


# ---- Memory ----

def slab_bytes(name):
    """What an object of a cache takes, with all that is lost beside it."""
    for line in pathlib.Path("/proc/slabinfo").read_text().splitlines():
        words = line.split()
        if words[0] == name:
            objects, in_slab, pages = int(words[1]), int(words[4]), int(words[5])
            return pages * os.sysconf("SC_PAGESIZE") / in_slab if objects else 0
    raise RuntimeError(f"no cache {name} in /proc/slabinfo")


def memory(size):
    """Who waits in read does so on the stack of its thread."""
    if size.count:
        return
    clients = 500
    row = Row("memory", f"memory, with {clients} clients that wait", "bytes")
    with Steve(0) as used, start_meter("clients", used.read_path, clients) as process:
        process.stdout.readline()
        for column, cache in (("client", "steve_client"), ("its use of a file", "steve_handle"),
                              ("open file", "steve_file")):
            row.figures[column] = [slab_bytes(cache)]
        process.stdin.close()
    row.goal(sum(row.median(column) for column in row.figures), "together", MEMORY_MOST)
    yield row


# ---- A real build ----

def build(jobserver, project):
    """Milliseconds that a build takes, and those of them in the kernel."""
    cpus = os.cpu_count()
    subprocess.run(["make", "-s", "clean"], cwd=project, check=True, stdout=subprocess.DEVNULL)
    # The build runs one job without a token.
    with jobserver(cpus - 1) as used:
        if jobserver is Steve:
            command = ["make", "-s"]
            flags = {"MAKEFLAGS": f"--jobserver-auth=fifo:{used.read_path}"}
        else:
            command, flags = ["make", "-s", f"-j{cpus}", "--jobserver-style=fifo"], {}
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=project, env=os.environ | flags,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - start
    if status:
        raise RuntimeError(f"{' '.join(command)} in {project} failed")
    return 1000 * took, 1000 * usage.ru_stime


def builds(size):
    if size.count or not size.project:
        return
    wall = Row("build", "build of a project whose makefile starts make", "ms")
    system = Row("build-system", "the same, time in the kernel", "ms")

    def column(jobserver):
        def measure():
            took, in_kernel = build(jobserver, size.project)
            system.figures.setdefault(jobserver.name, []).append(in_kernel)
            return took
        return jobserver.name, measure

    in_turns(wall, size.pairs, [column(Steve), column(Pipe)])
    for row in (wall, system):
        low, median, high = row.difference("steve", "FIFO")
        row.goal(low, f"from where the median difference is with 95 % confidence, to {high:.0f}, "
                 f"{median:.0f} here", 0)
    system.against("FIFO", 1.0)
    yield wall
    yield system


MEASURES = {"cycles": cycles, "clock": clock, "handoffs": handoffs, "pollers": pollers,
            "grants": grants, "deaths": deaths, "exits": exits, "memory": memory,
            "builds": builds}
