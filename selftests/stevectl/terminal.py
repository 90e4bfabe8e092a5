#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs a command in a terminal, does to it what it is told, and waits for its end.

usage: terminal.py [--screen] LINESxCOLUMNS ACTION... -- COMMAND...

Actions, one after the other:
  output:TEXT     wait until TEXT was written
  picture:REGEX   wait until a whole screen was drawn that has REGEX in it
  key:TEXT        press keys; backslashes are as in Python
  signal:NAME     send the command a signal
  size:LxC        change the size of the terminal
  hangup          close the terminal
  create:FILE     create FILE, for which somebody may wait

Prints what was written; with --screen, the last screen that was drawn. Exits with
the status of the command, 128 and the number of the signal that killed it. It
exits with 99 if it waited in vain, if the command left the terminal otherwise than
it was, or if it drew beyond an edge.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata

LIMIT = 120     # seconds after which something has not happened
PICTURE = re.compile(rb"\x1b\[H(.*?)\x1b\[J", re.DOTALL)
CODE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
LEAVE = b"\x1b[?25h\x1b[?1049l"


def give_up(text):
    print(f"terminal: {text}", file=sys.stderr)
    os._exit(99)


def columns(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    def __init__(self, size, command):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.output, self.seen = b"", 0
        self.resize(size)
        self.modes = termios.tcgetattr(slave)
        self.pid = os.fork()
        if not self.pid:
            os.close(self.master)
            os.login_tty(slave)
            os.execvp(command[0], command)

    def resize(self, size):
        self.size = tuple(map(int, size.split("x")))
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self.size, 0, 0))

    def read(self, seconds):
        """Reads what comes first within that time; was there anything?"""
        if self.master is None or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            text = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += text
        return bool(text)

    def wait_for(self, what, found):
        until = time.monotonic() + LIMIT
        while not found():
            if time.monotonic() > until:
                give_up(f"no {what} in {self.output[-2000:]!r}")
            self.read(0.1)

    def pictures(self):
        return [match.decode(errors="replace") for match in
                PICTURE.findall(self.output[self.seen:])]

    def plain(self, picture):
        return re.sub("\r+\n", "\n", CODE.sub("", picture))

    def act(self, action):
        kind, _, text = action.partition(":")
        if kind == "output":
            self.wait_for(text, lambda: text.encode() in self.output[self.seen:])
        elif kind == "picture":
            self.wait_for(text, lambda: any(re.search(text, self.plain(picture), re.MULTILINE)
                                            for picture in self.pictures()))
        elif kind == "key":
            os.write(self.master, text.encode().decode("unicode_escape").encode())
        elif kind == "signal":
            os.kill(self.pid, getattr(signal, "SIG" + text))
        elif kind == "create":
            os.close(os.open(text, os.O_CREAT | os.O_WRONLY))
        elif kind == "size":
            self.seen = len(self.output)
            self.resize(text)
        elif kind == "hangup":
            os.close(self.master)
            self.master = None
        else:
            give_up(f"no action is called {kind}")

    def finish(self):
        """The exit status."""
        until = time.monotonic() + LIMIT
        while True:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                give_up(f"it did not end; it wrote {self.output[-2000:]!r}")
        # One read gets what the terminal holds, not what is on its way there.
        while self.read(0):
            pass
        if self.master is not None and termios.tcgetattr(self.slave) != self.modes:
            give_up("it left the terminal in another mode")
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def screen(self):
        """The last picture, which must fit."""
        if not self.output.endswith(LEAVE) and self.master is not None:
            give_up(f"it left the terminal so: {self.output[-100:]!r}")
        lines = self.plain(self.pictures()[-1]).split("\n")
        if len(lines) > self.size[0]:
            give_up(f"{len(lines)} lines do not fit: {lines}")
        for line in lines:
            if columns(line) > self.size[1]:
                give_up(f"a line of {columns(line)} does not fit: {line!r}")
        return "\n".join(lines) + "\n"


def main():
    arguments = sys.argv[1:]
    screen = arguments[0] == "--screen"
    end = arguments.index("--")
    size, *actions = arguments[int(screen):end]
    terminal = Terminal(size, arguments[end + 1:])
    for action in actions:
        terminal.act(action)
    status = terminal.finish()
    sys.stdout.write(terminal.screen() if screen else
                     terminal.output.decode(errors="replace"))
    sys.stdout.flush()
    os._exit(status)


main()
