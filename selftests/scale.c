// SPDX-License-Identifier: GPL-2.0
/*
 * As large as it may become: all the tokens that a pool can have, and thousands
 * of clients, half of which wait. STEVE_CLIENTS says how many.
 */
#include "harness.h"
#include "watch.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

enum {
	CLIENTS = 10000,	/* if nothing else is said */
	STACK = 4096,
	BATCH = 256,		/* rows that are read at a time */
};

#define THREADS_MAX	"/proc/sys/kernel/threads-max"

/**
 * struct crowd - processes that share the memory of the test
 * @n: how many
 * @pid: who they are
 * @stacks: theirs
 */
struct crowd {
	unsigned int n;
	pid_t *pid;
	char (*stacks)[STACK];
};

/* What the clients need to know; they use no state of the C library's. */
static int fd, nonblock;
static unsigned int tokens_of_one;

static void __noreturn stay(void)
{
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static bool take_one(int from)
{
	char byte;

	return syscall(SYS_read, from, &byte, 1) == 1;
}

static int hold(void *arg)
{
	(void)arg;
	die_with_the_test();
	for (unsigned int i = 0; i < tokens_of_one; i++)
		take_one(fd);
	stay();
}

static int wait_in_read(void *arg)
{
	(void)arg;
	die_with_the_test();
	take_one(fd);
	stay();
}

static int wait_in_poll(void *arg)
{
	struct pollfd pfd = { .fd = nonblock, .events = POLLIN };

	(void)arg;
	die_with_the_test();
	do {
		syscall(SYS_ppoll, &pfd, 1, NULL, NULL, 0);
	} while (!take_one(nonblock));
	stay();
}

static void gather(struct crowd *crowd, unsigned int n)
{
	crowd->n = n;
	crowd->pid = shared_memory(n * sizeof(crowd->pid[0]));
	crowd->stacks = shared_memory(n * sizeof(crowd->stacks[0]));
}

static void start(struct crowd *crowd, unsigned int i, int (*live)(void *arg))
{
	crowd->pid[i] = clone(live, crowd->stacks[i] + STACK,
			      CLONE_VM | SIGCHLD, NULL);
	if (crowd->pid[i] < 0)
		die("cannot make process %u", i);
}

static void kill_all(struct crowd *crowd)
{
	for (unsigned int i = 0; i < crowd->n; i++)
		kill(crowd->pid[i], SIGKILL);
	for (unsigned int i = 0; i < crowd->n; i++)
		reap(crowd->pid[i]);
}

/**
 * struct list - what the list of clients comes to
 * @clients: how many there are
 * @held: tokens that they hold together
 * @waiting: how many have a place
 * @first: who has the first of them
 */
struct list {
	unsigned int clients;
	unsigned int held;
	unsigned int waiting;
	struct steve_client_info first;
};

static void add_row(struct list *list, const struct steve_client_info *row)
{
	list->clients++;
	list->held += row->held;
	list->waiting += !!row->place;
	if (row->place && (!list->first.place || row->place < list->first.place))
		list->first = *row;
}

static struct list list_clients(void)
{
	static struct steve_client_info rows[BATCH];
	struct steve_clients batch = {
		.rows = (uintptr_t)rows,
		.row_size = sizeof(rows[0]),
	};
	struct list list = {};

	do {
		batch.count = BATCH;
		batch.more = 0;
		if (ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch))
			die("cannot list the clients");
		for (unsigned int i = 0; i < batch.count; i++)
			add_row(&list, &rows[i]);
	} while (batch.more);
	return list;
}

static unsigned long read_number(const char *path)
{
	unsigned long number;
	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%lu", &number) != 1)
		die("cannot read %s", path);
	fclose(file);
	return number;
}

static void write_number(const char *path, unsigned long number)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%lu\n", number) < 0 || fclose(file))
		die("cannot write %s", path);
}

static double now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/**
 * struct scale - what the test finds
 * @found: the settings found
 * @threads_max: threads that the kernel allows
 */
FIXTURE(scale) {
	struct steve_settings found;
	unsigned long threads_max;
};

FIXTURE_SETUP(scale)
{
	/* No reservation ends because a crowd is slow. */
	static const struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_RESERVE_MS,
		.jobs = STEVE_JOBS_MAX,
		.reserve_ms = STEVE_RESERVE_MS_MAX,
	};

	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
	ASSERT_EQ(0, pool_set(&set));
	self->threads_max = read_number(THREADS_MAX);
	fd = open_steve(O_RDWR | O_CLOEXEC);
	nonblock = open_steve(O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

FIXTURE_TEARDOWN_PARENT(scale)
{
	write_number(THREADS_MAX, self->threads_max);
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
	EXPECT_TRUE(wait_until(pool_idle()));
}

TEST_F_TIMEOUT(scale, all_tokens_and_thousands_of_clients, LONG_TIMEOUT)
{
	unsigned long clients = length_of("STEVE_CLIENTS", CLIENTS);
	unsigned int half = clients / 2, rest, held;
	struct crowd holders, waiters;
	struct list list;
	double begin;

	write_number(THREADS_MAX, 2 * clients + self->threads_max);
	gather(&holders, half);
	gather(&waiters, half);
	tokens_of_one = STEVE_JOBS_MAX / half;
	held = half * tokens_of_one;
	rest = STEVE_JOBS_MAX - held;
	watch_account();

	begin = now();
	for (unsigned int i = 0; i < half; i++)
		start(&holders, i, hold);
	ASSERT_TRUE(wait_at_most(10 * PATIENCE, pool_status().held == held));
	take_many(fd, rest);
	ASSERT_EQ(0, pool_status().available);
	for (unsigned int i = 0; i < half; i++)
		start(&waiters, i, i % 2 ? wait_in_poll : wait_in_read);
	ASSERT_TRUE(wait_at_most(10 * PATIENCE, pool_status().waiting == half));
	TH_LOG("%lu clients there after %.1f s", clients, now() - begin);

	/* All are known, and nobody gets more than there is. */
	begin = now();
	list = list_clients();
	TH_LOG("all listed in %.0f ms", (now() - begin) * 1000);
	EXPECT_EQ(2 * half + 1, list.clients);
	EXPECT_EQ(STEVE_JOBS_MAX, list.held);
	EXPECT_EQ(half, list.waiting);

	/* Who has waited longest is served, if not at once then soon. */
	give(fd);
	EXPECT_TRUE(wait_until(pool_client(list.first.pid).held == 1));
	EXPECT_EQ(half - 1, pool_status().waiting);
	EXPECT_EQ(STEVE_JOBS_MAX, pool_status().held);

	/* The tokens of the dead are there at once, and serve all that wait. */
	begin = now();
	kill_all(&holders);
	EXPECT_TRUE(wait_at_most(10 * PATIENCE,
				 pool_status().held == half + rest - 1));
	TH_LOG("%u killed, and %u served, in %.1f s", half, half, now() - begin);
	EXPECT_EQ(0, pool_status().waiting);
	EXPECT_EQ(0, pool_status().reserved);
	EXPECT_TRUE(wait_until(list_clients().clients == half + 1));

	kill_all(&waiters);
	EXPECT_EQ(rest - 1, pool_status().held);
	give_many(fd, rest - 1);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(all_tokens_are_there());
	watched_account();
	tell_figure("clients", "%u at a time, %u waiting, with %u tokens",
		    2 * half, half, STEVE_JOBS_MAX);
}

TEST_HARNESS_MAIN
