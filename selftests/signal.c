// SPDX-License-Identifier: GPL-2.0
/*
 * A blocked read and what may come between: signals, stops, freezers. The read
 * ends or goes on as a pipe's does, the client keeps its place, and no token is
 * lost.
 */
#include "fixture.h"

#include <linux/suspend_ioctls.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

/* What a child tells of its read. */
struct report {
	int handled;
	int done;
	ssize_t ret;
	int error;
};

static struct report *report;

static void handler(int sig)
{
	(void)sig;
	__atomic_add_fetch(&report->handled, 1, __ATOMIC_SEQ_CST);
}

static void handle_usr1(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	if (sigaction(SIGUSR1, &action, NULL))
		die("cannot handle a signal");
}

static bool handled(int times)
{
	return __atomic_load_n(&report->handled, __ATOMIC_SEQ_CST) == times;
}

static bool done(void)
{
	return __atomic_load_n(&report->done, __ATOMIC_SEQ_CST);
}

/*
 * A child that is blocked in read, with a handler for SIGUSR1. It tells how the
 * read ended and then keeps what it has.
 */
static pid_t start_reader_with_handler(int flags)
{
	char byte;
	pid_t pid;
	int fd;

	if (!report)
		report = shared_memory(sizeof(*report));
	*report = (struct report){};
	IN_CHILD(pid) {
		fd = open_steve(O_RDWR);
		handle_usr1(flags);
		report->ret = read(fd, &byte, 1);
		report->error = report->ret < 0 ? errno : 0;
		__atomic_store_n(&report->done, 1, __ATOMIC_SEQ_CST);
		hold_forever();
	}
	if (!wait_until(is_waiting(pid, STEVE_WAIT_READ)))
		die("client %d did not block in read", pid);
	return pid;
}

TEST_F(pool, signal_ends_a_blocked_read)
{
	__u64 interrupted = pool_status().interrupted;
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader_with_handler(0);
	kill(pid, SIGUSR1);
	ASSERT_TRUE(wait_until(done()));
	EXPECT_EQ(-1, report->ret);
	EXPECT_EQ(EINTR, report->error);
	EXPECT_EQ(0, pool_client(pid).held);
	EXPECT_EQ(interrupted + 1, pool_status().interrupted);
	kill_and_reap(pid);
	EXPECT_EQ(0, pool_status().waiting);
}

TEST_F(pool, read_goes_on_after_a_signal_with_sa_restart)
{
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader_with_handler(SA_RESTART);
	for (int i = 1; i <= 10; i++) {
		kill(pid, SIGUSR1);
		ASSERT_TRUE(wait_until(handled(i)));
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
	}
	give(self->fd);
	ASSERT_TRUE(wait_until(done()));
	EXPECT_EQ(1, report->ret);
	EXPECT_EQ(1, pool_client(pid).held);
	kill_and_reap(pid);
}

TEST_F(pool, restarted_read_keeps_its_place)
{
	__u64 place;
	pid_t pid, other;

	take_many(self->fd, 4);
	pid = start_reader_with_handler(SA_RESTART);
	other = start_reader();
	place = pool_client(pid).place;

	kill(pid, SIGUSR1);
	ASSERT_TRUE(wait_until(handled(1)));
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
	EXPECT_EQ(place, pool_client(pid).place);

	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(0, pool_client(other).held);
	kill_and_reap(pid);
	kill_and_reap(other);
}

/* Its place is cold: it is passed over, and it is first when it is back. */
TEST_F(pool, interrupted_read_keeps_its_place)
{
	struct steve_client_info row;
	pid_t pid, other, third;
	char byte;

	take_many(self->fd, 4);
	report = shared_memory(sizeof(*report));
	IN_CHILD(pid) {
		handle_usr1(0);
		EXPECT_EQ(-1, read(self->fd, &byte, 1));
		EXPECT_EQ(EINTR, errno);
		announce("interrupted");
		wait_until(done());
		take(self->fd);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
	other = start_reader();
	third = start_reader();
	row = pool_client(pid);

	kill(pid, SIGUSR1);
	ASSERT_TRUE(wait_until(is_named(pid, "interrupted")));
	EXPECT_EQ(STEVE_WAIT_COLD, pool_client(pid).wait);
	EXPECT_EQ(row.place, pool_client(pid).place);
	give(self->fd);
	EXPECT_EQ(0, pool_client(pid).held);
	EXPECT_EQ(1, pool_client(other).held);

	__atomic_store_n(&report->done, 1, __ATOMIC_SEQ_CST);
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
	EXPECT_EQ(row.place, pool_client(pid).place);
	EXPECT_LE(row.waited_ns, pool_client(pid).waited_ns);
	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(0, pool_client(third).held);
	kill_and_reap(pid);
	kill_and_reap(other);
	kill_and_reap(third);
}

/* A reader and the test, which take turns at everything but the race itself. */
struct race {
	int turn;
	ssize_t ret;
	int error;
};

static void await_turn(struct race *race, int turn)
{
	while (__atomic_load_n(&race->turn, __ATOMIC_SEQ_CST) != turn)
		sched_yield();
}

static void end_turn(struct race *race)
{
	__atomic_add_fetch(&race->turn, 1, __ATOMIC_SEQ_CST);
}

/* Reads in the turns 0, 4, 8 …, and returns what it got in the turns 2, 6 … */
static void __noreturn race_reader(struct race *race)
{
	int fd = open_steve(O_RDWR);
	char byte;

	handle_usr1(0);
	for (int turn = 0;; turn += 4) {
		await_turn(race, turn);
		race->ret = read(fd, &byte, 1);
		race->error = race->ret < 0 ? errno : 0;
		end_turn(race);
		await_turn(race, turn + 2);
		if (race->ret == 1)
			give(fd);
		end_turn(race);
	}
}

static void spin(long ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000L +
		 now.tv_nsec - start.tv_nsec < ns);
}

/*
 * Either the read ends with the token or the token is not the reader's, however
 * close the two come.
 */
TEST_F(pool, token_that_comes_with_a_signal_is_not_lost)
{
	struct race *race = shared_memory(sizeof(*race));
	pid_t pid;

	report = shared_memory(sizeof(*report));
	take_many(self->fd, 4);
	IN_CHILD(pid)
		race_reader(race);
	for (int i = 0; i < 2000; i++) {
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
		if (i % 4) {
			kill(pid, SIGUSR1);
			spin(i % 500 * 200);
			give(self->fd);
		} else {
			give(self->fd);
			kill(pid, SIGUSR1);
		}
		await_turn(race, 4 * i + 1);
		if (race->ret != 1)
			ASSERT_EQ(EINTR, race->error);
		ASSERT_EQ(race->ret == 1, pool_client(pid).held);
		end_turn(race);

		await_turn(race, 4 * i + 3);
		ASSERT_EQ(1, pool_status().available);
		take(self->fd);
		end_turn(race);
	}
	kill_and_reap(pid);
}

struct helper {
	int fd;
	ssize_t ret;
	int error;
};

static void *helper_thread(void *arg)
{
	struct helper *helper = arg;
	char byte;

	helper->ret = read(helper->fd, &byte, 1);
	helper->error = errno;
	return NULL;
}

/* As cargo does it: a thread waits, and a signal to that thread ends it. */
TEST_F(pool, helper_thread_can_be_stopped)
{
	struct helper helper = { .fd = self->fd };
	pthread_t thread;

	report = shared_memory(sizeof(*report));
	handle_usr1(0);
	take_many(self->fd, 4);
	ASSERT_EQ(0, pthread_create(&thread, NULL, helper_thread, &helper));
	ASSERT_TRUE(wait_until(is_waiting(getpid(), STEVE_WAIT_READ)));
	ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-1, helper.ret);
	EXPECT_EQ(EINTR, helper.error);
	EXPECT_EQ(4, pool_status().held);
}

TEST_F(pool, stopped_reader_keeps_its_place)
{
	struct steve_client_info row;
	pid_t reader[3];

	take_many(self->fd, 4);
	for (int i = 0; i < 3; i++)
		reader[i] = start_reader();
	row = pool_client(reader[0]);

	kill(reader[0], SIGSTOP);
	ASSERT_EQ(reader[0], waitpid(reader[0], NULL, WUNTRACED));
	EXPECT_EQ(row.place, pool_client(reader[0]).place);

	/* While it is stopped the next one is served. */
	give(self->fd);
	EXPECT_EQ(0, pool_client(reader[0]).held);
	EXPECT_EQ(1, pool_client(reader[1]).held);

	kill(reader[0], SIGCONT);
	ASSERT_TRUE(wait_until(is_waiting(reader[0], STEVE_WAIT_READ)));
	EXPECT_EQ(row.place, pool_client(reader[0]).place);
	give(self->fd);
	EXPECT_EQ(1, pool_client(reader[0]).held);
	EXPECT_EQ(0, pool_client(reader[2]).held);
	for (int i = 0; i < 3; i++)
		kill_and_reap(reader[i]);
}

TEST_F(pool, stopped_holder_keeps_its_tokens)
{
	pid_t holder = start_holder(TEST_JOBS), reader = start_reader();
	__u64 reclaimed = pool_status().reclaimed;

	kill(holder, SIGSTOP);
	ASSERT_EQ(holder, waitpid(holder, NULL, WUNTRACED));
	EXPECT_EQ(TEST_JOBS, pool_client(holder).held);
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(reader).wait);

	/* It goes on, and finds them again. */
	kill(holder, SIGCONT);
	ASSERT_EQ(holder, waitpid(holder, NULL, WCONTINUED));
	EXPECT_EQ(TEST_JOBS, pool_client(holder).held);
	EXPECT_EQ(reclaimed, pool_status().reclaimed);

	/* Or it is killed while it is stopped. */
	kill(holder, SIGSTOP);
	ASSERT_EQ(holder, waitpid(holder, NULL, WUNTRACED));
	kill_and_reap(holder);
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_EQ(TEST_JOBS - 1, pool_status().available);
	kill_and_reap(reader);
}

static bool cgroup_is_frozen(const char *dir)
{
	char path[128], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("cannot read %s", path);
	close(fd);
	return strstr(text, "frozen 1");
}

/* A mount of all cgroups that is gone with the test; false if there are none. */
static bool mount_cgroups(const char *dir)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("cannot leave the mount namespace");
	return !mount("none", dir, "cgroup2", 0, NULL);
}

TEST_F(pool, frozen_reader_keeps_its_place)
{
	char root[] = "/tmp/steve-cgroup-XXXXXX";
	struct steve_client_info row;
	char dir[64], number[16];
	pid_t reader[3];

	ASSERT_NE(NULL, mkdtemp(root));
	if (!mount_cgroups(root)) {
		rmdir(root);
		SKIP(return, "kernel without cgroups");
	}
	snprintf(dir, sizeof(dir), "%s/steve-test-%d", root, getpid());
	ASSERT_EQ(0, mkdir(dir, 0755));

	take_many(self->fd, 4);
	for (int i = 0; i < 3; i++)
		reader[i] = start_reader();
	row = pool_client(reader[0]);
	snprintf(number, sizeof(number), "%d", reader[0]);
	ASSERT_TRUE(write_file(dir, "cgroup.procs", number));

	ASSERT_TRUE(write_file(dir, "cgroup.freeze", "1"));
	ASSERT_TRUE(wait_until(cgroup_is_frozen(dir)));
	EXPECT_EQ(row.place, pool_client(reader[0]).place);
	give(self->fd);
	EXPECT_EQ(0, pool_client(reader[0]).held);
	EXPECT_EQ(1, pool_client(reader[1]).held);

	ASSERT_TRUE(write_file(dir, "cgroup.freeze", "0"));
	ASSERT_TRUE(wait_until(is_waiting(reader[0], STEVE_WAIT_READ)));
	EXPECT_EQ(row.place, pool_client(reader[0]).place);
	give(self->fd);
	EXPECT_EQ(1, pool_client(reader[0]).held);
	EXPECT_EQ(0, pool_client(reader[2]).held);

	for (int i = 0; i < 3; i++)
		kill_and_reap(reader[i]);
	/* Who is dead may leave it later. */
	EXPECT_TRUE(wait_until(rmdir(dir) == 0));
	ASSERT_EQ(0, umount2(root, MNT_DETACH));
	EXPECT_EQ(0, rmdir(root));
}

/*
 * Stops every process but this one as suspend does, until the file is closed.
 * Returns it, or -1 where the kernel cannot do that.
 */
static int freeze_all(void)
{
	int fd = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, SNAPSHOT_FREEZE))
		die("cannot freeze all processes");
	return fd;
}

static bool linux_is_before(int major, int minor)
{
	struct utsname name;
	int a, b;

	if (uname(&name) || sscanf(name.release, "%d.%d", &a, &b) != 2)
		die("cannot tell the version of the kernel");
	return a < major || (a == major && b < minor);
}

TEST_F(pool, suspend_costs_no_place_and_no_wake_up)
{
	struct steve_status before;
	struct steve_client_info row;
	int snapshot;
	long sleeps;
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader();
	ASSERT_TRUE(wait_until(proc_in_syscall(pid, pid, SYS_read)));
	before = pool_status();
	row = pool_client(pid);
	sleeps = proc_sleeps(pid);

	snapshot = freeze_all();
	if (snapshot < 0) {
		kill_and_reap(pid);
		SKIP(return, "kernel without hibernation");
	}
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(pid).wait);
	EXPECT_EQ(row.place, pool_client(pid).place);
	close(snapshot);

	EXPECT_EQ(STEVE_WAIT_READ, pool_client(pid).wait);
	EXPECT_EQ(row.place, pool_client(pid).place);
	EXPECT_EQ(before.interrupted, pool_status().interrupted);
	/* Older kernels wake whom they have frozen, which then sleeps again. */
	if (!linux_is_before(6, 7))
		EXPECT_EQ(sleeps, proc_sleeps(pid));
	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	kill_and_reap(pid);
}

TEST_F(pool, token_that_comes_while_suspended_is_not_lost)
{
	int snapshot;
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader_with_handler(0);
	snapshot = freeze_all();
	if (snapshot < 0) {
		kill_and_reap(pid);
		SKIP(return, "kernel without hibernation");
	}
	give(self->fd);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_FALSE(done());
	close(snapshot);

	ASSERT_TRUE(wait_until(done()));
	EXPECT_EQ(1, report->ret);
	EXPECT_EQ(1, pool_client(pid).held);
	kill_and_reap(pid);
}

TEST_HARNESS_MAIN
