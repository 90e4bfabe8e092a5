# SPDX-License-Identifier: GPL-2.0
"""Shows who holds how many tokens: bars on a terminal, else one line a change."""

import sys
from dataclasses import dataclass

COLOURS = (36, 33, 35, 32)
CELL = 4                                # columns of a bar for each token


@dataclass
class Client:
    group: str
    pid: int
    command: str
    held: int
    waits: bool


@dataclass
class View:
    """What there is to see at one instant."""
    seconds: float
    jobs: int
    held: int
    available: int
    waiting: int
    compilers: int
    progress: dict[str, tuple[int, int]]        # by group: files done, of how many
    clients: list[Client]

    def pool(self):
        return (f"jobs {self.jobs}  held {self.held}  available {self.available}  "
                f"waiting {self.waiting}  compilers {self.compilers}")

    def tokens(self):
        """What makes one view differ from another in a log."""
        return self.jobs, self.held, self.available, self.waiting, self.clients


class Log:
    """For files and pipes: nothing is drawn over."""

    def __init__(self):
        self.last = None

    def update(self, view):
        if self.last and view.tokens() == self.last.tokens():
            return
        self.last = view
        groups = {}
        for client in view.clients:
            if client.held:
                text = f"{client.command}[{client.pid}]={client.held}"
                groups.setdefault(client.group, []).append(text)
        holders = "  ".join(f"{group}: {' '.join(held)}" for group, held in groups.items())
        done = "  ".join(f"{group} {n}/{of}" for group, (n, of) in view.progress.items())
        print(f"{view.seconds:6.1f} s  {view.pool()}  | {holders or 'nobody'} | {done}", flush=True)

    def say(self, text):
        print(text, flush=True)

    def close(self):
        pass


class Bars:
    """For terminals: a block of lines that is drawn anew in its place."""

    def __init__(self, columns, ascii_only):
        self.columns = columns
        self.full, self.empty = ("#", ".") if ascii_only else ("█", "·")
        self.lines = 0
        self.last = None

    def update(self, view):
        self.last = view
        self.draw()

    def say(self, text):
        self.erase()
        print(text)
        self.draw()

    def close(self):
        """Leaves the last picture where it is."""
        self.lines = 0
        self.last = None

    def erase(self):
        if self.lines:
            sys.stdout.write(f"\033[{self.lines}A\033[J")
        self.lines = 0

    def draw(self):
        if self.last:
            block = list(self.block(self.last))
            self.erase()
            for line in block:
                sys.stdout.write(line + "\n")
            self.lines = len(block)
        sys.stdout.flush()

    def block(self, view):
        groups = list(dict.fromkeys([*view.progress, *(c.group for c in view.clients)]))
        yield ""
        yield self.cut(f"{view.seconds:5.0f} s  {view.pool()}")
        for group, (done, of) in view.progress.items():
            yield self.cut(f"  {group:<6} {done:3} of {of} files compiled")
        for client in view.clients:
            colour = COLOURS[groups.index(client.group) % len(COLOURS)]
            yield self.bar(view, client, colour)

    def bar(self, view, client, colour):
        name = self.cut(f"  {client.group:<6} {client.command[:10]:<10} {client.pid:>6}  ")
        room = max(0, self.columns - 1 - len(name) - len(" 99 waits"))
        whole = min(max(view.jobs, client.held) * CELL, room)
        filled = min(client.held * CELL, whole)
        text = f" {client.held}" + (" waits" if client.waits else "")
        return (f"{name}\033[{colour}m{self.full * filled}\033[0m"
                f"{self.empty * (whole - filled)}{text}")

    def cut(self, text):
        return text[:self.columns - 1]
