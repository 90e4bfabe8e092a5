# SPDX-License-Identifier: GPL-2.0
"""Small projects to build: each prints 42 when it is built and run."""

PARTS = 8                               # source files beside the main one

MAKEFILE = """\
CFLAGS := -O1
all: program
program: lib/lib.a app/main.o
\t$(CC) -o $@ app/main.o lib/lib.a
lib/lib.a:
\t+$(MAKE) -C lib
app/main.o: FORCE
\t+$(MAKE) -C app
FORCE:
.PHONY: all FORCE
"""
MAKEFILE_LIB = """\
parts := {objects}
lib.a: $(parts)
\t$(AR) rc $@ $^
"""
MAKEFILE_FLAT = """\
CFLAGS := -O1
parts := main.o {objects}
program: $(parts)
\t$(LINK) -o $@ $^
LINK = $(CC)
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.20)
project(program C)
add_executable(program main.c {sources})
"""
MESON = """\
project('program', 'c')
executable('program', 'main.c', {sources})
"""


def names(suffix, separator=" ", quote=""):
    return separator.join(f"{quote}part{n}{suffix}{quote}" for n in range(PARTS))


def write_parts(place):
    place.mkdir(parents=True, exist_ok=True)
    for n in range(PARTS):
        (place / f"part{n}.c").write_text(
            f"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
            f"int __attribute__((noipa)) part{n}(int sum)\n{{\n\treturn sum + {n};\n}}\n")


def write_main(place):
    place.mkdir(parents=True, exist_ok=True)
    declare = "".join(f"int part{n}(int sum);\n" for n in range(PARTS))
    call = "".join(f"\tsum = part{n}(sum);\n" for n in range(PARTS))
    begin = 42 - sum(range(PARTS))
    (place / "main.c").write_text(
        f"#include <stdio.h>\n{declare}int main(void)\n{{\n\tint sum = {begin};\n\n{call}"
        "\treturn printf(\"%d\\n\", sum) < 0;\n}\n")


def flat(place):
    """One directory, for make, CMake and meson."""
    write_parts(place)
    write_main(place)
    (place / "Makefile").write_text(MAKEFILE_FLAT.format(objects=names(".o")))
    (place / "CMakeLists.txt").write_text(CMAKE.format(sources=names(".c")))
    (place / "meson.build").write_text(MESON.format(sources=names(".c", ", ", "'")))
    return place


def recursive(place):
    """A make that starts others."""
    write_parts(place / "lib")
    write_main(place / "app")
    (place / "Makefile").write_text(MAKEFILE)
    (place / "lib" / "Makefile").write_text(MAKEFILE_LIB.format(objects=names(".o")))
    (place / "app" / "Makefile").write_text("main.o:\n")
    return place


def sleeps(place, seconds, jobs=8):
    """Jobs that only take time, for make and for ninja."""
    place.mkdir(parents=True, exist_ok=True)
    targets = " ".join(f"job{n}" for n in range(jobs))
    (place / "Makefile").write_text(
        f"all: {targets}\n{targets}:\n\t@sleep {seconds}\n.PHONY: all {targets}\n")
    edges = "".join(f"build job{n}: job\n" for n in range(jobs))
    (place / "build.ninja").write_text(f"rule job\n  command = sleep {seconds}\n{edges}")
    return place


WORKSPACE = """\
[workspace]
members = ["app", {members}]
resolver = "2"

[profile.dev]
codegen-units = 8
debug = false
"""
PACKAGE = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2021"

[dependencies]
"""
CRATES = ("one", "two", "three", "four")


def workspace(place, modules=12):
    """Crates that do not wait for each other, each with enough code for several units."""
    members = ", ".join(f'"{name}"' for name in CRATES)
    (place / "app" / "src").mkdir(parents=True)
    (place / "Cargo.toml").write_text(WORKSPACE.format(members=members))
    for name in CRATES:
        (place / name / "src").mkdir(parents=True)
        (place / name / "Cargo.toml").write_text(PACKAGE.format(name=name))
        code = "".join(
            f"pub mod m{n} {{\n    pub fn f(text: &str) -> String {{\n"
            f"        let mut words: Vec<_> = text.split(' ').map(|w| format!(\"{{w}}{n}\")).collect();\n"
            f"        words.sort();\n        words.join(\" \")\n    }}\n}}\n" for n in range(modules))
        (place / name / "src" / "lib.rs").write_text(f"{code}pub fn number() -> u32 {{ 10 }}\n")
    (place / "app" / "Cargo.toml").write_text(
        PACKAGE.format(name="app") + "".join(f'{name} = {{ path = "../{name}" }}\n' for name in CRATES))
    numbers = " + ".join(f"{name}::number()" for name in CRATES)
    (place / "app" / "src" / "main.rs").write_text(
        f"fn main() {{\n    println!(\"{{}}\", {numbers} + 2);\n}}\n")
    return place


BUILD_SCRIPT = """\
fn main() {
    // What started this is its parent's token. It lends it, as the cc crate does
    // while it waits, and then takes it back.
    let client = unsafe { jobserver::Client::from_env() }.expect("no jobserver");
    client.release_raw().expect("cannot lend");
    client.acquire_raw().expect("cannot take it back");
    let token = client.acquire().expect("cannot take a token");
    drop(token);
    println!("cargo:rerun-if-changed=build.rs");
}
"""


def build_script(place):
    """A crate whose build script is a client itself, with crates that Debian packages."""
    (place / "src").mkdir(parents=True)
    (place / ".cargo").mkdir()
    (place / ".cargo" / "config.toml").write_text(
        "[source.crates-io]\nreplace-with = \"debian\"\n"
        "[source.debian]\ndirectory = \"/usr/share/cargo/registry\"\n")
    (place / "Cargo.toml").write_text(
        PACKAGE.format(name="app") + "\n[build-dependencies]\njobserver = \"0.1\"\n")
    (place / "build.rs").write_text(BUILD_SCRIPT)
    (place / "src" / "main.rs").write_text("fn main() {\n    println!(\"42\");\n}\n")
    return place
