# SPDX-License-Identifier: GPL-2.0
"""Records the kernel's events through tracefs, in a buffer of its own."""

import pathlib
import re
from dataclasses import dataclass, field

TRACEFS = pathlib.Path("/sys/kernel/tracing")

# What is recorded, and the fields that the counting needs of each.
POOL_EVENTS = {
    "steve/steve_grant": ("pid", "held", "available"),
    "steve/steve_return": ("pid", "held", "available"),
    "steve/steve_reclaim": ("pid", "tokens", "available"),
    "steve/steve_lend": ("pid",),
    "steve/steve_stray": ("pid",),
    "steve/steve_resize": ("jobs", "size", "available"),
}
PROCESS_EVENTS = {
    "sched/sched_process_fork": ("child_pid",),
    "sched/sched_process_exec": ("filename", "pid"),
    "sched/sched_process_exit": ("pid",),
}
# What happens to reservations.
RESERVE_EVENTS = {
    "steve/steve_reserve": ("pid",),
    "steve/steve_grant": ("pid",),
    "steve/steve_lapse": ("pid",),
}

# Who wakes whom when a client dies.
RECLAIM_EVENTS = {
    "steve/steve_reclaim": ("pid", "tokens"),
    "steve/steve_grant": ("pid",),
    "sched/sched_waking": ("pid",),
}

LINE = re.compile(r"\s*.+-(?P<task>\d+)\s+\[\d+\]\s+\S+\s+(?P<time>\d+\.\d+): (?P<name>\w+): (?P<text>.*)")
FIELD = re.compile(r"(\w+)=(\S+)")


class TraceError(Exception):
    """The trace cannot be had, or is not whole."""


@dataclass
class Event:
    time: float
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    task: int = 0                       # the thread that it happened in

    def __getitem__(self, name):
        return self.fields[name]

    def number(self, name):
        return int(self.fields[name])


def parse(lines):
    """The events of a trace in text form, in its order."""
    for line in lines:
        match = LINE.fullmatch(line.rstrip("\n"))
        if match:
            yield Event(float(match["time"]), match["name"],
                        dict(FIELD.findall(match["text"])), int(match["task"]))
        elif line.strip() and not line.startswith("#"):
            raise TraceError(f"a line of the trace is not understood: {line.strip()}")


class Recording:
    """Records from start() to stop() into a file.

    The kernel's buffer keeps everything until the end: only then is the order of
    what happened on different processors certain.
    """

    BUFFER_KB = 16384

    def __init__(self, name, events=None):
        self.place = TRACEFS / "instances" / name
        self.events = events or POOL_EVENTS | PROCESS_EVENTS

    def start(self):
        if not (TRACEFS / "instances").is_dir():
            raise TraceError(f"no tracefs at {TRACEFS}: mount -t tracefs nodev {TRACEFS}")
        self.place.mkdir()
        self.write("tracing_on", "0")
        self.write("trace_clock", "mono")
        self.write("options/overwrite", "0")
        self.write("buffer_size_kb", str(self.BUFFER_KB))
        for event, fields in self.events.items():
            self.check(event, fields)
            self.write(f"events/{event}/enable", "1")
        self.write("tracing_on", "1")

    def so_far(self):
        return (self.place / "trace").read_text().splitlines()

    def mark(self, text):
        """Puts a tracing_mark_write with the text among the events."""
        self.write("trace_marker", text)

    def stop(self, path):
        """Writes what was recorded to path and forgets it; returns its lines."""
        self.write("tracing_on", "0")
        lost = self.lost()
        path.write_bytes((self.place / "trace").read_bytes())
        self.place.rmdir()
        if lost:
            raise TraceError(f"the trace lost events: {lost}")
        return path.read_text().splitlines()

    def write(self, name, text):
        (self.place / name).write_text(text)

    def check(self, event, fields):
        """The kernel's own description must have the fields that are counted on."""
        try:
            described = (self.place / "events" / event / "format").read_text()
        except FileNotFoundError:
            raise TraceError(f"this kernel has no event {event}") from None
        shown = described[described.index("print fmt:"):]
        for name in fields:
            if name + "=" not in shown:
                raise TraceError(f"event {event} does not show {name}")

    def lost(self):
        """The counters of lost events that are not zero."""
        lost = []
        for stats in sorted(self.place.glob("per_cpu/cpu*/stats")):
            for line in stats.read_text().splitlines():
                name, _, value = line.partition(": ")
                if name in ("overrun", "commit overrun", "dropped events") and int(value):
                    lost.append(f"{stats.parent.name} {name} {value}")
        return ", ".join(lost)
