// SPDX-License-Identifier: GPL-2.0
/*
 * Changing the number of tokens: lowering takes nothing away from anybody,
 * raising serves those who wait at once, and 0 pauses the pool.
 */
#include "fixture.h"

#include <sys/ioctl.h>

#define EXPECT_POOL(_size, _available, _held) do {	\
	struct steve_status __st = pool_status();	\
	unsigned int __size = (_size);			\
							\
	EXPECT_EQ(__size, __st.jobs);			\
	EXPECT_EQ(__size, __st.size);			\
	EXPECT_EQ((_available), __st.available);	\
	EXPECT_EQ((unsigned int)(_held), __st.held);	\
} while (0)

TEST_F(pool, jobs_can_be_set)
{
	static const unsigned int values[] = { 1, 7, 0, STEVE_JOBS_MAX, 4 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct steve_settings set = {};

		ASSERT_EQ(0, pool_set_jobs(values[i]));
		EXPECT_POOL(values[i], (int)values[i], 0);
		ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_SETTINGS, &set));
		EXPECT_EQ(values[i], set.jobs);
		EXPECT_TRUE(set.mask & STEVE_SET_JOBS);
	}
}

TEST_F(pool, values_out_of_range_are_refused)
{
	static const unsigned int values[] = {
		STEVE_JOBS_MAX + 1, 1 << 20, INT32_MAX, (unsigned int)INT32_MIN,
		UINT32_MAX,
	};

	take_many(self->fd, 2);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_EQ(-1, pool_set_jobs(values[i]));
		EXPECT_EQ(ERANGE, errno);
		EXPECT_POOL(4, 2, 2);
	}
}

TEST_F(pool, lowering_takes_nothing_away)
{
	pid_t pid = start_holder(1);

	take_many(self->fd, 3);
	ASSERT_EQ(0, pool_set_jobs(2));
	EXPECT_POOL(2, -2, 4);
	EXPECT_EQ(3, pool_client(getpid()).held);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(0, fionread(self->fd));

	/* Tokens vanish as they come back, however they come back. */
	give(self->fd);
	EXPECT_POOL(2, -1, 3);
	EXPECT_EQ(0, fionread(self->fd));
	EXPECT_FALSE(another_can_take(self->nonblock));
	kill_and_reap(pid);
	EXPECT_POOL(2, 0, 2);
	EXPECT_FALSE(another_can_take(self->nonblock));

	give(self->fd);
	EXPECT_POOL(2, 1, 1);
	EXPECT_EQ(1, fionread(self->fd));
	EXPECT_TRUE(another_can_take(self->nonblock));
}

TEST_F(pool, returns_to_a_lowered_pool_serve_nobody)
{
	pid_t reader;

	take_many(self->fd, 4);
	reader = start_reader();
	ASSERT_EQ(0, pool_set_jobs(2));

	give_many(self->fd, 2);
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(reader).wait);
	EXPECT_POOL(2, 0, 2);
	give(self->fd);
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_POOL(2, 0, 2);
	kill_and_reap(reader);
}

TEST_F(pool, raising_serves_the_first_waiters_at_once)
{
	pid_t reader[4];

	take_many(self->fd, 4);
	for (int i = 0; i < 4; i++)
		reader[i] = start_reader();

	ASSERT_EQ(0, pool_set_jobs(6));
	EXPECT_POOL(6, 0, 6);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i < 2, pool_client(reader[i]).held);
	EXPECT_EQ(2, pool_status().waiting);

	ASSERT_EQ(0, pool_set_jobs(20));
	EXPECT_POOL(20, 12, 8);
	EXPECT_EQ(0, pool_status().waiting);
	for (int i = 0; i < 4; i++)
		kill_and_reap(reader[i]);
}

TEST_F(pool, raising_serves_many)
{
	enum { MANY = 50 };
	pid_t reader[MANY];

	take_many(self->fd, 4);
	for (int i = 0; i < MANY; i++)
		reader[i] = start_reader();

	/* So many that they are served in portions. */
	ASSERT_EQ(0, pool_set_jobs(4 + MANY));
	EXPECT_TRUE(wait_until(pool_status().waiting == 0));
	EXPECT_POOL(4 + MANY, 0, 4 + MANY);
	for (int i = 0; i < MANY; i++)
		EXPECT_EQ(1, pool_client(reader[i]).held);
	for (int i = 0; i < MANY; i++)
		kill_and_reap(reader[i]);
	EXPECT_POOL(4 + MANY, MANY, 4);
}

TEST_F(pool, raising_a_lowered_pool_gives_only_what_is_free)
{
	pid_t reader;

	take_many(self->fd, 4);
	ASSERT_EQ(0, pool_set_jobs(1));
	reader = start_reader();

	ASSERT_EQ(0, pool_set_jobs(4));
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(reader).wait);
	EXPECT_POOL(4, 0, 4);
	ASSERT_EQ(0, pool_set_jobs(5));
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_POOL(5, 0, 5);
	kill_and_reap(reader);
}

TEST_F(pool, no_jobs_pause_the_pool)
{
	pid_t reader;

	take(self->fd);
	ASSERT_EQ(0, pool_set_jobs(0));
	EXPECT_POOL(0, -1, 1);
	EXPECT_FALSE(another_can_take(self->nonblock));
	reader = start_reader();

	give(self->fd);
	EXPECT_POOL(0, 0, 0);
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(reader).wait);

	ASSERT_EQ(0, pool_set_jobs(1));
	EXPECT_POOL(1, 0, 1);
	EXPECT_EQ(1, pool_client(reader).held);
	kill_and_reap(reader);
	EXPECT_POOL(1, 1, 0);
}

TEST_F(pool, lent_slots_survive_a_change)
{
	pid_t lender;

	IN_CHILD(lender) {
		give(self->fd);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(pool_status().lent == 1));
	ASSERT_EQ(0, pool_set_jobs(1));
	EXPECT_POOL(1, 2, 0);
	take_many(self->fd, 2);
	EXPECT_FALSE(another_can_take(self->nonblock));
	kill_and_reap(lender);
	EXPECT_POOL(1, -1, 2);
}

TEST_F(pool, all_tokens_of_the_largest_pool_can_be_held)
{
	ASSERT_EQ(0, pool_set_jobs(STEVE_JOBS_MAX));
	take_many(self->fd, STEVE_JOBS_MAX);
	EXPECT_POOL(STEVE_JOBS_MAX, 0, STEVE_JOBS_MAX);
	ASSERT_EQ(0, pool_set_jobs(0));
	EXPECT_POOL(0, -STEVE_JOBS_MAX, STEVE_JOBS_MAX);
	ASSERT_EQ(STEVE_JOBS_MAX, write(self->fd, shared_memory(STEVE_JOBS_MAX),
					STEVE_JOBS_MAX));
	EXPECT_POOL(0, 0, 0);
}

TEST_HARNESS_MAIN
