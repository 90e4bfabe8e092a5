// SPDX-License-Identifier: GPL-2.0
/*
 * A user without privileges who has the device open and means ill: what he can
 * get out of the pool, and out of stevefs. What he may ask and set is in ioctl.c,
 * and what he can do by chance is tried by a fuzzer.
 */
#include "fixture.h"
#include "watch.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	NOBODY = 65534,
	MOST = 2,		/* tokens that one process may hold */
	JOBS = 8,
	THREADS = 4,		/* of each kind */
	FORKS = 8,		/* processes that lend at a time */
	LOANS = 1000,		/* that they attempt together */
};

static void become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		die("cannot change to user %u", NOBODY);
}

static void start_thread(void *(*func)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, func, arg);
	if (errno)
		die("cannot start a thread");
}

/* ---- Taking all of the pool ---- */

FIXTURE(limited) {
	struct steve_settings found;
	int fd;
	int nonblock;
};

FIXTURE_SETUP(limited)
{
	static const struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_MAX_PER_PROCESS |
			STEVE_SET_RESERVE_MS,
		.jobs = JOBS,
		.max_per_process = MOST,
		.reserve_ms = STEVE_RESERVE_MS_MAX,
	};

	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
	ASSERT_EQ(0, pool_set(&set));
	self->fd = open_steve(O_RDWR);
	self->nonblock = open_steve(O_RDWR | O_NONBLOCK);
}

FIXTURE_TEARDOWN_PARENT(limited)
{
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
}

static void *read_forever(void *fd)
{
	char byte;

	for (;;)
		if (read(*(int *)fd, &byte, 1) < 0 && errno != EAGAIN)
			die("a read failed");
}

static void *poll_forever(void *fd)
{
	struct pollfd pfd = { .fd = *(int *)fd, .events = POLLIN };

	while (poll(&pfd, 1, -1) >= 0)
		;
	die("a poll failed");
}

static void *poll_and_read_forever(void *fd)
{
	struct pollfd pfd = { .fd = *(int *)fd, .events = POLLIN };
	char byte;

	for (;;) {
		poll(&pfd, 1, 1);
		if (read(pfd.fd, &byte, 1) < 0 && errno != EAGAIN)
			die("a read failed");
	}
}

/* Wants all it can get, in every way there is. */
static void __noreturn take_everything(int *fd, int *nonblock)
{
	become_nobody();
	die_with_the_test();
	for (int i = 0; i < THREADS; i++) {
		start_thread(read_forever, fd);
		start_thread(poll_forever, fd);
		start_thread(poll_and_read_forever, nonblock);
	}
	hold_forever();
}

TEST_F(limited, one_process_cannot_have_the_pool)
{
	pid_t greedy, other[JOBS - MOST];

	IN_CHILD(greedy)
		take_everything(&self->fd, &self->nonblock);
	ASSERT_TRUE(wait_until(pool_client(greedy).held == MOST));
	ASSERT_TRUE(wait_until(pool_client(greedy).wait == STEVE_WAIT_READ));
	for (int i = 0; i < JOBS - MOST; i++)
		other[i] = start_holder(1);
	EXPECT_EQ(MOST, pool_client(greedy).held);
	EXPECT_EQ(0, pool_status().available);

	/* What comes back goes to others, though it waits. */
	kill_and_reap(other[0]);
	EXPECT_EQ(1, pool_status().available);
	EXPECT_EQ(0, pool_status().reserved);
	other[0] = start_holder(1);
	EXPECT_EQ(MOST, pool_client(greedy).held);
	for (int i = 0; i < JOBS - MOST; i++)
		kill_and_reap(other[i]);
	EXPECT_EQ(JOBS - MOST, pool_status().available);
	kill_and_reap(greedy);
}

/* As another program, and by the slot it lends, it gets one at most: its own. */
TEST_F(limited, neither_exec_nor_a_loan_is_a_way_round)
{
	pid_t pid;
	char byte;

	IN_CHILD(pid) {
		become_nobody();
		die_with_the_test();
		give(self->fd);
		take_many(self->nonblock, MOST + 1);
		if (!fails(read(self->nonblock, &byte, 1), EAGAIN))
			die("more than it may hold");
		dup2(self->nonblock, STDIN_FILENO);
		execlp("sh", "sh", "-c",
		       "exec dd bs=1 count=1 of=/dev/null 2>/dev/null", NULL);
	}
	/* dd fails, since there is no token for it. */
	EXPECT_EQ(1, WEXITSTATUS(reap(pid)));
	EXPECT_TRUE(pool_idle());
}

/* ---- Lending what is not there ---- */

/**
 * struct lender - what its threads need
 * @fd: the device
 * @loans: how many were attempted by all, in shared memory
 */
struct lender {
	int fd;
	unsigned int *loans;
};

static void *take_into_nothing(void *arg)
{
	struct lender *lender = arg;
	void *bad = bad_memory();

	for (;;) {
		if (read(lender->fd, bad, 1) == 1)
			die("a token went into bad memory");
		usleep(100);
	}
}

/* How it ends when a child of its own goes on in its place. */
enum { FORKED = 1 };

/*
 * Returns by one thread what another could not take, forks, and ends after some
 * turns.
 */
static void __noreturn lend(struct lender *lender, unsigned int seed)
{
	become_nobody();
	if (seed % 2)
		start_thread(take_into_nothing, lender);
	for (;;) {
		char bytes[4] = {};
		char byte;

		if (write(lender->fd, bytes, 1 + rand_r(&seed) % 3) < 1)
			die("a write failed");
		__atomic_fetch_add(lender->loans, 1, __ATOMIC_SEQ_CST);
		switch (rand_r(&seed) % 4) {
		case 0:
			_exit(0);
		case 1:
			if (read(lender->fd, &byte, 1) < 0 && errno != EAGAIN)
				die("a read failed");
			break;
		case 2:
			if (!fork())
				lend(lender, seed + 1);
			_exit(FORKED);
		default:
			sched_yield();
		}
	}
}

TEST_F(pool, loans_never_exceed_jobs_whatever_forks)
{
	struct lender lender = {
		.fd = self->nonblock,
		.loans = shared_memory(sizeof(*lender.loans)),
	};
	unsigned int seed = seed_of_test();
	struct steve_status st;
	int status;
	pid_t pid;

	/* So that it can wait for the children of its children. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	watch_account();
	for (int i = 0; i < FORKS; i++)
		IN_CHILD(pid)
			lend(&lender, seed + i);
	while (__atomic_load_n(lender.loans, __ATOMIC_SEQ_CST) < LOANS) {
		st = pool_status();
		ASSERT_GE(TEST_JOBS, st.lent);
		ASSERT_GE(2 * TEST_JOBS, st.available);
		seed++;
		if (waitpid(-1, &status, WNOHANG) <= 0)
			continue;
		ASSERT_TRUE(WIFEXITED(status));
		if (WEXITSTATUS(status) != FORKED)
			IN_CHILD(pid)
				lend(&lender, seed);
	}
	while (waitpid(-1, &status, 0) > 0)
		ASSERT_TRUE(WIFEXITED(status));
	watched_account();
	EXPECT_TRUE(pool_idle());
	EXPECT_TRUE(all_tokens_are_there());
}

/* ---- stevefs ---- */

/* As root of a user namespace, which has a mount namespace. */
static bool enter_user_namespace(void)
{
	become_nobody();
	return !unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

TEST(stevefs_cannot_be_mounted_from_a_user_namespace)
{
	struct stat before, after;
	int status, fs;
	pid_t pid;

	ASSERT_EQ(0, stat(STEVE_FIFO, &before));
	IN_CHILD(pid) {
		if (!enter_user_namespace())
			_exit(KSFT_SKIP);
		/* Some can. */
		EXPECT_EQ(0, mount("none", "/tmp", "tmpfs", 0, NULL));
		EXPECT_TRUE(fails(mount("none", "/tmp", "stevefs", 0, NULL), EPERM));
		EXPECT_TRUE(fails(mount("none", STEVEFS_DIR, "stevefs", MS_REMOUNT,
					"uid=65534,mode=666"), EPERM));
		/* The other way to mount. */
		fs = syscall(SYS_fsopen, "stevefs", 0);
		if (fs >= 0)
			EXPECT_TRUE(fails(syscall(SYS_fsconfig, fs,
						  FSCONFIG_CMD_CREATE, NULL,
						  NULL, 0), EPERM));
	}
	status = reap(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "kernel without user namespaces");
	EXPECT_TRUE(succeeded(status));
	ASSERT_EQ(0, stat(STEVE_FIFO, &after));
	EXPECT_EQ(before.st_uid, after.st_uid);
	EXPECT_EQ(before.st_mode, after.st_mode);
}

/* ---- Parameters ---- */

TEST(parameters_cannot_be_written)
{
	static const char * const names[] = {
		"jobs", "policy", "reserve_ms", "strict", "min_jobs",
		"max_per_process", "max_load", "min_memory", "job_memory",
	};
	char path[64];
	pid_t pid;

	IN_CHILD(pid) {
		become_nobody();
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			snprintf(path, sizeof(path),
				 "/sys/module/steve/parameters/%s", names[i]);
			EXPECT_TRUE(fails(open(path, O_WRONLY), EACCES));
			EXPECT_TRUE(fails(chmod(path, 0666), EPERM));
		}
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	/* Nor by root, who would get round the device's rules. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/sys/module/steve/parameters/%s",
			 names[i]);
		EXPECT_TRUE(fails(open(path, O_WRONLY), EACCES));
	}
}

TEST_HARNESS_MAIN
