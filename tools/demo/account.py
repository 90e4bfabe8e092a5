# SPDX-License-Identifier: GPL-2.0
"""Counts tokens and those that work from a trace, without asking the pool."""

import os
from dataclasses import dataclass, field

from compilers import COMPILER


@dataclass
class Phase:
    """The time between two changes of the number of jobs."""
    jobs: int
    begin: float
    end: float = 0.0
    drained: float | None = None    # when no more than jobs tokens were held
    most_held: int = 0              # from then on
    most_working: int = 0         # from then on


@dataclass
class Step:
    """What was held from one instant on."""
    time: float = field(compare=False)
    jobs: int
    held: dict[str, int]            # by group
    working: dict[str, int]       # by group
    reserved: int                   # put aside for clients that are to come


@dataclass
class Account:
    """The replay of a trace.

    A group is a process named in roots and all that descend from it. It may run
    as many workers, which are programs of those names, as it has tokens and
    slots. Each broken promise becomes a line in faults.
    """
    jobs: int
    roots: dict[int, str]
    begin: float = 0.0
    workers: tuple[str, ...] = (COMPILER,)
    slots: int = 0
    held: dict[int, int] = field(default_factory=dict)
    group: dict[int, str] = field(default_factory=dict)
    working: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    lent: set[int] = field(default_factory=set)                 # who lent its slot
    reserved: int = 0
    ended: dict[int, float] = field(default_factory=dict)       # of roots
    reclaimed: dict[int, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    most_working: int = 0
    phases: list[Phase] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.group.update(self.roots)
        self.allowed = self.jobs
        self.phases.append(Phase(self.jobs, self.begin, drained=self.begin))

    def replay(self, events):
        for event in events:
            self.counts[event.name] = self.counts.get(event.name, 0) + 1
            handler = getattr(self, "on_" + event.name, None)
            if handler:
                handler(event)
            if "available" in event.fields:
                self.on_available(event)
            self.note(event)
        if self.steps:
            self.phases[-1].end = self.steps[-1].time
        return self

    def total(self):
        return sum(self.held.values())

    def by_group(self, numbers):
        """Sums up numbers, which are by process."""
        sums = {}
        for pid, number in numbers.items():
            group = self.group.get(pid, "others")
            sums[group] = sums.get(group, 0) + number
        return sums

    def fault(self, event, text):
        self.faults.append(f"{event.time:.6f} {event.name}: {text}")

    def on_sched_process_fork(self, event):
        child, parent = event.number("child_pid"), event.number("pid")
        group = self.roots.get(child) or self.group.get(parent)
        self.group.pop(child, None)
        if group:
            self.group[child] = group
        self.dead.discard(child)

    def on_sched_process_exec(self, event):
        pid = event.number("pid")
        self.working.discard(pid)
        if os.path.basename(event["filename"]) not in self.workers:
            return
        self.working.add(pid)
        self.most_working = max(self.most_working, len(self.working))
        tokens = self.by_group(self.held)
        for group, running in self.by_group(dict.fromkeys(self.working, 1)).items():
            if running > tokens.get(group, 0) + self.slots:
                self.fault(event, f"{running} workers of {group} run on "
                                  f"{tokens.get(group, 0)} tokens")

    def on_sched_process_exit(self, event):
        pid = event.number("pid")
        self.working.discard(pid)
        self.dead.add(pid)
        if pid in self.roots:
            self.ended[pid] = event.time

    def on_steve_grant(self, event):
        pid = event.number("pid")
        if pid in self.lent:
            # Its own slot, which it had lent.
            self.lent.discard(pid)
            self.change(event, 0, event.number("held"))
        else:
            self.change(event, 1, event.number("held"))

    def on_steve_lend(self, event):
        self.lent.add(event.number("pid"))

    def on_steve_return(self, event):
        """One write may return many."""
        held = self.held.get(event.number("pid"), 0)
        self.change(event, -max(1, held - event.number("held")), event.number("held"))

    def on_steve_reclaim(self, event):
        pid, tokens = event.number("pid"), event.number("tokens")
        if pid not in self.dead:
            self.fault(event, f"tokens of process {pid} taken while it lives")
        self.reclaimed[pid] = self.reclaimed.get(pid, 0) + tokens
        self.change(event, -tokens, 0)

    def on_steve_resize(self, event):
        """What is held and what is reserved stays so when there are fewer jobs."""
        self.jobs = event.number("jobs")
        self.allowed = max(self.jobs, self.in_use(event))
        self.phases[-1].end = event.time
        self.phases.append(Phase(self.jobs, event.time))

    def change(self, event, tokens, told):
        """One client has more or fewer tokens, and by the event it has told."""
        pid = event.number("pid")
        held = self.held.get(pid, 0) + tokens
        if held != told:
            self.fault(event, f"process {pid} has {held} tokens by count, {told} by the event")
        self.held[pid] = held
        if not held:
            del self.held[pid]

        total = self.total() - len(self.lent)
        if total > self.allowed:
            self.fault(event, f"{total} tokens held, {self.allowed} allowed")
        self.allowed = max(self.jobs, min(self.allowed, self.in_use(event)))

    def in_use(self, event):
        """Tokens held or reserved, less those that are lent."""
        return self.jobs - event.number("available")

    def on_available(self, event):
        """What is neither held nor available is reserved."""
        free = self.jobs + len(self.lent) - self.total()
        self.reserved = free - event.number("available")
        if self.reserved < 0:
            self.fault(event, f"{event['available']} tokens available, {free} are free")

    def note(self, event):
        """Keeps the extremes and the course."""
        total, running, phase = self.total(), len(self.working), self.phases[-1]
        if phase.drained is None and total <= phase.jobs:
            phase.drained = event.time
        if phase.drained is not None:
            phase.most_held = max(phase.most_held, total)
            phase.most_working = max(phase.most_working, running)
        step = Step(event.time, self.jobs, self.by_group(self.held),
                    self.by_group(dict.fromkeys(self.working, 1)), self.reserved)
        if not self.steps or self.steps[-1] != step:
            self.steps.append(step)
