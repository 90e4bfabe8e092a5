// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory: each call is made again and again, with the first, then the
 * second, and so on, of all it asks of the kernel's allocator or copies from and
 * to the program failing; and so is a whole life of a client. Needs a kernel with
 * fault injection.
 */
#include "faults.h"
#include "fixture.h"
#include "watch.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

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

enum { FAILED, NOT_FAILED, WRONG };

/* Makes the call in a process that the pool does not know. */
static int fail_once(const struct call *call, int n)
{
	int nth, fd, error;
	ssize_t ret;
	bool failed;
	pid_t pid;
	int status;

	IN_CHILD(pid) {
		fd = open_steve(O_RDWR);
		if (call->before)
			call->before();
		nth = ask_for_failure(n);
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

/* ---- Those that go to sleep in poll ---- */

/**
 * struct sleeper - a process that waits for a token
 * @events: what it tells epoll, 0 if it uses poll
 * @n: which failure is to come
 * @asleep: it is about to sleep
 * @failed: the failure has come
 */
struct sleeper {
	unsigned int events;
	int n;
	bool asleep;
	bool failed;
};

static void about_to_sleep(struct sleeper *sleeper)
{
	__atomic_store_n(&sleeper->asleep, true, __ATOMIC_SEQ_CST);
}

static void sleep_in_poll(struct sleeper *sleeper, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret;

	about_to_sleep(sleeper);
	ret = poll(&pfd, 1, -1);
	if (!poll_is_right(ret, errno))
		die("poll gave %d", ret);
}

/* Until it has a token, or if it could not even ask. */
static void sleep_in_epoll(struct sleeper *sleeper, int fd)
{
	struct epoll_event event = { .events = sleeper->events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	char byte;

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return;
	do {
		about_to_sleep(sleeper);
		if (epoll_wait(epoll, &event, 1, -1) < 0 && errno != EFAULT)
			die("epoll_wait failed");
		if (read(fd, &byte, 1) == 1)
			return;
	} while (errno == EAGAIN || errno == EFAULT);
	die("read does not say EAGAIN");
}

static void __noreturn sleep_and_fail(struct sleeper *sleeper)
{
	int fd = open_steve(O_RDWR | O_NONBLOCK);
	int nth = ask_for_failure(sleeper->n);

	if (sleeper->events)
		sleep_in_epoll(sleeper, fd);
	else
		sleep_in_poll(sleeper, fd);
	sleeper->failed = has_failed(nth);
	_exit(0);
}

static bool sleeps_or_is_dead(const struct sleeper *sleeper, pid_t pid)
{
	char state = proc_state(pid, pid);

	return state == 'Z' ||
	       (state == 'S' && __atomic_load_n(&sleeper->asleep, __ATOMIC_SEQ_CST));
}

/*
 * While no token is there, a process goes to sleep. It ends by itself, or when
 * the token is there. Returns whether the failure has come.
 */
static bool wake_sleeper(struct sleeper *sleeper, int fd)
{
	pid_t pid;

	sleeper->asleep = false;
	sleeper->failed = false;
	take_many(fd, TEST_JOBS);
	IN_CHILD(pid)
		sleep_and_fail(sleeper);
	if (!wait_until(sleeps_or_is_dead(sleeper, pid)))
		die("process %d is busy", pid);
	give_many(fd, TEST_JOBS);
	if (!wait_until(proc_state(pid, pid) == 'Z'))
		die("process %d sleeps on, failure %d", pid, sleeper->n);
	if (!succeeded(reap(pid)))
		die("process %d failed, failure %d", pid, sleeper->n);
	return sleeper->failed;
}

TEST_F_TIMEOUT(pool, nobody_sleeps_in_poll_who_cannot_be_woken, LONG_TIMEOUT)
{
	/* Level-triggered, edge-triggered, and no epoll at all. */
	static const unsigned int ways[] = { EPOLLIN, EPOLLIN | EPOLLET, 0 };
	struct sleeper *sleeper = shared_memory(sizeof(*sleeper));
	unsigned long faults = 0;

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		*sleeper = (struct sleeper){ .events = ways[i], .n = 1 };
		for (; wake_sleeper(sleeper, self->fd); sleeper->n++)
			faults++;
		EXPECT_LT(1, sleeper->n);
	}
	tell_figure("faults", "%lu in going to sleep", faults);
}

/* ---- A whole life ---- */

/**
 * struct life - a client, in memory that it shares with the test
 * @step: the step that it begins with
 * @fd: the device
 * @gets: bytes that it read
 * @gives: bytes that it wrote
 * @failed: the failure has come
 * @done: it has come to the end of it
 */
struct life {
	size_t step;
	int fd;
	int gets;
	int gives;
	bool failed;
	bool done;
};

/* A call that failed with an error that may be, and has to be made again. */
static bool once_more(ssize_t ret, const int *errors)
{
	if (ret >= 0)
		return false;
	while (*errors && *errors != errno)
		errors++;
	if (!*errors)
		die("a call failed");
	return true;
}

static const int no_memory[] = { ENOMEM, EFAULT, ENFILE, 0 };
static const int no_token[] = { EAGAIN, EFAULT, 0 };
static const int bad_pointer[] = { EFAULT, 0 };

static void live_to_open(struct life *life)
{
	do {
		life->fd = open(STEVE_DEVICE, O_RDWR | O_CLOEXEC);
	} while (once_more(life->fd, no_memory));
}

static void live_to_read(struct life *life)
{
	while (once_more(call_read(life->fd), no_token))
		;
	life->gets++;
}

static void live_to_readv(struct life *life)
{
	while (once_more(call_readv(life->fd), no_token))
		;
	life->gets++;
}

/* It may be told of a token that is not there. */
static void live_to_try(struct life *life)
{
	ssize_t ret;

	while (once_more(fcntl(life->fd, F_SETFL, O_NONBLOCK), no_memory))
		;
	ret = call_read(life->fd);
	life->gets += !once_more(ret, no_token);
	fcntl(life->fd, F_SETFL, 0);
}

static void live_to_poll(struct life *life)
{
	while (once_more(call_poll(life->fd), no_memory))
		;
}

static void live_to_epoll(struct life *life)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll;

	do {
		epoll = epoll_create1(EPOLL_CLOEXEC);
	} while (once_more(epoll, no_memory));
	while (once_more(epoll_ctl(epoll, EPOLL_CTL_ADD, life->fd, &event),
			 no_memory))
		;
	while (once_more(epoll_wait(epoll, &event, 1, 0), no_memory))
		;
	close(epoll);
}

/* Never fails; it is a stray where nothing can be remembered. */
static void live_to_write(struct life *life)
{
	if (call_write(life->fd) != 1)
		die("a write failed");
	life->gives++;
}

static void live_to_writev(struct life *life)
{
	while (once_more(writev(life->fd, &(struct iovec){ "+", 1 }, 1),
			 bad_pointer))
		;
	life->gives++;
}

static void live_to_ask(struct life *life)
{
	struct steve_status status = {};
	struct steve_settings settings = {}, none = {};

	while (once_more(call_fionread(life->fd), bad_pointer))
		;
	while (once_more(ioctl(life->fd, STEVE_IOC_GET_STATUS, &status),
			 bad_pointer))
		;
	while (once_more(ioctl(life->fd, STEVE_IOC_GET_SETTINGS, &settings),
			 bad_pointer))
		;
	while (once_more(ioctl(life->fd, STEVE_IOC_SET_SETTINGS, &none),
			 bad_pointer))
		;
	while (once_more(call_get_clients(life->fd), no_memory))
		;
}

static void live_to_cap(struct life *life)
{
	struct steve_cap cap = { .jobs = STEVE_JOBS_MAX };

	while (once_more(ioctl(life->fd, STEVE_IOC_SET_CAP, &cap), no_memory))
		;
}

static void live_to_reopen(struct life *life)
{
	close(life->fd);
	live_to_open(life);
}

/* What comes first, each in turn; then the others in their order. */
static void (*const steps[])(struct life *life) = {
	live_to_read, live_to_readv, live_to_try, live_to_poll, live_to_epoll,
	live_to_write, live_to_writev, live_to_ask, live_to_cap, live_to_reopen,
};

/* Of the others none makes a client known. */
#define FIRST_STEPS	7

static void __noreturn live_and_fail(struct life *life, int n)
{
	int nth = ask_for_failure(n);

	live_to_open(life);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		steps[(life->step + i) % ARRAY_SIZE(steps)](life);
	life->failed = has_failed(nth);
	__atomic_store_n(&life->done, true, __ATOMIC_SEQ_CST);
	hold_forever();
}

/* Has every byte that it read or wrote counted, as a stray if as nothing else? */
static bool agrees(const struct life *life, pid_t pid, int strays)
{
	struct steve_client_info row = pool_client(pid);

	return (int)row.held - (int)row.lent ==
	       life->gets - life->gives + strays;
}

/* Returns whether the failure has come. */
static bool live_once(struct life *life, int n)
{
	__u64 strays = pool_status().strays;
	pid_t pid;

	IN_CHILD(pid)
		live_and_fail(life, n);
	if (!wait_until(__atomic_load_n(&life->done, __ATOMIC_SEQ_CST) ||
			proc_state(pid, pid) == 'Z'))
		die("process %d does not end", pid);
	if (!life->done || !agrees(life, pid, pool_status().strays - strays))
		die("step %zu first, failure %d: held %u, lent %u after %d reads, %d writes",
		    life->step, n, pool_client(pid).held,
		    pool_client(pid).lent, life->gets, life->gives);
	kill_and_reap(pid);
	if (!pool_idle())
		die("step %zu first, failure %d: something is left", life->step, n);
	return life->failed;
}

TEST_F_TIMEOUT(pool, a_life_in_which_everything_fails_once, LONG_TIMEOUT)
{
	struct life *life = shared_memory(sizeof(*life));
	unsigned long faults = 0;

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	watch_account();
	for (size_t step = 0; step < FIRST_STEPS; step++) {
		for (int n = 1;; n++) {
			*life = (struct life){ .step = step };
			if (!live_once(life, n))
				break;
			faults++;
		}
		ASSERT_TRUE(all_tokens_are_there());
	}
	watched_account();
	EXPECT_LT(10 * FIRST_STEPS, faults);
	tell_figure("faults", "%lu in lives that began in %d ways", faults, FIRST_STEPS);
}

TEST_HARNESS_MAIN
