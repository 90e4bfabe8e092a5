// SPDX-License-Identifier: GPL-2.0
/*
 * What holds tokens back: the number that one process may hold, the load of the
 * machine and the memory it has left, with real processes that load it and use
 * its memory.
 */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int set_limits(__u64 mask, struct steve_settings set)
{
	set.mask = mask;
	return pool_set(&set);
}

static int set_max_per_process(unsigned int most)
{
	return set_limits(STEVE_SET_MAX_PER_PROCESS,
			  (struct steve_settings){ .max_per_process = most });
}

static int set_memory(__u64 least, __u64 job, unsigned int min_jobs)
{
	return set_limits(STEVE_SET_MIN_MEMORY | STEVE_SET_JOB_MEMORY | STEVE_SET_MIN_JOBS,
			  (struct steve_settings){
				  .min_memory = least,
				  .job_memory = job,
				  .min_jobs = min_jobs,
			  });
}

static unsigned int held_by(pid_t pid)
{
	return pool_client(pid).held;
}

/* ---- max_per_process ---- */

TEST_F(pool, nobody_takes_more_than_one_process_may_hold)
{
	char byte;

	ASSERT_EQ(0, set_max_per_process(2));
	EXPECT_EQ(2, fionread(self->fd));
	take_many(self->fd, 2);
	EXPECT_EQ(0, fionread(self->fd));
	EXPECT_TRUE(fails(read(self->nonblock, &byte, 1), EAGAIN));
	EXPECT_EQ(1, pool_client(getpid()).limited);
	EXPECT_TRUE(another_can_take(self->nonblock));
	give(self->fd);
	EXPECT_EQ(0, pool_client(getpid()).limited);
	EXPECT_EQ(1, fionread(self->fd));
	take(self->fd);
}

enum { THREADS = 4 };

static void *take_in_thread(void *fd)
{
	take(*(int *)fd);
	return NULL;
}

/* A child with so many threads that each take a token and keep it. */
static pid_t start_threads(int fd)
{
	pthread_t thread[THREADS];
	pid_t pid;

	IN_CHILD(pid) {
		for (int i = 0; i < THREADS; i++)
			if (pthread_create(&thread[i], NULL, take_in_thread, &fd))
				die("cannot start a thread");
		for (int i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
		announce("served");
		hold_forever();
	}
	return pid;
}

TEST_F(pool, threads_of_a_process_hold_as_many_as_it_may)
{
	pid_t pid;

	ASSERT_EQ(0, set_max_per_process(2));
	pid = start_threads(self->fd);
	ASSERT_TRUE(wait_until(held_by(pid) == 2 &&
			       is_waiting(pid, STEVE_WAIT_READ)));
	EXPECT_EQ(1, pool_client(pid).limited);
	EXPECT_EQ(2, pool_status().available);
	/* It is in nobody's way. */
	EXPECT_TRUE(another_can_take(self->nonblock));
	take_many(self->fd, 2);
	give_many(self->fd, 2);
	EXPECT_EQ(2, held_by(pid));

	ASSERT_EQ(0, set_max_per_process(3));
	EXPECT_TRUE(wait_until(held_by(pid) == 3 &&
			       is_waiting(pid, STEVE_WAIT_READ)));
	ASSERT_EQ(0, set_max_per_process(0));
	EXPECT_TRUE(wait_until(is_named(pid, "served")));
	EXPECT_EQ(THREADS, held_by(pid));
	kill_and_reap(pid);
}

TEST_F(pool, each_process_may_hold_as_many)
{
	pid_t pid[TEST_JOBS];

	ASSERT_EQ(0, set_max_per_process(1));
	for (int i = 0; i < TEST_JOBS; i++)
		pid[i] = start_holder(1);
	EXPECT_EQ(0, pool_status().available);
	for (int i = 0; i < TEST_JOBS; i++)
		kill_and_reap(pid[i]);
}

TEST_F(pool, a_child_of_one_with_all_it_may_hold_is_another_process)
{
	pid_t pid;

	ASSERT_EQ(0, set_max_per_process(2));
	take_many(self->fd, 2);
	IN_CHILD(pid) {
		take_many(self->fd, 2);
		EXPECT_EQ(0, fionread(self->fd));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
}

TEST_F(pool, a_poller_with_all_it_may_hold_is_woken_when_it_may_hold_more)
{
	pid_t pid;

	ASSERT_EQ(0, set_max_per_process(1));
	IN_CHILD(pid) {
		struct pollfd p = { .fd = self->nonblock, .events = POLLIN };

		take(self->fd);
		if (poll(&p, 1, -1) != 1)
			die("poll does not end well");
		take(self->nonblock);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
	EXPECT_EQ(1, held_by(pid));
	EXPECT_EQ(0, pool_status().reserved);
	ASSERT_EQ(0, set_max_per_process(2));
	EXPECT_TRUE(wait_until(held_by(pid) == 2));
	kill_and_reap(pid);
}

TEST_F(pool, the_own_slot_comes_back_whatever_one_may_hold)
{
	ASSERT_EQ(0, set_max_per_process(1));
	give(self->fd);
	EXPECT_EQ(1, pool_status().lent);
	EXPECT_EQ(2, fionread(self->fd));
	take(self->fd);
	EXPECT_EQ(0, pool_status().lent);
	EXPECT_EQ(0, pool_status().held);
	take(self->fd);
	EXPECT_EQ(0, fionread(self->fd));
}

/* ---- Settings ---- */

TEST_F(pool, strict_counts_from_the_next_write_on)
{
	give(self->fd);
	give(self->fd);
	ASSERT_EQ(0, set_limits(STEVE_SET_STRICT, (struct steve_settings){ .strict = 1 }));
	EXPECT_TRUE(fails(write(self->fd, "+", 1), ENOSPC));
	ASSERT_EQ(0, set_limits(STEVE_SET_STRICT, (struct steve_settings){}));
	give(self->fd);
	take(self->fd);
}

/* Whoever reads the settings finds all of one set or all of another. */
TEST_F(pool, settings_change_as_a_set)
{
	static const struct steve_settings sets[] = {
		{
			.jobs = 1, .policy = STEVE_POLICY_FIFO, .reserve_ms = 1,
			.strict = 0, .min_jobs = 1, .max_per_process = 1,
			.max_load = 1, .min_memory = 1, .job_memory = 1,
		},
		{
			.jobs = 2, .policy = STEVE_POLICY_FAIR, .reserve_ms = 2,
			.strict = 1, .min_jobs = 2, .max_per_process = 2,
			.max_load = 2, .min_memory = 2, .job_memory = 2,
		},
	};
	unsigned int seen[ARRAY_SIZE(sets)] = {};
	__u64 all = pool_settings().mask;
	pid_t pid[ARRAY_SIZE(sets)];

	ASSERT_EQ(0, set_limits(all, sets[0]));
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		IN_CHILD(pid[i]) {
			/* Now and then the test has to run, too. */
			for (unsigned int n = 1;; n++) {
				if (set_limits(all, sets[i]))
					die("cannot change the settings");
				if (n % 256 == 0)
					nap();
			}
		}
	}
	ASSERT_TRUE(wait_until(({
		struct steve_settings now = pool_settings();
		bool same = false;

		now.mask = 0;
		for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
			if (memcmp(&now, &sets[i], sizeof(now)))
				continue;
			seen[i]++;
			same = true;
		}
		if (!same)
			die("settings of two sets: jobs %u, job_memory %llu",
			    now.jobs, now.job_memory);
		seen[0] > 100 && seen[1] > 100;
	})));
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		kill_and_reap(pid[i]);
}

/* ---- Memory ---- */

static __u64 available_memory(void)
{
	return pool_status().memory;
}

/* How many processes the kernel has killed because there was no memory left. */
static unsigned long oom_kills(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long kills = 0;
	char line[128];

	if (!file)
		die("cannot read /proc/vmstat");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "oom_kill ", 9))
			kills = strtoul(line + 9, NULL, 10);
	fclose(file);
	return kills;
}

/* Uses memory, for real. Nobody but the likes of it is to be killed for that. */
static void use_memory(size_t size)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char *mem;

	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("cannot be the one to be killed");
	close(fd);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		die("cannot map %zu bytes", size);
	/* Quicker in large pages. */
	madvise(mem, size, MADV_HUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		mem[i] = 1;
}

/* A child that uses memory until it is killed. */
static pid_t start_hog(size_t size)
{
	pid_t pid;

	IN_CHILD(pid) {
		use_memory(size);
		announce("full");
		hold_forever();
	}
	if (!wait_until(is_named(pid, "full")))
		die("cannot use %zu bytes of memory", size);
	return pid;
}

static void sleep_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	}, NULL);
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

enum { COMPILERS = 8 };

/**
 * struct build - large jobs that begin at the same time
 * @size: memory that each of them uses, some time after it began
 * @running: how many run
 * @most: how many ran at a time
 * @late: one of them ran for long without having that memory
 * @pid: their processes
 */
struct build {
	size_t size;
	int running;
	int most;
	int late;
	pid_t pid[COMPILERS];
};

/* Half of the time for which a job is taken to want what it does not use yet. */
#define SOON	4

static int *late;

static void be_late(int sig)
{
	(void)sig;
	*late = 1;
}

static void compile(int fd, struct build *build)
{
	int running, most;

	take(fd);
	running = __atomic_add_fetch(&build->running, 1, __ATOMIC_SEQ_CST);
	most = __atomic_load_n(&build->most, __ATOMIC_SEQ_CST);
	while (most < running &&
	       !__atomic_compare_exchange_n(&build->most, &most, running, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	late = &build->late;
	signal(SIGALRM, be_late);
	alarm(SOON);
	/* First it reads its headers. */
	sleep_ms(500);
	use_memory(build->size);
	alarm(0);
	sleep_ms(1000);
	__atomic_sub_fetch(&build->running, 1, __ATOMIC_SEQ_CST);
	give(fd);
}

/* Eight jobs, of which all together need twice the memory there is. */
static struct build *start_build(int fd)
{
	struct build *build = shared_memory(sizeof(*build));
	pid_t pid;

	if (pool_set_jobs(COMPILERS))
		die("cannot have a token for each");
	build->size = available_memory() / (COMPILERS / 2);
	for (int i = 0; i < COMPILERS; i++) {
		IN_CHILD(pid)
			compile(fd, build);
		build->pid[i] = pid;
	}
	return build;
}

static unsigned int end_build(struct build *build)
{
	unsigned int killed = 0;

	for (int i = 0; i < COMPILERS; i++)
		killed += !succeeded(reap(build->pid[i]));
	return killed;
}

/* Until there is nothing left that could be written to disk a kernel tries long. */
#define THRASHING	1200

TEST_F_TIMEOUT(pool, without_a_limit_large_jobs_run_out_of_memory, THRASHING)
{
	unsigned long kills = oom_kills();
	struct build *build;

	build = start_build(self->fd);
	EXPECT_LT(0, end_build(build));
	EXPECT_LT(kills, oom_kills());
	EXPECT_EQ(COMPILERS, build->most);
}

TEST_F_TIMEOUT(pool, with_a_limit_large_jobs_wait_for_memory, THRASHING)
{
	__u64 memory = available_memory();
	unsigned long kills = oom_kills();
	unsigned int killed;
	struct build *build;

	ASSERT_EQ(0, set_memory(memory / 2, memory / 4, 1));
	build = start_build(self->fd);
	ASSERT_TRUE(wait_until(pool_status().held > 0));
	/* Its siblings wait, although there are tokens. */
	EXPECT_TRUE(wait_until(pool_status().waiting > 0 &&
			       pool_status().limits & STEVE_LIMIT_MEMORY));
	EXPECT_LT(0, pool_status().available);
	EXPECT_LT(0, pool_status().charged);
	killed = end_build(build);
	EXPECT_EQ(killed, oom_kills() - kills);
	EXPECT_LE(1, build->most);
	/* What a job is charged runs out by the clock, however slow the machine. */
	if (build->late) {
		TH_LOG("jobs are too slow for the rest of this test");
		return;
	}
	EXPECT_EQ(0, killed);
	EXPECT_GT(COMPILERS, build->most);
}

/* A token granted in the same moment counts, before any memory is used. */
TEST_F(pool, jobs_just_granted_are_charged)
{
	__u64 memory = available_memory();
	struct steve_status st;
	char byte;

	ASSERT_EQ(0, set_memory(memory / 2, memory, 0));
	for (;;) {
		__u64 second = now_ms() / 1000;

		take(self->nonblock);
		st = pool_status();
		/* In another second some of the charge has run out. */
		if (now_ms() / 1000 == second)
			break;
		give(self->fd);
	}
	EXPECT_EQ(memory / 8 * 8, st.charged);
	EXPECT_EQ(STEVE_LIMIT_MEMORY, st.limits);
	EXPECT_EQ(memory / 2, st.min_memory);
	EXPECT_TRUE(fails(read(self->nonblock, &byte, 1), EAGAIN));
	EXPECT_EQ(0, fionread(self->fd));
	/* That one ended, and never used any. */
	give(self->fd);
	EXPECT_EQ(0, pool_status().charged);
	take(self->nonblock);
}

TEST_F(pool, charges_fade_while_others_wait)
{
	__u64 memory = available_memory();
	pid_t pid;

	ASSERT_EQ(0, set_memory(memory / 2, memory, 0));
	take(self->fd);
	pid = start_reader();
	EXPECT_EQ(STEVE_LIMIT_MEMORY, pool_status().limits);
	/* What is left of the charge leaves half of the memory then. */
	EXPECT_TRUE(wait_until(held_by(pid) == 1));
	kill_and_reap(pid);
}

/**
 * struct waiter - a process that waits for a token
 * @served_ms: when it got one, 0 before
 * @pid: the process
 */
struct waiter {
	__u64 served_ms;
	pid_t pid;
};

static struct waiter *start_waiter(int fd, bool poller)
{
	struct waiter *waiter = shared_memory(sizeof(*waiter));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	pid_t pid;

	IN_CHILD(pid) {
		if (poller && poll(&p, 1, -1) != 1)
			die("poll does not end well");
		take(fd);
		__atomic_store_n(&waiter->served_ms, now_ms(), __ATOMIC_SEQ_CST);
		hold_forever();
	}
	if (!wait_until(is_waiting(pid, poller ? STEVE_WAIT_POLL : STEVE_WAIT_READ)))
		die("client %d does not wait", pid);
	waiter->pid = pid;
	return waiter;
}

static __u64 served_ms(struct waiter *waiter)
{
	return __atomic_load_n(&waiter->served_ms, __ATOMIC_SEQ_CST);
}

/* How long after memory is back have two been served who wait for it? */
static __u64 wait_for_memory(struct __test_metadata *_metadata, int fd)
{
	__u64 memory = available_memory(), back, last = 0;
	struct waiter *waiter[2];
	pid_t hog;

	hog = start_hog(memory / 2);
	ASSERT_EQ(0, set_memory(memory / 4 * 3, 0, 0));
	for (int i = 0; i < 2; i++)
		waiter[i] = start_waiter(fd, i);
	EXPECT_EQ(STEVE_LIMIT_MEMORY, pool_status().limits);
	EXPECT_EQ(0, fionread(fd));
	/* It has looked again by then, and found that memory is still short. */
	sleep_ms(1500);
	EXPECT_EQ(0, served_ms(waiter[0]));
	EXPECT_EQ(0, served_ms(waiter[1]));

	kill_and_reap(hog);
	ASSERT_TRUE(wait_until(!(pool_status().limits & STEVE_LIMIT_MEMORY)));
	back = now_ms();
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(wait_until(served_ms(waiter[i])));
		last = served_ms(waiter[i]) > last ? served_ms(waiter[i]) : last;
		kill_and_reap(waiter[i]->pid);
	}
	return last > back ? last - back : 0;
}

/* Of some times, for who is served may be held up on a busy machine. */
TEST_F(pool, those_who_wait_are_served_within_a_second_when_memory_is_back)
{
	int tries = 0;
	__u64 took;

	do
		took = wait_for_memory(_metadata, self->fd);
	while (took > 1000 && ++tries < 4);
	EXPECT_GE(1000, took);
}

TEST_F(pool, a_lower_limit_serves_those_who_wait_at_once)
{
	struct waiter *waiter;

	ASSERT_EQ(0, set_memory(STEVE_MEMORY_MAX, 0, 0));
	waiter = start_waiter(self->fd, false);
	EXPECT_EQ(STEVE_LIMIT_MEMORY, pool_status().limits);
	ASSERT_EQ(0, set_memory(0, 0, 0));
	EXPECT_EQ(1, held_by(waiter->pid));
	kill_and_reap(waiter->pid);
}

TEST_F(pool, what_was_reserved_before_is_delivered)
{
	struct pollfd p = { .fd = self->nonblock, .events = POLLIN };
	char byte;

	ASSERT_EQ(0, pool_set_reserve_ms(STEVE_RESERVE_MS_MAX));
	ASSERT_EQ(1, poll(&p, 1, 0));
	ASSERT_EQ(0, set_memory(STEVE_MEMORY_MAX, 0, 0));
	EXPECT_EQ(1, fionread(self->fd));
	EXPECT_EQ(1, poll(&p, 1, 0));
	take(self->nonblock);
	EXPECT_TRUE(fails(read(self->nonblock, &byte, 1), EAGAIN));
	EXPECT_EQ(0, poll(&p, 1, 0));
}

/* Takes turns, and tells how many had theirs at a time. */
static void take_turns(int fd, int *running, int *most)
{
	for (int i = 0; i < 20; i++) {
		int now;

		take(fd);
		now = __atomic_add_fetch(running, 1, __ATOMIC_SEQ_CST);
		if (now > __atomic_load_n(most, __ATOMIC_SEQ_CST))
			__atomic_store_n(most, now, __ATOMIC_SEQ_CST);
		sleep_ms(2);
		__atomic_sub_fetch(running, 1, __ATOMIC_SEQ_CST);
		give(fd);
	}
}

/* Memory is short all the time, and the build comes to its end. */
TEST_F(pool, the_least_jobs_keep_a_build_moving)
{
	int *numbers = shared_memory(2 * sizeof(*numbers));
	pid_t pid[6];

	ASSERT_EQ(0, set_memory(STEVE_MEMORY_MAX, 0, 2));
	EXPECT_EQ(0, pool_status().limits);
	EXPECT_EQ(2, fionread(self->fd));
	for (size_t i = 0; i < ARRAY_SIZE(pid); i++) {
		IN_CHILD(pid[i])
			take_turns(self->fd, &numbers[0], &numbers[1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pid); i++)
		EXPECT_TRUE(succeeded(reap(pid[i])));
	EXPECT_EQ(2, numbers[1]);
}

/* ---- Load ---- */

static pid_t start_load(void)
{
	pid_t pid;

	IN_CHILD(pid)
		for (;;)
			;
	return pid;
}

/* The machine really is busy: 16 processes raise its load by 1.3 in 5 seconds. */
TEST_F(pool, no_token_is_granted_while_the_load_is_too_high)
{
	struct steve_status st;
	unsigned int limit;
	pid_t busy[16];
	struct waiter *waiter;
	__u64 gone;

	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		busy[i] = start_load();
	/* So high that it is above the limit for a while, even if it is falling. */
	ASSERT_TRUE(wait_until(pool_status().load > 200));
	limit = pool_status().load / 4 * 3;
	ASSERT_EQ(0, set_limits(STEVE_SET_MAX_LOAD | STEVE_SET_MIN_JOBS,
				(struct steve_settings){
					.max_load = limit, .min_jobs = 0,
				}));
	waiter = start_waiter(self->fd, false);
	EXPECT_EQ(STEVE_LIMIT_LOAD, pool_status().limits);
	EXPECT_EQ(limit, pool_status().max_load);
	EXPECT_EQ(0, fionread(self->fd));

	for (size_t i = 0; i < ARRAY_SIZE(busy); i++)
		kill_and_reap(busy[i]);
	/* While it is too high nobody is served, and soon after somebody is. */
	ASSERT_TRUE(wait_at_most(2 * PATIENCE, ({
		unsigned int held = pool_status().held;

		st = pool_status();
		if (held)
			EXPECT_GE(limit, st.load);
		st.load <= limit;
	})));
	gone = now_ms();
	ASSERT_TRUE(wait_until(served_ms(waiter)));
	/* Within a second, and as long as the machine holds it up. */
	EXPECT_GE(gone + 10000, served_ms(waiter));
	kill_and_reap(waiter->pid);
}

TEST_HARNESS_MAIN
