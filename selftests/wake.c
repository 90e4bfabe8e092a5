// SPDX-License-Identifier: GPL-2.0
/*
 * One returned token wakes one client, however many wait, and however they do.
 */
#include "harness.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

enum {
	RETURNS = 4,
	WAITERS_MAX = 1024,
};

static void wait_in_read(int fd)
{
	take(fd);
}

static void wait_in_poll(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, -1) != 1)
		die("poll does not tell of a token");
	take(fd);
}

FIXTURE_VARIANT(waiters) {
	int n;
	void (*wait)(int fd);
};

/**
 * struct waiters - clients that wait, in their order
 * @fd: the device; the test holds all tokens
 * @pid: their processes
 * @sleeps: how often each had gone to sleep when it was looked at last
 * @found: the settings found
 */
FIXTURE(waiters) {
	int fd;
	pid_t pid[WAITERS_MAX];
	long sleeps[WAITERS_MAX];
	struct steve_settings found;
};

FIXTURE_VARIANT_ADD(waiters, one_in_poll) { 1, wait_in_poll };
FIXTURE_VARIANT_ADD(waiters, one_in_read) { 1, wait_in_read };
FIXTURE_VARIANT_ADD(waiters, in_poll_64) { 64, wait_in_poll };
FIXTURE_VARIANT_ADD(waiters, in_read_64) { 64, wait_in_read };
FIXTURE_VARIANT_ADD(waiters, in_poll_1024) { 1024, wait_in_poll };
FIXTURE_VARIANT_ADD(waiters, in_read_1024) { 1024, wait_in_read };

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

static pid_t start_waiter(int fd, void (*wait)(int fd))
{
	unsigned int waiting = pool_status().waiting;
	pid_t pid;

	IN_CHILD(pid) {
		run_at_once();
		wait(fd);
		hold_forever();
	}
	if (!wait_until(pool_status().waiting == waiting + 1))
		die("client %d does not wait", pid);
	return pid;
}

/*
 * All are on one processor, and the waiters are real-time processes: whoever is
 * woken by a write has run, and is asleep again, before the write returns.
 */
FIXTURE_SETUP(waiters)
{
	struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_RESERVE_MS,
		.jobs = RETURNS,
		.reserve_ms = STEVE_RESERVE_MS_MAX,
	};

	ASSERT_TRUE(wait_at_most(5, pool_idle())) {
		TH_LOG("the pool is in use");
	}
	self->found = pool_settings();
	ASSERT_EQ(0, pool_set(&set));
	self->fd = open_steve(O_RDWR);
	take_many(self->fd, RETURNS);
	share_one_cpu();
}

FIXTURE_TEARDOWN_PARENT(waiters)
{
	if (!self->found.mask)
		return;
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
}

/* How many have run since the last look? */
static int count_woken(const pid_t *pid, long *sleeps, int n)
{
	int woken = 0;

	for (int i = 0; i < n; i++) {
		long now = proc_sleeps(pid[i]);

		woken += now != sleeps[i];
		sleeps[i] = now;
	}
	return woken;
}

/* The clients that have a token or a reservation, the test itself aside. */
static int count_served(int fd)
{
	struct steve_client_info rows[16];
	struct steve_clients batch = {
		.rows = (uintptr_t)rows,
		.row_size = sizeof(rows[0]),
		.more = 1,
	};
	int served = 0;

	while (batch.more) {
		batch.count = 16;
		batch.more = 0;
		if (ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch))
			die("cannot list the clients");
		for (unsigned int i = 0; i < batch.count; i++)
			served += rows[i].pid != getpid() &&
				  rows[i].held + rows[i].reserved;
	}
	return served;
}

static void end_waiters(const pid_t *pid, int n)
{
	for (int i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
	for (int i = 0; i < n; i++)
		reap(pid[i]);
}

TEST_F_TIMEOUT(waiters, one_return_wakes_one, 20 * PATIENCE)
{
	int returns = variant->n < RETURNS ? variant->n : RETURNS;

	for (int i = 0; i < variant->n; i++)
		self->pid[i] = start_waiter(self->fd, variant->wait);
	count_woken(self->pid, self->sleeps, variant->n);
	for (int i = 0; i < returns; i++) {
		give(self->fd);
		EXPECT_EQ(1, count_woken(self->pid, self->sleeps, variant->n));
		EXPECT_EQ(i + 1, count_served(self->fd));
		EXPECT_EQ(1, pool_client(self->pid[i]).held);
		EXPECT_EQ((unsigned int)(variant->n - i - 1),
			  pool_status().waiting);
	}
	end_waiters(self->pid, variant->n);
}

TEST_HARNESS_MAIN
