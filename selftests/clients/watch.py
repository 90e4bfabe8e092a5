# SPDX-License-Identifier: GPL-2.0
"""Runs programs that are clients of the pool, and judges from the trace what they did to it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools" / "demo"))

# pylint: disable=wrong-import-position
import tracing                          # noqa: E402
from account import Account             # noqa: E402

DEVICE, FIFO = "/dev/steve", "/run/steve/fifo"
PATIENCE = 300                          # seconds in which what has to come comes


class Failure(Exception):
    """A client did not do what it should, or the pool did not."""


class Skip(Exception):
    """A client cannot be had here."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def stevectl(*arguments):
    done = subprocess.run(["stevectl", *arguments], check=False, capture_output=True, text=True)
    check(done.returncode == 0, f"stevectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def status():
    return json.loads(stevectl("status", "--json"))


def clients():
    return json.loads(stevectl("ps", "--json"))["clients"]


def is_idle():
    pool = status()
    return not any(pool[name] for name in ("held", "reserved", "lent", "waiting"))


def wait_until(condition, text):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            print("".join(f"# {line}\n" for line in stevectl("ps").splitlines()), end="")
            raise Failure(f"{text}: not so after {PATIENCE} s")
        time.sleep(0.02)


def environment(auth):
    """Nothing of another jobserver, nor of a configuration."""
    unwanted = ("MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS", "CARGO_MAKEFLAGS", "NINJA_STATUS")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return dict(kept, MAKEFLAGS=f"--jobserver-auth={auth}")


@dataclass
class Ledger(Account):
    """What was taken, and by which programs."""
    programs: dict[int, str] = field(default_factory=dict)
    takers: Counter = field(default_factory=Counter)    # tokens, by program
    groups: Counter = field(default_factory=Counter)    # tokens, by group

    def on_sched_process_fork(self, event):
        super().on_sched_process_fork(event)
        self.programs[event.number("child_pid")] = self.programs.get(event.number("pid"), "")

    def on_sched_process_exec(self, event):
        super().on_sched_process_exec(event)
        self.programs[event.number("pid")] = os.path.basename(event["filename"])

    def on_tracing_mark_write(self, event):
        """Of Watch.ending(): from now on workers are not judged."""
        self.workers = ()

    def on_steve_grant(self, event):
        super().on_steve_grant(event)
        pid = event.number("pid")
        self.takers[self.programs.get(pid, "")] += 1
        self.groups[self.group.get(pid, "others")] += 1


@dataclass
class Watch:
    """Records all that happens while clients run; at the end the pool must be as before.

    takers are programs of which each has to have taken a token; workers are
    those that stand for a job, of which there may be one more than tokens for
    each program started, if slots is 1. Unless killed, a client returns what it
    took.
    """
    takers: tuple[str, ...]
    workers: tuple[str, ...] = ("sleep",)
    jobs: int = 3
    slots: int = 1
    killed: bool = False
    loans: int = 0
    strays: int = 0
    started: dict[str, subprocess.Popen] = field(default_factory=dict)
    ledger: Ledger | None = None

    def __enter__(self):
        stevectl("set", f"jobs={self.jobs}", "policy=fifo")
        wait_until(is_idle, "the pool is in use")
        self.before = status()
        self.recording = tracing.Recording("steve-clients")
        self.recording.start()
        return self

    def __exit__(self, kind, error, trace):
        self.ending()
        for process in self.started.values():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        try:
            # Those below them may take a little longer to die.
            if kind is None:
                wait_until(is_idle, "tokens are missing, or somebody still waits")
        finally:
            lines = self.recording.stop(pathlib.Path(os.environ["TMPDIR"]) / "trace")
        if kind is None:
            self.judge(lines)

    def start(self, *command, auth=f"fifo:{DEVICE}", name=None, variables=None, **how):
        """Starts a program, as a group of that name and with a process group of its own."""
        name = name or os.path.basename(command[0])
        output = pathlib.Path(os.environ["TMPDIR"]) / f"output of {name}"
        with open(output, "wb") as out:
            process = subprocess.Popen(
                command, env=environment(auth) | (variables or {}), stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **how)
        process.output = output
        self.started[name] = process
        return process

    def run(self, *command, **how):
        """Starts a program, waits for its end, which has to be a good one; returns what it said."""
        process = self.start(*command, **how)
        code = process.wait()
        said = process.output.read_text(errors="replace")
        if code:
            print("".join(f"# {line}\n" for line in said.splitlines()[-20:]), end="")
            raise Failure(f"{command[0]} ended with status {code}")
        return said

    def ending(self):
        """To be called before programs are killed: one that is in an execve() then still
        ends it, perhaps when its group's tokens are back already.
        """
        self.recording.mark("ending")

    def replay(self, lines):
        roots = {process.pid: name for name, process in self.started.items()}
        ledger = Ledger(jobs=self.jobs, roots=roots, workers=self.workers, slots=self.slots)
        return ledger.replay(tracing.parse(lines))

    def so_far(self):
        """The ledger of what has been recorded up to now."""
        return self.replay(self.recording.so_far())

    def judge(self, lines):
        self.ledger = ledger = self.replay(lines)
        print(f"# tokens taken: {', '.join(f'{n} by {p}' for p, n in ledger.takers.items())}; "
              f"workers: {ledger.most_working} at most")

        check(not ledger.faults, "; ".join(ledger.faults[:5]))
        for program in self.takers:
            check(ledger.takers[program], f"{program} took no token")
        check(ledger.most_working or not self.workers, f"no {' or '.join(self.workers)} ran")
        reclaimed = sum(ledger.reclaimed.values())
        check(self.killed or not reclaimed, f"{reclaimed} tokens were not returned")
        check(not ledger.held, f"held at the end: {ledger.held}")

        after = status()
        for name in ("jobs", "size", "available", "abandoned"):
            check(after[name] == self.before[name],
                  f"{name} was {self.before[name]} and is {after[name]}")
        for name, expected in (("loans", self.loans), ("strays", self.strays)):
            seen = after[name] - self.before[name]
            check(seen == expected, f"{seen} {name}, not {expected}")
