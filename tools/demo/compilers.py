# SPDX-License-Identifier: GPL-2.0
"""Looks in /proc for compilers at work."""

import os

COMPILER = "cc1"


def identity(pid):
    """(pid, start time) of a compiler that has not ended, else None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            head, _, tail = stat.read().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = tail.split()
    if head.partition("(")[2] != COMPILER or fields[0] in "ZX":
        return None
    return pid, fields[19]


def running():
    """How many compilers run at one and the same instant.

    /proc takes a while to read. Those seen in a first reading and still there in
    a second one all ran at the instant between the two.
    """
    first = {identity(pid) for pid in os.listdir("/proc") if pid.isdigit()} - {None}
    return sum(identity(pid) == (pid, start) for pid, start in first)
