// SPDX-License-Identifier: GPL-2.0
/*
 * Caps: limits that last as long as a file is open, whatever becomes of whoever
 * opened it. On the device and on the FIFO.
 */
#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

FIXTURE_VARIANT_ADD(pool, device) {
	.path = STEVE_DEVICE,
};

FIXTURE_VARIANT_ADD(pool, fifo) {
	.path = STEVE_FIFO,
};

static int set_cap(int fd, struct steve_cap cap)
{
	return ioctl(fd, STEVE_IOC_SET_CAP, &cap);
}

static int set_cap_jobs(int fd, unsigned int jobs)
{
	return set_cap(fd, (struct steve_cap){ .jobs = jobs });
}

/* A file with a cap of so many jobs. */
static int open_cap(const char *path, int flags, unsigned int jobs)
{
	int fd = open(path, flags);

	if (fd < 0)
		die("cannot open %s", path);
	if (set_cap_jobs(fd, jobs))
		die("cannot cap the pool");
	return fd;
}

/*
 * A child that caps the pool, and lives on; its descriptor is left in @fd. What is
 * started in the background by a shell ignores SIGINT, and so do its children.
 */
static pid_t start_capper(const char *path, int flags, unsigned int jobs, int *fd)
{
	pid_t pid;

	IN_CHILD(pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		*fd = open_cap(path, flags, jobs);
		announce("capped");
		hold_forever();
	}
	if (!wait_until(is_named(pid, "capped")))
		die("process %d does not cap the pool", pid);
	return pid;
}

static bool is_capped(unsigned int size)
{
	struct steve_status st = pool_status();

	return st.caps > 0 && st.size == size && st.jobs == TEST_JOBS;
}

static bool is_free(void)
{
	struct steve_status st = pool_status();

	return !st.caps && st.size == TEST_JOBS && st.jobs == TEST_JOBS &&
	       !st.max_load && !st.min_memory;
}

TEST_F(pool, a_cap_lasts_as_long_as_its_file_is_open)
{
	int fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 1);

	EXPECT_TRUE(is_capped(1));
	EXPECT_EQ(1, pool_status().available);
	EXPECT_EQ(1, fionread(self->fd));
	EXPECT_EQ(TEST_JOBS, pool_settings().jobs);
	close(fd);
	EXPECT_TRUE(is_free());
	EXPECT_EQ(TEST_JOBS, fionread(self->fd));
}

/* How its owner ends. */
static const int ends[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGSEGV };

TEST_F(pool, a_cap_ends_with_its_owner_however_that_ends)
{
	int *fd = shared_memory(sizeof(*fd));

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		pid_t pid = start_capper(self->path, O_RDWR | O_CLOEXEC, 2, fd);

		EXPECT_TRUE(is_capped(2));
		kill(pid, ends[i]);
		reap(pid);
		EXPECT_TRUE(is_free()) {
			TH_LOG("signal %d", ends[i]);
		}
	}
}

TEST_F(pool, a_cap_ends_with_a_stopped_owner)
{
	int *fd = shared_memory(sizeof(*fd));
	pid_t pid = start_capper(self->path, O_RDWR | O_CLOEXEC, 2, fd);

	kill(pid, SIGSTOP);
	ASSERT_TRUE(wait_until(proc_state(pid, pid) == 'T'));
	EXPECT_TRUE(is_capped(2));
	kill_and_reap(pid);
	EXPECT_TRUE(is_free());
}

/* Whoever has a cap runs another program, which blocks in reading a pipe. */
static pid_t start_capper_that_execs(const char *path, int flags, int *end)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		die("no pipe");
	IN_CHILD(pid) {
		open_cap(path, flags, 2);
		dup2(fds[0], 0);
		close(fds[0]);
		close(fds[1]);
		execlp("cat", "cat", NULL);
		die("cannot run cat");
	}
	close(fds[0]);
	*end = fds[1];
	if (!wait_until(is_named(pid, "cat")))
		die("process %d does not run cat", pid);
	return pid;
}

TEST_F(pool, a_cap_does_not_get_into_other_programs)
{
	pid_t pid;
	int end;

	pid = start_capper_that_execs(self->path, O_RDWR | O_CLOEXEC, &end);
	EXPECT_TRUE(wait_until(is_free()));
	EXPECT_NE('Z', proc_state(pid, pid));
	close(end);
	EXPECT_TRUE(succeeded(reap(pid)));
}

/* Unless it is let to: the file counts, not the process. */
TEST_F(pool, a_cap_gets_into_a_program_that_inherits_the_file)
{
	pid_t pid;
	int end;

	pid = start_capper_that_execs(self->path, O_RDWR, &end);
	EXPECT_TRUE(is_capped(2));
	close(end);
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_TRUE(is_free());
}

TEST_F(pool, a_cap_lasts_until_the_last_copy_is_closed)
{
	int fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 2);
	int copy = dup(fd);
	pid_t pid;

	IN_CHILD(pid)
		hold_forever();
	close(fd);
	EXPECT_TRUE(is_capped(2));
	close(copy);
	EXPECT_TRUE(is_capped(2));
	kill_and_reap(pid);
	EXPECT_TRUE(is_free());
}

/* The descriptor @fd of process @pid, as if it had been passed to us. */
static int fetch(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (copy < 0)
		die("cannot get a descriptor");
	close(pidfd);
	return copy;
}

TEST_F(pool, a_cap_goes_on_with_a_descriptor_that_was_passed)
{
	int *fd = shared_memory(sizeof(*fd));
	pid_t pid = start_capper(self->path, O_RDWR | O_CLOEXEC, 2, fd);
	int copy = fetch(pid, *fd);

	kill_and_reap(pid);
	EXPECT_TRUE(is_capped(2));
	/* Whoever has it can change what the cap is. */
	EXPECT_EQ(0, set_cap_jobs(copy, 3));
	EXPECT_TRUE(is_capped(3));
	close(copy);
	EXPECT_TRUE(is_free());
}

TEST_F(pool, the_lowest_of_several_counts)
{
	int four = open_cap(self->path, O_RDONLY | O_CLOEXEC, 4);
	int one = open_cap(self->path, O_WRONLY | O_CLOEXEC, 1);
	int two = open_cap(STEVE_DEVICE, O_RDWR | O_CLOEXEC, 2);
	int high = open_cap(self->path, O_RDWR | O_CLOEXEC, STEVE_JOBS_MAX);

	EXPECT_EQ(4, pool_status().caps);
	EXPECT_TRUE(is_capped(1));
	close(one);
	EXPECT_TRUE(is_capped(2));
	close(two);
	close(four);
	EXPECT_EQ(1, pool_status().caps);
	EXPECT_EQ(TEST_JOBS, pool_status().size);
	close(high);
	EXPECT_TRUE(is_free());
}

TEST_F(pool, the_strictest_of_each_limit_counts)
{
	struct steve_settings set = {
		.mask = STEVE_SET_MAX_LOAD | STEVE_SET_MIN_MEMORY,
		.max_load = 900000, .min_memory = 1 << 20,
	};
	int load = open_cap(self->path, O_RDWR | O_CLOEXEC, 4);
	int memory = open_cap(self->path, O_RDWR | O_CLOEXEC, 4);
	struct steve_status st;

	ASSERT_EQ(0, pool_set(&set));
	ASSERT_EQ(0, set_cap(load, (struct steve_cap){
		.jobs = 3, .max_load = 800000,
	}));
	ASSERT_EQ(0, set_cap(memory, (struct steve_cap){
		.jobs = 4, .max_load = 1000000, .min_memory = 2 << 20,
	}));
	st = pool_status();
	EXPECT_EQ(3, st.size);
	EXPECT_EQ(800000, st.max_load);
	EXPECT_EQ(2 << 20, st.min_memory);
	EXPECT_EQ(900000, pool_settings().max_load);
	EXPECT_EQ(1 << 20, pool_settings().min_memory);
	close(load);
	close(memory);
	st = pool_status();
	EXPECT_EQ(900000, st.max_load);
	EXPECT_EQ(1 << 20, st.min_memory);
}

TEST_F(pool, a_cap_is_changed_by_setting_it_again)
{
	int fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 1);

	ASSERT_EQ(0, set_cap(fd, (struct steve_cap){ .jobs = 3, .max_load = 500 }));
	EXPECT_EQ(1, pool_status().caps);
	EXPECT_TRUE(is_capped(3));
	EXPECT_EQ(500, pool_status().max_load);
	ASSERT_EQ(0, set_cap_jobs(fd, 2));
	EXPECT_EQ(0, pool_status().max_load);
	EXPECT_TRUE(is_capped(2));
	close(fd);
	EXPECT_TRUE(is_free());
}

TEST_F(pool, a_cap_revokes_nothing)
{
	int fd;

	take_many(self->fd, TEST_JOBS);
	fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 1);
	EXPECT_EQ(TEST_JOBS, pool_status().held);
	EXPECT_EQ(1 - TEST_JOBS, pool_status().available);
	EXPECT_EQ(STEVE_LIMIT_CAP, pool_status().limits);
	EXPECT_EQ(0, fionread(self->fd));
	give_many(self->fd, TEST_JOBS - 1);
	EXPECT_EQ(0, pool_status().available);
	close(fd);
	EXPECT_EQ(TEST_JOBS - 1, pool_status().available);
	EXPECT_EQ(0, pool_status().limits);
}

TEST_F(pool, those_who_wait_are_served_before_its_owner_is_reaped)
{
	int *fd = shared_memory(sizeof(*fd));
	pid_t capper = start_capper(self->path, O_RDWR | O_CLOEXEC, 0, fd);
	pid_t reader = start_reader();

	EXPECT_EQ(STEVE_LIMIT_CAP, pool_status().limits);
	kill_and_reap(capper);
	EXPECT_EQ(1, pool_client(reader).held);
	kill_and_reap(reader);
}

TEST_F(pool, jobs_can_be_set_meanwhile)
{
	int fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 3);

	ASSERT_EQ(0, pool_set_jobs(2));
	EXPECT_EQ(2, pool_status().size);
	ASSERT_EQ(0, pool_set_jobs(9));
	EXPECT_EQ(3, pool_status().size);
	EXPECT_EQ(9, pool_status().jobs);
	close(fd);
	EXPECT_EQ(9, pool_status().size);
}

TEST_F(pool, there_can_be_so_many_and_no_more)
{
	int fd[STEVE_CAPS_MAX];
	struct steve_status before;

	for (int i = 0; i < STEVE_CAPS_MAX; i++)
		fd[i] = open_cap(self->path, O_RDWR | O_CLOEXEC, 3);
	EXPECT_EQ(STEVE_CAPS_MAX, pool_status().caps);
	before = pool_status();
	EXPECT_TRUE(fails(set_cap_jobs(self->fd, 1), ENOSPC));
	EXPECT_EQ(before.caps, pool_status().caps);
	EXPECT_EQ(before.size, pool_status().size);
	/* Those there are can still be changed, and one that goes makes room. */
	EXPECT_EQ(0, set_cap_jobs(fd[5], 2));
	EXPECT_TRUE(is_capped(2));
	close(fd[5]);
	EXPECT_EQ(0, set_cap_jobs(self->fd, 1));
	EXPECT_TRUE(is_capped(1));
	for (int i = 0; i < STEVE_CAPS_MAX; i++)
		close(fd[i]);
	EXPECT_EQ(1, pool_status().caps);
}

/* Neither has a failed call left a cap, nor taken one away. */
TEST_F(pool, only_an_administrator_caps)
{
	pid_t pid;

	IN_CHILD(pid) {
		if (setresuid(1234, 1234, 1234))
			die("cannot be somebody else");
		EXPECT_TRUE(fails(set_cap_jobs(self->fd, 1), EPERM));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_TRUE(is_free());
	ASSERT_EQ(0, set_cap_jobs(self->fd, 1));
	IN_CHILD(pid) {
		if (setresuid(1234, 1234, 1234))
			die("cannot be somebody else");
		EXPECT_TRUE(fails(set_cap_jobs(self->fd, 4), EPERM));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_TRUE(is_capped(1));
}

static void cap_for_ever(int fd, unsigned int jobs)
{
	for (;;)
		if (set_cap_jobs(fd, jobs))
			die("cannot cap the pool");
}

/* One file has one cap, whoever sets it at the same time. */
TEST_F(pool, caps_set_at_the_same_time_are_one)
{
	pid_t pid[4];
	int looks = 0;
	int fd = open_cap(self->path, O_RDWR | O_CLOEXEC, 1);

	for (int i = 0; i < 4; i++) {
		IN_CHILD(pid[i])
			cap_for_ever(fd, 1 + i % 3);
	}
	ASSERT_TRUE(wait_until(({
		struct steve_status st = pool_status();

		ASSERT_EQ(1, st.caps);
		ASSERT_LE(1, st.size);
		ASSERT_GE(3, st.size);
		++looks == 300;
	})));
	for (int i = 0; i < 4; i++)
		kill_and_reap(pid[i]);
	close(fd);
	EXPECT_TRUE(is_free());
}

TEST_HARNESS_MAIN
