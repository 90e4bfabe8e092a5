#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Takes tokens as the kernel's documentation build does: all that there are, at once.

usage: greedy.py PATH ROUNDS SECONDS
"""

import os
import subprocess
import sys


def claim(descriptor):
    tokens = b""
    while True:
        try:
            got = os.read(descriptor, 8)
        except BlockingIOError:
            return tokens
        # What it got is what it counts on: one token a read, whatever it asks for.
        assert len(got) == 1
        tokens += got


def work(reader, writer, seconds):
    tokens = claim(reader)
    jobs = [subprocess.Popen(["sleep", seconds]) for _ in range(len(tokens) + 1)]
    for job in jobs:
        assert job.wait() == 0
    if tokens:
        assert os.write(writer, tokens) == len(tokens)


def main():
    path, rounds, seconds = sys.argv[1:]
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    for _ in range(int(rounds)):
        work(reader, writer, seconds)


main()
