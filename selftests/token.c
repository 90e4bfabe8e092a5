// SPDX-License-Identifier: GPL-2.0
/*
 * Taking and returning tokens: what read and write give, what they refuse, and
 * that no error loses a token. All of it on the device and on the FIFO.
 */
#include "fixture.h"

#include <pthread.h>
#include <sys/uio.h>

FIXTURE_VARIANT_ADD(pool, device) {
	.path = STEVE_DEVICE,
};

FIXTURE_VARIANT_ADD(pool, fifo) {
	.path = STEVE_FIFO,
};

#define EXPECT_POOL(_available, _held, _lent) do {	\
	struct steve_status __st = pool_status();	\
							\
	EXPECT_EQ((_available), __st.available);	\
	EXPECT_EQ((unsigned int)(_held), __st.held);	\
	EXPECT_EQ((unsigned int)(_lent), __st.lent);	\
} while (0)

TEST_F(pool, read_takes_a_token)
{
	__u64 granted = pool_status().granted;
	char byte = 0;

	ASSERT_EQ(1, read(self->fd, &byte, 1));
	EXPECT_EQ('+', byte);
	EXPECT_POOL(3, 1, 0);
	EXPECT_EQ(granted + 1, pool_status().granted);
}

TEST_F(pool, read_of_many_bytes_takes_one)
{
	char buf[64];

	memset(buf, 'x', sizeof(buf));
	ASSERT_EQ(1, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ('+', buf[0]);
	for (size_t i = 1; i < sizeof(buf); i++)
		ASSERT_EQ('x', buf[i]);
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, read_of_no_bytes_gives_zero)
{
	char byte = 'x';

	EXPECT_EQ(0, read(self->fd, &byte, 0));
	EXPECT_EQ(0, read(self->fd, NULL, 0));
	EXPECT_POOL(4, 0, 0);

	/* Neither blocking nor failing where there is nothing to take. */
	take_many(self->fd, 4);
	EXPECT_EQ(0, read(self->fd, &byte, 0));
	EXPECT_EQ(0, read(self->nonblock, &byte, 0));
	EXPECT_EQ('x', byte);
	EXPECT_POOL(0, 4, 0);
}

TEST_F(pool, readv_takes_one_into_the_first_place_there_is)
{
	char first[4] = "abc", second[4] = "def";
	struct iovec iov[] = {
		{ first, 0 }, { first + 1, 1 }, { second, 3 },
	};

	ASSERT_EQ(1, readv(self->fd, iov, 3));
	EXPECT_STREQ("a+c", first);
	EXPECT_STREQ("def", second);
	EXPECT_POOL(3, 1, 0);

	EXPECT_EQ(0, readv(self->fd, iov, 1));
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, nonblocking_read_of_an_empty_pool_gives_eagain)
{
	char byte = 'x';

	take_many(self->nonblock, 4);
	EXPECT_EQ(-1, read(self->nonblock, &byte, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ('x', byte);
	EXPECT_POOL(0, 4, 0);

	give(self->nonblock);
	EXPECT_EQ(1, read(self->nonblock, &byte, 1));
}

/* make and cargo switch it at run time, on a file that others have open too. */
TEST_F(pool, nonblock_is_looked_at_on_every_call)
{
	int flags = fcntl(self->fd, F_GETFL);
	pid_t pid;
	char byte;

	take_many(self->fd, 4);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, fcntl(self->fd, F_SETFL, flags | O_NONBLOCK));
		EXPECT_EQ(-1, read(self->fd, &byte, 1));
		EXPECT_EQ(EAGAIN, errno);

		ASSERT_EQ(0, fcntl(self->fd, F_SETFL, flags));
		IN_CHILD(pid)
			take(self->fd);
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));

		/* Who sleeps already goes on sleeping. */
		ASSERT_EQ(0, fcntl(self->fd, F_SETFL, flags | O_NONBLOCK));
		EXPECT_TRUE(is_waiting(pid, STEVE_WAIT_READ));
		give(self->fd);
		EXPECT_TRUE(succeeded(reap(pid)));
		take(self->fd);
	}
}

TEST_F(pool, nowait_read_never_blocks)
{
	char byte = 'x';
	struct iovec iov = { &byte, 1 };

	ASSERT_EQ(1, preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ('+', byte);
	take_many(self->fd, 3);
	EXPECT_EQ(-1, preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_POOL(0, 4, 0);
}

TEST_F(pool, nowait_write_returns_tokens)
{
	struct iovec iov = { "+++", 3 };

	take_many(self->fd, 4);
	EXPECT_EQ(3, pwritev2(self->fd, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, blocked_read_gets_a_returned_token)
{
	pid_t pid;

	take_many(self->fd, 4);
	pid = start_reader();
	EXPECT_EQ(1, pool_status().waiting);

	give(self->fd);
	EXPECT_EQ(0, pool_status().waiting);
	EXPECT_EQ(1, pool_client(pid).held);
	EXPECT_POOL(0, 4, 0);
	kill_and_reap(pid);
}

TEST_F(pool, read_into_bad_memory_takes_nothing)
{
	void *bad = bad_memory();
	struct iovec iov[] = { { bad, 1 }, { &(char){0}, 1 } };
	size_t page = sysconf(_SC_PAGESIZE);
	char *read_only = end_of_memory() - page;

	EXPECT_EQ(-1, read(self->fd, bad, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->nonblock, bad, 100));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, readv(self->fd, iov, 2));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->fd, (void *)-4096L, 1));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, mprotect(read_only, page, PROT_READ));
	EXPECT_EQ(-1, read(self->fd, read_only, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_POOL(4, 0, 0);
}

TEST_F(pool, read_needs_only_the_byte_it_writes)
{
	EXPECT_EQ(1, read(self->fd, end_of_memory() - 1, 100));
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, blocked_read_into_bad_memory_gives_the_token_back)
{
	void *bad = bad_memory();
	pid_t pid, next;

	take_many(self->fd, 4);
	IN_CHILD(pid) {
		EXPECT_EQ(-1, read(self->fd, bad, 1));
		EXPECT_EQ(EFAULT, errno);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_READ)));
	next = start_reader();

	/* It is not lost, it goes to the next. */
	give(self->fd);
	EXPECT_TRUE(wait_until(pool_client(next).held == 1));
	EXPECT_EQ(0, pool_client(pid).held);
	EXPECT_POOL(0, 4, 0);
	kill_and_reap(pid);
	kill_and_reap(next);
}

TEST_F(pool, write_returns_a_token)
{
	__u64 returned = pool_status().returned;

	take_many(self->fd, 2);
	EXPECT_EQ(1, write(self->fd, "+", 1));
	EXPECT_POOL(3, 1, 0);
	EXPECT_EQ(1, write(self->fd, "+", 1));
	EXPECT_POOL(4, 0, 0);
	EXPECT_EQ(returned + 2, pool_status().returned);
}

TEST_F(pool, write_of_many_bytes_returns_as_many)
{
	static const struct iovec iov[] = {
		{ "a", 1 }, { "", 0 }, { "bc", 2 },
	};

	take_many(self->fd, 4);
	EXPECT_EQ(3, write(self->fd, "+++", 3));
	EXPECT_POOL(3, 1, 0);

	take_many(self->fd, 3);
	EXPECT_EQ(3, writev(self->fd, iov, 3));
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, value_of_a_returned_byte_means_nothing)
{
	for (int value = 0; value < 256; value++) {
		unsigned char byte = value;

		take(self->fd);
		ASSERT_EQ(1, write(self->fd, &byte, 1));
	}
	EXPECT_POOL(4, 0, 0);
}

TEST_F(pool, write_of_no_bytes_does_nothing)
{
	take(self->fd);
	EXPECT_EQ(0, write(self->fd, "", 0));
	EXPECT_EQ(0, write(self->fd, NULL, 0));
	EXPECT_POOL(3, 1, 0);
	give(self->fd);

	/* Not a loan either. */
	EXPECT_EQ(0, write(self->fd, "", 0));
	EXPECT_POOL(4, 0, 0);
}

TEST_F(pool, write_of_bad_memory_returns_nothing)
{
	void *bad = bad_memory();
	struct iovec iov = { bad, 2 };

	take_many(self->fd, 3);
	EXPECT_EQ(-1, write(self->fd, bad, 3));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, writev(self->fd, &iov, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(self->fd, (void *)-4096L, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_POOL(1, 3, 0);
}

/* Whether it fails or counts the bytes that are there: it says what it did. */
TEST_F(pool, write_of_partly_bad_memory_says_what_it_returned)
{
	ssize_t ret;

	take_many(self->fd, 4);
	ret = write(self->fd, end_of_memory() - 2, 4);
	if (ret < 0) {
		EXPECT_EQ(EFAULT, errno);
		ret = 0;
	}
	EXPECT_GE(2, ret);
	EXPECT_POOL((int)ret, 4 - ret, 0);
}

TEST_F(pool, read_needs_a_file_open_for_reading)
{
	int fd = open(self->path, O_WRONLY | O_CLOEXEC);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	take(self->fd);
	EXPECT_EQ(1, write(fd, "+", 1));
	EXPECT_POOL(4, 0, 0);
}

TEST_F(pool, write_needs_a_file_open_for_writing)
{
	int fd = open(self->path, O_RDONLY | O_CLOEXEC);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ(-1, write(fd, "+", 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_POOL(3, 1, 0);
}

TEST_F(pool, client_may_lend_its_implicit_slot)
{
	struct steve_status before = pool_status();
	char byte;

	EXPECT_EQ(1, write(self->fd, "+", 1));
	EXPECT_POOL(5, 0, 1);
	EXPECT_EQ(1, pool_client(getpid()).lent);
	EXPECT_EQ(before.loans + 1, pool_status().loans);
	EXPECT_EQ(before.strays, pool_status().strays);

	EXPECT_EQ(1, read(self->nonblock, &byte, 1));
	EXPECT_EQ('+', byte);
	EXPECT_POOL(4, 0, 0);
	EXPECT_EQ(0, pool_client(getpid()).lent);
	EXPECT_EQ(before.abandoned, pool_status().abandoned);
}

TEST_F(pool, lent_slot_can_be_taken_by_another)
{
	__u64 abandoned = pool_status().abandoned;
	pid_t pid;
	char byte;

	give(self->fd);
	pid = start_holder(5);
	EXPECT_POOL(0, 5, 1);

	/* Now the lender waits for a token as anybody else. */
	EXPECT_EQ(-1, read(self->nonblock, &byte, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_POOL(0, 5, 1);

	kill_and_reap(pid);
	EXPECT_EQ(1, read(self->nonblock, &byte, 1));
	EXPECT_POOL(4, 0, 0);
	EXPECT_EQ(abandoned, pool_status().abandoned);
}

TEST_F(pool, lent_slot_serves_a_waiter_at_once)
{
	pid_t holder = start_holder(4);
	pid_t reader = start_reader();

	give(self->fd);
	EXPECT_EQ(1, pool_client(reader).held);
	EXPECT_POOL(0, 5, 1);
	kill_and_reap(reader);
	EXPECT_POOL(1, 4, 1);
	kill_and_reap(holder);
	take(self->fd);
}

TEST_F(pool, client_lends_one_slot_at_most)
{
	struct steve_status before = pool_status();

	give(self->fd);
	give(self->fd);
	give(self->fd);
	EXPECT_POOL(5, 0, 1);
	EXPECT_EQ(before.loans + 1, pool_status().loans);
	EXPECT_EQ(before.strays + 2, pool_status().strays);

	take(self->fd);
	EXPECT_POOL(4, 0, 0);
}

TEST_F(pool, loan_ends_with_its_lender)
{
	struct steve_status before = pool_status();
	pid_t pid;

	IN_CHILD(pid) {
		give(self->fd);
		EXPECT_EQ(1, pool_status().lent);
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_POOL(4, 0, 0);
	EXPECT_EQ(before.loans + 1, pool_status().loans);
	EXPECT_EQ(before.abandoned + 1, pool_status().abandoned);
	EXPECT_EQ(before.reclaimed, pool_status().reclaimed);
}

/* Whoever took the lent slot keeps it; the pool is one short until then. */
TEST_F(pool, loan_may_end_while_its_slot_is_taken)
{
	pid_t lender;

	IN_CHILD(lender) {
		give(self->fd);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(pool_status().lent == 1));
	take_many(self->fd, 5);
	kill_and_reap(lender);
	EXPECT_POOL(-1, 5, 0);

	give(self->fd);
	EXPECT_POOL(0, 4, 0);
	give(self->fd);
	EXPECT_POOL(1, 3, 0);
}

TEST_F(pool, loans_together_are_no_more_than_jobs)
{
	__u64 strays;
	pid_t pid[3];

	ASSERT_EQ(0, pool_set_jobs(2));
	for (int i = 0; i < 2; i++) {
		IN_CHILD(pid[i]) {
			give(self->fd);
			hold_forever();
		}
	}
	ASSERT_TRUE(wait_until(pool_status().lent == 2));

	strays = pool_status().strays;
	IN_CHILD(pid[2])
		give(self->fd);
	EXPECT_TRUE(succeeded(reap(pid[2])));
	EXPECT_EQ(strays + 1, pool_status().strays);
	EXPECT_POOL(4, 0, 2);

	kill_and_reap(pid[0]);
	kill_and_reap(pid[1]);
	EXPECT_POOL(2, 0, 0);
}

TEST_F(pool, nothing_is_lent_to_a_paused_pool)
{
	__u64 strays = pool_status().strays;

	ASSERT_EQ(0, pool_set_jobs(0));
	give(self->fd);
	EXPECT_POOL(0, 0, 0);
	EXPECT_EQ(strays + 1, pool_status().strays);
}

TEST_F(pool, stray_returns_add_no_token)
{
	struct steve_status before = pool_status(), after;
	char buf[100] = {};

	/* Two tokens, one loan, and the rest is stray. */
	take_many(self->fd, 2);
	EXPECT_EQ(100, write(self->fd, buf, 100));
	EXPECT_POOL(5, 0, 1);
	after = pool_status();
	EXPECT_EQ(before.returned + 2, after.returned);
	EXPECT_EQ(before.loans + 1, after.loans);
	EXPECT_EQ(before.strays + 97, after.strays);
	take(self->fd);
}

TEST_F(pool, huge_write_is_accepted_whole)
{
	struct steve_status before = pool_status();
	size_t size = 16 << 20;
	char *buf = shared_memory(size);

	take_many(self->fd, 4);
	EXPECT_EQ((ssize_t)size, write(self->fd, buf, size));
	EXPECT_EQ(before.strays + size - 5, pool_status().strays);
	take(self->fd);
	EXPECT_POOL(4, 0, 0);
}

/*
 * Is there soon a line about this process? It may be held back by the rate
 * limit, or take the moment until somebody else writes it.
 */
static bool log_names(int log, const char *name, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	for (int i = 0; i < 100; i++) {
		if (log_tells(log, name, number, ""))
			return true;
		nap();
	}
	return false;
}

TEST_F(pool, stray_return_is_logged_with_its_process)
{
	int log = log_open();

	give(self->fd);
	EXPECT_TRUE(wait_until(({
		give(self->fd);
		log_names(log, program_invocation_short_name, getpid());
	})));
	take(self->fd);
}

TEST_F(pool, abandoned_loan_is_logged_with_its_process)
{
	int log = log_open();
	pid_t pid;

	EXPECT_TRUE(wait_until(({
		IN_CHILD(pid)
			give(self->fd);
		reap(pid);
		log_names(log, program_invocation_short_name, pid);
	})));
}

/* Shell idiom: one process takes, another returns. Seen, not silently lost. */
TEST_F(pool, child_cannot_return_its_parents_token)
{
	struct steve_status before = pool_status();
	pid_t pid;

	take(self->fd);
	IN_CHILD(pid)
		give(self->fd);
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_POOL(3, 1, 0);
	EXPECT_EQ(before.abandoned + 1, pool_status().abandoned);
	EXPECT_EQ(before.returned, pool_status().returned);
}

struct worker {
	int fd;
	int rounds;
	int *running;
	int *most;
};

/* Takes, counts itself among those that run, and returns; again and again. */
static void work(const struct worker *worker)
{
	for (int i = 0; i < worker->rounds; i++) {
		int now, most;

		take(worker->fd);
		now = __atomic_add_fetch(worker->running, 1, __ATOMIC_SEQ_CST);
		most = __atomic_load_n(worker->most, __ATOMIC_SEQ_CST);
		while (now > most &&
		       !__atomic_compare_exchange_n(worker->most, &most, now, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		sched_yield();
		__atomic_sub_fetch(worker->running, 1, __ATOMIC_SEQ_CST);
		give(worker->fd);
	}
}

TEST_F(pool, no_more_run_than_there_are_tokens)
{
	int *shared = shared_memory(2 * sizeof(int));
	struct worker worker = {
		.fd = self->fd, .rounds = 500,
		.running = &shared[0], .most = &shared[1],
	};
	__u64 granted;
	pid_t pid[8];

	ASSERT_EQ(0, pool_set_jobs(3));
	granted = pool_status().granted;
	for (int i = 0; i < 8; i++)
		IN_CHILD(pid[i])
			work(&worker);
	for (int i = 0; i < 8; i++)
		EXPECT_TRUE(succeeded(reap(pid[i])));
	EXPECT_GE(3, *worker.most);
	EXPECT_LE(1, *worker.most);
	EXPECT_EQ(granted + 8 * 500, pool_status().granted);
	EXPECT_POOL(3, 0, 0);
}

static void *work_in_thread(void *worker)
{
	work(worker);
	return NULL;
}

TEST_F(pool, threads_of_one_client_share_the_pool_too)
{
	int shared[2] = {};
	struct worker worker = {
		.fd = self->fd, .rounds = 500,
		.running = &shared[0], .most = &shared[1],
	};
	pthread_t thread[8];

	ASSERT_EQ(0, pool_set_jobs(3));
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, work_in_thread, &worker));
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_GE(3, *worker.most);
	EXPECT_POOL(3, 0, 0);
}

TEST_HARNESS_MAIN
