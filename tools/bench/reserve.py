#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures how long honest pollers take to read what was reserved for them.

The machine is busy: four times as many processes as processors count up numbers.
Beside them, clients poll for a token, read it, hold it for a moment and return
it. While reservations last for a minute, none lapses; so from one run it can be
told how many would have lapsed had they lasted shorter.

Runs as root where steve is loaded and nobody uses it.
"""

import argparse
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

import tracing

TOKENS, CLIENTS = 2, 8
BUSY = 4                                # processes for each processor
SPANS = (1, 2, 5, 10, 20, 50, 100, 200, 500)        # milliseconds
GOAL = 1 / 1000


def stevectl(*arguments):
    return subprocess.run(["stevectl", *arguments], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def settings():
    return dict(line.split("=") for line in stevectl("set").splitlines())


def spin():
    while True:
        pass


def use_tokens():
    token = os.open("/dev/steve", os.O_RDWR | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(token, select.POLLIN)
    while True:
        poll.poll()
        try:
            byte = os.read(token, 1)
        except BlockingIOError:
            continue
        time.sleep(0.002)
        os.write(token, byte)


def start(work):
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(1)
    return pid


def run(seconds, out):
    """The events of the trace."""
    recording = tracing.Recording("steve-reserve", tracing.RESERVE_EVENTS)
    pids = []
    recording.start()
    try:
        pids += [start(spin) for _ in range(BUSY * os.cpu_count())]
        pids += [start(use_tokens) for _ in range(CLIENTS)]
        time.sleep(seconds)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        lines = recording.stop(out / "reserve-trace.txt")
    return tracing.parse(lines)


def waits(events):
    """Seconds from each reservation to its read, and how many have lapsed."""
    reserved, times, lapsed = {}, [], 0
    for event in events:
        pid = event["pid"]
        if event.name == "steve_reserve":
            reserved.setdefault(pid, event.time)
        elif event.name == "steve_grant" and pid in reserved:
            times.append(event.time - reserved.pop(pid))
        elif event.name == "steve_lapse":
            lapsed += 1
            reserved.pop(pid, None)
    return times, lapsed


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR",
                        help="where the table as JSON, and the trace go")
    parser.add_argument("--seconds", type=int, default=120, help="how long to measure (120)")
    return parser.parse_args()


def main():
    options = parse_options()
    found = settings()
    default = int(found["reserve_ms"])
    stevectl("set", f"jobs={TOKENS}", "policy=fifo", "reserve_ms=60000")
    try:
        times, lapsed = waits(run(options.seconds, options.out))
    finally:
        stevectl("set", *(f"{name}={value}" for name, value in found.items()))
    times.sort()
    print(f"{len(times)} reservations, {os.cpu_count()} processors, "
          f"{BUSY * os.cpu_count()} busy processes, {CLIENTS} clients\n"
          f"until the read: median {1000 * times[len(times) // 2]:.2f} ms, "
          f"99.9 % within {1000 * times[len(times) * 999 // 1000]:.2f} ms, "
          f"longest {1000 * times[-1]:.2f} ms\n\nreserve_ms  would lapse")
    parts = {span: sum(1000 * wait > span for wait in times) / len(times) for span in SPANS}
    for span, part in parts.items():
        print(f"{span:10}  {1000 * part:7.2f} in 1,000{'   (default)' if span == default else ''}")
    (options.out / "reserve.json").write_text(json.dumps(
        {"reservations": len(times), "longest_s": times[-1], "lapse": parts}, indent=2) + "\n")
    good = not lapsed and parts[default] < GOAL
    print(f"\n{'reached' if good else 'MISSED'}: fewer than 1 in 1,000 with the default")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
