# SPDX-License-Identifier: GPL-2.0
"""Compilers that are clients themselves."""

import pathlib

import projects
from builds import built, need, need_make
from watch import FIFO, Skip, Watch, check


def cargo(place, watch, **how):
    watch.run("cargo", "build", "--offline", auth=f"fifo:{FIFO}",
              variables={"CARGO_HOME": str(place / "home")}, **how)


def test_cargo(place):
    """cargo takes a token for each rustc but one, and rustc for each unit of code but one."""
    need((1, 63), "cargo", "--version")
    projects.workspace(place / "it")
    with Watch(("cargo", "rustc"), workers=("rustc",)) as watch:
        cargo(place, watch, cwd=place / "it")
    built(place / "it" / "target" / "debug" / "app")


def test_cargo_build_script(place):
    """The script lends its slot before it has read anything, which is no stray return."""
    need((1, 63), "cargo", "--version")
    if not list(pathlib.Path("/usr/share/cargo/registry").glob("jobserver-*")):
        raise Skip("no crate jobserver here (librust-jobserver-dev)")
    projects.build_script(place / "it")
    with Watch(("build-script-build",), workers=("rustc",), loans=1) as watch:
        cargo(place, watch, cwd=place / "it")
    built(place / "it" / "target" / "debug" / "app")


LTO = ("-B", "CFLAGS=-O2 -flto", "LINK=gcc -O2 --param=lto-min-partition=1 "
       "--param=lto-partitions=8 {}")


def lto(place, flag):
    need_make()
    projects.flat(place / "it")
    with Watch(("make", "lto1"), workers=("lto1",), jobs=4) as watch:
        said = watch.run("make", *(word.format(flag) for word in LTO), cwd=place / "it")
    check("jobserver is not available" not in said, "gcc does not find the jobserver")
    built(place / "it" / "program")


def test_gcc_lto_jobserver(place):
    """The link runs a make of its own for the parts, and lto1 takes tokens for
    those that it writes out at the same time.
    """
    need((13, 0), "gcc", "-dumpfullversion")
    lto(place, "-flto=jobserver")


def test_gcc_lto_auto(place):
    need((13, 0), "gcc", "-dumpfullversion")
    lto(place, "-flto=auto")


def test_clang(_):
    """Clang's client came with version 22, and serves only what it does for devices."""
    need((22, 0), "clang", "--version")
    raise Skip("clang takes tokens with --offload-jobs=jobserver only, for which there is no device")
