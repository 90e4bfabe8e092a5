// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations: a token is put aside for the poller that is told of it. Who can
 * take it, when it ends, and what becomes of the token and of the client then.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

/*
 * For tests that wait for the end of a reservation, for those in which somebody
 * has to be told before it, and for those that do not wait.
 */
enum { SHORT_MS = 50, LATE_MS = 5000, LONG_MS = 60000 };

static void set_reserve_ms(unsigned int reserve_ms)
{
	if (pool_set_reserve_ms(reserve_ms))
		die("cannot set how long reservations last");
}

static unsigned int get_reserve_ms(int fd)
{
	struct steve_settings get = {};

	if (ioctl(fd, STEVE_IOC_GET_SETTINGS, &get))
		die("cannot read the settings");
	return get.reserve_ms;
}

FIXTURE(reservation) {
	int fd;
	int nonblock;
	unsigned int jobs;
	unsigned int reserve_ms;
};

/* A pool of one token. */
FIXTURE_SETUP(reservation)
{
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->fd = open_steve(O_RDWR | O_CLOEXEC);
	self->nonblock = open_steve(O_RDWR | O_NONBLOCK | O_CLOEXEC);
	self->jobs = pool_status().jobs;
	self->reserve_ms = get_reserve_ms(self->fd);
	ASSERT_EQ(0, pool_set_jobs(1));
	set_reserve_ms(LONG_MS);
}

FIXTURE_TEARDOWN_PARENT(reservation)
{
	set_reserve_ms(self->reserve_ms);
	EXPECT_EQ(0, pool_set_jobs(self->jobs));
	EXPECT_TRUE(wait_until(pool_idle()));
}

/* Is there a token for this client? Asks, and does not wait. */
static bool look(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* A client that sleeps in poll, and having been told does nothing but stay. */
static pid_t start_poller(int fd)
{
	pid_t pid;

	IN_CHILD(pid) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		if (poll(&pfd, 1, -1) != 1)
			die("poll does not tell of a token");
		announce("told");
		hold_forever();
	}
	if (!wait_until(is_waiting(pid, STEVE_WAIT_POLL)))
		die("the poller does not wait");
	return pid;
}

TEST_F(reservation, a_poll_that_finds_a_token_reserves_it)
{
	EXPECT_TRUE(look(self->fd));
	EXPECT_EQ(1, pool_status().reserved);
	EXPECT_EQ(0, pool_status().available);
	EXPECT_EQ(0, pool_status().held);
	EXPECT_EQ(1, pool_client(getpid()).reserved);
	EXPECT_EQ(1, fionread(self->fd));

	/* One is enough. */
	EXPECT_TRUE(look(self->fd));
	EXPECT_EQ(1, pool_status().reserved);

	take(self->fd);
	EXPECT_EQ(0, pool_status().reserved);
	EXPECT_EQ(1, pool_status().held);
}

TEST_F(reservation, nobody_else_can_take_it)
{
	ASSERT_TRUE(look(self->fd));
	EXPECT_FALSE(another_can_take(self->nonblock));
	EXPECT_EQ(1, pool_status().reserved);
	take(self->nonblock);
}

TEST_F(reservation, any_descriptor_of_its_client_will_do)
{
	int other = open(STEVE_FIFO, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int copy = dup(self->fd);

	ASSERT_TRUE(look(self->fd));
	take(other);
	give(self->fd);
	ASSERT_TRUE(look(other));
	take(copy);
	give(copy);
	ASSERT_TRUE(look(self->nonblock));
	take(self->fd);
	EXPECT_EQ(1, pool_status().held);
}

static void *take_in_thread(void *arg)
{
	take(*(int *)arg);
	return NULL;
}

TEST_F(reservation, any_thread_of_its_client_will_do)
{
	pthread_t thread;

	ASSERT_TRUE(look(self->fd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_in_thread, &self->nonblock));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, pool_client(getpid()).held);
}

TEST_F(reservation, it_ends_with_death)
{
	pid_t pid;

	take(self->fd);
	pid = start_poller(self->fd);
	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).reserved);
	EXPECT_EQ(1, pool_status().reserved);
	kill_and_reap(pid);
	EXPECT_EQ(0, pool_status().reserved);
	EXPECT_EQ(1, pool_status().available);
}

TEST_F(reservation, it_ends_with_the_last_file)
{
	int first, last;

	/* Others that this client has, and never asked through, do not count. */
	first = open_steve(O_RDONLY | O_CLOEXEC);
	last = open_steve(O_RDONLY | O_CLOEXEC);
	ASSERT_TRUE(look(first));
	ASSERT_TRUE(look(last));
	close(first);
	EXPECT_EQ(1, pool_status().reserved);
	close(last);
	EXPECT_TRUE(wait_until(!pool_status().reserved));
	EXPECT_EQ(1, pool_status().available);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

TEST_F(reservation, it_lapses_and_not_before_its_time)
{
	__u64 lapsed = pool_status().lapsed;
	double begin;

	set_reserve_ms(SHORT_MS);
	begin = now();
	ASSERT_TRUE(look(self->fd));
	EXPECT_TRUE(wait_until(pool_status().lapsed == lapsed + 1));
	EXPECT_LE(SHORT_MS / 1000.0, now() - begin);
	EXPECT_EQ(0, pool_status().reserved);
	EXPECT_EQ(1, pool_status().available);
}

/* It was told, and did not read: to the tail. */
TEST_F(reservation, what_was_seen_and_not_taken_goes_to_the_next)
{
	pid_t poller, reader;
	__u64 place;

	take(self->fd);
	poller = start_poller(self->fd);
	place = pool_client(poller).place;
	reader = start_reader();
	/* Within that time it has been told, however slow the machine. */
	set_reserve_ms(LATE_MS);
	give(self->fd);
	ASSERT_TRUE(wait_until(is_named(poller, "told")));
	EXPECT_TRUE(wait_until(pool_client(reader).held == 1));
	EXPECT_LT(place, pool_client(poller).place);
	kill_and_reap(reader);
	kill_and_reap(poller);
}

/* Nobody waits on the epoll instance that is woken: that costs no place. */
TEST_F(reservation, what_was_not_seen_goes_to_the_next_and_costs_no_place)
{
	struct epoll_event event = { .events = EPOLLIN };
	__u64 place, lapsed;
	pid_t pid, reader;

	take(self->fd);
	IN_CHILD(pid) {
		int ep = epoll_create1(EPOLL_CLOEXEC);

		if (epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event))
			die("cannot use epoll");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
	place = pool_client(pid).place;
	reader = start_reader();
	lapsed = pool_status().lapsed;
	set_reserve_ms(SHORT_MS);
	give(self->fd);
	EXPECT_TRUE(wait_until(pool_client(reader).held == 1));
	EXPECT_EQ(lapsed + 1, pool_status().lapsed);
	EXPECT_EQ(place, pool_client(pid).place);
	kill_and_reap(reader);
	kill_and_reap(pid);
}

/* A stopped process does not even sleep in poll: nothing is reserved for it. */
TEST_F(reservation, who_is_stopped_keeps_the_place_and_holds_nobody_up)
{
	pid_t poller, reader;
	__u64 place;

	take(self->fd);
	poller = start_poller(self->fd);
	place = pool_client(poller).place;
	kill(poller, SIGSTOP);
	ASSERT_TRUE(wait_until(proc_state(poller, poller) == 'T'));
	reader = start_reader();
	give(self->fd);
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_EQ(place, pool_client(poller).place);

	kill(poller, SIGCONT);
	ASSERT_TRUE(wait_until(is_waiting(poller, STEVE_WAIT_POLL)));
	kill_and_reap(reader);
	EXPECT_TRUE(wait_until(is_named(poller, "told")));
	EXPECT_EQ(1, pool_client(poller).reserved);
	kill_and_reap(poller);
}

/* Stops after its poll was told of a token; it goes on to read it. */
static void __noreturn stop_when_told(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, -1) != 1)
		die("poll does not tell of a token");
	raise(SIGSTOP);
	take(fd);
	hold_forever();
}

/* Stops while its entry is armed: it will be told, and not look. */
static void __noreturn stop_when_armed(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("cannot use epoll");
	raise(SIGSTOP);
	if (epoll_wait(epoll, &event, 1, -1) != 1)
		die("epoll does not tell of a token");
	take(fd);
	hold_forever();
}

/*
 * The token is put aside for the one that is stopped, and goes to the next when
 * that ends: there is one reservation, as long as is set, and not two.
 */
TEST_F(reservation, who_is_stopped_holds_up_the_next_no_longer_than_that)
{
	static void (*const ways[])(int fd) = { stop_when_told, stop_when_armed };
	enum { MS = 5000 };

	set_reserve_ms(MS);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		__u64 lapsed = pool_status().lapsed;
		pid_t poller, reader;
		double begin;

		take(self->fd);
		IN_CHILD(poller)
			ways[i](self->fd);
		ASSERT_TRUE(wait_until(is_waiting(poller, STEVE_WAIT_POLL)));
		reader = start_reader();
		begin = now();
		give(self->fd);
		ASSERT_TRUE(wait_until(proc_state(poller, poller) == 'T'));
		ASSERT_TRUE(wait_until(pool_client(reader).held == 1));
		EXPECT_LE(MS / 1000.0, now() - begin);
		EXPECT_GE(2 * MS / 1000.0, now() - begin);
		EXPECT_EQ(lapsed + 1, pool_status().lapsed);

		/* It has its turn when it goes on. */
		kill(poller, SIGCONT);
		kill_and_reap(reader);
		EXPECT_TRUE(wait_until(pool_client(poller).held == 1));
		kill_and_reap(poller);
	}
}

/* Stopped between poll and read: it loses that turn, and nothing else. */
TEST_F(reservation, who_was_slow_once_can_take_the_next)
{
	__u64 lapsed = pool_status().lapsed;

	/* It is told nothing for much longer than that. */
	set_reserve_ms(10 * SHORT_MS);
	ASSERT_TRUE(look(self->fd));
	ASSERT_TRUE(wait_until(pool_status().lapsed == lapsed + 1));

	/* A try is all it takes. */
	EXPECT_FALSE(look(self->fd));
	take(self->nonblock);
	give(self->fd);
	EXPECT_TRUE(look(self->fd));
	take(self->fd);
}

TEST_F(reservation, a_try_in_vain_will_do)
{
	__u64 lapsed = pool_status().lapsed;
	pid_t holder;
	char byte;

	set_reserve_ms(SHORT_MS);
	ASSERT_TRUE(look(self->fd));
	ASSERT_TRUE(wait_until(pool_status().lapsed == lapsed + 1));
	holder = start_holder(1);
	EXPECT_TRUE(fails(read(self->nonblock, &byte, 1), EAGAIN));
	kill_and_reap(holder);
	EXPECT_TRUE(look(self->fd));
	take(self->fd);
}

/* Each reservation that it lets lapse is followed by a longer pause. */
TEST_F(reservation, who_never_reads_keeps_little_out_of_use)
{
	enum { SECONDS = 12, OF_A_TOKEN = 20 };
	__u64 lapsed = pool_status().lapsed;
	double begin = now();

	set_reserve_ms(SHORT_MS);
	while (now() - begin < SECONDS)
		look(self->fd);
	lapsed = pool_status().lapsed - lapsed;
	EXPECT_LT(0, lapsed);
	EXPECT_LE(lapsed * SHORT_MS, SECONDS * 1000 / OF_A_TOKEN);
	EXPECT_TRUE(wait_until(!pool_status().reserved));
}

TEST_HARNESS_MAIN
