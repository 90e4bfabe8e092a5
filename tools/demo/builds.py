# SPDX-License-Identifier: GPL-2.0
"""The two builds: how each is started, how far it is, and what it makes."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass

@dataclass(frozen=True)
class Project:
    """An upstream project; commands run at the top of its tree."""
    name: str
    pooled: tuple[str, ...]         # with the jobs of the pool
    alone: tuple[str, ...]          # with four jobs of its own
    plan: tuple[str, ...]           # prints the commands that a build runs
    try_out: str                    # shell: uses what was built, says what it is


# Without optimisation: the compilers are emulated.
MAKE_ZSTD = ("-C", "programs", "zstd", "V=1", "CFLAGS=-O0", "ZSTD_LEGACY_SUPPORT=0",
             "HAVE_ZLIB=0", "HAVE_LZMA=0", "HAVE_LZ4=0")
NINJA_BROTLI = ("-C", "out", "-v")

PROJECTS = (
    Project("zstd",
            pooled=("stevectl", "run", "make", *MAKE_ZSTD),
            alone=("make", "-j4", *MAKE_ZSTD),
            plan=("make", "-n", *MAKE_ZSTD),
            try_out="programs/zstd --version && "
                    "programs/zstd -q -c lib/zstd.h | programs/zstd -q -d -c | cmp - lib/zstd.h"),
    # Released ninja takes a jobserver only for a FIFO.
    Project("brotli",
            pooled=("stevectl", "run", "--device", "/run/steve/fifo", "ninja", *NINJA_BROTLI),
            alone=("ninja", "-j4", *NINJA_BROTLI),
            plan=("ninja", *NINJA_BROTLI, "-t", "commands"),
            try_out="out/brotli --version && "
                    "out/brotli -c LICENSE | out/brotli -d -c | cmp - LICENSE"),
)


def environment():
    """Nothing of a jobserver that this program may itself have been started under."""
    unwanted = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def compilations(text):
    return sum(" -c " in line for line in text.splitlines())


class Build:
    """One run of a project's build, in a fresh copy of its tree."""

    def __init__(self, project, sources, place, pooled):
        self.name = project.name
        self.project = project
        self.tree = place / project.name
        if self.tree.exists():
            shutil.rmtree(self.tree)
        subprocess.run(["cp", "-a", sources / project.name, self.tree], check=True)
        plan = subprocess.run(project.plan, cwd=self.tree, env=environment(), check=True,
                              stdout=subprocess.PIPE, text=True)
        self.files = compilations(plan.stdout)
        self.command = project.pooled if pooled else project.alone
        self.log = None
        self.process = None
        self.works = False
        self.says = "not built"         # what it built says of itself, or what is wrong

    def start(self, log):
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(self.command, cwd=self.tree, env=environment(),
                                            stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, start_new_session=True)

    def progress(self):
        """(files compiled or in work, files in all)"""
        return compilations(self.log.read_text()), self.files

    def running(self):
        return self.process.poll() is None

    def kill(self):
        if self.process and self.running():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def try_out(self):
        """Uses what was built."""
        if self.process.returncode:
            self.says = f"exit status {self.process.returncode}, see {self.log.name}"
            return
        tried = subprocess.run(["sh", "-c", self.project.try_out], cwd=self.tree, check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.works = tried.returncode == 0
        self.says = (tried.stdout.strip() or "it says nothing").splitlines()[0]
