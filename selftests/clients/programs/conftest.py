# SPDX-License-Identifier: GPL-2.0
"""Each test takes a token, in whatever process of pytest-xdist it runs."""

import os

import pytest

DESCRIPTOR = os.open("/dev/steve", os.O_RDWR)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol():
    token = os.read(DESCRIPTOR, 1)
    yield
    os.write(DESCRIPTOR, token)
