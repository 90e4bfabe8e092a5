// SPDX-License-Identifier: GPL-2.0
/*
 * The rest of what one can do with a file: calls that make no sense here are
 * refused, and poll, select and epoll tell when a token can be taken. All of it
 * on the device and on the FIFO.
 */
#include "fixture.h"

#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

FIXTURE_VARIANT_ADD(pool, device) {
	.path = STEVE_DEVICE,
};

FIXTURE_VARIANT_ADD(pool, fifo) {
	.path = STEVE_FIFO,
};

#define READABLE	(POLLIN | POLLRDNORM)
#define WRITABLE	(POLLOUT | POLLWRNORM)

/* What poll has to say of a file, asked for everything. */
static short poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = 0x7fff };

	if (poll(&p, 1, 0) < 0)
		die("cannot poll");
	return p.revents;
}

TEST_F(pool, type_of_the_file)
{
	mode_t type = strcmp(self->path, STEVE_FIFO) ? S_IFCHR : S_IFIFO;
	struct stat st;

	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(type, st.st_mode & S_IFMT);
}

TEST_F(pool, there_is_no_position)
{
	static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	char byte = '+';
	struct iovec iov = { &byte, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(whences); i++)
		EXPECT_TRUE(fails(lseek(self->fd, 0, whences[i]), ESPIPE));
	EXPECT_TRUE(fails(pread(self->fd, &byte, 1, 0), ESPIPE));
	EXPECT_TRUE(fails(pwrite(self->fd, &byte, 1, 0), ESPIPE));
	EXPECT_TRUE(fails(preadv(self->fd, &iov, 1, 0), ESPIPE));
	EXPECT_TRUE(fails(pwritev(self->fd, &iov, 1, 0), ESPIPE));
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, there_is_nothing_to_map)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, kinds[i],
					   self->fd, 0));
		EXPECT_EQ(ENODEV, errno);
	}
}

TEST_F(pool, there_is_nothing_to_splice)
{
	__u64 strays = pool_status().strays;
	int end[2], zero;
	off_t off = 0;

	ASSERT_EQ(0, pipe2(end, O_CLOEXEC));
	ASSERT_EQ(4, write(end[1], "++++", 4));
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, zero);

	EXPECT_TRUE(fails(splice(self->fd, NULL, end[1], NULL, 1, 0), EINVAL));
	EXPECT_TRUE(fails(splice(end[0], NULL, self->fd, NULL, 1, 0), EINVAL));
	EXPECT_TRUE(fails(tee(self->fd, end[1], 1, 0), EINVAL));
	EXPECT_TRUE(fails(tee(end[0], self->fd, 1, 0), EINVAL));
	EXPECT_TRUE(fails(sendfile(end[1], self->fd, NULL, 1), EINVAL));
	EXPECT_TRUE(fails(sendfile(self->fd, zero, NULL, 1), EINVAL));
	EXPECT_TRUE(fails(sendfile(self->fd, zero, &off, 1), EINVAL));
	EXPECT_EQ(-1, copy_file_range(self->fd, NULL, zero, NULL, 1, 0));
	EXPECT_TRUE(errno == EBADF || errno == EINVAL);
	EXPECT_EQ(strays, pool_status().strays);
	EXPECT_TRUE(pool_idle());
}

/* It may be a FIFO, but there is no pipe behind it. */
TEST_F(pool, there_is_no_pipe_behind_it)
{
	EXPECT_TRUE(fails(fcntl(self->fd, F_GETPIPE_SZ), EBADF));
	EXPECT_TRUE(fails(fcntl(self->fd, F_SETPIPE_SZ, 4096), EBADF));
}

TEST_F(pool, there_is_no_length)
{
	EXPECT_TRUE(fails(ftruncate(self->fd, 0), EINVAL));
	EXPECT_TRUE(fails(fsync(self->fd), EINVAL));
	EXPECT_EQ(-1, fallocate(self->fd, 0, 0, 1));
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, path_descriptor_takes_nothing)
{
	int fd = open(self->path, O_PATH | O_CLOEXEC);
	char byte = '+';

	ASSERT_LE(0, fd);
	EXPECT_TRUE(fails(read(fd, &byte, 1), EBADF));
	EXPECT_TRUE(fails(write(fd, &byte, 1), EBADF));
	EXPECT_EQ(POLLNVAL, poll_now(fd));
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, opening_alone_makes_no_client)
{
	__u32 clients = pool_status().clients;
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, pool_client(getpid()).id);
	close(fd);
	EXPECT_EQ(clients, pool_status().clients);
}

TEST_F(pool, flags_of_open_that_mean_nothing_are_accepted)
{
	static const int flags[] = {
		O_TRUNC, O_APPEND, O_CREAT, O_NOCTTY, O_CLOEXEC, O_SYNC,
		O_TRUNC | O_CREAT | O_APPEND | O_NONBLOCK,
	};

	/* A shell's > and >> open so. */
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int fd = open(self->path, O_RDWR | flags[i], 0666);

		ASSERT_LE(0, fd);
		take(fd);
		give(fd);
		close(fd);
	}
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, duplicates_are_the_same_file)
{
	int copy = dup(self->fd);

	ASSERT_LE(0, copy);
	take(copy);
	close(copy);
	EXPECT_EQ(1, pool_status().held);
	give(self->fd);
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, fionread_tells_what_can_be_taken)
{
	pid_t pid;

	for (int left = 4; left > 0; left--) {
		EXPECT_EQ(left, fionread(self->fd));
		take(self->fd);
	}
	EXPECT_EQ(0, fionread(self->fd));
	EXPECT_EQ(0, fionread(self->nonblock));

	ASSERT_EQ(0, pool_set_jobs(1));
	EXPECT_EQ(0, fionread(self->fd));
	ASSERT_EQ(0, pool_set_jobs(4));
	give_many(self->fd, 4);

	/* What others have cannot be taken. */
	pid = start_holder(3);
	EXPECT_EQ(1, fionread(self->fd));
	kill_and_reap(pid);
	EXPECT_EQ(4, fionread(self->fd));

	/* Asking takes nothing. */
	EXPECT_TRUE(pool_idle());
}

TEST_F(pool, fionread_needs_memory_to_write_to)
{
	EXPECT_TRUE(fails(ioctl(self->fd, FIONREAD, bad_memory()), EFAULT));
	EXPECT_TRUE(fails(ioctl(self->fd, FIONREAD, NULL), EFAULT));
}

TEST_F(pool, fionbio_makes_reads_nonblocking)
{
	int on = 1;
	char byte;

	ASSERT_EQ(0, ioctl(self->fd, FIONBIO, &on));
	take_many(self->fd, 4);
	EXPECT_TRUE(fails(read(self->fd, &byte, 1), EAGAIN));
}

TEST_F(pool, poll_tells_of_a_free_token)
{
	/* Who is told and does not take it in time is not told again at once. */
	ASSERT_EQ(0, pool_set_reserve_ms(STEVE_RESERVE_MS_MAX));
	EXPECT_EQ(READABLE | WRITABLE, poll_now(self->fd));
	EXPECT_EQ(READABLE | WRITABLE, poll_now(self->nonblock));

	/* And it is there. */
	take(self->nonblock);
	take_many(self->fd, 3);
	EXPECT_EQ(WRITABLE, poll_now(self->fd));
	EXPECT_EQ(WRITABLE, poll_now(self->nonblock));
	give(self->fd);
	EXPECT_EQ(READABLE | WRITABLE, poll_now(self->fd));
}

TEST_F(pool, poll_tells_only_what_was_asked_for)
{
	struct pollfd p = { .fd = self->fd };

	EXPECT_EQ(0, poll(&p, 1, 0));
	p.events = POLLOUT;
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLOUT, p.revents);
	p.events = POLLIN;
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLIN, p.revents);
	p.events = POLLPRI | POLLRDHUP;
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(0, p.revents);
}

TEST_F(pool, poll_never_tells_of_trouble)
{
	pid_t pid = start_holder(2);

	take_many(self->fd, 2);
	give_many(self->fd, 2);
	kill_and_reap(pid);
	give(self->fd);
	give(self->fd);
	EXPECT_EQ(READABLE | WRITABLE, poll_now(self->fd));
	take(self->fd);

	ASSERT_EQ(0, pool_set_jobs(0));
	EXPECT_EQ(WRITABLE, poll_now(self->fd));
}

TEST_F(pool, writing_is_always_possible)
{
	struct pollfd p = { .fd = self->fd, .events = POLLOUT };

	take_many(self->fd, 4);
	ASSERT_EQ(0, pool_set_jobs(1));
	EXPECT_EQ(1, poll(&p, 1, -1));
	EXPECT_EQ(POLLOUT, p.revents);
}

/* Waits by one of the ways there are, then takes without blocking. */
typedef void (*wait_fn)(int fd);

static void wait_by_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, -1) != 1 || p.revents != POLLIN)
		die("poll tells %#x", p.revents);
}

static void wait_by_select(int fd)
{
	fd_set in, except;

	FD_ZERO(&in);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &except);
	if (select(fd + 1, &in, NULL, &except, NULL) != 1 ||
	    !FD_ISSET(fd, &in) || FD_ISSET(fd, &except))
		die("select tells something else");
}

static void wait_by_epoll(int fd, __u32 flags)
{
	struct epoll_event event = { .events = EPOLLIN | flags };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event))
		die("cannot add the file to an epoll instance");
	if (epoll_wait(ep, &event, 1, -1) != 1 || event.events != EPOLLIN)
		die("epoll tells %#x", event.events);
}

static void wait_by_level(int fd)
{
	wait_by_epoll(fd, 0);
}

static void wait_by_edge(int fd)
{
	wait_by_epoll(fd, EPOLLET);
}

static void wait_by_one_shot(int fd)
{
	wait_by_epoll(fd, EPOLLONESHOT);
}

static void wait_by_aio(int fd)
{
	struct iocb call = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd, .aio_buf = POLLIN,
	};
	struct iocb *calls = &call;
	aio_context_t context = 0;
	struct io_event event;

	if (syscall(SYS_io_setup, 1, &context) ||
	    syscall(SYS_io_submit, context, 1L, &calls) != 1)
		die("cannot begin to poll by aio");
	if (syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) != 1 ||
	    !(event.res & POLLIN) || event.res & ~(__u64)READABLE)
		die("aio tells %#llx", (unsigned long long)event.res);
}

static const wait_fn ways[] = {
	wait_by_poll, wait_by_select, wait_by_level, wait_by_edge,
	wait_by_one_shot, wait_by_aio,
};

TEST_F(pool, every_way_to_wait_ends_when_a_token_is_returned)
{
	pid_t pid;

	take_many(self->fd, 4);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		IN_CHILD(pid) {
			ways[i](self->nonblock);
			take(self->nonblock);
			announce("got it");
			hold_forever();
		}
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
		EXPECT_EQ(0, pool_client(pid).held);
		EXPECT_EQ(1, pool_status().waiting);

		give(self->fd);
		ASSERT_TRUE(wait_until(is_named(pid, "got it")));
		EXPECT_EQ(1, pool_client(pid).held);
		EXPECT_EQ(0, pool_status().available);
		kill_and_reap(pid);
		take(self->fd);
	}
}

TEST_F(pool, every_way_to_wait_ends_when_a_client_dies)
{
	pid_t pid, holder;

	take_many(self->fd, 3);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		holder = start_holder(1);
		IN_CHILD(pid) {
			ways[i](self->nonblock);
			take(self->nonblock);
		}
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
		kill_and_reap(holder);
		EXPECT_TRUE(succeeded(reap(pid)));
	}
}

TEST_F(pool, every_way_to_wait_ends_when_the_pool_grows)
{
	pid_t pid;

	take_many(self->fd, 4);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		IN_CHILD(pid) {
			ways[i](self->nonblock);
			take(self->nonblock);
		}
		ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
		ASSERT_EQ(0, pool_set_jobs(5));
		EXPECT_TRUE(succeeded(reap(pid)));
		ASSERT_EQ(0, pool_set_jobs(4));
	}
}

TEST_F(pool, no_way_to_wait_waits_while_a_token_is_free)
{
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		IN_CHILD(pid) {
			ways[i](self->nonblock);
			take(self->nonblock);
		}
		EXPECT_TRUE(succeeded(reap(pid)));
	}
	EXPECT_TRUE(pool_idle());
}

/* An edge is reported once; a try that fails arms the next. */
TEST_F(pool, edge_comes_again_after_a_failed_try)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	pid_t pid = start_holder(4);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char byte;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->nonblock, &event));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		EXPECT_TRUE(fails(read(self->nonblock, &byte, 1), EAGAIN));
		kill_and_reap(pid);
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, PATIENCE * 1000));
		EXPECT_EQ(EPOLLIN, event.events);
		take(self->nonblock);
		give(self->nonblock);
		epoll_wait(ep, &event, 1, 0);
		pid = start_holder(4);
	}
	kill_and_reap(pid);
}

/* epoll enters a wait queue once, and may be told later what to look for. */
TEST_F(pool, epoll_may_ask_for_tokens_later)
{
	static const __u32 before[] = {
		0, EPOLLOUT, EPOLLOUT | EPOLLET, EPOLLRDHUP, EPOLLIN | EPOLLONESHOT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct epoll_event event = { .events = before[i] };
		int ep = epoll_create1(EPOLL_CLOEXEC);
		pid_t pid = start_holder(4);

		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
		event.events = EPOLLIN;
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, self->fd, &event));
		EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
		kill_and_reap(pid);
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, PATIENCE * 1000)) {
			TH_LOG("first it asked for %#x", before[i]);
		}
		EXPECT_EQ(EPOLLIN, event.events);
		take(self->fd);
		give(self->fd);
		close(ep);
	}
}

TEST_F(pool, who_polls_for_writing_alone_wants_no_token)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(1, epoll_wait(ep, &event, 1, 0));
	EXPECT_EQ(EPOLLOUT, event.events);
	EXPECT_EQ(0, pool_status().reserved);
	EXPECT_EQ(0, pool_status().waiting);
	close(ep);
}

TEST_F(pool, poll_ends_in_time)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };

	take_many(self->fd, 4);
	EXPECT_EQ(0, poll(&p, 1, 10));
	EXPECT_EQ(0, p.revents);
}

static void ignore(int sig)
{
	(void)sig;
}

TEST_F(pool, poll_ends_on_a_signal)
{
	static const struct sigaction action = {
		.sa_handler = ignore, .sa_flags = SA_RESTART,
	};
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	pid_t pid;

	take_many(self->fd, 4);
	IN_CHILD(pid) {
		sigaction(SIGUSR1, &action, NULL);
		EXPECT_TRUE(fails(poll(&p, 1, -1), EINTR));
	}
	ASSERT_TRUE(wait_until(is_waiting(pid, STEVE_WAIT_POLL)));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(succeeded(reap(pid)));
}

TEST_HARNESS_MAIN
