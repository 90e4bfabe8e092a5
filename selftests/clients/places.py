# SPDX-License-Identifier: GPL-2.0
"""Clients in namespaces, in another root, and of another word size."""

import json
import os
import shutil
import signal
import subprocess

import projects
from builds import built, need_make
from watch import DEVICE, HERE, Skip, Watch, check, clients, status, stevectl, wait_until

# Builds, and then holds a token until it is killed. What stevectl tells meanwhile is printed.
INSIDE = """\
make -C "$0" >/dev/null || exit
stevectl run --always sleep 1000 &
while [ "$(stevectl ps --noheadings --raw --output PID,HELD)" != "$! 1" ]; do
    kill -0 $! || exit
    sleep 0.1
done
stevectl ps --json
"""


def rows(process):
    """What was printed inside, once it is all there."""
    def printed():
        check(process.poll() is None, process.output.read_text())
        return process.output.read_text().rstrip().endswith("}")

    wait_until(printed, "nothing is told inside")
    return json.loads(process.output.read_text())["clients"]


def inside(place, *enter):
    """Builds and is killed inside; returns what stevectl told there, and here, about the holder."""
    need_make()
    projects.flat(place / "it")
    with Watch(("make", "stevectl"), workers=("cc1",), killed=True) as watch:
        process = watch.start(*enter, "sh", "-c", INSIDE + "wait", place / "it", name="inside")
        told = rows(process)
        here = [row for row in clients() if row["held"]]
        check(len(told) == 1 and told[0]["held"] == 1, f"inside are {told}")
        check(len(here) == 1 and here[0]["held"] == 1, f"here are {here}")
        watch.ending()
        os.kill(here[0]["pid"], signal.SIGKILL)
        wait_until(lambda: not status()["held"], "the token of the killed holder")
        process.wait()
    built(place / "it" / "program")
    return told[0]["pid"], here[0]["pid"]


def test_pid_namespace(place):
    """Its processes are told by the numbers they have there; and those of its
    outside, which have none there, are 0.
    """
    there, here = inside(place, "unshare", "--pid", "--fork", "--mount-proc")
    check(there < here, f"inside it is {there}, here {here}")


def test_pid_namespace_ends(_):
    """Its first process is killed, and with it all that hold tokens."""
    with Watch(("stevectl",), killed=True) as watch:
        process = watch.start("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                              "stevectl run --always sleep 1000 & "
                              "stevectl run --always sleep 1000 & wait")
        wait_until(lambda: status()["held"] == 2, "tokens are held inside")
        watch.ending()
        process.kill()
        process.wait()
        wait_until(lambda: not status()["held"], "the tokens of the killed namespace")


def test_chroot(place):
    """Another root, in which the node is the only device."""
    root = place / "root"
    (root / "dev").mkdir(parents=True)
    (root / "dev" / "steve").touch()
    mounts = [f"mount --bind {DEVICE} {root}/dev/steve"]
    stevectl_is_in = os.path.realpath(shutil.which("stevectl")).split("/")[1]
    for name in {"usr", "etc", "proc", "tmp", stevectl_is_in}:
        (root / name).mkdir()
        mounts.append(f"mount --rbind /{name} {root}/{name}")
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "dev" / "null").touch()
    mounts.append(f"mount --bind /dev/null {root}/dev/null")
    there, here = inside(place, "unshare", "--mount", "sh", "-c",
                         f"{' && '.join(mounts)} && exec chroot {root} \"$@\"", "enter")
    check(there == here, f"inside it is {there}, here {here}")


def test_user_namespace(place):
    """The root of a user namespace builds like any user, and may not change the pool."""
    there, here = inside(place, "unshare", "--user", "--map-root-user")
    check(there == here, f"inside it is {there}, here {here}")
    before = stevectl("set")
    refused = subprocess.run(["unshare", "--user", "--map-root-user", "stevectl", "set-jobs", "1"],
                             check=False, capture_output=True, text=True)
    check(refused.returncode and "CAP_SYS_RESOURCE" in refused.stderr,
          f"set-jobs says {refused.stderr!r}, status {refused.returncode}")
    check(stevectl("set") == before, "the settings have changed")


def test_i386(place):
    program = place / "client"
    compiled = subprocess.run(
        ["gcc", "-m32", "-static", "-Wall", "-I", HERE.parents[1] / "uapi", "-o", program,
         HERE / "programs" / "client.c"], check=False, capture_output=True, text=True)
    if "cannot find" in compiled.stderr or "No such file" in compiled.stderr:
        raise Skip("no 32-bit C library here (gcc-multilib)")
    check(compiled.returncode == 0, compiled.stderr)
    with Watch(("client",), workers=("client",)) as watch:
        watch.run(program, "3")
