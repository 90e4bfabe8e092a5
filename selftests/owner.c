// SPDX-License-Identifier: GPL-2.0
/*
 * Whose a token is: the process that read it, by whatever descriptor or thread,
 * until it writes a byte or is dead. The tokens of the dead are back before
 * waitpid() returns, so nothing here waits for them to come back.
 */
#include "fixture.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define EXPECT_ALL_BACK() do {				\
	struct steve_status __st = pool_status();	\
							\
	EXPECT_EQ(TEST_JOBS, __st.available);		\
	EXPECT_EQ(0, __st.held);			\
	EXPECT_EQ(0, __st.lent);			\
} while (0)

/* A descriptor that is at its end when the last process with @end[1] is gone. */
static void make_pipe(int end[2])
{
	if (pipe2(end, O_CLOEXEC))
		die("cannot make a pipe");
}

/* Blocks until nobody can write to the pipe. */
static void wait_for_end(int end[2])
{
	char byte;

	close(end[1]);
	if (read(end[0], &byte, 1))
		die("the pipe is not at its end");
}

static void start_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, arg);
	if (errno)
		die("cannot start a thread");
}

static void exec_sleep(void)
{
	execlp("sleep", "sleep", "infinity", NULL);
	die("cannot execute sleep");
}

/* Makes this process the parent of its orphaned descendants. */
static void adopt_orphans(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("cannot become a subreaper");
}

TEST_F(pool, killed)
{
	__u64 reclaimed = pool_status().reclaimed;

	for (int i = 0; i < 300; i++) {
		kill_and_reap(start_holder(1));
		ASSERT_EQ(0, pool_status().held);
		ASSERT_EQ(TEST_JOBS, pool_status().available);
	}
	EXPECT_EQ(reclaimed + 300, pool_status().reclaimed);
}

TEST_F(pool, killed_with_many_tokens)
{
	__u64 reclaimed = pool_status().reclaimed;

	kill_and_reap(start_holder(4));
	EXPECT_ALL_BACK();
	EXPECT_EQ(reclaimed + 4, pool_status().reclaimed);
}

TEST_F(pool, exited)
{
	pid_t pid;

	IN_CHILD(pid)
		take(self->fd);
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_ALL_BACK();
}

TEST_F(pool, killed_by_a_timer)
{
	static const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };
	pid_t pid;

	for (int i = 0; i < 50; i++) {
		IN_CHILD(pid) {
			take(self->fd);
			setitimer(ITIMER_REAL, &soon, NULL);
			hold_forever();
		}
		ASSERT_EQ(SIGALRM, WTERMSIG(reap(pid)));
		ASSERT_EQ(0, pool_status().held);
	}
}

TEST_F(pool, only_what_it_still_held_comes_back)
{
	struct steve_status before = pool_status(), after;
	pid_t pid;

	IN_CHILD(pid) {
		take_many(self->fd, 3);
		give_many(self->fd, 2);
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_ALL_BACK();
	after = pool_status();
	EXPECT_EQ(before.granted + 3, after.granted);
	EXPECT_EQ(before.returned + 2, after.returned);
	EXPECT_EQ(before.reclaimed + 1, after.reclaimed);
}

TEST_F(pool, zombie_has_none)
{
	pid_t pid = start_holder(2);
	siginfo_t info;

	kill(pid, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ('Z', proc_state(pid, pid));
	EXPECT_ALL_BACK();
	reap(pid);
}

TEST_F(pool, closing_returns_nothing)
{
	pid_t pid;

	IN_CHILD(pid) {
		take_many(open_steve(O_RDWR), 2);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		announce("closed");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "closed")));
	EXPECT_EQ(2, pool_status().held);
	EXPECT_EQ(2, pool_client(pid).held);

	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

TEST_F(pool, returned_through_another_open)
{
	int first = open_steve(O_RDONLY | O_CLOEXEC);
	int second;

	take(first);
	close(first);
	second = open_steve(O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(1, pool_client(getpid()).held);
	give(second);
	EXPECT_ALL_BACK();
}

static void *give_in_thread(void *fd)
{
	give(*(int *)fd);
	return NULL;
}

TEST_F(pool, returned_by_another_thread)
{
	__u64 returned = pool_status().returned;
	pthread_t thread;

	take(self->fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, give_in_thread, &self->fd));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(returned + 1, pool_status().returned);
	EXPECT_ALL_BACK();
}

static void *take_in_thread(void *fd)
{
	take(*(int *)fd);
	return NULL;
}

TEST_F(pool, thread_that_took_it_may_end)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, take_in_thread, &self->fd));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, pool_client(getpid()).held);
	give(self->fd);
	EXPECT_ALL_BACK();
}

TEST_F(pool, descendant_keeps_the_file_but_not_the_token)
{
	pid_t pid, descendant;
	int end[2];

	adopt_orphans();
	make_pipe(end);
	IN_CHILD(pid) {
		take_many(open_steve(O_RDWR), 2);
		if (!fork()) {
			wait_for_end(end);
			_exit(0);
		}
		announce("forked");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "forked")));

	kill_and_reap(pid);
	EXPECT_ALL_BACK();

	close(end[1]);
	descendant = wait(NULL);
	EXPECT_LT(0, descendant);
	EXPECT_NE(pid, descendant);
}

static void *wait_in_thread(void *end)
{
	wait_for_end(end);
	return NULL;
}

TEST_F(pool, leader_thread_gone_first)
{
	pid_t pid;
	int end[2];

	make_pipe(end);
	IN_CHILD(pid) {
		take(self->fd);
		start_thread(wait_in_thread, end);
		pthread_exit(NULL);
	}
	ASSERT_TRUE(wait_until(proc_state(pid, pid) == 'Z'));
	EXPECT_EQ(1, pool_status().held);
	EXPECT_EQ(1, pool_client(pid).held);

	/* Killed. */
	kill_and_reap(pid);
	EXPECT_ALL_BACK();

	/* The last thread ends by itself. */
	IN_CHILD(pid) {
		take(self->fd);
		start_thread(wait_in_thread, end);
		pthread_exit(NULL);
	}
	ASSERT_TRUE(wait_until(proc_state(pid, pid) == 'Z'));
	EXPECT_EQ(1, pool_status().held);
	close(end[1]);
	reap(pid);
	EXPECT_ALL_BACK();
}

static void *take_without_leader(void *fd)
{
	if (!wait_until(proc_state(getpid(), getpid()) == 'Z'))
		die("the leader does not end");
	take(*(int *)fd);
	hold_forever();
}

TEST_F(pool, taken_after_the_leader_thread_is_gone)
{
	pid_t pid;

	IN_CHILD(pid) {
		start_thread(take_without_leader, &self->fd);
		pthread_exit(NULL);
	}
	ASSERT_TRUE(wait_until(pool_client(pid).held == 1));
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

TEST_F(pool, fork_gives_the_child_none)
{
	pid_t pid;

	take_many(self->fd, 2);
	IN_CHILD(pid)
		hold_forever();
	EXPECT_EQ(0, pool_client(pid).held);
	EXPECT_EQ(2, pool_client(getpid()).held);
	kill_and_reap(pid);
	EXPECT_EQ(2, pool_status().held);
	EXPECT_EQ(2, pool_client(getpid()).held);
}

TEST_F(pool, exec_keeps_them)
{
	pid_t pid;

	IN_CHILD(pid) {
		take_many(self->fd, 2);
		exec_sleep();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "sleep")));
	EXPECT_EQ(2, pool_client(pid).held);
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

static void *take_and_exec(void *fd)
{
	die_with_the_test();
	take(*(int *)fd);
	exec_sleep();
	return NULL;
}

TEST_F(pool, exec_from_another_thread_keeps_them)
{
	pid_t pid;

	IN_CHILD(pid) {
		take(self->fd);
		start_thread(take_and_exec, &self->fd);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "sleep")));
	EXPECT_EQ(2, pool_status().held);
	EXPECT_EQ(2, pool_client(pid).held);
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

TEST_F(pool, vfork_makes_a_client)
{
	int fd = self->fd;
	pid_t pid;
	char byte;

	pid = vfork();
	if (pid == 0) {
		die_with_the_test();
		if (read(fd, &byte, 1) != 1)
			_exit(1);
		execlp("sleep", "sleep", "infinity", NULL);
		_exit(1);
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(0, pool_client(getpid()).held);
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

static int take_and_hold(void *fd)
{
	die_with_the_test();
	take(*(int *)fd);
	hold_forever();
}

/* Whatever is shared with the parent: another process is another client. */
TEST_F(pool, sharing_memory_or_files_does_not_share_tokens)
{
	static const int flags[] = {
		SIGCHLD | CLONE_VM,
		SIGCHLD | CLONE_FILES,
		SIGCHLD | CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND,
		CLONE_VM | CLONE_FILES,
	};
	size_t size = 64 << 10;
	char *stack = shared_memory(size);

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		pid_t pid = clone(take_and_hold, stack + size, flags[i], &self->fd);

		ASSERT_LT(0, pid);
		ASSERT_TRUE(wait_until(pool_client(pid).held == 1));
		EXPECT_EQ(0, pool_client(getpid()).held);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, __WALL));
		EXPECT_ALL_BACK();
	}
}

TEST_F(pool, pid_namespace_ends)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		die_with_the_test();
		start_holder(1);
		start_holder(2);
		take(self->fd);
		hold_forever();
	}
	if (pid < 0 && errno == EINVAL)
		SKIP(return, "kernel without pid namespaces");
	ASSERT_LT(0, pid);
	ASSERT_TRUE(wait_until(pool_status().held == 4));
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

TEST_F(pool, orphan_keeps_its_token)
{
	pid_t *orphan = shared_memory(sizeof(*orphan));
	pid_t pid;
	int end[2];

	adopt_orphans();
	make_pipe(end);
	IN_CHILD(pid) {
		if (!fork()) {
			*orphan = getpid();
			take(self->fd);
			wait_for_end(end);
			_exit(0);
		}
		hold_forever();
	}
	ASSERT_TRUE(wait_until(pool_status().held == 1));
	kill_and_reap(pid);
	EXPECT_EQ(1, pool_status().held);
	EXPECT_EQ(1, pool_client(*orphan).held);

	close(end[1]);
	EXPECT_TRUE(succeeded(reap(*orphan)));
	EXPECT_ALL_BACK();
}

TEST_F(pool, parent_ignores_sigchld)
{
	static const struct sigaction ways[] = {
		{ .sa_handler = SIG_IGN },
		{ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT },
	};
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_EQ(0, sigaction(SIGCHLD, &ways[i], NULL));
		for (int round = 0; round < 50; round++) {
			pid = start_holder(1);
			kill(pid, SIGKILL);
			EXPECT_EQ(-1, waitpid(pid, NULL, 0));
			EXPECT_EQ(ECHILD, errno);
			ASSERT_EQ(0, pool_status().held);
		}
	}
	EXPECT_ALL_BACK();
}

static bool pidfd_readable(int pidfd)
{
	return poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0) == 1;
}

static int open_pidfd(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		die("cannot open a pidfd");
	return fd;
}

TEST_F(pool, tracer_that_holds_the_exit_holds_the_tokens)
{
	pid_t pid;
	int end[2], pidfd, status;

	make_pipe(end);
	IN_CHILD(pid) {
		take_many(self->fd, 2);
		wait_for_end(end);
	}
	ASSERT_TRUE(wait_until(pool_client(pid).held == 2));
	pidfd = open_pidfd(pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT));
	close(end[1]);

	status = reap(pid);
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXIT << 8, status >> 8);
	EXPECT_FALSE(pidfd_readable(pidfd));
	EXPECT_EQ(2, pool_client(pid).held);

	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, 0));
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_ALL_BACK();
}

struct traced {
	int end[2];
	pid_t *tid;
};

static void *tell_tid(void *arg)
{
	struct traced *traced = arg;

	*traced->tid = gettid();
	hold_forever();
}

/* All threads are dead, but the process is not: one is kept as a zombie. */
TEST_F(pool, tracer_that_keeps_a_dead_thread_keeps_the_tokens)
{
	struct traced traced = { .tid = shared_memory(sizeof(pid_t)) };
	pid_t pid, tid;
	int pidfd;

	make_pipe(traced.end);
	IN_CHILD(pid) {
		take_many(self->fd, 2);
		start_thread(tell_tid, &traced);
		wait_for_end(traced.end);
	}
	ASSERT_TRUE(wait_until(__atomic_load_n(traced.tid, __ATOMIC_SEQ_CST)));
	tid = *traced.tid;
	pidfd = open_pidfd(pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, tid, NULL, 0));

	close(traced.end[1]);
	ASSERT_TRUE(wait_until(proc_state(pid, pid) == 'Z'));
	ASSERT_TRUE(wait_until(proc_state(pid, tid) == 'Z'));
	EXPECT_FALSE(pidfd_readable(pidfd));
	EXPECT_EQ(2, pool_client(pid).held);

	ASSERT_EQ(tid, waitpid(tid, NULL, __WALL));
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_ALL_BACK();
}

/* A leader that is gone is no dead process, even if a tracer is told of it. */
TEST_F(pool, traced_leader_gone_first)
{
	pid_t pid;
	int end[2];

	make_pipe(end);
	IN_CHILD(pid) {
		take(self->fd);
		start_thread(wait_in_thread, end);
		raise(SIGSTOP);
		pthread_exit(NULL);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, WUNTRACED));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, 0));
	kill(pid, SIGCONT);
	ASSERT_TRUE(wait_until(({
		int status;

		/* Whatever it stops for, let it go on. */
		if (waitpid(pid, &status, WNOHANG) == pid)
			ptrace(PTRACE_CONT, pid, NULL,
			       status >> 16 ? 0 : WSTOPSIG(status));
		proc_state(pid, pid) == 'Z';
	})));
	EXPECT_EQ(1, pool_status().held);
	EXPECT_EQ(1, pool_client(pid).held);

	close(end[1]);
	reap(pid);
	EXPECT_ALL_BACK();
}

/* Its parent cannot wait for it yet, but it is dead: a pidfd says so. */
TEST_F(pool, zombie_kept_by_a_tracer_has_none)
{
	pid_t pid = start_holder(2);
	int pidfd = open_pidfd(pid);
	pid_t tracer;

	IN_CHILD(tracer) {
		if (ptrace(PTRACE_SEIZE, pid, NULL, 0))
			die("cannot trace");
		announce("tracing");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(tracer, "tracing")));
	kill(pid, SIGKILL);
	ASSERT_TRUE(wait_until(pidfd_readable(pidfd)));
	EXPECT_TRUE(wait_until(pool_status().held == 0));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));

	kill_and_reap(tracer);
	reap(pid);
	EXPECT_ALL_BACK();
}

/* A program that takes a core dump and keeps at it while the file is there. */
static void write_dumper(const char *dumper, const char *busy)
{
	FILE *file = fopen(dumper, "w");

	if (!file)
		die("cannot write %s", dumper);
	fprintf(file,
		"#!/bin/sh\n"
		"touch %s.started\n"
		"while [ -e %s ]; do sleep 0.02; done\n"
		"exec cat >/dev/null\n", busy, busy);
	fclose(file);
	if (chmod(dumper, 0755))
		die("cannot make %s executable", dumper);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("cannot write %s", path);
	close(fd);
}

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"

TEST_F(pool, dumping_core_is_not_dead)
{
	char dir[] = "/tmp/steve-core-XXXXXX";
	char dumper[64], busy[64], started[64], pattern[80], old[256] = "";
	int fd = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);
	bool dumping;
	pid_t pid;

	if (fd < 0)
		SKIP(return, "kernel without core dumps");
	ASSERT_LT(0, read(fd, old, sizeof(old) - 1));
	close(fd);

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(dumper, sizeof(dumper), "%s/dumper", dir);
	snprintf(busy, sizeof(busy), "%s/busy", dir);
	snprintf(started, sizeof(started), "%s/busy.started", dir);
	snprintf(pattern, sizeof(pattern), "|%s", dumper);
	write_dumper(dumper, busy);
	write_text(busy, "");
	pid = start_holder(2);
	write_text(CORE_PATTERN, pattern);
	kill(pid, SIGABRT);
	dumping = wait_until(access(started, F_OK) == 0);
	EXPECT_TRUE(dumping);
	if (dumping)
		EXPECT_EQ(2, pool_client(pid).held);
	write_text(CORE_PATTERN, old);
	unlink(busy);
	EXPECT_EQ(SIGABRT, WTERMSIG(reap(pid)));
	EXPECT_ALL_BACK();

	unlink(started);
	unlink(dumper);
	EXPECT_EQ(0, rmdir(dir));
}

TEST_F(pool, killed_in_a_blocked_read)
{
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader();
	kill_and_reap(pid);
	EXPECT_EQ(0, pool_status().waiting);
	EXPECT_EQ(0, pool_status().available);

	give(self->fd);
	EXPECT_EQ(1, pool_status().available);
}

static void *alarm_when_blocked(void *arg)
{
	static const struct itimerval now = { .it_value = { .tv_usec = 1 } };

	if (!wait_until(is_waiting(getpid(), STEVE_WAIT_READ)))
		die("not blocked in read");
	setitimer(ITIMER_REAL, &now, NULL);
	return arg;
}

TEST_F(pool, killed_by_a_timer_in_a_blocked_read)
{
	pid_t pid;

	take_many(self->fd, 4);
	for (int i = 0; i < 50; i++) {
		IN_CHILD(pid) {
			start_thread(alarm_when_blocked, NULL);
			take(self->fd);
		}
		ASSERT_EQ(SIGALRM, WTERMSIG(reap(pid)));
		ASSERT_EQ(0, pool_status().waiting);
	}
}

TEST_F(pool, killed_as_its_token_comes)
{
	take_many(self->fd, 4);
	for (int i = 0; i < 200; i++) {
		pid_t pid = start_reader();

		if (i % 2) {
			kill(pid, SIGKILL);
			give(self->fd);
		} else {
			give(self->fd);
			kill(pid, SIGKILL);
		}
		reap(pid);
		ASSERT_EQ(1, pool_status().available);
		ASSERT_EQ(3, pool_status().held);
		take(self->fd);
	}
}

struct race {
	int fd;
	char *byte;
};

static void *read_for_race(void *arg)
{
	struct race *race = arg;

	if (read(race->fd, race->byte, 1) != 1)
		die("cannot read");
	hold_forever();
}

/*
 * A thread is blocked in read when its sibling execs. The token that comes in
 * that instant is delivered, byte and all, or goes back: never to a process
 * that knows nothing of it.
 */
TEST_F(pool, reader_killed_by_exec_as_its_token_comes)
{
	struct race race = { .fd = self->fd, .byte = shared_memory(1) };
	int go[2];
	pid_t pid;

	take_many(self->fd, 4);
	for (int i = 0; i < 100; i++) {
		unsigned int held;

		*race.byte = 0;
		make_pipe(go);
		IN_CHILD(pid) {
			start_thread(read_for_race, &race);
			wait_for_end(go);
			exec_sleep();
		}
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
		if (i % 2) {
			close(go[1]);
			give(self->fd);
		} else {
			give(self->fd);
			close(go[1]);
		}
		close(go[0]);
		ASSERT_TRUE(wait_until(is_named(pid, "sleep")));

		held = pool_client(pid).held;
		ASSERT_EQ(*race.byte == '+', held);
		ASSERT_EQ(3 + held, pool_status().held);
		kill_and_reap(pid);
		ASSERT_EQ(1, pool_status().available);
		take(self->fd);
	}
}

/* More than the death itself may serve: the rest follows without more ado. */
TEST_F(pool, tokens_of_the_dead_serve_all_waiters)
{
	enum { MANY = 50 };
	__u64 reclaimed;
	pid_t holder, reader[MANY];

	ASSERT_EQ(0, pool_set_jobs(MANY));
	reclaimed = pool_status().reclaimed;
	holder = start_holder(MANY);
	for (int i = 0; i < MANY; i++)
		reader[i] = start_reader();

	kill_and_reap(holder);
	EXPECT_EQ(reclaimed + MANY, pool_status().reclaimed);
	EXPECT_TRUE(wait_until(pool_status().waiting == 0));
	for (int i = 0; i < MANY; i++)
		EXPECT_EQ(1, pool_client(reader[i]).held);
	for (int i = 0; i < MANY; i++)
		kill_and_reap(reader[i]);
	EXPECT_EQ(MANY, pool_status().available);
}

/* A pid number is no identity: who has it next has nothing of the dead. */
TEST_F(pool, pid_used_again_is_another_client)
{
	pid_t pid = start_holder(1);
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	struct steve_client_info old = pool_client(pid), new;
	pid_t again;

	kill_and_reap(pid);
	again = syscall(SYS_clone3, &args, sizeof(args));
	if (again == 0) {
		take_and_hold(&self->fd);
		_exit(1);
	}
	ASSERT_EQ(pid, again);
	ASSERT_TRUE(wait_until(pool_client(pid).held == 1));
	new = pool_client(pid);
	EXPECT_LT(old.id, new.id);
	kill_and_reap(pid);
	EXPECT_ALL_BACK();
}

TEST_F(pool, the_dead_are_forgotten)
{
	__u32 clients = pool_status().clients;
	pid_t pid;

	for (int i = 0; i < 200; i++) {
		IN_CHILD(pid) {
			take(self->fd);
			give(self->fd);
		}
		ASSERT_TRUE(succeeded(reap(pid)));
		EXPECT_EQ(0, pool_client(pid).id);
	}
	EXPECT_TRUE(wait_until(pool_status().clients == clients));
}

TEST_HARNESS_MAIN
