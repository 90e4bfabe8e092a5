# SPDX-License-Identifier: GPL-2.0
"""Programs that build: make and ninja, and what drives them."""

import os
import re
import shutil
import signal
import subprocess

import projects
from watch import DEVICE, FIFO, PATIENCE, Skip, Watch, check, status, wait_until


def version(*command):
    if not shutil.which(command[0]):
        raise Skip(f"no {command[0]} here")
    said = subprocess.run(command, check=True, capture_output=True, text=True,
                          env=dict(os.environ, MAKEFLAGS="")).stdout
    return tuple(int(number) for number in re.search(r"(\d+)\.(\d+)", said).groups())


def need(least, *command):
    """Skips the test if the program is older."""
    found = version(*command)
    if found < least:
        raise Skip(f"{command[0]} is {found[0]}.{found[1]}, the protocol is known to it from "
                   f"{least[0]}.{least[1]} on")


def need_make():
    need((4, 4), "make", "--version")


def need_ninja():
    need((1, 13), "ninja", "--version")


def built(program):
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    check(said == "42\n", f"{program} says {said!r}")


# ---- GNU make ----

def test_make(place):
    need_make()
    projects.flat(place / "it")
    with Watch(("make",), workers=("cc1",)) as watch:
        watch.run("make", cwd=place / "it")
    built(place / "it" / "program")


def test_make_recursive(place):
    """Its children take tokens, too, and run their first job on that of their parent."""
    need_make()
    projects.recursive(place / "it")
    with Watch(("make",), workers=("cc1",)) as watch:
        watch.run("make", cwd=place / "it")
    built(place / "it" / "program")


def test_make_with_a_load_limit(place):
    """With a load above the limit, make holds no more than its one job: it takes
    a token, finds that it may start nothing, and keeps or returns it.
    """
    need_make()
    projects.sleeps(place / "it", 0.2)
    with Watch((), jobs=3) as watch:
        watch.run("make", "-l", "0.01", cwd=place / "it")


def test_make_interrupted(place):
    """On SIGINT and SIGTERM make closes the device and ends without returning: its
    tokens come back by its death, as after SIGKILL.
    """
    need_make()
    projects.sleeps(place / "it", 1000)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with Watch(("make",), killed=True) as watch:
            # Whatever started the tests may ignore signals.
            process = watch.start("env", "--default-signal", "make", cwd=place / "it")
            wait_until(lambda: status()["held"] == 3, f"make does not take all before {number.name}")
            watch.ending()
            os.killpg(process.pid, number)
            process.wait(PATIENCE)
            check(status()["held"] == 0, f"make has left tokens behind after {number.name}")


def old_make(*arguments, path):
    """Older makes know the jobserver only as descriptors that they inherit."""
    return "sh", "-c", f"exec make {' '.join(arguments)} 3<{path} 4>{path}"


def test_make_by_descriptors(place):
    """Make 4.2 and 4.3 can do this only; later ones can it, too."""
    need((4, 2), "make", "--version")
    projects.recursive(place / "it")
    for path in (DEVICE, FIFO):
        with Watch(("make",), workers=("cc1",)) as watch:
            watch.run(*old_make("-B", path=path), auth="3,4", cwd=place / "it")
        built(place / "it" / "program")


def test_make_4_3(place):
    found = version("make", "--version")
    if found not in ((4, 2), (4, 3)):
        raise Skip(f"make is {found[0]}.{found[1]}; with --kernel 6.1 it is Debian 12's, which is 4.3")
    test_make_by_descriptors(place)


# ---- ninja ----

def test_ninja(place):
    """Released versions insist on a FIFO; stevefs has one."""
    need_ninja()
    projects.sleeps(place / "it", 0.2)
    with Watch(("ninja",)) as watch:
        watch.run("ninja", auth=f"fifo:{FIFO}", cwd=place / "it")


def test_ninja_with_the_fifo_bound_over_the_device(place):
    need_ninja()
    projects.sleeps(place / "it", 0.2)
    script = f"mount --bind {FIFO} {DEVICE} && exec ninja"
    with Watch(("ninja",)) as watch:
        watch.run("unshare", "--mount", "sh", "-c", script, cwd=place / "it")


def test_ninja_by_cmake(place):
    need_ninja()
    need((3, 20), "cmake", "--version")
    source = projects.flat(place / "it")
    subprocess.run(["cmake", "-G", "Ninja", "-S", source, "-B", place / "out"], check=True,
                   stdout=subprocess.DEVNULL)
    with Watch(("ninja",), workers=("cc1",)) as watch:
        watch.run("cmake", "--build", place / "out", auth=f"fifo:{FIFO}")
    built(place / "out" / "program")


def test_ninja_by_meson(place):
    need_ninja()
    need((1, 0), "meson", "--version")
    source = projects.flat(place / "it")
    subprocess.run(["meson", "setup", place / "out", source], check=True, stdout=subprocess.DEVNULL)
    with Watch(("ninja",), workers=("cc1",)) as watch:
        watch.run("meson", "compile", "-C", place / "out", auth=f"fifo:{FIFO}")
    built(place / "out" / "program")
