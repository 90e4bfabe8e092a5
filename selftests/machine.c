// SPDX-License-Identifier: GPL-2.0
/*
 * What befalls a machine while clients hold, poll and wait: memory runs out,
 * processors go and come back, the clock is set, everything is suspended. No
 * token is lost by it, and nobody's place. STEVE_ROUNDS says how often.
 */
#include "fixture.h"
#include "watch.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

enum {
	ROUNDS = 4,		/* if nothing else is said */
	EATERS = 4,		/* clients that want more memory than there is */
	MEMORY = 48 << 20,	/* that they have together */
	CROWD = 12,		/* clients that take turns */
};

static bool set_number(const char *dir, const char *name, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	return write_file(dir, name, text);
}

/* The text of a file, "" if there is none. */
static const char *get(const char *dir, const char *name)
{
	static char text[1024];
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

/* ---- Clients that take turns, as those of several builds do ---- */

/* Reads, polls, tries and lets reservations lapse; counts what it took. */
static void __noreturn take_turns(unsigned int seed, unsigned long *turns)
{
	int fd = open_steve(O_RDWR), nonblock = open_steve(O_RDWR | O_NONBLOCK);
	struct pollfd pfd = { .fd = nonblock, .events = POLLIN };
	char byte;

	for (;;) {
		bool blocks = rand_r(&seed) % 2;

		if (!blocks)
			poll(&pfd, 1, 100);
		if (rand_r(&seed) % 8 == 0)
			continue;
		if (read(blocks ? fd : nonblock, &byte, 1) != 1) {
			if (blocks || errno != EAGAIN)
				die("a read failed");
			continue;
		}
		usleep(rand_r(&seed) % 3000);
		give(fd);
		__atomic_fetch_add(turns, 1, __ATOMIC_SEQ_CST);
	}
}

/**
 * struct crowd - clients that take turns
 * @pid: their processes
 * @turns: what they had together, in shared memory
 */
struct crowd {
	pid_t pid[CROWD];
	unsigned long *turns;
};

static void gather(struct crowd *crowd)
{
	unsigned int seed = seed_of_test();

	crowd->turns = shared_memory(sizeof(*crowd->turns));
	for (int i = 0; i < CROWD; i++)
		IN_CHILD(crowd->pid[i])
			take_turns(seed + i, crowd->turns);
}

/* Waits until they have had some more turns; false if they do not come. */
static bool goes_on(struct crowd *crowd)
{
	unsigned long before = __atomic_load_n(crowd->turns, __ATOMIC_SEQ_CST);

	return wait_until(__atomic_load_n(crowd->turns, __ATOMIC_SEQ_CST) >
			  before + 2 * CROWD);
}

/* Stops them: what they have then can be added up. */
static void halt(struct crowd *crowd)
{
	for (int i = 0; i < CROWD; i++)
		kill(crowd->pid[i], SIGSTOP);
	for (int i = 0; i < CROWD; i++)
		if (!wait_until(proc_state(crowd->pid[i], crowd->pid[i]) == 'T'))
			die("client %d does not stop", crowd->pid[i]);
}

static void scatter(struct crowd *crowd)
{
	for (int i = 0; i < CROWD; i++)
		kill_and_reap(crowd->pid[i]);
}

/* ---- Memory ---- */

/* The mount of all cgroups is gone with the test. */
static bool make_cgroup(char *root, char *dir, size_t size)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("cannot leave the mount namespace");
	if (mount("none", root, "cgroup2", 0, NULL))
		return false;
	snprintf(dir, size, "%s/steve-memory-%d", root, getpid());
	if (!write_file(root, "cgroup.subtree_control", "+memory") || mkdir(dir, 0755))
		return false;
	/* There may be no swap to limit. */
	write_file(dir, "memory.swap.max", "0");
	return set_number(dir, "memory.max", MEMORY);
}

static void remove_cgroup(const char *root, const char *dir)
{
	if (!wait_until(rmdir(dir) == 0))
		die("cannot remove %s", dir);
	write_file(root, "cgroup.subtree_control", "-memory");
	umount2(root, MNT_DETACH);
	rmdir(root);
}

/* Takes a token, and then memory until the kernel has none left to give. */
static void __noreturn eat(const char *dir)
{
	if (!set_number(dir, "cgroup.procs", getpid()))
		die("cannot enter %s", dir);
	take(open_steve(O_RDWR));
	for (;;)
		memset(shared_memory(1 << 20), 1, 1 << 20);
}

static long oom_kills(const char *dir)
{
	const char *line = strstr(get(dir, "memory.events"), "oom_kill ");

	return line ? strtol(line + strlen("oom_kill "), NULL, 10) : -1;
}

TEST_F_TIMEOUT(pool, tokens_of_those_that_the_oom_killer_takes, LONG_TIMEOUT)
{
	unsigned long rounds = length_of("STEVE_ROUNDS", ROUNDS), kills = 0;
	char root[] = "/tmp/steve-cgroup-XXXXXX", dir[64];
	pid_t pid[EATERS];

	ASSERT_NE(NULL, mkdtemp(root));
	if (!make_cgroup(root, dir, sizeof(dir))) {
		umount2(root, MNT_DETACH);
		rmdir(root);
		SKIP(return, "kernel without a memory controller");
	}
	watch_account();
	for (unsigned long i = 0; i < rounds; i++) {
		__u64 reclaimed = pool_status().reclaimed;

		/* One after the other, or all of the group with the first. */
		ASSERT_TRUE(set_number(dir, "memory.oom.group", i % 2));
		for (int j = 0; j < EATERS; j++)
			IN_CHILD(pid[j])
				eat(dir);
		for (int j = 0; j < EATERS; j++) {
			int status = reap(pid[j]);

			ASSERT_TRUE(WIFSIGNALED(status));
			EXPECT_EQ(SIGKILL, WTERMSIG(status));
		}
		ASSERT_TRUE(pool_idle());
		EXPECT_LT(reclaimed, pool_status().reclaimed);
		EXPECT_TRUE(all_tokens_are_there());
		kills += EATERS;
	}
	/* Some it may take twice. */
	EXPECT_LE((long)kills, oom_kills(dir));
	watched_account();
	tell_figure("oom-kills", "%lu", kills);
	remove_cgroup(root, dir);
}

/* ---- Processors ---- */

#define CPU1	"/sys/devices/system/cpu/cpu1"

FIXTURE(processor) {
	struct steve_settings found;
};

FIXTURE_SETUP(processor)
{
	if (strcmp(get(CPU1, "online"), "1\n"))
		SKIP(return, "no processor that can be taken away");
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
}

FIXTURE_TEARDOWN_PARENT(processor)
{
	write_file(CPU1, "online", "1");
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
}

static void set_up(unsigned int jobs, unsigned int reserve_ms)
{
	const struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_RESERVE_MS,
		.jobs = jobs,
		.reserve_ms = reserve_ms,
	};

	if (pool_set(&set))
		die("cannot set up the pool");
}

TEST_F_TIMEOUT(processor, it_goes_and_comes_back_under_load, LONG_TIMEOUT)
{
	unsigned long rounds = length_of("STEVE_ROUNDS", ROUNDS);
	struct crowd crowd;

	set_up(TEST_JOBS, 20);
	gather(&crowd);
	watch_account();
	for (unsigned long i = 0; i < rounds; i++) {
		ASSERT_TRUE(write_file(CPU1, "online", "0"));
		ASSERT_TRUE(goes_on(&crowd));
		ASSERT_TRUE(write_file(CPU1, "online", "1"));
		ASSERT_TRUE(goes_on(&crowd));
	}
	halt(&crowd);
	watched_account();
	scatter(&crowd);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(all_tokens_are_there());
	tell_figure("cpu-removals", "%lu", rounds);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on processor %d", cpu);
}

/* The end of a reservation is a timer of the processor that made it. */
TEST_F(processor, reservation_ends_though_its_processor_is_gone)
{
	struct pollfd pfd = { .events = POLLIN };
	__u64 lapsed = pool_status().lapsed;
	pid_t pid, reader;

	set_up(1, 20000);
	pfd.fd = open_steve(O_RDWR | O_NONBLOCK);
	IN_CHILD(pid) {
		run_on(1);
		if (poll(&pfd, 1, 0) != 1)
			die("there is no token");
		announce("told");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "told")));
	reader = start_reader();
	ASSERT_TRUE(write_file(CPU1, "online", "0"));
	ASSERT_EQ(lapsed, pool_status().lapsed);
	EXPECT_TRUE(wait_until(pool_client(reader).held == 1));
	EXPECT_EQ(lapsed + 1, pool_status().lapsed);
	ASSERT_TRUE(write_file(CPU1, "online", "1"));
	kill_and_reap(pid);
	kill_and_reap(reader);
}

/* ---- The clock ---- */

/**
 * struct clock - the clock as it was found
 * @found: the settings found
 * @ahead: how far the clock is ahead of the time since boot, in seconds
 */
FIXTURE(clock) {
	struct steve_settings found;
	time_t ahead;
};

FIXTURE_SETUP(clock)
{
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
	self->ahead = time(NULL) - seconds();
}

static int set_clock(time_t when)
{
	return clock_settime(CLOCK_REALTIME, &(struct timespec){ .tv_sec = when });
}

FIXTURE_TEARDOWN_PARENT(clock)
{
	EXPECT_EQ(0, set_clock(self->ahead + seconds()));
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
}

enum { MINUTE = 60, HOUR = 3600, YEAR = 365 * 24 * HOUR };

static const time_t jumps[] = {
	MINUTE, -MINUTE, HOUR, -HOUR, YEAR, -YEAR, 10L * YEAR, -10L * YEAR,
};

/* A reservation lasts its second, or what a slow machine makes of it. */
TEST_F(clock, jumps_neither_end_nor_prolong_a_reservation)
{
	enum { MS = 1000 };

	set_up(1, MS);
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		int fd = open_steve(O_RDWR | O_NONBLOCK | O_CLOEXEC);
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		__u64 lapsed = pool_status().lapsed;
		struct timespec begin, end;
		double took;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		ASSERT_EQ(1, poll(&pfd, 1, 0));
		ASSERT_EQ(0, set_clock(self->ahead + seconds() + jumps[i]));
		ASSERT_TRUE(wait_until(pool_status().lapsed == lapsed + 1));
		clock_gettime(CLOCK_MONOTONIC, &end);
		took = end.tv_sec - begin.tv_sec +
		       (end.tv_nsec - begin.tv_nsec) / 1e9;
		EXPECT_LE(MS / 1000.0, took);
		EXPECT_GE(MINUTE / 2, took);
		/* A try, after which the next reservation is not put off. */
		take(fd);
		give(fd);
		close(fd);
	}
	tell_figure("clock-jumps", "%zu", ARRAY_SIZE(jumps));
}

TEST_F(clock, jumps_cost_no_place_and_no_turn)
{
	struct steve_client_info row;
	struct crowd crowd;
	pid_t pid, holder;

	set_up(TEST_JOBS, 20);
	holder = start_holder(TEST_JOBS);
	pid = start_reader();
	row = pool_client(pid);
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		struct steve_client_info later;

		ASSERT_EQ(0, set_clock(self->ahead + seconds() + jumps[i]));
		later = pool_client(pid);
		EXPECT_EQ(row.place, later.place);
		EXPECT_LE(row.waited_ns, later.waited_ns);
		EXPECT_GE(PATIENCE * 1000000000ULL, later.waited_ns);
	}
	kill_and_reap(holder);
	EXPECT_EQ(1, pool_client(pid).held);
	kill_and_reap(pid);

	gather(&crowd);
	watch_account();
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		ASSERT_EQ(0, set_clock(self->ahead + seconds() + jumps[i]));
		ASSERT_TRUE(goes_on(&crowd));
	}
	halt(&crowd);
	watched_account();
	scatter(&crowd);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(all_tokens_are_there());
}

/* ---- Suspend ---- */

#define POWER	"/sys/power"

FIXTURE(suspend) {
	struct steve_settings found;
};

FIXTURE_SETUP(suspend)
{
	if (!strstr(get(POWER, "pm_test"), "freezer") ||
	    !strstr(get(POWER, "state"), "freeze"))
		SKIP(return, "kernel that cannot try out suspend");
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
	ASSERT_TRUE(write_file("/sys/module/suspend/parameters", "pm_test_delay", "1"));
}

FIXTURE_TEARDOWN_PARENT(suspend)
{
	EXPECT_TRUE(write_file(POWER, "pm_test", "none"));
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
}

static pid_t start_poller(void)
{
	pid_t pid;

	IN_CHILD(pid) {
		struct pollfd pfd = {
			.fd = open_steve(O_RDWR | O_NONBLOCK),
			.events = POLLIN,
		};

		while (poll(&pfd, 1, -1) != 1)
			;
		take(pfd.fd);
		hold_forever();
	}
	if (!wait_until(is_waiting(pid, STEVE_WAIT_POLL)))
		die("client %d does not poll", pid);
	return pid;
}

/*
 * Everything but the machine itself goes to sleep for a second and comes back.
 * A poll is begun anew, which costs it nothing.
 */
TEST_F_TIMEOUT(suspend, waiters_keep_their_places, LONG_TIMEOUT)
{
	static const char * const depths[] = { "freezer", "devices" };
	enum { WAITERS = 6 };
	struct steve_client_info row[WAITERS];
	pid_t pid[WAITERS], holder;
	__u64 interrupted;

	set_up(TEST_JOBS, STEVE_RESERVE_MS_MAX);
	holder = start_holder(TEST_JOBS);
	for (int i = 0; i < WAITERS; i++) {
		pid[i] = i % 2 ? start_poller() : start_reader();
		row[i] = pool_client(pid[i]);
	}
	interrupted = pool_status().interrupted;
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		/* Who has a place and does not sleep yet is woken to be frozen. */
		for (int j = 0; j < WAITERS; j++)
			ASSERT_TRUE(wait_until(proc_state(pid[j], pid[j]) == 'S'));
		ASSERT_TRUE(write_file(POWER, "pm_test", depths[i]));
		ASSERT_TRUE(write_file(POWER, "state", "freeze"));
		for (int j = 0; j < WAITERS; j++) {
			ASSERT_TRUE(wait_until(pool_client(pid[j]).wait ==
					       row[j].wait));
			EXPECT_EQ(row[j].place, pool_client(pid[j]).place);
		}
		EXPECT_EQ(interrupted, pool_status().interrupted);
		EXPECT_EQ(TEST_JOBS, pool_client(holder).held);
	}
	kill_and_reap(holder);
	for (int i = 0; i < TEST_JOBS; i++)
		EXPECT_TRUE(wait_until(pool_client(pid[i]).held == 1));
	EXPECT_EQ(WAITERS - TEST_JOBS, pool_status().waiting);
	for (int i = 0; i < WAITERS; i++)
		kill_and_reap(pid[i]);
	EXPECT_TRUE(pool_idle());
	tell_figure("suspends", "%zu", ARRAY_SIZE(depths));
}

TEST_F_TIMEOUT(suspend, turns_go_on_afterwards, LONG_TIMEOUT)
{
	unsigned long rounds = length_of("STEVE_ROUNDS", ROUNDS);
	struct crowd crowd;

	set_up(TEST_JOBS, 20);
	ASSERT_TRUE(write_file(POWER, "pm_test", "freezer"));
	gather(&crowd);
	watch_account();
	for (unsigned long i = 0; i < rounds; i++) {
		ASSERT_TRUE(write_file(POWER, "state", "freeze"));
		ASSERT_TRUE(goes_on(&crowd));
	}
	halt(&crowd);
	watched_account();
	scatter(&crowd);
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(all_tokens_are_there());
	tell_figure("suspends", "%lu under load", rounds);
}

TEST_HARNESS_MAIN
