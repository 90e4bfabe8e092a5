# SPDX-License-Identifier: GPL-2.0
"""Clients in Python and in the shell, each with the habits of a known program."""

import shutil
import subprocess

from watch import DEVICE, FIFO, HERE, Skip, Watch

PROGRAMS = HERE / "programs"


def python(watch, program, *arguments):
    watch.run("python3", PROGRAMS / program, *arguments, name=program)


def test_portage(_):
    """It has no slot of its own: emerge takes a token for whatever it runs."""
    with Watch(("python3",), slots=0) as watch:
        python(watch, "portage.py", DEVICE, "8", "0.2")


def test_linux_documentation(_):
    """It takes all there is, and so leaves others nothing until it is done."""
    with Watch(("python3",)) as watch:
        python(watch, "greedy.py", DEVICE, "2", "0.3")


def test_spack(_):
    """Its jobs have its descriptors; their files stay open for as long as one runs."""
    with Watch(("python3",)) as watch:
        python(watch, "spack.py", DEVICE, "8", "0.2")


def test_pytest_xdist(place):
    if subprocess.run(["python3", "-c", "import pytest, xdist"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("no pytest-xdist here (python3-pytest-xdist)")
    shutil.copy(PROGRAMS / "conftest.py", place)
    (place / "test_it.py").write_text(
        "import subprocess, pytest\n\n@pytest.mark.parametrize('n', range(8))\n"
        "def test_it(n):\n    subprocess.run(['sleep', '0.2'], check=True)\n")
    with Watch(("python3",), slots=0) as watch:
        watch.run("python3", "-m", "pytest", "-q", "-n", "5", "-p", "no:cacheprovider", cwd=place)


def script(watch, redirections):
    watch.run("bash", "-c", f'exec {redirections}; exec bash "$0" 4 0.2',
              PROGRAMS / "script.sh", name="script.sh")


def test_shell_script(_):
    """The shell itself takes and returns; a subshell or a dd would be another client."""
    with Watch(("bash",), slots=0) as watch:
        script(watch, f"3<>{DEVICE} 4>&3")


def test_shell_script_with_two_opens(_):
    for path in (DEVICE, FIFO):
        with Watch(("bash",), slots=0) as watch:
            script(watch, f"3<{path} 4>{path}")
