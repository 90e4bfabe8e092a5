# SPDX-License-Identifier: GPL-2.0
"""The jobservers that are measured side by side, and the program that measures."""

import os
import pathlib
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).parent / "meter"


def build_programs():
    subprocess.run(["make", "-s", "-C", PROGRAMS], check=True)


def meter(*arguments):
    """The numbers that a measurement prints."""
    result = subprocess.run([PROGRAMS / "meter", *map(str, arguments)], check=True,
                            stdout=subprocess.PIPE, text=True)
    return [float(word) for word in result.stdout.split()]


def start_meter(*arguments):
    """A measurement that goes on until its input is closed."""
    return subprocess.Popen([PROGRAMS / "meter", *map(str, arguments)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def stevectl(*arguments):
    subprocess.run(["stevectl", *arguments], check=True)


class Jobserver:
    """Where tokens are read from and written to, while it is entered."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.read_path = self.write_path = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Steve(Jobserver):
    name = "steve"

    def __enter__(self):
        self.read_path = self.write_path = "/dev/steve"
        stevectl("set-jobs", str(self.tokens))
        return self


class Waited(Steve):
    """While somebody has a place, who tried once and can be told of no token."""
    name = "steve, one waits"

    def __enter__(self):
        super().__enter__()
        stevectl("set-jobs", "0")
        self.descriptor = os.open(self.read_path, os.O_RDWR | os.O_NONBLOCK)
        try:
            os.read(self.descriptor, 1)
            raise RuntimeError("there are tokens")
        except BlockingIOError:
            pass
        stevectl("set-jobs", str(self.tokens))
        return self

    def __exit__(self, *_):
        # Who is served has no place.
        os.write(self.descriptor, os.read(self.descriptor, 1))
        os.close(self.descriptor)


class Limited(Steve):
    """While a limit is set that holds nothing back."""
    name = "steve, limited"

    def __enter__(self):
        super().__enter__()
        stevectl("set", "min_memory=1M")
        return self

    def __exit__(self, *_):
        stevectl("set", "min_memory=0")


class Pipe(Jobserver):
    """As make makes one."""
    name = "FIFO"

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory()
        self.read_path = self.write_path = f"{self.place.name}/fifo"
        os.mkfifo(self.read_path)
        self.descriptor = os.open(self.read_path, os.O_RDWR)
        os.write(self.descriptor, b"+" * self.tokens)
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)
        self.place.cleanup()


class Cuse(Jobserver):
    """A server in user space, which answers at once."""
    name = "CUSE"
    place = ()

    def __enter__(self):
        subprocess.run(["modprobe", "cuse"], check=True)
        self.server = subprocess.Popen([*self.place, PROGRAMS / "cuse", "steve-cuse"])
        self.read_path = self.write_path = "/dev/steve-cuse"
        while not os.path.exists(self.read_path):
            if self.server.poll() is not None:
                raise RuntimeError("the CUSE server ended")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        while os.path.exists(self.read_path):
            time.sleep(0.01)


class CuseBeside(Cuse):
    """On the processor of its client, and as urgent."""
    name = "CUSE beside"
    place = ("taskset", "-c", "0", "chrt", "-f", "2")


class Floor(Jobserver):
    """No jobserver: what it costs to enter and to leave the kernel."""
    name = "floor"
    read_path, write_path = "/dev/zero", "/dev/null"

    def __init__(self, tokens):
        self.tokens = tokens
