#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows what stevectl govern does while another program takes the memory away.

Jobs that use memory run on a pool of eight tokens, under a governor. Some time
later a hog fills and uses most of the memory, so that the machine has to swap;
after a while it ends. Recorded is how many jobs run, the cap, and how much of the
time somebody was held up for want of memory.

Judged is that the cap goes down within a second of the pressure that the governor
was told to listen to, that it comes back to eight after the hog, and that it does
not swing: as long as the hog is there it never rises by more than what it fell
from, and once it has come back it stays.

Runs as root where steve is loaded and nobody uses it.
"""

import argparse
import ctypes
import fcntl
import mmap
import os
import pathlib
import select
import signal
import struct
import subprocess
import sys
import time

JOBS, WORKERS, MIN = 8, 12, 1
JOB_MB, JOB_SECONDS = 60, 2             # what a job uses, and how long it runs
SWAP_MB = 1024
SPARE_MB = 200                          # what the hog leaves at first, of all memory
PERCENT = 10                            # the pressure that the governor listens to
WINDOW = 0.5                            # seconds over which it does so
BEFORE, DURING, AFTER = 15, 40, 90      # seconds
GET_STATUS = 3 << 30 | 144 << 16 | 0xbc << 8
PRESSURE = pathlib.Path("/proc/pressure/memory")
SWAPFILE = pathlib.Path("/var/steve-swap")
BLOCK = bytes(range(256)) * 4096        # a megabyte


class BenchError(Exception):
    """The bench cannot be run."""


def stevectl(*arguments):
    return subprocess.run(["stevectl", *arguments], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


# ---- What runs ----

def use(memory, seconds, rest=0):
    """Writes to all of it, again and again, with a rest after each megabyte."""
    until = time.monotonic() + seconds
    while True:
        for offset in range(0, len(memory), len(BLOCK)):
            memory[offset:offset + len(BLOCK)] = BLOCK
            time.sleep(rest)
            if time.monotonic() > until:
                return


def work():
    """Runs one job after the other, each on a token."""
    device = os.open("/dev/steve", os.O_RDWR)
    while True:
        token = os.read(device, 1)
        with mmap.mmap(-1, JOB_MB << 20, mmap.MAP_PRIVATE) as memory:
            use(memory, JOB_SECONDS, rest=0.01)
        os.write(device, token)


def hog(megabytes):
    os.nice(-20)
    with mmap.mmap(-1, megabytes << 20, mmap.MAP_PRIVATE) as memory:
        use(memory, 3600)


def start(function, *arguments):
    pid = os.fork()
    if not pid:
        try:
            function(*arguments)
        finally:
            os._exit(1)
    return pid


def end(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


class Swap:
    def __enter__(self):
        with SWAPFILE.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, SWAP_MB << 20)
        SWAPFILE.chmod(0o600)
        for command in ("mkswap", "swapon"):
            subprocess.run([command, str(SWAPFILE)], check=True, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        subprocess.run(["swapoff", str(SWAPFILE)], check=True)
        SWAPFILE.unlink()


class Governor:
    """Its lines, each with the time at which it came."""

    def __init__(self, clock):
        self.clock, self.lines = clock, []
        self.process = subprocess.Popen(
            ["stevectl", "govern", "--min", str(MIN), "--memory-pressure", str(PERCENT)],
            stdout=subprocess.PIPE)

    def read(self):
        while select.select([self.process.stdout], [], [], 0)[0]:
            text = self.process.stdout.readline().decode().strip()
            if not text:
                raise BenchError("the governor has ended")
            self.lines.append((self.clock(), text))
            print(f"{self.clock():7.2f} s  {text}", flush=True)

    def end(self):
        self.process.kill()
        self.process.wait()


# ---- What is recorded ----

def meminfo(name):
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) >> 10
    raise BenchError(f"/proc/meminfo has no {name}")


def stalled():
    """Seconds in which some task was held up for want of memory, up to now."""
    return int(PRESSURE.read_text().split("total=")[1].split()[0]) / 1e6


class Recorder:
    """A row every tenth of a second: time, held, cap, waiting, pressure, available."""

    def __init__(self, clock):
        self.clock, self.rows, self.stalls = clock, [], [(clock(), stalled())]
        self.device = os.open("/dev/steve", os.O_RDONLY)

    def pressure(self, now):
        """In percent, over the window that the governor listens to."""
        self.stalls.append((now, stalled()))
        while len(self.stalls) > 2 and self.stalls[1][0] <= now - WINDOW:
            self.stalls.pop(0)
        (first, before), (last, after) = self.stalls[0], self.stalls[-1]
        return 100 * (after - before) / max(last - first, 1e-3)

    def look(self):
        status = bytearray(144)
        fcntl.ioctl(self.device, GET_STATUS, status)
        _, _, size, _, held, _, _, _, waiting = struct.unpack_from("=QIIiIIIII", status)
        now = self.clock()
        self.rows.append((now, held, size, waiting, self.pressure(now),
                          meminfo("MemAvailable")))

    def write(self, path):
        lines = (" ".join(f"{value:.3f}" if isinstance(value, float) else str(value)
                          for value in row) for row in self.rows)
        path.write_text("# seconds held cap waiting pressure_percent available_mb\n" +
                        "\n".join(lines) + "\n")


def be_on_time():
    """Looks even while everything else is held up for want of memory or of a processor."""
    current_and_future = 3
    if ctypes.CDLL(None, use_errno=True).mlockall(current_and_future):
        raise BenchError(f"cannot lock memory: {os.strerror(ctypes.get_errno())}")
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


# ---- The course of it ----

def record(recorder, governor, until):
    while recorder.clock() < until:
        recorder.look()
        governor.read()
        time.sleep(0.1)


def run(out):
    """The rows, and when the hog began and ended."""
    began = time.monotonic()

    def clock():
        return time.monotonic() - began

    governor, recorder = Governor(clock), Recorder(clock)
    pids, hogs = [], []
    try:
        pids += [start(work) for _ in range(WORKERS)]
        record(recorder, governor, BEFORE)
        hog_from = clock()
        print(f"{hog_from:7.2f} s  the hog begins", flush=True)
        hogs.append(start(hog, meminfo("MemTotal") - SPARE_MB))
        record(recorder, governor, BEFORE + DURING)
        end(hogs)
        hog_until = clock()
        hogs.clear()
        print(f"{hog_until:7.2f} s  the hog ends", flush=True)
        record(recorder, governor, BEFORE + DURING + AFTER)
    finally:
        end(pids + hogs)
        governor.end()
        recorder.write(out / "govern.dat")
    (out / "govern.times").write_text(f"{hog_from:.3f} {hog_until:.3f}\n")
    return recorder.rows, hog_from, hog_until


# ---- The verdict ----

def changes(rows, begin, end_):
    """The caps that follow on each other in that time."""
    caps = []
    for time_, _, cap, *_ in rows:
        if begin <= time_ <= end_ and (not caps or caps[-1] != cap):
            caps.append(cap)
    return caps


def falls(caps):
    return sum(after < before for before, after in zip(caps, caps[1:]))


def judge(rows, hog_from, hog_until):
    """Prints what was reached; returns whether all of it was."""
    pressed = next((row[0] for row in rows if row[0] >= hog_from and row[4] >= PERCENT), None)
    lowered = next((row[0] for row in rows if row[0] >= hog_from and row[2] < JOBS), None)
    back = next((row[0] for row in rows if row[0] > hog_until and row[2] == JOBS), None)
    under = changes(rows, hog_from, hog_until)
    after = changes(rows, hog_until, rows[-1][0])
    lowest = min((row[1] for row in rows if hog_from <= row[0] <= hog_until), default=0)

    good = True

    def tell(reached, text):
        nonlocal good
        good &= reached
        print(f"{'reached' if reached else 'MISSED'}: {text}")

    print()
    tell(pressed is not None and lowered is not None and lowered - pressed < 1,
         "the cap goes down within a second of the pressure" +
         (f": {lowered - pressed:.2f} s" if pressed and lowered else ""))
    tell(lowest < JOBS, f"fewer jobs run while the hog is there: down to {lowest}")
    tell(back is not None, "all jobs are back after it" +
         (f": {back - hog_until:.1f} s" if back else ""))
    tell(falls(after) == 0, f"no swing after the hog: the cap was {after}")
    tell(falls(under) <= 8, f"few falls under the hog: {falls(under)}, the cap was {under}")
    return good


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR",
                        help="where what was recorded goes")
    return parser.parse_args()


def main():
    options = parse_options()
    if not PRESSURE.exists():
        raise BenchError("this kernel tells nothing of pressure")
    be_on_time()
    found = stevectl("set").split()
    stevectl("set", f"jobs={JOBS}", "policy=fifo", "min_memory=none", "max_load=none")
    try:
        with Swap():
            course = run(options.out)
    finally:
        stevectl("set", *found)
    return 0 if judge(*course) else 1


if __name__ == "__main__":
    sys.exit(main())
