// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring takes and returns tokens for the process whose ring it is, and needs
 * no thread of its own to wait for one.
 */
#include "fixture.h"

#include <dirent.h>
#include <liburing.h>
#include <poll.h>

FIXTURE_VARIANT_ADD(pool, device) {
	.path = STEVE_DEVICE,
};

FIXTURE_VARIANT_ADD(pool, fifo) {
	.path = STEVE_FIFO,
};

/* False where the kernel has no io_uring. */
static bool open_ring(struct io_uring *ring)
{
	return io_uring_queue_init(4, ring, 0) == 0;
}

static void submit_read(struct io_uring *ring, int fd, void *buf)
{
	io_uring_prep_read(io_uring_get_sqe(ring), fd, buf, 1, -1);
	if (io_uring_submit(ring) != 1)
		die("cannot submit a read");
}

static void submit_write(struct io_uring *ring, int fd)
{
	io_uring_prep_write(io_uring_get_sqe(ring), fd, "+", 1, -1);
	if (io_uring_submit(ring) != 1)
		die("cannot submit a write");
}

/* Waits for the next result. */
static int get_result(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	if (io_uring_wait_cqe(ring, &cqe))
		die("cannot wait for a result");
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	if (!dir)
		die("cannot list the threads");
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

TEST_F(pool, tokens_are_those_of_the_process)
{
	struct io_uring ring;
	char byte = 0;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	submit_read(&ring, self->fd, &byte);
	EXPECT_EQ(1, get_result(&ring));
	EXPECT_EQ('+', byte);
	EXPECT_EQ(1, pool_client(getpid()).held);

	submit_write(&ring, self->fd);
	EXPECT_EQ(1, get_result(&ring));
	EXPECT_EQ(0, pool_client(getpid()).held);
	EXPECT_EQ(1, count_threads());
}

TEST_F(pool, read_waits_without_a_thread)
{
	struct io_uring ring;
	pid_t pid;
	char byte;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	pid = start_holder(4);
	submit_read(&ring, self->fd, &byte);
	EXPECT_EQ(0, io_uring_cq_ready(&ring));
	EXPECT_EQ(1, count_threads());
	EXPECT_EQ(STEVE_WAIT_POLL, pool_client(getpid()).wait);

	kill_and_reap(pid);
	EXPECT_EQ(1, get_result(&ring));
	EXPECT_EQ(1, pool_client(getpid()).held);
	EXPECT_EQ(1, count_threads());
}

TEST_F(pool, read_into_bad_memory_takes_nothing)
{
	struct io_uring ring;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	submit_read(&ring, self->fd, bad_memory());
	EXPECT_EQ(-EFAULT, get_result(&ring));
	EXPECT_TRUE(pool_idle());
}

static void submit_poll(struct io_uring *ring, int fd)
{
	io_uring_prep_poll_add(io_uring_get_sqe(ring), fd, POLLIN);
	if (io_uring_submit(ring) != 1)
		die("cannot submit a poll");
}

/* Two results come, in any order: that of the poll, and that of this. */
static bool cancel_poll(struct io_uring *ring, int fd)
{
	io_uring_prep_cancel_fd(io_uring_get_sqe(ring), fd, 0);
	if (io_uring_submit(ring) != 1)
		die("cannot submit a cancellation");
	return get_result(ring) + get_result(ring) == -ECANCELED;
}

TEST_F(pool, many_polls_tell_of_one_token)
{
	struct io_uring ring;
	pid_t holder;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	ASSERT_EQ(0, pool_set_reserve_ms(STEVE_RESERVE_MS_MAX));
	take_many(self->fd, 3);
	holder = start_holder(1);
	submit_poll(&ring, self->fd);
	submit_poll(&ring, self->nonblock);
	submit_poll(&ring, self->fd);
	EXPECT_EQ(0, io_uring_cq_ready(&ring));
	EXPECT_EQ(1, pool_status().waiting);

	kill_and_reap(holder);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(POLLIN, get_result(&ring));
	EXPECT_EQ(1, pool_status().reserved);
	EXPECT_EQ(1, fionread(self->fd));
	take(self->fd);
	EXPECT_EQ(1, count_threads());
}

TEST_F(pool, poll_that_is_cancelled_takes_nothing)
{
	struct io_uring ring;
	pid_t reader;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	ASSERT_EQ(0, pool_set_reserve_ms(STEVE_RESERVE_MS_MAX));
	take_many(self->fd, 4);
	submit_poll(&ring, self->nonblock);
	EXPECT_EQ(STEVE_WAIT_POLL, pool_client(getpid()).wait);
	reader = start_reader();
	EXPECT_TRUE(cancel_poll(&ring, self->nonblock));
	/* It came first, and would be told of this. */
	give(self->fd);
	EXPECT_TRUE(wait_at_most(PATIENCE / 2, pool_client(reader).held == 1));
	kill_and_reap(reader);
}

TEST_F(pool, ring_of_the_dead_takes_nothing)
{
	struct io_uring ring;
	pid_t pid, holder;
	char byte;

	if (!open_ring(&ring))
		SKIP(return, "kernel without io_uring");
	holder = start_holder(4);
	IN_CHILD(pid) {
		if (!open_ring(&ring))
			die("cannot open a ring");
		submit_read(&ring, self->fd, &byte);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
	kill_and_reap(pid);
	EXPECT_EQ(0, pool_status().waiting);
	kill_and_reap(holder);
	EXPECT_TRUE(pool_idle());
}

TEST_HARNESS_MAIN
