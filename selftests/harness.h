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

/* Where there is no test that something could be expected for. */
static struct __test_metadata *const _metadata;

/* What a child of a test expects in vain is its failure. */
#undef IN_CHILD
#define IN_CHILD(pid)							\
	for (fork_child(&(pid)); is_child();				\
	     _exit(_metadata ? _metadata->exit_code : 0))

#endif /* STEVE_HARNESS_H */
