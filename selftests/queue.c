// SPDX-License-Identifier: GPL-2.0
/*
 * Who is next: clients that are blocked in read get tokens in the order in which
 * they came, each token goes to one of them, and no other client is woken.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

enum { READERS = 5 };

static void kill_all(const pid_t *pid, int n)
{
	for (int i = 0; i < n; i++)
		kill_and_reap(pid[i]);
}

TEST_F(pool, readers_are_served_in_order)
{
	pid_t reader[READERS];

	ASSERT_EQ(0, pool_set_jobs(READERS));
	take_many(self->fd, READERS);
	for (int i = 0; i < READERS; i++) {
		reader[i] = start_reader();
		EXPECT_EQ((unsigned int)i + 1, pool_status().waiting);
	}

	for (int i = 0; i < READERS; i++) {
		give(self->fd);

		/* Handed over within the write, without waiting for it to run. */
		for (int j = 0; j < READERS; j++)
			EXPECT_EQ(j <= i, pool_client(reader[j]).held);
		EXPECT_EQ((unsigned int)(READERS - i - 1), pool_status().waiting);
	}
	kill_all(reader, READERS);
}

TEST_F(pool, places_are_told)
{
	struct steve_client_info row, first;
	pid_t reader[2];

	take_many(self->fd, 4);
	row = pool_client(getpid());
	EXPECT_EQ(STEVE_WAIT_NONE, row.wait);
	EXPECT_EQ(0, row.place);
	EXPECT_EQ(0, row.waited_ns);

	reader[0] = start_reader();
	reader[1] = start_reader();
	first = pool_client(reader[0]);
	row = pool_client(reader[1]);
	EXPECT_LT(0, first.place);
	EXPECT_LT(first.place, row.place);
	EXPECT_LT(0, row.waited_ns);
	EXPECT_EQ(0, row.held);

	/* The place stays, the time goes on. */
	EXPECT_TRUE(wait_until(pool_client(reader[1]).waited_ns > row.waited_ns));
	EXPECT_EQ(row.place, pool_client(reader[1]).place);

	give(self->fd);
	first = pool_client(reader[0]);
	EXPECT_EQ(STEVE_WAIT_NONE, first.wait);
	EXPECT_EQ(0, first.place);
	EXPECT_EQ(0, first.waited_ns);
	EXPECT_EQ(row.place, pool_client(reader[1]).place);
	kill_all(reader, 2);
}

/* The token is the waiter's as soon as it is returned. */
TEST_F(pool, nobody_overtakes_a_waiter)
{
	take_many(self->fd, 4);
	for (int i = 0; i < 50; i++) {
		pid_t pid = start_reader();

		give(self->fd);
		ASSERT_FALSE(another_can_take(self->nonblock));
		ASSERT_EQ(1, pool_client(pid).held);
		kill_and_reap(pid);
		take(self->fd);
	}
}

TEST_F(pool, who_leaves_the_queue_holds_nobody_up)
{
	pid_t reader[3];

	take_many(self->fd, 4);
	for (int i = 0; i < 3; i++)
		reader[i] = start_reader();
	kill_and_reap(reader[0]);
	kill_and_reap(reader[2]);
	EXPECT_EQ(1, pool_status().waiting);

	give(self->fd);
	EXPECT_EQ(1, pool_client(reader[1]).held);
	give(self->fd);
	EXPECT_EQ(1, pool_status().available);
	kill_and_reap(reader[1]);
}

TEST_F(pool, who_wants_more_goes_to_the_tail)
{
	pid_t greedy, other;

	take_many(self->fd, 4);
	IN_CHILD(greedy) {
		take_many(self->fd, 2);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(greedy, STEVE_WAIT_READ)));
	other = start_reader();

	give(self->fd);
	EXPECT_EQ(1, pool_client(greedy).held);
	ASSERT_TRUE(wait_until(is_waiting(greedy, STEVE_WAIT_READ)));
	EXPECT_LT(pool_client(other).place, pool_client(greedy).place);

	give(self->fd);
	EXPECT_EQ(1, pool_client(other).held);
	EXPECT_EQ(1, pool_client(greedy).held);
	give(self->fd);
	EXPECT_EQ(2, pool_client(greedy).held);
	kill_and_reap(greedy);
	kill_and_reap(other);
}

struct reader {
	int fd;
	pid_t *tid;
};

static void *read_in_thread(void *arg)
{
	struct reader *reader = arg;

	__atomic_store_n(reader->tid, gettid(), __ATOMIC_SEQ_CST);
	take(reader->fd);
	hold_forever();
}

/* One place for a client, however many of its threads wait. */
TEST_F(pool, threads_share_the_place_of_their_client)
{
	pid_t *tid = shared_memory(2 * sizeof(*tid));
	struct reader reader[2] = {
		{ .fd = self->fd, .tid = &tid[0] },
		{ .fd = self->fd, .tid = &tid[1] },
	};
	pthread_t thread;
	pid_t pid, other;

	take_many(self->fd, 4);
	IN_CHILD(pid) {
		for (int i = 0; i < 2; i++)
			pthread_create(&thread, NULL, read_in_thread, &reader[i]);
		hold_forever();
	}
	for (int i = 0; i < 2; i++)
		ASSERT_TRUE(wait_until(proc_in_syscall(pid, tid[i], SYS_read)));
	EXPECT_EQ(1, pool_status().waiting);
	other = start_reader();
	EXPECT_EQ(2, pool_status().waiting);

	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(pid).wait);
	EXPECT_LT(pool_client(other).place, pool_client(pid).place);
	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(1, pool_client(other).held);
	give(self->fd);
	EXPECT_EQ(2, pool_client(pid).held);
	EXPECT_EQ(STEVE_WAIT_NONE, pool_client(pid).wait);
	kill_and_reap(pid);
	kill_and_reap(other);
}

static void share_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot stay on one processor");
}

static void run_at_once(void)
{
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ 1 }))
		die("cannot become a real-time process");
}

/*
 * All are on one processor, and the readers are real-time processes: whoever is
 * woken by the write has run, and is asleep again, before the write returns.
 */
TEST_F(pool, one_return_wakes_one_client)
{
	pid_t reader[READERS];
	long sleeps[READERS];

	ASSERT_EQ(0, pool_set_jobs(READERS));
	take_many(self->fd, READERS);
	share_one_cpu();
	for (int i = 0; i < READERS; i++) {
		IN_CHILD(reader[i]) {
			run_at_once();
			take(self->fd);
			hold_forever();
		}
		ASSERT_TRUE(wait_until(is_waiting(reader[i], STEVE_WAIT_READ)));
	}

	for (int i = 0; i < READERS; i++) {
		for (int j = 0; j < READERS; j++)
			sleeps[j] = proc_sleeps(reader[j]);
		give(self->fd);
		for (int j = 0; j < READERS; j++)
			EXPECT_EQ(sleeps[j] + (i == j), proc_sleeps(reader[j]));
	}
	kill_all(reader, READERS);
}

/* Whoever comes while the tokens of a dead client are shared out is behind. */
TEST_F(pool, newcomers_are_behind_those_that_waited)
{
	enum { MANY = 50 };
	pid_t holder, reader[MANY];

	ASSERT_EQ(0, pool_set_jobs(MANY));
	holder = start_holder(MANY);
	for (int i = 0; i < MANY; i++)
		reader[i] = start_reader();

	kill(holder, SIGKILL);
	EXPECT_TRUE(wait_until(({
		ASSERT_FALSE(another_can_take(self->nonblock));
		pool_client(reader[MANY - 1]).held == 1;
	})));
	reap(holder);
	kill_all(reader, MANY);
}

TEST_HARNESS_MAIN
