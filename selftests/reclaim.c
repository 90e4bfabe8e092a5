// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens taken back by an administrator, from builds that are stopped or hang;
 * and that these notice nothing of it.
 */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Returns the number of tokens taken from @pid, or -1. */
static int reclaim(int fd, pid_t pid)
{
	struct steve_reclaim arg = { .pid = pid };

	if (ioctl(fd, STEVE_IOC_RECLAIM, &arg))
		return -1;
	return arg.tokens;
}

/**
 * struct debtor - a child that reads and writes as it is told to
 * @pid: its process
 * @orders: what it is to do
 * @answers: what became of it
 */
struct debtor {
	pid_t pid;
	int orders;
	int answers;
};

static struct debtor start_debtor(int fd, unsigned int tokens)
{
	struct debtor debtor;
	int orders[2], answers[2];

	if (pipe(orders) || pipe(answers))
		die("no pipe");
	IN_CHILD(debtor.pid) {
		char bytes[64];
		ssize_t ret, len;

		take_many(fd, tokens);
		close(orders[1]);
		ret = 0;
		do {
			if (write(answers[1], &ret, sizeof(ret)) != sizeof(ret))
				die("cannot answer");
			len = read(orders[0], bytes, sizeof(bytes));
			if (len > 0)
				ret = bytes[0] == 'r' ? read(fd, bytes, 1) :
							write(fd, bytes, len);
		} while (len > 0);
	}
	close(orders[0]);
	close(answers[1]);
	debtor.orders = orders[1];
	debtor.answers = answers[0];
	if (read(debtor.answers, &(ssize_t){ 0 }, sizeof(ssize_t)) != sizeof(ssize_t))
		die("process %d does not get its tokens", debtor.pid);
	return debtor;
}

/* It writes these bytes, or reads if they begin with an 'r'. */
static ssize_t tell(const struct debtor *debtor, const char *bytes)
{
	ssize_t ret;

	if (write(debtor->orders, bytes, strlen(bytes)) != (ssize_t)strlen(bytes) ||
	    read(debtor->answers, &ret, sizeof(ret)) != sizeof(ret))
		die("process %d does not answer", debtor->pid);
	return ret;
}

static void end_debtor(const struct debtor *debtor)
{
	close(debtor->orders);
	close(debtor->answers);
	kill_and_reap(debtor->pid);
}

TEST_F(pool, tokens_of_a_stopped_process_are_taken_back)
{
	struct steve_status before = pool_status(), after;
	pid_t holder = start_holder(TEST_JOBS);
	pid_t reader = start_reader();

	kill(holder, SIGSTOP);
	ASSERT_TRUE(wait_until(proc_state(holder, holder) == 'T'));
	EXPECT_EQ(TEST_JOBS, reclaim(self->fd, holder));
	after = pool_status();
	EXPECT_EQ(before.reclaimed + TEST_JOBS, after.reclaimed);
	EXPECT_EQ(before.returned, after.returned);
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_EQ(0, pool_client(holder).held);
	EXPECT_EQ(TEST_JOBS, pool_client(holder).debt);
	EXPECT_EQ(0, reclaim(self->fd, holder));
	EXPECT_EQ(TEST_JOBS, pool_client(holder).debt);

	/* A debt is not an abandoned loan. */
	kill_and_reap(holder);
	EXPECT_EQ(before.abandoned, pool_status().abandoned);
	EXPECT_EQ(after.reclaimed, pool_status().reclaimed);
	kill_and_reap(reader);
}

TEST_F(pool, what_it_writes_later_is_neither_loan_nor_stray)
{
	struct debtor debtor = start_debtor(self->fd, 3);
	struct steve_status before = pool_status(), after;

	EXPECT_EQ(3, reclaim(self->fd, debtor.pid));
	EXPECT_EQ(1, tell(&debtor, "+"));
	EXPECT_EQ(2, pool_client(debtor.pid).debt);
	EXPECT_EQ(2, tell(&debtor, "++"));
	EXPECT_EQ(0, pool_client(debtor.pid).debt);
	after = pool_status();
	EXPECT_EQ(TEST_JOBS, after.available);
	EXPECT_EQ(before.strays, after.strays);
	EXPECT_EQ(before.loans, after.loans);
	EXPECT_EQ(before.returned, after.returned);

	/* Then it is as any other: it lends its slot once, and has it back. */
	EXPECT_EQ(1, tell(&debtor, "+"));
	EXPECT_EQ(1, pool_client(debtor.pid).lent);
	EXPECT_EQ(1, tell(&debtor, "r"));
	EXPECT_EQ(0, pool_client(debtor.pid).lent);
	end_debtor(&debtor);
}

TEST_F(pool, strict_accepts_what_pays_a_debt)
{
	struct debtor debtor;

	ASSERT_EQ(0, pool_set(&(struct steve_settings){
		.mask = STEVE_SET_STRICT, .strict = 1,
	}));
	debtor = start_debtor(self->fd, 2);
	EXPECT_EQ(2, reclaim(self->fd, debtor.pid));
	EXPECT_EQ(2, tell(&debtor, "++"));
	/* The slot, and then no more. */
	EXPECT_EQ(1, tell(&debtor, "++"));
	EXPECT_EQ(-1, tell(&debtor, "+"));
	EXPECT_EQ(1, tell(&debtor, "r"));
	end_debtor(&debtor);
}

TEST_F(pool, what_it_takes_later_is_its_own)
{
	struct debtor debtor = start_debtor(self->fd, 2);

	EXPECT_EQ(2, reclaim(self->fd, debtor.pid));
	EXPECT_EQ(1, tell(&debtor, "r"));
	EXPECT_EQ(1, pool_client(debtor.pid).held);
	EXPECT_EQ(2, pool_client(debtor.pid).debt);
	/* What it has comes first, so that no token is kept from others. */
	EXPECT_EQ(1, tell(&debtor, "+"));
	EXPECT_EQ(0, pool_client(debtor.pid).held);
	EXPECT_EQ(2, pool_client(debtor.pid).debt);
	EXPECT_EQ(2, tell(&debtor, "++"));
	EXPECT_TRUE(wait_until(pool_idle()));
	end_debtor(&debtor);
}

/* A thread that is blocked in read has no token; it keeps its place. */
TEST_F(pool, whoever_waits_waits_on)
{
	pid_t holder = start_holder(TEST_JOBS);
	pid_t reader = start_reader();

	EXPECT_EQ(0, reclaim(self->fd, reader));
	EXPECT_EQ(STEVE_WAIT_READ, pool_client(reader).wait);
	EXPECT_EQ(TEST_JOBS, reclaim(self->fd, holder));
	EXPECT_EQ(1, pool_client(reader).held);
	kill_and_reap(reader);
	kill_and_reap(holder);
}

TEST_F(pool, a_lent_slot_and_a_reservation_are_not_taken)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	pid_t pid;

	ASSERT_EQ(0, pool_set_reserve_ms(STEVE_RESERVE_MS_MAX));
	IN_CHILD(pid) {
		give(self->fd);
		if (poll(&p, 1, 0) != 1)
			die("no token to poll for");
		announce("reserved");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "reserved")));
	EXPECT_EQ(0, reclaim(self->fd, pid));
	EXPECT_EQ(1, pool_client(pid).lent);
	EXPECT_EQ(1, pool_client(pid).reserved);
	EXPECT_EQ(0, pool_client(pid).debt);
	kill_and_reap(pid);
}

TEST_F(pool, one_can_reclaim_from_oneself)
{
	take_many(self->fd, 2);
	EXPECT_EQ(2, reclaim(self->fd, getpid()));
	EXPECT_EQ(2, write(self->fd, "++", 2));
	EXPECT_EQ(TEST_JOBS, pool_status().available);
	EXPECT_EQ(0, pool_status().lent);
}

TEST_F(pool, it_is_logged)
{
	int log = log_open();
	char pid[16], tokens[16], by[16];
	pid_t holder;

	holder = start_holder(3);
	snprintf(tokens, sizeof(tokens), "3 tokens");
	snprintf(pid, sizeof(pid), "[%d] by ", holder);
	snprintf(by, sizeof(by), "[%d]", getpid());
	EXPECT_EQ(3, reclaim(self->fd, holder));
	EXPECT_TRUE(log_tells(log, tokens, pid, by));
	/* Where there was nothing to take there is nothing to tell. */
	EXPECT_EQ(0, reclaim(self->fd, holder));
	EXPECT_FALSE(log_tells(log, "reclaimed", "", ""));
	close(log);
	kill_and_reap(holder);
}

/* Each leaves the tokens where they are. */
TEST_F(pool, what_is_refused_takes_nothing)
{
	size_t page = sysconf(_SC_PAGESIZE);
	pid_t holder = start_holder(2), stranger, pid;
	struct steve_reclaim *arg;

	IN_CHILD(stranger)
		hold_forever();
	EXPECT_EQ(-1, reclaim(self->fd, stranger));
	EXPECT_EQ(ESRCH, errno);
	kill_and_reap(stranger);
	EXPECT_EQ(-1, reclaim(self->fd, stranger));
	EXPECT_EQ(ESRCH, errno);

	IN_CHILD(pid) {
		if (setresuid(1234, 1234, 1234))
			die("cannot be somebody else");
		EXPECT_EQ(-1, reclaim(self->fd, holder));
		EXPECT_EQ(EPERM, errno);
		/* Not even from itself. */
		take(self->fd);
		EXPECT_EQ(-1, reclaim(self->fd, getpid()));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(3, pool_status().held);
	}
	EXPECT_TRUE(succeeded(reap(pid)));

	/* It could not tell how many it took. */
	arg = (void *)(end_of_memory() - page);
	arg->pid = holder;
	ASSERT_EQ(0, mprotect(arg, page, PROT_READ));
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_RECLAIM, arg), EFAULT));
	EXPECT_EQ(2, pool_client(holder).held);
	EXPECT_EQ(0, pool_client(holder).debt);
	kill_and_reap(holder);
}

static void *tell_number(void *tid)
{
	*(pid_t *)tid = syscall(SYS_gettid);
	hold_forever();
}

/* The number of a thread is not that of its process. */
TEST_F(pool, threads_are_no_clients)
{
	pid_t *tid = shared_memory(sizeof(*tid));
	pthread_t thread;
	pid_t pid;

	IN_CHILD(pid) {
		take(self->fd);
		if (pthread_create(&thread, NULL, tell_number, tid))
			die("cannot start a thread");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(__atomic_load_n(tid, __ATOMIC_SEQ_CST)));
	EXPECT_NE(pid, *tid);
	EXPECT_EQ(-1, reclaim(self->fd, *tid));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_EQ(1, reclaim(self->fd, pid));
	kill_and_reap(pid);
}

/* Inside a pid namespace its numbers count, and those outside have none. */
TEST_F(pool, pids_are_those_of_the_callers_namespace)
{
	pid_t outside = start_holder(1);
	pid_t pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		pid_t inside;

		inside = start_holder(2);
		EXPECT_EQ(2, inside);
		EXPECT_EQ(-1, reclaim(self->fd, outside));
		EXPECT_EQ(ESRCH, errno);
		EXPECT_EQ(2, reclaim(self->fd, inside));
		EXPECT_EQ(2, pool_client(inside).debt);
		_exit(0);
	}
	if (pid < 0 && errno == EINVAL) {
		kill_and_reap(outside);
		SKIP(return, "kernel without pid namespaces");
	}
	ASSERT_LT(0, pid);
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_EQ(1, pool_client(outside).held);
	EXPECT_EQ(1, reclaim(self->fd, outside));
	kill_and_reap(outside);
}

/* Tokens are reclaimed, returned and taken at the same time; none is lost. */
TEST_F(pool, reclaiming_from_a_busy_client_loses_nothing)
{
	pid_t pid;

	IN_CHILD(pid) {
		for (;;) {
			take(self->fd);
			give(self->fd);
		}
	}
	ASSERT_TRUE(wait_until(pool_client(pid).id));
	for (int i = 0; i < 2000; i++)
		ASSERT_LE(0, reclaim(self->fd, pid));
	EXPECT_GE(1, pool_client(pid).debt);
	EXPECT_EQ(0, pool_status().lent);
	kill_and_reap(pid);
	EXPECT_EQ(TEST_JOBS, pool_status().available);
}

TEST_HARNESS_MAIN
