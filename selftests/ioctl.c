// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: what they tell, what they refuse, who may call them, and that a
 * refused call has changed nothing. All of it on the device and on the FIFO.
 */
#include "fixture.h"

#include <asm/termbits.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

FIXTURE_VARIANT_ADD(pool, device) {
	.path = STEVE_DEVICE,
};

FIXTURE_VARIANT_ADD(pool, fifo) {
	.path = STEVE_FIFO,
};

enum { NOBODY = 65534 };

/* All that there are. */
#define SETTINGS	(STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS)

/* Room for a structure as large as the number of an ioctl can tell. */
union arg {
	struct steve_status status;
	struct steve_settings settings;
	struct steve_clients clients;
	char bytes[(1 << _IOC_SIZEBITS) - 8];
};

static struct steve_client_info some_rows[4];

/* Every call, with an argument that it takes. */
struct call {
	unsigned int nr;
	union arg arg;
};

static const struct call calls[] = {
	{ STEVE_IOC_GET_STATUS, {} },
	{ STEVE_IOC_GET_SETTINGS, {} },
	{
		STEVE_IOC_SET_SETTINGS, {
			.settings = { .mask = STEVE_SET_JOBS, .jobs = 9 },
		},
	},
	{
		STEVE_IOC_GET_CLIENTS, {
			.clients = {
				.count = ARRAY_SIZE(some_rows),
				.row_size = sizeof(some_rows[0]),
			},
		},
	},
};

#define END_OF_CALLS	(calls + ARRAY_SIZE(calls))

static union arg arg_of(const struct call *call)
{
	union arg arg = call->arg;

	if (call->nr == STEVE_IOC_GET_CLIENTS)
		arg.clients.rows = (uintptr_t)some_rows;
	return arg;
}

/* The same call from a program that knows another size of the structure. */
static unsigned int resized(unsigned int nr, size_t size)
{
	return _IOC(_IOC_DIR(nr), _IOC_TYPE(nr), _IOC_NR(nr), size);
}

static bool same_pool(const struct steve_status *before)
{
	struct steve_status now = pool_status();

	return !memcmp(before, &now, sizeof(now));
}

static int set_jobs(int fd, unsigned int jobs)
{
	struct steve_settings set = { .mask = STEVE_SET_JOBS, .jobs = jobs };

	return ioctl(fd, STEVE_IOC_SET_SETTINGS, &set);
}

TEST_F(pool, every_call_works)
{
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		union arg arg = arg_of(call);

		EXPECT_EQ(0, ioctl(self->fd, call->nr, &arg));
	}
	EXPECT_EQ(9, pool_status().jobs);
}

TEST_F(pool, status_is_filled_in)
{
	struct steve_status st;

	memset(&st, 0xcc, sizeof(st));
	st.flags = 0;
	take(self->fd);
	ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_STATUS, &st));
	EXPECT_EQ(0, st.flags);
	EXPECT_EQ(TEST_JOBS, st.jobs);
	EXPECT_EQ(TEST_JOBS, st.size);
	EXPECT_EQ(TEST_JOBS - 1, st.available);
	EXPECT_EQ(1, st.held);
	EXPECT_EQ(0, st.reserved);
	EXPECT_EQ(0, st.lent);
	EXPECT_EQ(1, st.clients);
	EXPECT_EQ(0, st.waiting);
	EXPECT_LE(st.returned + st.reclaimed, st.granted);
}

TEST_F(pool, bad_pointers_are_refused)
{
	struct steve_status before = pool_status();
	void *bad = bad_memory();

	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		char *cut = end_of_memory() - 8;

		memcpy(cut, &call->arg, 8);
		EXPECT_TRUE(fails(ioctl(self->fd, call->nr, NULL), EFAULT));
		EXPECT_TRUE(fails(ioctl(self->fd, call->nr, bad), EFAULT));
		EXPECT_TRUE(fails(ioctl(self->fd, call->nr, cut), EFAULT));
		EXPECT_TRUE(fails(ioctl(self->fd, call->nr, -4096L), EFAULT));
	}
	EXPECT_TRUE(same_pool(&before));
}

TEST_F(pool, answers_need_memory_that_can_be_written)
{
	size_t page = sysconf(_SC_PAGESIZE);
	bool answers;
	int ret;

	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		char *mem = end_of_memory() - page;
		union arg arg = arg_of(call);

		memcpy(mem, &arg, _IOC_SIZE(call->nr));
		ASSERT_EQ(0, mprotect(mem, page, PROT_READ));
		ret = ioctl(self->fd, call->nr, mem);
		answers = _IOC_DIR(call->nr) & _IOC_READ;
		EXPECT_EQ(answers, fails(ret, EFAULT));
		EXPECT_EQ(!answers, ret == 0);
	}
}

TEST_F(pool, older_structures_than_the_first_are_refused)
{
	struct steve_status before = pool_status();

	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		size_t size = _IOC_SIZE(call->nr);
		union arg arg = arg_of(call);

		EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, size - 1), &arg),
				  EINVAL));
		EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, 8), &arg),
				  EINVAL));
		EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, 1), &arg),
				  EINVAL));
	}
	EXPECT_TRUE(same_pool(&before));
}

TEST_F(pool, newer_structures_work_while_they_want_nothing_new)
{
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		size_t size = _IOC_SIZE(call->nr);
		union arg arg = arg_of(call);

		EXPECT_EQ(0, ioctl(self->fd, resized(call->nr, size + 8), &arg));
		for (size_t i = size; i < size + 8; i++)
			EXPECT_EQ(0, arg.bytes[i]);

		arg = arg_of(call);
		EXPECT_EQ(0, ioctl(self->fd, resized(call->nr, sizeof(arg)), &arg));
	}
	EXPECT_EQ(9, pool_status().jobs);
}

TEST_F(pool, what_only_newer_modules_know_is_refused)
{
	struct steve_status before = pool_status();

	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		size_t size = _IOC_SIZE(call->nr);
		union arg arg = arg_of(call);

		arg.bytes[size] = 1;
		EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, size + 8), &arg),
				  E2BIG));
		arg = arg_of(call);
		arg.bytes[sizeof(arg) - 1] = 1;
		EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, sizeof(arg)), &arg),
				  E2BIG));
	}
	EXPECT_TRUE(same_pool(&before));
}

/* Flags and masks are the first field of every structure. */
TEST_F(pool, unknown_flags_are_refused)
{
	struct steve_status before = pool_status();

	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		for (int bit = 0; bit < 64; bit++) {
			union arg arg = arg_of(call);

			if (call->nr == STEVE_IOC_SET_SETTINGS &&
			    1ULL << bit & SETTINGS)
				continue;
			arg.status.flags |= 1ULL << bit;
			EXPECT_TRUE(fails(ioctl(self->fd, call->nr, &arg), EINVAL)) {
				TH_LOG("call %#x, bit %d", call->nr, bit);
			}
		}
	}
	EXPECT_TRUE(same_pool(&before));
}

TEST_F(pool, reserved_fields_must_be_zero)
{
	struct steve_status before = pool_status();
	struct steve_settings set = {
		.mask = STEVE_SET_JOBS, .jobs = 9, .reserved = 1,
	};
	struct steve_settings get = { .reserved = 1 };
	struct steve_clients clients = {
		.rows = (uintptr_t)some_rows,
		.count = ARRAY_SIZE(some_rows),
		.row_size = sizeof(some_rows[0]),
		.reserved = 0x80000000,
	};

	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set), EINVAL));
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_SETTINGS, &get), EINVAL));
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &clients), EINVAL));
	EXPECT_TRUE(same_pool(&before));
}

TEST_F(pool, unknown_calls_are_refused)
{
	union arg arg = {};

	for (unsigned int nr = _IOC_NR(STEVE_IOC_GET_CLIENTS) + 1; nr < 256; nr++) {
		ASSERT_TRUE(fails(ioctl(self->fd, _IO(STEVE_IOC_MAGIC, nr), &arg),
				  ENOTTY));
		ASSERT_TRUE(fails(ioctl(self->fd,
					_IOC(_IOC_READ | _IOC_WRITE,
					     STEVE_IOC_MAGIC, nr, 64), &arg),
				  ENOTTY));
	}
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		unsigned int size = _IOC_SIZE(call->nr);

		EXPECT_TRUE(fails(ioctl(self->fd,
					_IOC(_IOC_DIR(call->nr), STEVE_IOC_MAGIC + 1,
					     _IOC_NR(call->nr), size), &arg),
				  ENOTTY));
		EXPECT_TRUE(fails(ioctl(self->fd,
					_IOC(_IOC_READ, STEVE_IOC_MAGIC,
					     _IOC_NR(call->nr), size), &arg),
				  ENOTTY));
	}
	EXPECT_TRUE(fails(ioctl(self->fd, TCGETS, &arg), ENOTTY));
	EXPECT_EQ(0, isatty(self->fd));
}

static struct steve_settings get_settings(int fd)
{
	struct steve_settings get = { .jobs = 12345, .policy = 7, .reserve_ms = 1 };

	if (ioctl(fd, STEVE_IOC_GET_SETTINGS, &get))
		die("cannot read the settings");
	return get;
}

static bool same_settings(int fd, const struct steve_settings *before)
{
	struct steve_settings now = get_settings(fd);

	return !memcmp(before, &now, sizeof(now));
}

TEST_F(pool, settings_are_told)
{
	struct steve_settings get = get_settings(self->fd);

	EXPECT_EQ(SETTINGS, get.mask);
	EXPECT_EQ(TEST_JOBS, get.jobs);
	EXPECT_EQ(STEVE_POLICY_FIFO, get.policy);
	EXPECT_LE(STEVE_RESERVE_MS_MIN, get.reserve_ms);
	EXPECT_GE(STEVE_RESERVE_MS_MAX, get.reserve_ms);
	EXPECT_EQ(0, get.reserved);
}

TEST_F(pool, settings_are_set_together)
{
	struct steve_settings before = get_settings(self->fd);
	struct steve_settings set = {
		.mask = before.mask,
		.jobs = 9,
		.policy = STEVE_POLICY_FAIR,
		.reserve_ms = 1234,
	};

	EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set));
	EXPECT_TRUE(same_settings(self->fd, &set));
	EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &before));
	EXPECT_TRUE(same_settings(self->fd, &before));
}

TEST_F(pool, settings_at_their_bounds)
{
	static const struct steve_settings good[] = {
		{ .mask = STEVE_SET_JOBS, .jobs = 0 },
		{ .mask = STEVE_SET_JOBS, .jobs = STEVE_JOBS_MAX },
		{ .mask = STEVE_SET_POLICY, .policy = STEVE_POLICY_FIFO },
		{ .mask = STEVE_SET_POLICY, .policy = STEVE_POLICY_FAIR },
		{ .mask = STEVE_SET_RESERVE_MS, .reserve_ms = STEVE_RESERVE_MS_MIN },
		{ .mask = STEVE_SET_RESERVE_MS, .reserve_ms = STEVE_RESERVE_MS_MAX },
	};
	static const struct steve_settings bad[] = {
		{ .mask = STEVE_SET_JOBS, .jobs = STEVE_JOBS_MAX + 1 },
		{ .mask = STEVE_SET_JOBS, .jobs = UINT32_MAX },
		{ .mask = STEVE_SET_POLICY, .policy = STEVE_POLICY_FAIR + 1 },
		{ .mask = STEVE_SET_POLICY, .policy = UINT32_MAX },
		{ .mask = STEVE_SET_RESERVE_MS, .reserve_ms = STEVE_RESERVE_MS_MIN - 1 },
		{ .mask = STEVE_SET_RESERVE_MS, .reserve_ms = STEVE_RESERVE_MS_MAX + 1 },
		{ .mask = STEVE_SET_RESERVE_MS, .reserve_ms = UINT32_MAX },
		/* One of them bad, and none is set. */
		{ .mask = STEVE_SET_JOBS | STEVE_SET_POLICY, .jobs = 9, .policy = 2 },
	};
	struct steve_settings before = get_settings(self->fd);
	struct steve_settings set;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		set = good[i];
		EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set));
	}
	set = before;
	ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set = bad[i];
		EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set), ERANGE));
		EXPECT_TRUE(same_settings(self->fd, &before));
	}
}

TEST_F(pool, fields_that_are_not_named_are_not_set)
{
	struct steve_settings before = get_settings(self->fd);
	struct steve_settings set = {
		.jobs = 9, .policy = STEVE_POLICY_FAIR, .reserve_ms = 1234,
	};

	EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_SETTINGS, &set));
	EXPECT_TRUE(same_settings(self->fd, &before));
}

static void drop_capability(unsigned int cap)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		die("cannot read the capabilities");
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	data[CAP_TO_INDEX(cap)].permitted &= ~CAP_TO_MASK(cap);
	data[CAP_TO_INDEX(cap)].inheritable &= ~CAP_TO_MASK(cap);
	if (syscall(SYS_capset, &head, data))
		die("cannot drop a capability");
}

static void become(uid_t uid)
{
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("cannot change to user %u", uid);
}

/* Whoever has the file may look, but not change. */
static bool may_only_look(int fd)
{
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		union arg arg = arg_of(call);
		int ret = ioctl(fd, call->nr, &arg);

		if (call->nr == STEVE_IOC_SET_SETTINGS ? !fails(ret, EPERM) : ret)
			return false;
	}
	return true;
}

TEST_F(pool, changing_needs_the_capability)
{
	pid_t pid;

	IN_CHILD(pid) {
		drop_capability(CAP_SYS_RESOURCE);
		EXPECT_TRUE(may_only_look(self->fd));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	IN_CHILD(pid) {
		become(NOBODY);
		EXPECT_TRUE(may_only_look(self->fd));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_EQ(TEST_JOBS, pool_status().jobs);
}

/* Root of a user namespace has every capability, but only there. */
TEST_F(pool, changing_needs_the_capability_in_the_first_user_namespace)
{
	pid_t pid;
	int status;

	IN_CHILD(pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		EXPECT_TRUE(may_only_look(self->fd));
	}
	status = reap(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "kernel without user namespaces");
	EXPECT_TRUE(succeeded(status));
	EXPECT_EQ(TEST_JOBS, pool_status().jobs);
}

/* The descriptor @fd of process @pid, as if it had been passed to us. */
static int fetch(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (copy < 0)
		die("cannot get a descriptor");
	return copy;
}

TEST_F(pool, changing_needs_the_capability_of_the_opener)
{
	int *fd = shared_memory(sizeof(*fd));
	pid_t pid;
	int copy;

	IN_CHILD(pid) {
		drop_capability(CAP_SYS_RESOURCE);
		*fd = open(self->path, O_RDWR);
		announce("open");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "open")));
	ASSERT_LE(0, *fd);
	copy = fetch(pid, *fd);
	EXPECT_TRUE(may_only_look(copy));
	EXPECT_EQ(TEST_JOBS, pool_status().jobs);
	kill_and_reap(pid);

	/* The file remembers, although its opener is gone. */
	EXPECT_TRUE(may_only_look(copy));
}

TEST_F(pool, passed_descriptor_of_a_privileged_opener_serves_to_change)
{
	int *fd = shared_memory(sizeof(*fd));
	pid_t pid;

	IN_CHILD(pid) {
		*fd = open(self->path, O_RDONLY);
		announce("open");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "open")));
	EXPECT_EQ(0, set_jobs(fetch(pid, *fd), 9));
	EXPECT_EQ(9, pool_status().jobs);
	kill_and_reap(pid);
}

TEST_F(pool, path_descriptor_is_not_enough)
{
	int fd = open(self->path, O_PATH | O_CLOEXEC);

	ASSERT_LE(0, fd);
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		union arg arg = arg_of(call);

		EXPECT_TRUE(fails(ioctl(fd, call->nr, &arg), EBADF));
	}
}

TEST_F(pool, parameters_cannot_be_written)
{
	static const char * const names[] = {
		"/sys/module/steve/parameters/jobs",
		"/sys/module/steve/parameters/policy",
		"/sys/module/steve/parameters/reserve_ms",
		"/sys/module/steve/parameters/strict",
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, stat(names[i], &st));
		EXPECT_EQ(0444, st.st_mode & 0777);
	}
}

enum { CROWD = 30 };

/* Reads all rows, @count a call; returns how many there are. */
static unsigned int list_clients(int fd, unsigned int count, struct steve_client_info *rows)
{
	struct steve_clients batch = { .row_size = sizeof(*rows) };
	unsigned int n = 0;

	do {
		batch.more = 0;
		batch.rows = (uintptr_t)(rows + n);
		batch.count = count;
		if (ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch))
			die("cannot list the clients");
		if (batch.count > count)
			die("more rows than asked for");
		n += batch.count;
		if (n > CROWD + 4)
			die("too many rows");
	} while (batch.more);
	return n;
}

static unsigned int rows_with_pid(const struct steve_client_info *rows, unsigned int n,
				  pid_t pid)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += rows[i].pid == pid;
	return found;
}

TEST_F(pool, row_tells_of_a_client)
{
	struct steve_client_info row;
	pid_t pid;

	IN_CHILD(pid) {
		become(1234);
		take_many(self->fd, 2);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(pool_client(pid).held == 2));
	row = pool_client(pid);
	EXPECT_LT(0, row.id);
	EXPECT_EQ(1234, row.uid);
	EXPECT_EQ(0, row.reserved);
	EXPECT_EQ(0, row.lent);
	EXPECT_EQ(STEVE_WAIT_NONE, row.wait);
	EXPECT_EQ(0, row.place);
	EXPECT_EQ(0, row.waited_ns);
	kill_and_reap(pid);

	IN_CHILD(pid) {
		give(self->fd);
		hold_forever();
	}
	ASSERT_TRUE(wait_until(pool_client(pid).lent == 1));
	EXPECT_LT(row.id, pool_client(pid).id);
	EXPECT_EQ(0, pool_client(pid).held);
	EXPECT_EQ(0, pool_client(pid).uid);
	kill_and_reap(pid);
}

TEST_F(pool, every_client_is_listed_once_whatever_the_batch)
{
	static const unsigned int counts[] = { 1, 2, 7, CROWD, CROWD + 4 };
	struct steve_client_info rows[2 * CROWD + 8];
	pid_t pid[CROWD];

	ASSERT_EQ(0, pool_set_jobs(CROWD));
	for (int i = 0; i < CROWD; i++)
		pid[i] = start_holder(1);

	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned int n = list_clients(self->fd, counts[c], rows);

		EXPECT_EQ(CROWD, n);
		for (int i = 0; i < CROWD; i++)
			EXPECT_EQ(1, rows_with_pid(rows, n, pid[i]));
	}
	for (int i = 0; i < CROWD; i++)
		kill_and_reap(pid[i]);
}

/* What a call answers is where the next one goes on. */
TEST_F(pool, list_can_be_continued_with_the_same_structure)
{
	struct steve_client_info row;
	struct steve_clients batch = {
		.rows = (uintptr_t)&row,
		.count = 1,
		.row_size = sizeof(row),
	};
	pid_t pid[2] = { start_holder(1), start_holder(1) };

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
		ASSERT_EQ(1, batch.count);
		EXPECT_EQ(pid[i], row.pid);
	}
	kill_and_reap(pid[0]);
	kill_and_reap(pid[1]);
}

TEST_F(pool, list_may_be_read_while_clients_come_and_go)
{
	struct steve_client_info rows[2 * CROWD + 8];
	struct steve_clients batch = { .row_size = sizeof(rows[0]) };
	pid_t pid[CROWD], late = 0;
	unsigned int n = 0;

	ASSERT_EQ(0, pool_set_jobs(CROWD + 1));
	for (int i = 0; i < CROWD; i++)
		pid[i] = start_holder(1);

	for (int call = 0; call == 0 || batch.more; call++) {
		ASSERT_GT(CROWD + 4, n);
		batch.more = 0;
		batch.rows = (uintptr_t)(rows + n);
		batch.count = 3;
		ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
		n += batch.count;
		/* The odd ones go, wherever the cursor is. */
		if (call < CROWD / 2)
			kill_and_reap(pid[2 * call + 1]);
		if (call == 2)
			late = start_holder(1);
	}
	for (int i = 0; i < CROWD; i += 2)
		EXPECT_EQ(1, rows_with_pid(rows, n, pid[i]));
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			EXPECT_NE(rows[i].id, rows[j].id);

	kill_and_reap(late);
	for (int i = 0; i < CROWD; i += 2)
		kill_and_reap(pid[i]);
}

TEST_F(pool, list_refuses_bad_batches)
{
	const struct steve_clients good = {
		.rows = (uintptr_t)some_rows,
		.count = ARRAY_SIZE(some_rows),
		.row_size = sizeof(some_rows[0]),
	};
	struct steve_clients batch;

	take(self->fd);
	batch = good;
	batch.count = 0;
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EINVAL));
	batch = good;
	batch.row_size = 0;
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EINVAL));
	batch = good;
	batch.row_size = sizeof(some_rows[0]) - 1;
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EINVAL));
	batch = good;
	batch.rows = (uintptr_t)bad_memory();
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EFAULT));
	EXPECT_EQ(0, batch.cursor);
	EXPECT_EQ(good.count, batch.count);
	batch = good;
	batch.rows = 0;
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EFAULT));
	batch = good;
	batch.rows = ~0ULL - 8;
	EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch), EFAULT));

	batch = good;
	batch.cursor = ~0ULL;
	EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
	EXPECT_EQ(0, batch.count);
	EXPECT_EQ(0, batch.more);
}

/* As a program built with a later header would call it. */
TEST_F(pool, list_fills_larger_rows_with_zeros)
{
	struct {
		struct steve_client_info client;
		__u64 later[3];
	} rows[2];
	struct steve_clients batch = {
		.rows = (uintptr_t)rows,
		.count = 2,
		.row_size = sizeof(rows[0]),
	};
	pid_t pid[2] = { start_holder(1), start_holder(2) };

	memset(rows, 0xcc, sizeof(rows));
	ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
	ASSERT_EQ(2, batch.count);
	for (int i = 0; i < 2; i++) {
		EXPECT_TRUE(rows[i].client.pid == pid[0] ||
			    rows[i].client.pid == pid[1]);
		for (int j = 0; j < 3; j++)
			EXPECT_EQ(0, rows[i].later[j]);
	}
	EXPECT_NE(rows[0].client.pid, rows[1].client.pid);
	kill_and_reap(pid[0]);
	kill_and_reap(pid[1]);
}

static bool lists_only(int fd, pid_t pid)
{
	struct steve_client_info rows[2 * CROWD + 8];
	unsigned int n = list_clients(fd, 8, rows);

	return n == 1 && rows[0].pid == pid;
}

TEST_F(pool, clients_of_other_users_are_left_out)
{
	pid_t root = start_holder(1);
	pid_t pid;

	IN_CHILD(pid) {
		become(NOBODY);
		take(self->fd);
		EXPECT_TRUE(lists_only(self->fd, getpid()));

		/* Not even for root of a namespace. */
		if (!unshare(CLONE_NEWUSER))
			EXPECT_TRUE(lists_only(self->fd, getpid()));
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	kill_and_reap(root);
}

TEST_F(pool, totals_are_told_to_everybody)
{
	pid_t root = start_holder(3);
	pid_t pid;

	IN_CHILD(pid) {
		become(NOBODY);
		EXPECT_EQ(3, pool_status().held);
		EXPECT_EQ(1, pool_status().available);
	}
	EXPECT_TRUE(succeeded(reap(pid)));
	kill_and_reap(root);
}

/* Inside a namespace its own processes have their numbers, others have none. */
TEST_F(pool, pids_are_those_of_the_callers_namespace)
{
	struct steve_client_info rows[2 * CROWD + 8];
	pid_t outside = start_holder(1);
	pid_t pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		unsigned int n;

		take(self->fd);
		start_holder(1);
		n = list_clients(self->fd, 8, rows);
		EXPECT_EQ(3, n);
		EXPECT_EQ(1, rows_with_pid(rows, n, 0));
		EXPECT_EQ(1, rows_with_pid(rows, n, 1));
		EXPECT_EQ(1, rows_with_pid(rows, n, 2));
		_exit(0);
	}
	if (pid < 0 && errno == EINVAL) {
		kill_and_reap(outside);
		SKIP(return, "kernel without pid namespaces");
	}
	ASSERT_LT(0, pid);
	EXPECT_TRUE(succeeded(reap(pid)));
	EXPECT_EQ(1, pool_client(outside).held);
	kill_and_reap(outside);
}

TEST_HARNESS_MAIN
