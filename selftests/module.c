// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: what parameters mean and which are refused, what keeps
 * the module loaded, and that nothing is left of it when it goes. STEVE_LOADS
 * says how often it comes and goes, and STEVE_FAULT_STEP that only one in so many
 * of all that can fail in a load does.
 */
#include "faults.h"
#include "harness.h"
#include "watch.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

enum {
	LOADS = 50,		/* if nothing else is said */
	HAMMERERS = 3,
};

/**
 * struct module - the module as it was found, with stevefs unmounted
 * @fifo: the FIFO of stevefs
 * @device: the device
 * @params: the parameters it had, as they are written
 */
FIXTURE(module) {
	struct stat fifo;
	struct stat device;
	char params[256];
};

/* The text of a file, up to the first newline; it is short. */
static void read_line(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file || !fgets(buf, size, file))
		die("cannot read %s", path);
	buf[strcspn(buf, "\n")] = 0;
	fclose(file);
}

/* A parameter, as it is read. */
static const char *param(const char *name)
{
	static char value[32];
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/steve/parameters/%s", name);
	read_line(path, value, sizeof(value));
	return value;
}

FIXTURE_SETUP(module)
{
	static const char * const names[] = {
		"jobs", "policy", "reserve_ms", "strict", "min_jobs",
		"max_per_process", "max_load", "min_memory", "job_memory",
	};

	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	pool_close();
	self->params[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t used = strlen(self->params);

		snprintf(self->params + used, sizeof(self->params) - used,
			 "%s=%s ", names[i], param(names[i]));
	}
	ASSERT_EQ(0, stat(STEVE_DEVICE, &self->device));
	ASSERT_EQ(0, stat(STEVE_FIFO, &self->fifo));
	ASSERT_EQ(0, umount(STEVEFS_DIR));
}

FIXTURE_TEARDOWN_PARENT(module)
{
	struct stat device;

	/* What a test has put there. */
	if (!stat(STEVE_DEVICE, &device) && S_ISFIFO(device.st_mode))
		EXPECT_EQ(0, unlink(STEVE_DEVICE));
	if (module_loaded()) {
		EXPECT_TRUE(wait_until(pool_idle()));
		pool_close();
		if (stevefs_mounted())
			EXPECT_EQ(0, umount(STEVEFS_DIR));
		EXPECT_EQ(0, module_unload());
	}
	ASSERT_EQ(0, module_load(self->params));
	EXPECT_EQ(0, chmod(STEVE_DEVICE, self->device.st_mode & 0777));
	EXPECT_EQ(0, chown(STEVE_DEVICE, self->device.st_uid,
			   self->device.st_gid));
	EXPECT_EQ(0, stevefs_mount(&self->fifo));
	EXPECT_TRUE(pool_idle());
}

static void reload(const char *params)
{
	pool_close();
	if (module_unload())
		die("cannot unload the module");
	if (module_load(params))
		die("cannot load the module with '%s'", params);
}

/* The module is in use: it stays, and is as good as before. */
static bool stays_loaded(void)
{
	return module_unload() == -1 && errno == EWOULDBLOCK &&
	       access(STEVE_DEVICE, F_OK) == 0;
}

static bool knows_filesystem(const char *name)
{
	char line[128];
	bool found = false;
	FILE *file = fopen("/proc/filesystems", "r");

	if (!file)
		die("cannot list the file systems");
	while (fgets(line, sizeof(line), file))
		found |= !!strstr(line, name);
	fclose(file);
	return found;
}

static bool nothing_is_left(void)
{
	return !module_loaded() && access(STEVE_DEVICE, F_OK) &&
	       access("/sys/class/misc/steve", F_OK) &&
	       access("/sys/kernel/slab/steve_client", F_OK) &&
	       !knows_filesystem("stevefs");
}

TEST_F(module, idle_module_unloads_and_leaves_nothing)
{
	ASSERT_TRUE(knows_filesystem("stevefs"));
	ASSERT_EQ(0, module_unload());
	EXPECT_TRUE(nothing_is_left());
}

TEST_F(module, open_file_keeps_it_loaded)
{
	int fd = open_steve(O_RDONLY | O_CLOEXEC);

	EXPECT_TRUE(stays_loaded());
	close(fd);
	EXPECT_EQ(0, module_unload());
}

TEST_F(module, mounted_stevefs_keeps_it_loaded)
{
	ASSERT_EQ(0, stevefs_mount(&self->fifo));
	EXPECT_TRUE(stays_loaded());
	ASSERT_EQ(0, umount(STEVEFS_DIR));
	EXPECT_EQ(0, module_unload());
}

/* A child that has closed every file after @use. */
static pid_t start_closed(void (*use)(int fd))
{
	pid_t pid;
	int fd;

	IN_CHILD(pid) {
		fd = open_steve(O_RDWR);
		use(fd);
		close(fd);
		announce("closed");
		hold_forever();
	}
	if (!wait_until(is_named(pid, "closed")))
		die("process %d does not close its files", pid);
	return pid;
}

TEST_F(module, held_token_keeps_it_loaded)
{
	pid_t pid = start_closed(take);

	EXPECT_TRUE(stays_loaded());
	EXPECT_EQ(1, pool_status().held);
	pool_close();
	EXPECT_TRUE(stays_loaded());

	kill_and_reap(pid);
	EXPECT_EQ(0, module_unload());
}

TEST_F(module, lent_slot_keeps_it_loaded)
{
	pid_t pid = start_closed(give);

	EXPECT_TRUE(stays_loaded());
	EXPECT_EQ(1, pool_status().lent);
	pool_close();
	EXPECT_TRUE(stays_loaded());

	kill_and_reap(pid);
	EXPECT_EQ(0, module_unload());
}

TEST_F(module, returning_the_last_token_lets_it_go)
{
	int fd = open_steve(O_RDWR | O_CLOEXEC);

	take(fd);
	close(fd);
	EXPECT_TRUE(stays_loaded());
	fd = open_steve(O_RDWR | O_CLOEXEC);
	give(fd);
	EXPECT_TRUE(stays_loaded());
	close(fd);
	EXPECT_EQ(0, module_unload());
}

static void take_and_give(int fd)
{
	take(fd);
	give(fd);
}

/*
 * What was put off to a time, or to a worker, does not outlive it: many clients
 * wait in vain for memory, and all of them are dead when it goes.
 */
TEST_F(module, nothing_put_off_outlives_it)
{
	enum { CROWD = 40 };
	pid_t pid[CROWD];
	int fd;

	for (int round = 0; round < 5; round++) {
		ASSERT_EQ(0, pool_set(&(struct steve_settings){
			.mask = STEVE_SET_MIN_JOBS | STEVE_SET_MIN_MEMORY,
			.min_jobs = 0, .min_memory = 1ULL << 46,
		}));
		fd = open_steve(O_RDWR | O_CLOEXEC);
		for (int i = 0; i < CROWD; i++) {
			IN_CHILD(pid[i]) {
				if (i % 2)
					take(fd);
				poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
			}
		}
		for (int i = 0; i < CROWD; i++) {
			ASSERT_TRUE(wait_until(is_waiting(pid[i], i % 2 ?
							  STEVE_WAIT_READ :
							  STEVE_WAIT_POLL)));
		}
		EXPECT_TRUE(pool_status().limits & STEVE_LIMIT_MEMORY);
		close(fd);
		pool_close();
		for (int i = 0; i < CROWD; i++)
			kill(pid[i], SIGKILL);
		for (int i = 0; i < CROWD; i++)
			kill_and_reap(pid[i]);
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load(""));
	}
}

/* Clients that live on are no hindrance, and notice nothing. */
TEST_F(module, living_clients_do_not_keep_it_loaded)
{
	pid_t pid[8];

	for (int i = 0; i < 8; i++)
		pid[i] = start_closed(take_and_give);
	EXPECT_EQ(0, module_unload());
	for (int i = 0; i < 4; i++)
		kill_and_reap(pid[i]);
	ASSERT_EQ(0, module_load(""));
	for (int i = 4; i < 8; i++)
		kill_and_reap(pid[i]);
	EXPECT_TRUE(pool_idle());
}

static void use_and_die(void)
{
	pid_t pid[4];

	for (int i = 0; i < 4; i++) {
		IN_CHILD(pid[i]) {
			int fd = open_steve(O_RDWR);
			struct pollfd p = { .fd = fd, .events = POLLIN };

			take(fd);
			poll(&p, 1, 0);
			kill(getpid(), SIGKILL);
		}
	}
	for (int i = 0; i < 4; i++)
		reap(pid[i]);
}

/* Whatever is still to be tidied up after the dead is done with first. */
TEST_F(module, it_can_go_as_soon_as_its_clients_are_dead)
{
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load("jobs=8"));
		use_and_die();
	}
}

TEST_F_TIMEOUT(module, it_comes_and_goes_many_times, LONG_TIMEOUT)
{
	unsigned long loads = length_of("STEVE_LOADS", LOADS);

	for (unsigned long i = 0; i < loads; i++) {
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load("jobs=8"));
		ASSERT_TRUE(pool_idle());
		use_and_die();
		ASSERT_TRUE(pool_idle());
		ASSERT_TRUE(all_tokens_are_there());
		pool_close();
		if (is_time_to_tell())
			TH_LOG("%lu of %lu loads", i, loads);
	}
	tell_figure("loads", "%lu of a module that was used", loads);
}

/* Opens the device, which is there or not, and uses it as well as it can. */
static void __noreturn hammer(unsigned long *opened)
{
	for (;;) {
		int fd = open(STEVE_DEVICE, O_RDWR | O_NONBLOCK);
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		char byte;

		if (fd < 0) {
			if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
				die("the device cannot be opened");
			sched_yield();
			continue;
		}
		__atomic_fetch_add(opened, 1, __ATOMIC_SEQ_CST);
		poll(&pfd, 1, 0);
		if (read(fd, &byte, 1) == 1)
			give(fd);
		else if (errno != EAGAIN)
			die("a try does not say EAGAIN");
		close(fd);
		/* Else it would hardly ever be closed by all of them. */
		usleep(5000);
	}
}

/* Tries until it is gone; until then it has to be as good as before. */
static unsigned long unload_in_the_end(void)
{
	unsigned long refused = 0;

	while (module_unload()) {
		if (errno != EWOULDBLOCK)
			die("the module is not unloaded");
		if (refused++ % 8 == 0) {
			pool_status();
			pool_close();
		}
	}
	return refused;
}

TEST_F_TIMEOUT(module, it_comes_and_goes_while_programs_open_it, LONG_TIMEOUT)
{
	unsigned long loads = length_of("STEVE_LOADS", LOADS), refused = 0;
	unsigned long *opened = shared_memory(sizeof(*opened)), before;
	pid_t pid[HAMMERERS];

	for (int i = 0; i < HAMMERERS; i++)
		IN_CHILD(pid[i])
			hammer(opened);
	for (unsigned long i = 0; i < loads; i++) {
		before = __atomic_load_n(opened, __ATOMIC_SEQ_CST);
		ASSERT_TRUE(wait_until(__atomic_load_n(opened, __ATOMIC_SEQ_CST) >
				       before));
		refused += unload_in_the_end();
		ASSERT_EQ(0, module_load("jobs=2"));
		if (is_time_to_tell())
			TH_LOG("%lu of %lu loads", i, loads);
	}
	for (int i = 0; i < HAMMERERS; i++)
		kill_and_reap(pid[i]);
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_TRUE(all_tokens_are_there());
	EXPECT_LT(0, refused);
	tell_figure("loads", "%lu under %lu opens, %lu unloads refused", loads,
		    *opened, refused);
}

TEST_F(module, jobs_are_the_online_processors_by_default)
{
	reload("");
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), pool_status().jobs);
}

/**
 * struct param - a parameter given at load
 * @name: its name
 * @given: as it is given
 * @told: as it is read afterwards
 */
struct param {
	const char *name;
	const char *given;
	const char *told;
};

/* Each at its bounds and in every way it can be written. */
static const struct param good_params[] = {
	{ "jobs", "0", "0" },
	{ "jobs", "1", "1" },
	{ "jobs", "7", "7" },
	{ "jobs", "65535", "65535" },
	{ "policy", "fifo", "fifo" },
	{ "policy", "fair", "fair" },
	{ "reserve_ms", "1", "1" },
	{ "reserve_ms", "60000", "60000" },
	{ "strict", "0", "0" },
	{ "strict", "1", "1" },
	{ "strict", "y", "1" },
	{ "min_jobs", "0", "0" },
	{ "min_jobs", "65535", "65535" },
	{ "max_per_process", "0", "0" },
	{ "max_per_process", "1", "1" },
	{ "max_per_process", "65535", "65535" },
	{ "max_load", "0", "0.00" },
	{ "max_load", "0.01", "0.01" },
	{ "max_load", "8", "8.00" },
	{ "max_load", "8.5", "8.50" },
	{ "max_load", "8.05", "8.05" },
	{ "max_load", "10000", "10000.00" },
	{ "max_load", "10000.00", "10000.00" },
	{ "min_memory", "0", "0" },
	{ "min_memory", "1", "1" },
	{ "min_memory", "3K", "3072" },
	{ "min_memory", "3k", "3072" },
	{ "min_memory", "5M", "5242880" },
	{ "min_memory", "2G", "2147483648" },
	{ "min_memory", "1T", "1099511627776" },
	{ "min_memory", "64T", "70368744177664" },
	{ "min_memory", "70368744177664", "70368744177664" },
	{ "job_memory", "0", "0" },
	{ "job_memory", "1", "1" },
	{ "job_memory", "700m", "734003200" },
	{ "job_memory", "64t", "70368744177664" },
};

TEST_F(module, parameters_can_be_given)
{
	char params[64];

	for (size_t i = 0; i < ARRAY_SIZE(good_params); i++) {
		const struct param *p = &good_params[i];

		snprintf(params, sizeof(params), "%s=%s", p->name, p->given);
		reload(params);
		EXPECT_STREQ(p->told, param(p->name)) {
			TH_LOG("%s", params);
		}
	}
}

TEST_F(module, parameters_are_what_the_pool_begins_with)
{
	static const char * const given[] = {
		"jobs=9", "policy=fair", "reserve_ms=1234", "strict=1",
		"min_jobs=2", "max_per_process=3", "max_load=12.5",
		"min_memory=5M", "job_memory=7G",
	};
	static const struct steve_settings want = {
		.jobs = 9,
		.policy = STEVE_POLICY_FAIR,
		.reserve_ms = 1234,
		.strict = 1,
		.min_jobs = 2,
		.max_per_process = 3,
		.max_load = 1250,
		.min_memory = 5ULL << 20,
		.job_memory = 7ULL << 30,
	};
	char params[256] = "";
	struct steve_settings set;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		strcat(params, " ");
		strcat(params, given[i]);
	}
	reload(params);
	set = pool_settings();
	set.mask = 0;
	EXPECT_EQ(0, memcmp(&want, &set, sizeof(set)));
	EXPECT_EQ(want.max_load, pool_status().max_load);
	EXPECT_EQ(want.min_memory, pool_status().min_memory);
	EXPECT_EQ(want.jobs, pool_status().size);
}

TEST_F(module, parameters_have_defaults)
{
	static const struct param defaults[] = {
		{ "policy", NULL, "fifo" },
		{ "reserve_ms", NULL, "100" },
		{ "strict", NULL, "0" },
		{ "min_jobs", NULL, "1" },
		{ "max_per_process", NULL, "0" },
		{ "max_load", NULL, "0.00" },
		{ "min_memory", NULL, "0" },
		{ "job_memory", NULL, "536870912" },
		{ "devname", NULL, "steve" },
	};

	reload("");
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		EXPECT_STREQ(defaults[i].told, param(defaults[i].name));
}

TEST_F(module, parameters_tell_what_is_in_force)
{
	reload("jobs=3 max_load=1 min_memory=1M");
	ASSERT_EQ(0, pool_set(&(struct steve_settings){
		.mask = STEVE_SET_JOBS | STEVE_SET_POLICY |
			STEVE_SET_RESERVE_MS | STEVE_SET_STRICT |
			STEVE_SET_MIN_JOBS | STEVE_SET_MAX_PER_PROCESS |
			STEVE_SET_MAX_LOAD | STEVE_SET_MIN_MEMORY |
			STEVE_SET_JOB_MEMORY,
		.jobs = 17, .policy = STEVE_POLICY_FAIR, .reserve_ms = 5,
		.strict = 1, .min_jobs = 4, .max_per_process = 6,
		.max_load = 250, .min_memory = 1 << 21, .job_memory = 9,
	}));
	EXPECT_STREQ("17", param("jobs"));
	EXPECT_STREQ("fair", param("policy"));
	EXPECT_STREQ("5", param("reserve_ms"));
	EXPECT_STREQ("1", param("strict"));
	EXPECT_STREQ("4", param("min_jobs"));
	EXPECT_STREQ("6", param("max_per_process"));
	EXPECT_STREQ("2.50", param("max_load"));
	EXPECT_STREQ("2097152", param("min_memory"));
	EXPECT_STREQ("9", param("job_memory"));
}

/* @told: what the one line says that tells what is wrong, and what would do. */
static const struct param bad_params[] = {
	{ "jobs", "-1", "is not a number from 0 to 65535" },
	{ "jobs", "65536", "is not a number from 0 to 65535" },
	{ "jobs", "4294967296", "is not a number from 0 to 65535" },
	{ "jobs", "abc", "is not a number from 0 to 65535" },
	{ "jobs", "8x", "is not a number from 0 to 65535" },
	{ "jobs", "", "is not a number from 0 to 65535" },
	{ "jobs", "1.5", "is not a number from 0 to 65535" },
	{ "policy", "fairer", "is neither fifo nor fair" },
	{ "policy", "", "is neither fifo nor fair" },
	{ "policy", "1", "is neither fifo nor fair" },
	{ "reserve_ms", "0", "is not a number from 1 to 60000" },
	{ "reserve_ms", "60001", "is not a number from 1 to 60000" },
	{ "reserve_ms", "1s", "is not a number from 1 to 60000" },
	{ "strict", "maybe", "is neither 0 nor 1" },
	{ "strict", "7", "is neither 0 nor 1" },
	{ "min_jobs", "-1", "is not a number from 0 to 65535" },
	{ "min_jobs", "65536", "is not a number from 0 to 65535" },
	{ "min_jobs", "", "is not a number from 0 to 65535" },
	{ "max_per_process", "-1", "is not a number from 0 to 65535" },
	{ "max_per_process", "65536", "is not a number from 0 to 65535" },
	{ "max_per_process", "many", "is not a number from 0 to 65535" },
	{ "max_load", "-1", "is not a number from 0 to 10000" },
	{ "max_load", "10000.01", "is not a number from 0 to 10000" },
	{ "max_load", "10001", "is not a number from 0 to 10000" },
	{ "max_load", "42949673", "is not a number from 0 to 10000" },
	{ "max_load", "", "is not a number from 0 to 10000" },
	{ "max_load", ".5", "is not a number from 0 to 10000" },
	{ "max_load", "5.", "is not a number from 0 to 10000" },
	{ "max_load", "5.555", "is not a number from 0 to 10000" },
	{ "max_load", "5,5", "is not a number from 0 to 10000" },
	{ "strict", "2", "is neither 0 nor 1" },
	{ "strict", "10", "is neither 0 nor 1" },
	{ "strict", "0.5", "is neither 0 nor 1" },
	{ "strict", "nonsense", "is neither 0 nor 1" },
	{ "min_memory", "-1", "is not a size from 0 to 64T" },
	{ "min_memory", "65T", "is not a size from 0 to 64T" },
	{ "min_memory", "70368744177665", "is not a size from 0 to 64T" },
	{ "min_memory", "18446744073709551616", "is not a size from 0 to 64T" },
	{ "min_memory", "18014398509481984K", "is not a size from 0 to 64T" },
	{ "min_memory", "", "is not a size from 0 to 64T" },
	{ "min_memory", "M", "is not a size from 0 to 64T" },
	{ "min_memory", "1P", "is not a size from 0 to 64T" },
	{ "min_memory", "1MB", "is not a size from 0 to 64T" },
	{ "min_memory", "1.5G", "is not a size from 0 to 64T" },
	{ "min_memory", "0x10", "is not a size from 0 to 64T" },
	{ "job_memory", "-1", "is not a size from 0 to 64T" },
	{ "job_memory", "65T", "is not a size from 0 to 64T" },
	{ "job_memory", "all", "is not a size from 0 to 64T" },
	{ "devname", "", "is not a name" },
	{ "devname", "../steve", "is not a name" },
	{ "devname", "a/b", "is not a name" },
	{ "devname", ".steve", "is not a name" },
	{ "devname", "steve!", "is not a name" },
	{ "devname", "steve-steve-steve-steve-steve-st", "is not a name" },
};

static bool load_is_refused(const char *params)
{
	return module_load(params) == -1 && errno == EINVAL &&
	       !module_loaded() && access(STEVE_DEVICE, F_OK) &&
	       !knows_filesystem("stevefs");
}

TEST_F(module, bad_parameters_refuse_the_load)
{
	char params[64];

	ASSERT_EQ(0, module_unload());
	for (size_t i = 0; i < ARRAY_SIZE(bad_params); i++) {
		const struct param *p = &bad_params[i];
		int log = log_open();

		snprintf(params, sizeof(params), "%s=%s", p->name, p->given);
		EXPECT_TRUE(load_is_refused(params)) {
			TH_LOG("%s", params);
		}
		/* It is said what is wrong. */
		EXPECT_TRUE(log_tells(log, params, p->told, "")) {
			TH_LOG("%s", params);
		}
		close(log);
	}
	/* None has a value where none is given; good ones beside a bad do not help. */
	EXPECT_TRUE(load_is_refused("jobs"));
	EXPECT_TRUE(load_is_refused("min_memory"));
	EXPECT_TRUE(load_is_refused("max_load"));
	EXPECT_TRUE(load_is_refused("jobs=4 strict=7 min_jobs=1"));
}

TEST_F(module, device_is_for_root_alone_by_default)
{
	char line[128] = "";
	FILE *file = fopen("/sys/class/misc/steve/uevent", "r");
	bool found = false;

	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file))
		found |= !strcmp(line, "DEVMODE=0600\n");
	EXPECT_TRUE(found);
	fclose(file);
}

/* ---- The name of the device ---- */

TEST_F(module, device_can_have_another_name)
{
	struct steve_status status = {};
	int fd;

	reload("devname=jobs.2-x_y jobs=3");
	EXPECT_STREQ("jobs.2-x_y", param("devname"));
	EXPECT_EQ(-1, access(STEVE_DEVICE, F_OK));
	EXPECT_EQ(0, access("/sys/class/misc/steve", F_OK));
	fd = open("/dev/jobs.2-x_y", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ioctl(fd, STEVE_IOC_GET_STATUS, &status));
	EXPECT_EQ(3, status.jobs);
	close(fd);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(-1, access("/dev/jobs.2-x_y", F_OK));
	EXPECT_EQ(0, module_load(""));
	EXPECT_STREQ("steve", param("devname"));
}

/* Whatever has the name keeps it, and is there first. */
TEST_F(module, taken_name_refuses_the_load)
{
	int log;

	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, mkfifo(STEVE_DEVICE, 0600));
	log = log_open();
	EXPECT_EQ(-1, module_load(""));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_TRUE(log_tells(log, STEVE_DEVICE, "there already", "devname="));
	EXPECT_FALSE(module_loaded());
	EXPECT_FALSE(knows_filesystem("stevefs"));

	EXPECT_EQ(0, module_load("devname=steve2"));
	EXPECT_EQ(0, access("/dev/steve2", F_OK));
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(0, access(STEVE_DEVICE, F_OK));

	EXPECT_EQ(-1, module_load("devname=null"));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, unlink(STEVE_DEVICE));
	close(log);
}

/* ---- Out of memory ---- */

/*
 * What the kernel does of its own before it looks at the parameters can fail so
 * often. It warns of failures there, at length where it sets up the tracepoints.
 */
static int failures_before_parameters(int file)
{
	enum { MANY = 1000000 };
	int nth = ask_for_failure(MANY);
	int ret = module_load_from(file, "jobs=none");
	int left = failures_left(nth);

	if (!ret || has_failed(nth))
		die("the load was not refused for its parameter");
	close(nth);
	return MANY - left;
}

/*
 * Whatever fails as it is loaded, either it is there, or nothing of it is; what
 * fails may be the kernel's own, and not matter.
 */
TEST_F_TIMEOUT(module, load_that_fails_leaves_nothing, LONG_TIMEOUT)
{
	unsigned long refused = 0, step = length_of("STEVE_FAULT_STEP", 1);
	int file = module_file();
	bool failed = true;
	int first, nth, ret;

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	ASSERT_EQ(0, module_unload());
	/* Which are tried differs from run to run, if not all are. */
	first = failures_before_parameters(file);
	for (int n = first + seed_of_test() % step; failed; n += step) {
		nth = ask_for_failure(n);
		ret = module_load_from(file, "jobs=3");
		failed = has_failed(nth);
		close(nth);
		if (!ret) {
			ASSERT_EQ(3, pool_status().available);
			pool_close();
			ASSERT_EQ(0, module_unload());
		} else {
			ASSERT_TRUE(failed);
			refused++;
		}
		ASSERT_TRUE(nothing_is_left()) {
			TH_LOG("failure %d", n);
		}
		if (is_time_to_tell())
			TH_LOG("%d failures", n);
	}
	EXPECT_LT(0, refused);
	tell_figure("faults", "%lu that refused a load", refused);
}

TEST_F_TIMEOUT(module, mount_that_fails_leaves_nothing, LONG_TIMEOUT)
{
	unsigned long refused = 0;
	bool failed = true;
	int nth, ret;

	if (!allow_failures())
		SKIP(return, "kernel without fault injection");
	for (int n = 1; failed; n++) {
		nth = ask_for_failure(n);
		ret = mount("none", STEVEFS_DIR, "stevefs", 0, NULL);
		failed = has_failed(nth);
		close(nth);
		if (!ret) {
			ASSERT_EQ(0, umount(STEVEFS_DIR));
		} else {
			ASSERT_TRUE(failed);
			refused++;
		}
		ASSERT_FALSE(stevefs_mounted());
	}
	EXPECT_LT(0, refused);
	tell_figure("faults", "%lu that refused a mount", refused);
	EXPECT_EQ(0, module_unload());
	EXPECT_TRUE(nothing_is_left());
}

/* ---- strict=1 ---- */

TEST_F(module, strict_refuses_stray_returns)
{
	struct steve_status before, after;
	int fd;

	reload("jobs=4 strict=1");
	fd = open_steve(O_RDWR | O_CLOEXEC);
	before = pool_status();

	/* The loan is none. */
	EXPECT_EQ(1, write(fd, "+", 1));
	EXPECT_EQ(1, pool_status().lent);
	EXPECT_EQ(before.strays, pool_status().strays);

	EXPECT_EQ(-1, write(fd, "+", 1));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, write(fd, "+++", 3));
	EXPECT_EQ(ENOSPC, errno);
	after = pool_status();
	EXPECT_EQ(before.strays + 4, after.strays);
	EXPECT_EQ(5, after.available);
	EXPECT_EQ(1, after.lent);
	take(fd);
}

TEST_F(module, strict_counts_the_bytes_that_counted)
{
	int fd;

	reload("jobs=4 strict=1");
	fd = open_steve(O_RDWR | O_CLOEXEC);
	take_many(fd, 2);
	EXPECT_EQ(3, write(fd, "++++++++++", 10));
	EXPECT_EQ(5, pool_status().available);
	EXPECT_EQ(1, pool_status().lent);
	EXPECT_EQ(7, pool_status().strays);

	take(fd);
	take_many(fd, 2);
	EXPECT_EQ(2, write(fd, "++", 2));
	EXPECT_EQ(4, pool_status().available);
}

TEST_F(module, strict_leaves_honest_clients_alone)
{
	int fd;

	reload("jobs=4 strict=1");
	fd = open_steve(O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 100; i++) {
		take(fd);
		give(fd);
	}
	EXPECT_EQ(0, write(fd, "", 0));
	EXPECT_EQ(0, pool_status().strays);
	EXPECT_TRUE(pool_idle());
}

TEST_HARNESS_MAIN
