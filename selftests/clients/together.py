# SPDX-License-Identifier: GPL-2.0
"""All clients at once, while the number of jobs changes."""

import time

import projects
from builds import need, need_make, need_ninja
from scripts import PROGRAMS
from watch import DEVICE, FIFO, Watch, check, status, stevectl, wait_until

JOBS = (4, 1, 6, 4)
SECONDS = 10                            # with each number of jobs, at the least

# Each is done again and again: name, command, what MAKEFLAGS tells.
CLIENTS = (
    ("make", "make -s -C {sleeps}", f"fifo:{DEVICE}"),
    ("compiling make", "make -s -B -C {flat}", f"fifo:{DEVICE}"),
    ("make by descriptors", "make -s -C {sleeps} 3<{device} 4>{device}", "3,4"),
    ("ninja", "ninja --quiet -C {sleeps}", f"fifo:{FIFO}"),
    ("cargo", "cargo clean --quiet && cargo build --quiet --offline", f"fifo:{FIFO}"),
    ("portage", "{programs}/portage.py {device} 6 0.3", ""),
    # A process that tries once, and finds nothing free, has no turn to wait for.
    ("linux", "{programs}/greedy.py {device} 30 0.3", ""),
    ("spack", "{programs}/spack.py {device} 6 0.3", ""),
    ("script", "bash {programs}/script.sh 4 0.3 3<{device} 4>{device}", ""),
)


def everybody_had_a_token(watch):
    time.sleep(1)                       # it is much to read
    groups = watch.so_far().groups
    return all(groups[name] for name, _, _ in CLIENTS)


def test_all_at_once(place):
    """For some time; nobody starves, and who ends in the middle takes nothing along."""
    need_make()
    need_ninja()
    need((1, 63), "cargo", "--version")
    names = {
        "sleeps": projects.sleeps(place / "sleeps", 0.3, jobs=6),
        "flat": projects.flat(place / "flat"),
        "crates": projects.workspace(place / "crates", modules=1),
        "programs": PROGRAMS, "device": DEVICE,
    }
    with Watch((), workers=("sleep", "cc1"), jobs=JOBS[0], killed=True) as watch:
        for name, command, auth in CLIENTS:
            loop = f"while :; do {command.format(**names)} || exit; done"
            watch.start("bash", "-c", loop, name=name, auth=auth, cwd=names["crates"],
                        variables={"CARGO_HOME": str(place / "home")})
        for jobs in JOBS:
            stevectl("set-jobs", str(jobs))
            wait_until(lambda n=jobs: status()["held"] <= n, f"no more than {jobs} tokens are held")
            time.sleep(SECONDS)
        wait_until(lambda: everybody_had_a_token(watch), "each has had a token")
        for name, process in watch.started.items():
            check(process.poll() is None, f"{name} ended: {process.output.read_text()[-500:]}")
    shares = ", ".join(f"{name} {watch.ledger.groups[name]}" for name, _, _ in CLIENTS)
    print(f"# tokens taken: {shares}")
