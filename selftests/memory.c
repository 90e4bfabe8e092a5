// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory: each call is made again and again, with the first, then the
 * second, and so on, of all it asks of the kernel's allocator or copies from and
 * to the program failing. Needs a kernel with fault injection.
 */
#include "fixture.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define FAIL_USERCOPY	"/sys/kernel/debug/fail_usercopy/"

/**
 * struct call - a call to be made under failure
 * @before: what to do before, if anything
 * @call: the call
 * @check: is the pool as it should be after what the call returned?
 */
struct call {
	void (*before)(void);
	ssize_t (*call)(int fd);
	bool (*check)(ssize_t ret, int error);
};

static bool set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* False where the kernel cannot do it. */
static bool allow_failures(void)
{
	return access(FAIL_NTH, F_OK) == 0 &&
	       set(FAILSLAB "ignore-gfp-wait", "N") &&
	       set(FAILSLAB "verbose", "0") && set(FAIL_USERCOPY "verbose", "0");
}

/* Has the failure that was asked for come? If not the call asks no more. */
static bool has_failed(int nth)
{
	char left[16] = "";

	/* That this read fails tells as much. */
	return pread(nth, left, sizeof(left) - 1, 0) > 0 && atoi(left) == 0;
}

enum { FAILED, NOT_FAILED, WRONG };

/* Makes the call in a process that the pool does not know. */
static int fail_once(const struct call *call, int n)
{
	int nth, fd, error;
	char number[16];
	ssize_t ret;
	bool failed;
	pid_t pid;
	int status;

	snprintf(number, sizeof(number), "%d", n);
	IN_CHILD(pid) {
		fd = open_steve(O_RDWR);
		nth = open(FAIL_NTH, O_RDWR);
		if (nth < 0)
			die("cannot open " FAIL_NTH);
		if (call->before)
			call->before();
		if (write(nth, number, strlen(number)) < 0)
			die("cannot ask for a failure");
		ret = call->call(fd);
		error = errno;
		failed = has_failed(nth);
		if (!call->check(ret, error)) {
			printf("# failure %d: returned %zd, error %d\n", n, ret,
			       error);
			fflush(stdout);
			_exit(WRONG);
		}
		_exit(failed ? FAILED : NOT_FAILED);
	}
	status = reap(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

/* Returns how many things can fail in a call, or -1 if one went wrong. */
static int fail_each(const struct call *call)
{
	for (int n = 1;; n++) {
		switch (fail_once(call, n)) {
		case FAILED:
			break;
		case NOT_FAILED:
			return n - 1;
		default:
			return -1;
		}
	}
}

static ssize_t call_read(int fd)
{
	char byte;

	return read(fd, &byte, 1);
}

static ssize_t call_readv(int fd)
{
	char byte;

	return readv(fd, &(struct iovec){ &byte, 1 }, 1);
}

static ssize_t call_write(int fd)
{
	return write(fd, "+", 1);
}

static ssize_t call_poll(int fd)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0);
}

static ssize_t call_fionread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n);
}

static ssize_t call_get_clients(int fd)
{
	struct steve_client_info row;
	struct steve_clients batch = {
		.rows = (uintptr_t)&row,
		.count = 1,
		.row_size = sizeof(row),
	};

	return ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch);
}

static ssize_t call_set_jobs(int fd)
{
	struct steve_settings set = { .mask = STEVE_SET_JOBS, .jobs = 9 };

	return ioctl(fd, STEVE_IOC_SET_SETTINGS, &set);
}

static void take_through_another(void)
{
	take(open_steve(O_RDWR));
}

/* EAGAIN is the only error of a read for which every client is prepared. */
static bool read_is_right(ssize_t ret, int error)
{
	if (ret == 1)
		return pool_status().held == 1;
	return (error == EAGAIN || error == EFAULT) && pool_status().held == 0;
}

/* It cannot fail, whatever becomes of the byte. */
static bool write_is_right(ssize_t ret, int error)
{
	(void)error;
	return ret == 1 && pool_status().held == 0;
}

static bool poll_is_right(ssize_t ret, int error)
{
	return ret == 1 || (ret == -1 && (error == EFAULT || error == ENOMEM));
}

static bool ioctl_is_right(ssize_t ret, int error)
{
	return ret == 0 || error == EFAULT || error == ENOMEM;
}

static bool set_jobs_is_right(ssize_t ret, int error)
{
	unsigned int jobs = pool_status().jobs;

	if (pool_set_jobs(TEST_JOBS))
		return false;
	return ret == 0 ? jobs == 9 : error == EFAULT && jobs == TEST_JOBS;
}

TEST_F(pool, read_says_eagain)
{
	static const struct call call = {
		.call = call_read,
		.check = read_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, readv_says_eagain)
{
	static const struct call call = {
		.call = call_readv,
		.check = read_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, write_never_fails)
{
	static const struct call call = {
		.call = call_write,
		.check = write_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, write_through_a_new_file_returns_the_token)
{
	static const struct call call = {
		.before = take_through_another,
		.call = call_write,
		.check = write_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, poll_lets_the_client_try)
{
	static const struct call call = {
		.call = call_poll,
		.check = poll_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, fionread_needs_no_memory)
{
	static const struct call call = {
		.call = call_fionread,
		.check = ioctl_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_EQ(0, fail_each(&call));
}

TEST_F(pool, get_clients_may_fail)
{
	static const struct call call = {
		.call = call_get_clients,
		.check = ioctl_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_F(pool, settings_that_cannot_be_read_change_nothing)
{
	static const struct call call = {
		.call = call_set_jobs,
		.check = set_jobs_is_right,
	};

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	EXPECT_LT(0, fail_each(&call));
}

TEST_HARNESS_MAIN
