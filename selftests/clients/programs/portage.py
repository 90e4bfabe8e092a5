#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Takes tokens as Portage does: through one non-blocking descriptor in an event loop.

usage: portage.py PATH JOBS SECONDS
"""

import asyncio
import os
import sys


class Jobserver:
    """Each job waits for a token of its own."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    async def acquire(self):
        loop = asyncio.get_running_loop()
        while True:
            try:
                token = os.read(self.descriptor, 1)
            except BlockingIOError:
                readable = loop.create_future()
                loop.add_reader(self.descriptor, lambda f=readable: f.done() or f.set_result(None))
                await readable
                continue
            # Of no byte at all Portage says that something is very wrong.
            assert len(token) == 1
            return token

    def release(self, token):
        assert os.write(self.descriptor, token) == 1


async def job(jobserver, turn, seconds):
    # One reader of a descriptor at a time is all that an event loop knows.
    async with turn:
        token = await jobserver.acquire()
    process = await asyncio.create_subprocess_exec("sleep", seconds)
    assert await process.wait() == 0
    jobserver.release(token)


async def main():
    path, jobs, seconds = sys.argv[1:]
    jobserver, turn = Jobserver(path), asyncio.Lock()
    try:
        await asyncio.gather(*(job(jobserver, turn, seconds) for _ in range(int(jobs))))
    finally:
        asyncio.get_running_loop().remove_reader(jobserver.descriptor)


asyncio.run(main())
