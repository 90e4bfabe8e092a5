/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harness, as all suites use it.
 */
#ifndef STEVE_HARNESS_H
#define STEVE_HARNESS_H

#include "steve_test.h"
#include "kselftest_harness.h"

/* Emulated debug kernels are slow; a test that hangs still fails. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#endif /* STEVE_HARNESS_H */
