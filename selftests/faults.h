/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures that a kernel with fault injection makes when asked: the nth of all
 * that a thread wants of the allocator, or copies from and to the program.
 */
#ifndef _FAULTS_H
#define _FAULTS_H

#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"/sys/kernel/debug/failslab"
#define FAIL_USERCOPY	"/sys/kernel/debug/fail_usercopy"

/* False where the kernel cannot do it. */
static inline bool allow_failures(void)
{
	return access(FAIL_NTH, F_OK) == 0 &&
	       write_file(FAILSLAB, "ignore-gfp-wait", "N") &&
	       write_file(FAILSLAB, "verbose", "0") &&
	       write_file(FAIL_USERCOPY, "verbose", "0");
}

/* Returns the file that tells whether it has come. */
static inline int ask_for_failure(int n)
{
	int nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	char number[16];

	snprintf(number, sizeof(number), "%d", n);
	if (nth < 0 || write(nth, number, strlen(number)) < 0)
		die("cannot ask for a failure");
	return nth;
}

/* How many that can fail would still have to come before it. */
static inline int failures_left(int nth)
{
	char left[16] = "";

	if (pread(nth, left, sizeof(left) - 1, 0) <= 0)
		die("cannot tell how many failures are left");
	return atoi(left);
}

/* Has the failure that was asked for come? If not, it will not. */
static inline bool has_failed(int nth)
{
	char left[16] = "";
	/* That this read fails tells as much. */
	bool failed = pread(nth, left, sizeof(left) - 1, 0) > 0 && atoi(left) == 0;

	while (write(nth, "0", 1) != 1)
		;
	return failed;
}

#endif /* _FAULTS_H */
