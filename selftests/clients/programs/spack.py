#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Takes tokens as spack does: by epoll, through descriptors that its jobs inherit.

usage: spack.py PATH JOBS SECONDS
"""

import os
import select
import subprocess
import sys


def main():
    path, jobs, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    os.set_inheritable(reader, True)
    os.set_inheritable(writer, True)
    epoll = select.epoll()
    tokens, running = b"", []

    while jobs or running:
        for process in [process for process in running if process.poll() is not None]:
            running.remove(process)
            if tokens:
                os.write(writer, tokens[:1])
                tokens = tokens[1:]
        # The first one needs no token.
        while jobs and len(running) < len(tokens) + 1:
            running.append(subprocess.Popen(["sleep", seconds], close_fds=False))
            jobs -= 1
        if not jobs:
            for process in running:
                process.wait()
            continue
        epoll.register(reader, select.EPOLLIN)
        if epoll.poll(0.05):
            try:
                tokens += os.read(reader, min(jobs, 4))
            except BlockingIOError:
                pass
        epoll.unregister(reader)
    assert not tokens


main()
