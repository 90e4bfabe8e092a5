// SPDX-License-Identifier: GPL-2.0
/*
 * Hard cases: one poller in many places, entries that nobody waits on, and all
 * that can happen in the instant of a grant. No token is lost, and none is
 * there twice. STEVE_RACES says how often two things are made to happen at once.
 */
#include "harness.h"
#include "watch.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

/* For tests that wait for the end of a reservation, and for those that do not. */
enum { SHORT_MS = 20, LONG_MS = 60000 };

enum {
	SHARERS = 50,		/* of one open file */
	RACES = 300,		/* of a kind, if nothing else is said */
	CROWD = 24,		/* clients in the storm */
	STORM_TURNS = 20,	/* for each race, that they have before it ends */
	STORM_JOBS = 8,		/* at most */
};

static int races(void)
{
	return length_of("STEVE_RACES", RACES);
}

static void configure(unsigned int jobs, unsigned int policy,
		      unsigned int reserve_ms)
{
	const struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS,
		.jobs = jobs,
		.policy = policy,
		.reserve_ms = reserve_ms,
	};

	if (pool_set(&set))
		die("cannot set up the pool");
}

/**
 * struct hard - what a test finds: a pool of one token that nobody uses
 * @fd: the device
 * @nonblock: another open of it, with O_NONBLOCK
 * @found: the settings found
 */
FIXTURE(hard) {
	int fd;
	int nonblock;
	struct steve_settings found;
};

FIXTURE_SETUP(hard)
{
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
	self->fd = open_steve(O_RDWR | O_CLOEXEC);
	self->nonblock = open_steve(O_RDWR | O_NONBLOCK | O_CLOEXEC);
	configure(1, STEVE_POLICY_FIFO, LONG_MS);
}

FIXTURE_TEARDOWN_PARENT(hard)
{
	EXPECT_TRUE(wait_until(pool_idle())) {
		struct steve_status st = pool_status();

		TH_LOG("left behind: available %d, held %u, reserved %u, lent %u, waiting %u",
		       st.available, st.held, st.reserved, st.lent, st.waiting);
	}
	EXPECT_EQ(0, pool_set(&self->found));
	EXPECT_TRUE(wait_until(pool_idle()));
}

static bool try_once(int fd)
{
	char byte;
	ssize_t ret = read(fd, &byte, 1);

	if (ret != 1 && !fails(ret, EAGAIN))
		die("a try gave %zd", ret);
	return ret == 1;
}

/* Are there exactly @n tokens, and no more, for whoever comes? */
static bool can_take_exactly(int nonblock, unsigned int n)
{
	bool more;

	for (unsigned int i = 0; i < n; i++)
		if (!try_once(nonblock))
			return false;
	more = try_once(nonblock);
	give_many(nonblock, n + more);
	return !more;
}

/* ---- One poller in many places ---- */

TEST_F(hard, poll_set_that_has_the_device_many_times)
{
	struct pollfd set[] = {
		{ .fd = self->fd, .events = POLLIN },
		{ .fd = self->fd, .events = POLLIN | POLLOUT },
		{ .fd = self->nonblock, .events = POLLIN },
		{ .fd = self->fd, .events = POLLIN },
	};
	pid_t holder = start_holder(1), pid;

	IN_CHILD(pid) {
		/* All can be written, and none of them is readable. */
		if (poll(set, 4, 0) != 1 || set[1].revents != POLLOUT)
			die("poll tells of a token that is not there");
		set[1].events = POLLIN;
		if (poll(set, 4, -1) < 1)
			die("poll ended without a token");
		if (poll(set, 4, 0) != 4)
			die("not every entry tells of the token");
		if (!try_once(self->nonblock) || try_once(self->nonblock))
			die("not exactly one token for one poll");
		if (poll(set, 4, 0))
			die("poll tells of a token that is gone");
		give(self->fd);
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
	EXPECT_EQ(1, pool_status().waiting);
	kill_and_reap(holder);
	EXPECT_TRUE(succeeded(reap(pid)));
}

/* Their number, in shared memory, of whoever has been told of a token. */
static void __noreturn share_file(int fd, int *told)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, -1) != 1)
		die("poll ended without a token");
	__atomic_fetch_add(told, 1, __ATOMIC_SEQ_CST);
	if (!try_once(fd))
		die("the token is not there");
	hold_forever();
}

/* As the children of an old make do, which inherit its descriptors. */
TEST_F(hard, one_open_file_shared_by_many_pollers)
{
	int *told = shared_memory(sizeof(*told));
	pid_t holder = start_holder(1), pid[SHARERS];

	for (int i = 0; i < SHARERS; i++)
		IN_CHILD(pid[i])
			share_file(self->nonblock, told);
	ASSERT_TRUE(wait_until(pool_status().waiting == SHARERS));
	kill_and_reap(holder);

	for (int n = 1; n <= SHARERS; n++) {
		int taker = -1;

		ASSERT_TRUE(wait_until(pool_status().held == 1));
		EXPECT_EQ(n, __atomic_load_n(told, __ATOMIC_SEQ_CST));
		for (int i = 0; i < SHARERS; i++)
			if (pid[i] && pool_client(pid[i]).held)
				taker = i;
		ASSERT_LE(0, taker);
		EXPECT_EQ((unsigned int)(SHARERS - n), pool_status().waiting);
		kill_and_reap(pid[taker]);
		pid[taker] = 0;
	}
}

/* ---- Entries that nobody waits on, and those of others ---- */

static int epoll_with(int fd, unsigned int events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("cannot use epoll");
	return epoll;
}

static bool epoll_tells(int epoll, int timeout)
{
	struct epoll_event event;
	int n = epoll_wait(epoll, &event, 1, timeout);

	if (n < 0 || (n && event.events != EPOLLIN))
		die("epoll_wait gave %d", n);
	return n;
}

/* The entry is its maker's, so the child has to try without being told. */
TEST_F(hard, epoll_instance_inherited_over_fork)
{
	int epoll = epoll_with(self->nonblock, EPOLLIN);
	pid_t holder, pid, reader;

	/* What was found when the entry was made was for this process. */
	ASSERT_TRUE(epoll_tells(epoll, 0));
	ASSERT_TRUE(try_once(self->nonblock));
	give(self->fd);
	holder = start_holder(1);
	ASSERT_FALSE(epoll_tells(epoll, 0));
	IN_CHILD(pid) {
		while (!try_once(self->nonblock))
			epoll_tells(epoll, SHORT_MS);
		give(self->fd);
	}
	ASSERT_TRUE(wait_until(pool_status().waiting == 2));
	reader = start_reader();

	configure(1, STEVE_POLICY_FIFO, SHORT_MS);
	kill_and_reap(holder);
	/* Told in vain, passed over, served; and then the child is. */
	EXPECT_TRUE(wait_until(pool_client(reader).held == 1));
	kill_and_reap(reader);
	EXPECT_TRUE(succeeded(reap(pid)));

	configure(1, STEVE_POLICY_FIFO, LONG_MS);
	EXPECT_TRUE(try_once(self->nonblock));
	give(self->fd);
	EXPECT_TRUE(epoll_tells(epoll, -1));
	EXPECT_TRUE(try_once(self->nonblock));
}

/* Its one event has come, and nothing will wake it until it asks again. */
TEST_F(hard, one_shot_entry_left_disarmed)
{
	struct epoll_event again = { .events = EPOLLIN | EPOLLONESHOT };
	int epoll = epoll_with(self->nonblock, EPOLLIN | EPOLLONESHOT);
	pid_t holder, reader;

	ASSERT_TRUE(epoll_tells(epoll, 0));
	ASSERT_TRUE(try_once(self->nonblock));
	give(self->fd);
	holder = start_holder(1);
	/* It has a place, and an entry that might be armed. */
	ASSERT_FALSE(try_once(self->nonblock));
	reader = start_reader();

	configure(1, STEVE_POLICY_FIFO, SHORT_MS);
	kill_and_reap(holder);
	EXPECT_TRUE(wait_until(pool_client(reader).held == 1));
	EXPECT_FALSE(epoll_tells(epoll, 0));

	configure(1, STEVE_POLICY_FIFO, LONG_MS);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_MOD, self->nonblock, &again));
	EXPECT_FALSE(epoll_tells(epoll, 0));
	kill_and_reap(reader);
	/* Perhaps not at once, since it did not answer last time. */
	EXPECT_TRUE(epoll_tells(epoll, PATIENCE * 1000));
	EXPECT_TRUE(try_once(self->nonblock));
}

/* ---- In the instant of a grant ---- */

static void spin(long ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000L +
		 now.tv_nsec - start.tv_nsec < ns);
}

static void start_thread(void *(*func)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, func, arg))
		die("cannot start a thread");
}

static void *exec_when_told(void *pipe)
{
	char byte;

	if (read(*(int *)pipe, &byte, 1) != 1)
		die("nothing is told");
	/* A thread of its own right ends with its parent no more than others. */
	die_with_the_test();
	execlp("sleep", "sleep", "infinity", NULL);
	die("cannot exec");
}

/* What the killed thread was just given stays its process's. */
TEST_F(hard, reader_killed_by_the_exec_of_a_sibling)
{
	int kept = 0, rounds = races();

	take(self->fd);
	for (int i = 0; i < rounds; i++) {
		int pipes[2];
		pid_t pid;

		ASSERT_EQ(0, pipe(pipes));
		IN_CHILD(pid) {
			start_thread(exec_when_told, &pipes[0]);
			take(open_steve(O_RDWR | O_CLOEXEC));
			hold_forever();
		}
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
		ASSERT_EQ(1, write(pipes[1], "", 1));
		spin(i * 2000);
		give(self->fd);
		ASSERT_TRUE(wait_until(is_named(pid, "sleep")));
		kept += pool_client(pid).held;
		ASSERT_EQ(1, pool_status().available + (int)pool_status().held);
		kill_and_reap(pid);
		ASSERT_EQ(1, pool_status().available);
		take(self->fd);
		close(pipes[0]);
		close(pipes[1]);
	}
	TH_LOG("in %d of %d rounds the token came first", kept, rounds);
}

static __noreturn void *take_and_return(void *fd)
{
	for (;;)
		if (try_once(*(int *)fd))
			give(*(int *)fd);
}

/* A thread sees reservations, another takes them, and the process is killed. */
TEST_F(hard, death_while_another_thread_reads_the_reservation)
{
	for (int i = 0, rounds = races(); i < rounds; i++) {
		__u64 granted = pool_status().granted;
		struct pollfd pfd = { .fd = self->nonblock, .events = POLLIN };
		pid_t pid;

		IN_CHILD(pid) {
			start_thread(take_and_return, &self->nonblock);
			for (;;)
				poll(&pfd, 1, 1);
		}
		ASSERT_TRUE(wait_until(pool_status().granted > granted));
		spin(i * 500);
		kill_and_reap(pid);
		ASSERT_TRUE(pool_idle());
	}
	EXPECT_TRUE(can_take_exactly(self->nonblock, 1));
}

static void ignore(int signal)
{
	(void)signal;
}

static void interrupt_every(long us)
{
	const struct itimerval timer = {
		.it_value.tv_usec = us,
		.it_interval.tv_usec = us,
	};

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
	if (setitimer(ITIMER_REAL, &timer, NULL))
		die("cannot set a timer");
}

/* Reads that end by a signal, and such that cannot deliver what they got. */
static void __noreturn fail_to_read(int fd)
{
	void *bad = bad_memory();
	char byte;

	interrupt_every(300);
	for (int i = 0;; i++) {
		ssize_t ret = read(fd, i % 3 ? bad : &byte, 1);

		if (ret == 1)
			give(fd);
		else if (errno != EFAULT && errno != EINTR)
			die("read gave %zd", ret);
	}
}

/* Sees every reservation, and lets each lapse. */
static void __noreturn never_read(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;)
		poll(&pfd, 1, 1);
}

TEST_F(hard, signal_fault_and_lapse_as_the_token_comes)
{
	__u64 lapsed = pool_status().lapsed;
	int rounds = 10 * races();
	pid_t pid[6];

	configure(1, STEVE_POLICY_FIFO, STEVE_RESERVE_MS_MIN);
	for (int i = 0; i < 6; i++)
		IN_CHILD(pid[i]) {
			if (i % 2)
				fail_to_read(self->fd);
			else
				never_read(self->nonblock);
		}
	for (int i = 0; i < rounds; i++) {
		take(self->fd);
		give(self->fd);
		pool_status();
	}
	EXPECT_TRUE(wait_until(pool_status().lapsed > lapsed));
	for (int i = 0; i < 6; i++)
		kill_and_reap(pid[i]);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(can_take_exactly(self->nonblock, 1));
}

/* ---- All at once ---- */

/**
 * struct storm - what the clients of the storm write down, in shared memory
 * @turns: tokens that were taken and returned, or given up by death
 * @changes: how often a number in @running has begun or ceased to be so
 * @running: by client, how many tokens it works with
 */
struct storm {
	int turns;
	int changes;
	int running[CROWD];
};

/**
 * struct sailor - a client in the storm
 * @storm: where it writes down what it does
 * @me: its number
 * @fd: what it reads, blocking
 * @nonblock: what it reads else
 * @epoll: an epoll instance, armed in one way or another
 * @seed: of what it does
 */
struct sailor {
	struct storm *storm;
	int me;
	int fd;
	int nonblock;
	int epoll;
	unsigned int seed;
};

static void work(struct sailor *sailor)
{
	struct storm *storm = sailor->storm;

	__atomic_add_fetch(&storm->changes, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&storm->running[sailor->me], 1, __ATOMIC_SEQ_CST);
	usleep(rand_r(&sailor->seed) % 2000);
	__atomic_sub_fetch(&storm->running[sailor->me], 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&storm->changes, 1, __ATOMIC_SEQ_CST);
	give(sailor->fd);
	__atomic_add_fetch(&storm->turns, 1, __ATOMIC_SEQ_CST);
}

static void poll_a_moment(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	poll(&pfd, 1, 3);
}

static void sail_once(struct sailor *sailor)
{
	char byte;

	switch (rand_r(&sailor->seed) % 8) {
	case 0:
	case 1:
		/* Blocks; a signal ends it. */
		if (read(sailor->fd, &byte, 1) == 1)
			work(sailor);
		break;
	case 2:
		poll_a_moment(sailor->nonblock);
		__attribute__((fallthrough));
	case 3:
		if (try_once(sailor->nonblock))
			work(sailor);
		break;
	case 4:
		epoll_wait(sailor->epoll, &(struct epoll_event){}, 1, 3);
		if (try_once(sailor->nonblock))
			work(sailor);
		break;
	case 5:
		/* Told, perhaps, and takes nothing. */
		poll_a_moment(sailor->fd);
		break;
	case 6:
		if (read(sailor->nonblock, bad_memory(), 1) == 1)
			die("a token went into bad memory");
		break;
	case 7:
		/* The last file through which it asked. */
		close(sailor->nonblock);
		sailor->nonblock = open_steve(O_RDWR | O_NONBLOCK);
		break;
	}
}

static __noreturn void *sail_in_thread(void *arg)
{
	struct sailor sailor = *(struct sailor *)arg;

	sailor.nonblock = open_steve(O_RDWR | O_NONBLOCK);
	sailor.seed++;
	for (;;)
		sail_once(&sailor);
}

static pid_t set_sail(struct storm *storm, int me, unsigned int seed)
{
	static const unsigned int ways[] = {
		EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT,
	};
	pid_t pid;

	IN_CHILD(pid) {
		struct sailor sailor = {
			.storm = storm,
			.me = me,
			.fd = open_steve(O_RDWR),
			.nonblock = open_steve(O_RDWR | O_NONBLOCK),
			.seed = seed,
		};

		sailor.epoll = epoll_with(sailor.fd, ways[seed % 3]);
		interrupt_every(2000 + seed % 1000);
		if (seed % 4 == 0)
			start_thread(sail_in_thread, &sailor);
		for (;;)
			sail_once(&sailor);
	}
	return pid;
}

/* At one instant. */
static int count_running(const struct storm *storm)
{
	int changes, n;

	do {
		changes = __atomic_load_n(&storm->changes, __ATOMIC_SEQ_CST);
		n = 0;
		for (int i = 0; i < CROWD; i++)
			n += __atomic_load_n(&storm->running[i],
					     __ATOMIC_SEQ_CST);
	} while (changes != __atomic_load_n(&storm->changes, __ATOMIC_SEQ_CST));
	return n;
}

/* What changes while they sail; the account is looked at each time. */
static void change_the_weather(unsigned int *seed)
{
	if (rand_r(seed) % 4 == 0)
		configure(rand_r(seed) % (STORM_JOBS + 1), rand_r(seed) % 2,
			  STEVE_RESERVE_MS_MIN + rand_r(seed) % 5);
	pool_status();
}

TEST_F(hard, all_at_once)
{
	struct storm *storm = shared_memory(sizeof(*storm));
	unsigned int seed = getpid();
	pid_t pid[CROWD];
	int most = 0, enough = STORM_TURNS * races();

	TH_LOG("seed %u", seed);
	for (int i = 0; i < CROWD; i++)
		pid[i] = set_sail(storm, i, seed + i);
	for (unsigned int lost = 0;
	     __atomic_load_n(&storm->turns, __ATOMIC_SEQ_CST) < enough;) {
		int victim = rand_r(&seed) % CROWD;
		int running = count_running(storm);

		most = running > most ? running : most;
		change_the_weather(&seed);
		if (rand_r(&seed) % 20)
			continue;
		kill_and_reap(pid[victim]);
		storm->running[victim] = 0;
		pid[victim] = set_sail(storm, victim, seed + ++lost);
	}
	for (int i = 0; i < CROWD; i++)
		kill_and_reap(pid[i]);

	TH_LOG("%d ran at once at most", most);
	EXPECT_GE(STORM_JOBS, most);
	configure(STORM_JOBS, STEVE_POLICY_FIFO, LONG_MS);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(can_take_exactly(self->nonblock, STORM_JOBS));
}

TEST_HARNESS_MAIN
