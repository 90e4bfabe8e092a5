/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of most suites: a pool of TEST_JOBS tokens that nobody uses, and
 * after the test the same again, with the settings that were found.
 */
#ifndef STEVE_FIXTURE_H
#define STEVE_FIXTURE_H

#include "harness.h"

/* Suites that run on the device and on the FIFO have a variant for each. */
FIXTURE_VARIANT(pool) {
	const char *path;
};

/**
 * struct pool - what a test finds
 * @path: the file the test is about
 * @fd: it, open for reading and writing
 * @nonblock: another open of it, with O_NONBLOCK
 * @found: the settings before the test
 */
FIXTURE(pool) {
	const char *path;
	int fd;
	int nonblock;
	struct steve_settings found;
};

FIXTURE_SETUP(pool)
{
	self->path = variant ? variant->path : STEVE_DEVICE;
	ASSERT_TRUE(wait_at_most(5, pool_idle())) {
		TH_LOG("the pool is in use");
	}
	/* The dead are forgotten some time after their tokens are back. */
	ASSERT_TRUE(wait_until(!pool_status().clients)) {
		TH_LOG("%u clients are there already", pool_status().clients);
	}
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	self->nonblock = open(self->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->nonblock);
	self->found = pool_settings();
	ASSERT_EQ(0, pool_set_jobs(TEST_JOBS));
}

/* In the parent, since the test's own tokens come back when it is dead. */
FIXTURE_TEARDOWN_PARENT(pool)
{
	EXPECT_TRUE(wait_until(pool_idle())) {
		struct steve_status st = pool_status();

		TH_LOG("left behind: available %d, held %u, reserved %u, lent %u, waiting %u",
		       st.available, st.held, st.reserved, st.lent, st.waiting);
	}
	EXPECT_EQ(0, pool_set(&self->found));
	EXPECT_TRUE(wait_until(pool_idle()));
}

#endif /* STEVE_FIXTURE_H */
