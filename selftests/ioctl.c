// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: what they tell, what they refuse, who may call them, and that a
 * refused call has changed nothing. All of it on the device and on the FIFO.
 */
#include "fixture.h"

#include <asm/termbits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
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
#define SETTINGS	(STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS | \
			 STEVE_SET_STRICT | STEVE_SET_MIN_JOBS | \
			 STEVE_SET_MAX_PER_PROCESS | STEVE_SET_MAX_LOAD | \
			 STEVE_SET_MIN_MEMORY | STEVE_SET_JOB_MEMORY)

/* The first version of struct steve_client_info. */
#define FIRST_ROW_SIZE	48

/* Room for a structure as large as the number of an ioctl can tell. */
union arg {
	struct steve_status status;
	struct steve_settings settings;
	struct steve_clients clients;
	struct steve_cap cap;
	struct steve_reclaim reclaim;
	char bytes[(1 << _IOC_SIZEBITS) - 8];
};

static struct steve_client_info some_rows[4];

/**
 * struct call - a call
 * @nr: its number
 * @first_size: the size of the first version of its structure
 * @privileged: it changes something
 * @arg: what it takes
 */
struct call {
	unsigned int nr;
	size_t first_size;
	bool privileged;
	union arg arg;
};

static const struct call calls[] = {
	{ STEVE_IOC_GET_STATUS, 104, false, {} },
	{ STEVE_IOC_GET_SETTINGS, 24, false, {} },
	{
		STEVE_IOC_SET_SETTINGS, 24, true, {
			.settings = { .mask = STEVE_SET_JOBS, .jobs = 9 },
		},
	},
	{
		STEVE_IOC_GET_CLIENTS, 40, false, {
			.clients = {
				.count = ARRAY_SIZE(some_rows),
				.row_size = sizeof(some_rows[0]),
			},
		},
	},
	{ STEVE_IOC_SET_CAP, 24, true, { .cap = { .jobs = 3 } } },
	{ STEVE_IOC_RECLAIM, 16, true, {} },
};

#define END_OF_CALLS	(calls + ARRAY_SIZE(calls))

/* An argument that is good, if the calling process is a client. */
static union arg arg_of(const struct call *call)
{
	union arg arg = call->arg;

	if (call->nr == STEVE_IOC_GET_CLIENTS)
		arg.clients.rows = (uintptr_t)some_rows;
	if (call->nr == STEVE_IOC_RECLAIM)
		arg.reclaim.pid = getpid();
	return arg;
}

/* The same call from a program that knows another size of the structure. */
static unsigned int resized(unsigned int nr, size_t size)
{
	return _IOC(_IOC_DIR(nr), _IOC_TYPE(nr), _IOC_NR(nr), size);
}

/* What no call that is refused may change. */
struct state {
	struct steve_status status;
	struct steve_settings settings;
};

static struct state pool_state(void)
{
	struct state state = {
		.status = pool_status(),
		.settings = pool_settings(),
	};

	/* The weather. */
	state.status.load = 0;
	state.status.memory = 0;
	return state;
}

static bool same_pool(const struct state *before)
{
	struct state now = pool_state();

	return !memcmp(before, &now, sizeof(now));
}

static int set_jobs(int fd, unsigned int jobs)
{
	struct steve_settings set = { .mask = STEVE_SET_JOBS, .jobs = jobs };

	return ioctl(fd, STEVE_IOC_SET_SETTINGS, &set);
}

TEST_F(pool, every_call_works)
{
	struct steve_status st;

	take(self->fd);
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		union arg arg = arg_of(call);

		EXPECT_EQ(0, ioctl(self->fd, call->nr, &arg));
	}
	st = pool_status();
	EXPECT_EQ(9, st.jobs);
	EXPECT_EQ(3, st.size);
	EXPECT_EQ(0, st.held);
}

static __u64 memory_size(void)
{
	return (__u64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
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
	EXPECT_EQ(0, st.limits);
	EXPECT_EQ(0, st.caps);
	EXPECT_EQ(0, st.max_load);
	EXPECT_EQ(0, st.min_memory);
	EXPECT_GT(STEVE_LOAD_MAX, st.load);
	EXPECT_LT(0, st.memory);
	EXPECT_GE(memory_size(), st.memory);
	EXPECT_EQ(0, st.charged);
}

TEST_F(pool, bad_pointers_are_refused)
{
	void *bad = bad_memory();
	struct state before;

	take(self->fd);
	before = pool_state();
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

	take(self->fd);
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
	/* The answer it could not give would have been the number of tokens. */
	EXPECT_EQ(1, pool_status().held);
}

TEST_F(pool, older_structures_than_the_first_are_refused)
{
	struct state before;

	take(self->fd);
	before = pool_state();
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		const size_t sizes[] = {
			call->first_size - 1, call->first_size - 4, 8, 1, 0,
		};

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			union arg arg = arg_of(call);

			EXPECT_TRUE(fails(ioctl(self->fd, resized(call->nr, sizes[i]),
						&arg), EINVAL)) {
				TH_LOG("call %#x, size %zu", call->nr, sizes[i]);
			}
		}
	}
	EXPECT_TRUE(same_pool(&before));
}

/* An old tool on a new module: all that lies between is a version, too. */
TEST_F(pool, older_structures_work)
{
	take(self->fd);
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		size_t now = _IOC_SIZE(call->nr);

		for (size_t size = call->first_size; size <= now; size += 4) {
			union arg arg = arg_of(call);

			memset(arg.bytes + size, 0xcc, sizeof(arg) - size);
			EXPECT_EQ(0, ioctl(self->fd, resized(call->nr, size), &arg)) {
				TH_LOG("call %#x, size %zu", call->nr, size);
			}
			for (size_t i = size; i < sizeof(arg); i++)
				ASSERT_EQ((char)0xcc, arg.bytes[i]);
		}
	}
	EXPECT_EQ(9, pool_status().jobs);
	EXPECT_EQ(3, pool_status().size);
}

TEST_F(pool, older_structures_tell_the_same)
{
	struct steve_settings all = pool_settings();
	union arg settings = {}, status = {};
	struct steve_status st;

	take(self->fd);
	st = pool_status();
	ASSERT_EQ(0, ioctl(self->fd, resized(STEVE_IOC_GET_STATUS, 104), &status));
	EXPECT_EQ(0, memcmp(&st, &status, 104));
	ASSERT_EQ(0, ioctl(self->fd, resized(STEVE_IOC_GET_SETTINGS, 24), &settings));
	EXPECT_EQ(all.jobs, settings.settings.jobs);
	EXPECT_EQ(all.policy, settings.settings.policy);
	EXPECT_EQ(all.reserve_ms, settings.settings.reserve_ms);
	EXPECT_EQ(all.strict, settings.settings.strict);
}

TEST_F(pool, newer_structures_work_while_they_want_nothing_new)
{
	take(self->fd);
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
	struct state before;

	take(self->fd);
	before = pool_state();
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
	struct state before;

	take(self->fd);
	before = pool_state();
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

/* Fields that mean nothing, or only in the answer. */
static const struct {
	unsigned int nr;
	size_t offset;
} reserved_fields[] = {
	{ STEVE_IOC_GET_SETTINGS, offsetof(struct steve_settings, reserved) },
	{ STEVE_IOC_SET_SETTINGS, offsetof(struct steve_settings, reserved) },
	{ STEVE_IOC_GET_CLIENTS, offsetof(struct steve_clients, reserved) },
	{ STEVE_IOC_RECLAIM, offsetof(struct steve_reclaim, tokens) },
};

TEST_F(pool, reserved_fields_must_be_zero)
{
	static const __u32 values[] = { 1, 0x80000000, UINT32_MAX };
	struct state before;

	take(self->fd);
	before = pool_state();
	for (size_t i = 0; i < ARRAY_SIZE(reserved_fields); i++) {
		const struct call *call = calls;

		while (call->nr != reserved_fields[i].nr)
			call++;
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			union arg arg = arg_of(call);

			memcpy(arg.bytes + reserved_fields[i].offset, &values[v],
			       sizeof(values[v]));
			EXPECT_TRUE(fails(ioctl(self->fd, call->nr, &arg), EINVAL)) {
				TH_LOG("call %#x, value %#x", call->nr, values[v]);
			}
		}
	}
	EXPECT_TRUE(same_pool(&before));
}

TEST_F(pool, unknown_calls_are_refused)
{
	union arg arg = {};

	for (unsigned int nr = _IOC_NR(STEVE_IOC_RECLAIM) + 1; nr < 256; nr++) {
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
		EXPECT_TRUE(fails(ioctl(self->fd,
					_IOC(_IOC_NONE, STEVE_IOC_MAGIC,
					     _IOC_NR(call->nr), size), &arg),
				  ENOTTY));
	}
	EXPECT_TRUE(fails(ioctl(self->fd, TCGETS, &arg), ENOTTY));
	EXPECT_EQ(0, isatty(self->fd));
}

static struct steve_settings get_settings(int fd)
{
	struct steve_settings get;

	memset(&get, 0xcc, sizeof(get));
	get.mask = 0;
	get.reserved = 0;
	if (ioctl(fd, STEVE_IOC_GET_SETTINGS, &get))
		die("cannot read the settings");
	return get;
}

static bool same_settings(int fd, const struct steve_settings *before)
{
	struct steve_settings now = get_settings(fd);

	return !memcmp(before, &now, sizeof(now));
}

static int set_settings(int fd, const struct steve_settings *settings)
{
	struct steve_settings set = *settings;

	return ioctl(fd, STEVE_IOC_SET_SETTINGS, &set);
}

TEST_F(pool, settings_are_told)
{
	struct steve_settings get = get_settings(self->fd);

	EXPECT_EQ(SETTINGS, get.mask);
	EXPECT_EQ(TEST_JOBS, get.jobs);
	EXPECT_EQ(STEVE_POLICY_FIFO, get.policy);
	EXPECT_LE(STEVE_RESERVE_MS_MIN, get.reserve_ms);
	EXPECT_GE(STEVE_RESERVE_MS_MAX, get.reserve_ms);
	EXPECT_EQ(0, get.strict);
	EXPECT_EQ(1, get.min_jobs);
	EXPECT_EQ(0, get.max_per_process);
	EXPECT_EQ(0, get.max_load);
	EXPECT_EQ(0, get.reserved);
	EXPECT_EQ(0, get.min_memory);
	EXPECT_EQ(512ULL << 20, get.job_memory);
}

/* Another value for each than any it has been found with. */
static const struct steve_settings other_settings = {
	.mask = SETTINGS,
	.jobs = 9,
	.policy = STEVE_POLICY_FAIR,
	.reserve_ms = 1234,
	.strict = 1,
	.min_jobs = 2,
	.max_per_process = 3,
	.max_load = 123456,
	.min_memory = 5678,
	.job_memory = 1ULL << 40,
};

TEST_F(pool, settings_are_set_together)
{
	struct steve_settings before = get_settings(self->fd);

	EXPECT_EQ(0, set_settings(self->fd, &other_settings));
	EXPECT_TRUE(same_settings(self->fd, &other_settings));
	EXPECT_EQ(0, set_settings(self->fd, &before));
	EXPECT_TRUE(same_settings(self->fd, &before));
}

/**
 * struct field - a field of struct steve_settings
 * @bit: its bit in the mask
 * @offset: where it is
 * @least: the lowest value it can have
 * @most: the highest
 */
struct field {
	__u64 bit;
	size_t offset;
	__u64 least;
	__u64 most;
};

#define FIELD(name, member, lowest, highest) {				\
	.bit = STEVE_SET_##name,					\
	.offset = offsetof(struct steve_settings, member),		\
	.least = lowest,						\
	.most = highest,						\
}

static const struct field fields[] = {
	FIELD(JOBS, jobs, 0, STEVE_JOBS_MAX),
	FIELD(POLICY, policy, STEVE_POLICY_FIFO, STEVE_POLICY_FAIR),
	FIELD(RESERVE_MS, reserve_ms, STEVE_RESERVE_MS_MIN, STEVE_RESERVE_MS_MAX),
	FIELD(STRICT, strict, 0, 1),
	FIELD(MIN_JOBS, min_jobs, 0, STEVE_JOBS_MAX),
	FIELD(MAX_PER_PROCESS, max_per_process, 0, STEVE_JOBS_MAX),
	FIELD(MAX_LOAD, max_load, 0, STEVE_LOAD_MAX),
	FIELD(MIN_MEMORY, min_memory, 0, STEVE_MEMORY_MAX),
	FIELD(JOB_MEMORY, job_memory, 0, STEVE_MEMORY_MAX),
};

#define END_OF_FIELDS	(fields + ARRAY_SIZE(fields))

/* What can be more than 32 bits can tell is a field of 64. */
static size_t field_size(const struct field *field)
{
	return field->most > UINT32_MAX ? 8 : 4;
}

/* The machines this runs on have the lower bytes first. */
static void set_field(struct steve_settings *set, const struct field *field, __u64 value)
{
	memcpy((char *)set + field->offset, &value, field_size(field));
}

TEST_F(pool, each_setting_at_its_bounds)
{
	struct steve_settings before = get_settings(self->fd);
	__u64 mask = 0;

	for (const struct field *field = fields; field < END_OF_FIELDS; field++) {
		const __u64 values[] = { field->least, field->most };
		struct steve_settings set = { .mask = field->bit };
		struct steve_settings want = before;

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			set_field(&set, field, values[i]);
			set_field(&want, field, values[i]);
			EXPECT_EQ(0, set_settings(self->fd, &set));
			EXPECT_TRUE(same_settings(self->fd, &want)) {
				TH_LOG("setting %#llx", field->bit);
			}
		}
		ASSERT_EQ(0, set_settings(self->fd, &before));
		mask |= field->bit;
	}
	EXPECT_EQ(SETTINGS, mask);
}

/* If one is bad, none is set. */
TEST_F(pool, no_setting_past_its_bounds)
{
	struct state before = pool_state();

	for (const struct field *field = fields; field < END_OF_FIELDS; field++) {
		const __u64 values[] = {
			field->most + 1,
			field_size(field) == 8 ? UINT64_MAX : UINT32_MAX,
			field->least - 1,
		};

		/* Below 0 is far past the highest. */
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			struct steve_settings set = other_settings;

			set_field(&set, field, values[i]);
			EXPECT_TRUE(fails(set_settings(self->fd, &set), ERANGE));
			set.mask = field->bit;
			EXPECT_TRUE(fails(set_settings(self->fd, &set), ERANGE));
			EXPECT_TRUE(same_pool(&before)) {
				TH_LOG("setting %#llx, value %#llx", field->bit, values[i]);
			}
		}
	}
}

TEST_F(pool, fields_that_are_not_named_are_not_set)
{
	struct steve_settings before = get_settings(self->fd);
	struct steve_settings set = other_settings;

	set.mask = 0;
	EXPECT_EQ(0, set_settings(self->fd, &set));
	EXPECT_TRUE(same_settings(self->fd, &before));

	/* Nor looked at. */
	memset(&set, 0xff, sizeof(set));
	set.mask = STEVE_SET_JOBS;
	set.jobs = before.jobs;
	set.reserved = 0;
	EXPECT_EQ(0, set_settings(self->fd, &set));
	EXPECT_TRUE(same_settings(self->fd, &before));
}

TEST_F(pool, caps_at_their_bounds)
{
	static const struct steve_cap good[] = {
		{ .jobs = 0 },
		{ .jobs = STEVE_JOBS_MAX },
		{ .max_load = STEVE_LOAD_MAX },
		{ .min_memory = STEVE_MEMORY_MAX },
		{
			.jobs = STEVE_JOBS_MAX, .max_load = STEVE_LOAD_MAX,
			.min_memory = STEVE_MEMORY_MAX,
		},
	};
	static const struct steve_cap bad[] = {
		{ .jobs = STEVE_JOBS_MAX + 1 },
		{ .jobs = UINT32_MAX },
		{ .max_load = STEVE_LOAD_MAX + 1 },
		{ .max_load = UINT32_MAX },
		{ .min_memory = STEVE_MEMORY_MAX + 1 },
		{ .min_memory = UINT64_MAX },
		/* One of them bad, and there is no cap. */
		{ .jobs = 2, .max_load = STEVE_LOAD_MAX + 1 },
	};
	struct state before = pool_state();
	struct steve_cap cap;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cap = bad[i];
		EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_SET_CAP, &cap), ERANGE));
		EXPECT_TRUE(same_pool(&before));
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct steve_status st;

		cap = good[i];
		EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_SET_CAP, &cap));
		st = pool_status();
		EXPECT_EQ(1, st.caps);
		EXPECT_EQ(cap.jobs < TEST_JOBS ? cap.jobs : TEST_JOBS, st.size);
		EXPECT_EQ(cap.max_load, st.max_load);
		EXPECT_EQ(cap.min_memory, st.min_memory);
	}
	/* The cap there was stays as it was. */
	before = pool_state();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cap = bad[i];
		EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_SET_CAP, &cap), ERANGE));
		EXPECT_TRUE(same_pool(&before));
	}
}

TEST_F(pool, reclaim_wants_a_client)
{
	pid_t stranger, dead;
	struct state before;
	__u32 clients;

	take(self->fd);
	clients = pool_status().clients;
	IN_CHILD(stranger)
		hold_forever();
	IN_CHILD(dead)
		take(self->fd);
	reap(dead);
	/* It is forgotten a little later. */
	ASSERT_TRUE(wait_until(pool_status().clients == clients));
	before = pool_state();
	{
		const pid_t pids[] = {
			0, -1, INT32_MIN, INT32_MAX, stranger, -getpid(), dead,
		};

		for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
			struct steve_reclaim arg = { .pid = pids[i] };

			EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_RECLAIM, &arg),
					  ESRCH)) {
				TH_LOG("pid %d", pids[i]);
			}
			EXPECT_EQ(0, arg.tokens);
		}
	}
	EXPECT_TRUE(same_pool(&before));
	kill_and_reap(stranger);
}

/* Where a tool of each version has the end of its structure, and what it knows. */
static const struct {
	size_t size;
	__u64 known;
} settings_versions[] = {
	{
		24,
		STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS |
		STEVE_SET_STRICT,
	},
	{ 56, SETTINGS },
	{ 128, SETTINGS },
};

/* What a tool reads it can write back, and nothing else is changed by that. */
TEST_F(pool, each_version_of_the_settings_is_told_what_it_knows)
{
	struct steve_settings before = other_settings;
	unsigned int get, set;

	ASSERT_EQ(0, set_settings(self->fd, &before));
	for (size_t i = 0; i < ARRAY_SIZE(settings_versions); i++) {
		union arg arg = {};

		get = resized(STEVE_IOC_GET_SETTINGS, settings_versions[i].size);
		set = resized(STEVE_IOC_SET_SETTINGS, settings_versions[i].size);
		ASSERT_EQ(0, ioctl(self->fd, get, &arg));
		EXPECT_EQ(settings_versions[i].known, arg.settings.mask);
		EXPECT_EQ(0, ioctl(self->fd, set, &arg));
		EXPECT_TRUE(same_settings(self->fd, &before));
	}
}

TEST_F(pool, settings_a_version_does_not_know_it_cannot_set)
{
	struct state before = pool_state();

	for (size_t i = 0; i < ARRAY_SIZE(settings_versions); i++) {
		unsigned int set = resized(STEVE_IOC_SET_SETTINGS,
					   settings_versions[i].size);

		for (const struct field *field = fields; field < END_OF_FIELDS; field++) {
			union arg arg = {
				.settings = { .mask = field->bit, .reserve_ms = 1 },
			};

			if (field->bit & settings_versions[i].known)
				continue;
			EXPECT_TRUE(fails(ioctl(self->fd, set, &arg), EINVAL));
		}
	}
	EXPECT_TRUE(same_pool(&before));
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
	/* It forgets that with its user. */
	die_with_the_test();
}

/* Whoever has the file may look, but not change. */
static bool may_only_look(int fd)
{
	take(fd);
	for (const struct call *call = calls; call < END_OF_CALLS; call++) {
		union arg arg = arg_of(call);
		int ret = ioctl(fd, call->nr, &arg);

		if (call->privileged ? !fails(ret, EPERM) : ret)
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
		"/sys/module/steve/parameters/min_jobs",
		"/sys/module/steve/parameters/max_per_process",
		"/sys/module/steve/parameters/max_load",
		"/sys/module/steve/parameters/min_memory",
		"/sys/module/steve/parameters/job_memory",
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
	const struct {
		__u64 rows;
		__u32 count;
		__u32 row_size;
		int error;
	} bad[] = {
		{ good.rows, 0, good.row_size, EINVAL },
		{ good.rows, good.count, 0, EINVAL },
		{ good.rows, good.count, FIRST_ROW_SIZE - 1, EINVAL },
		{ good.rows, good.count, sysconf(_SC_PAGESIZE) + 1, EINVAL },
		{ good.rows, good.count, UINT32_MAX, EINVAL },
		{ (uintptr_t)bad_memory(), good.count, good.row_size, EFAULT },
		{ (uintptr_t)end_of_memory() - 8, good.count, good.row_size, EFAULT },
		{ 0, good.count, good.row_size, EFAULT },
		{ ~0ULL - 8, good.count, good.row_size, EFAULT },
	};
	struct steve_clients batch;

	take(self->fd);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		batch = good;
		batch.rows = bad[i].rows;
		batch.count = bad[i].count;
		batch.row_size = bad[i].row_size;
		EXPECT_TRUE(fails(ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch),
				  bad[i].error)) {
			TH_LOG("batch %zu", i);
		}
		EXPECT_EQ(0, batch.cursor);
		EXPECT_EQ(bad[i].count, batch.count);
	}

	batch = good;
	batch.cursor = ~0ULL;
	EXPECT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
	EXPECT_EQ(0, batch.count);
	EXPECT_EQ(0, batch.more);
}

/* As a program built with an earlier header would call it. */
TEST_F(pool, list_fills_no_more_than_the_row)
{
	struct steve_client_info row;
	struct steve_clients batch = {
		.rows = (uintptr_t)&row,
		.count = 1,
	};

	take(self->fd);
	for (size_t size = FIRST_ROW_SIZE; size <= sizeof(row); size += 4) {
		memset(&row, 0xcc, sizeof(row));
		batch.cursor = 0;
		batch.more = 0;
		batch.count = 1;
		batch.row_size = size;
		ASSERT_EQ(0, ioctl(self->fd, STEVE_IOC_GET_CLIENTS, &batch));
		EXPECT_EQ(getpid(), row.pid);
		EXPECT_EQ(1, row.held);
		for (size_t i = size; i < sizeof(row); i++)
			ASSERT_EQ((char)0xcc, ((char *)&row)[i]);
	}
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

/* Who asks counts, not who opened the file. */
TEST_F(pool, all_clients_are_for_a_privileged_caller)
{
	struct steve_client_info rows[8];
	int *fd = shared_memory(sizeof(*fd));
	pid_t root = start_holder(1), pid;

	IN_CHILD(pid) {
		drop_capability(CAP_SYS_RESOURCE);
		*fd = open_steve(O_RDWR);
		become(NOBODY);
		take(*fd);
		announce("open");
		hold_forever();
	}
	ASSERT_TRUE(wait_until(is_named(pid, "open")));
	EXPECT_EQ(2, list_clients(fetch(pid, *fd), 8, rows));
	kill_and_reap(pid);
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
