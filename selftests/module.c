// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: what parameters mean and which are refused, what keeps
 * the module loaded, and that nothing is left of it when it goes.
 */
#include "harness.h"

#include <sys/mount.h>

/**
 * struct module - the module as it was found, with stevefs unmounted
 * @fifo: the FIFO of stevefs
 * @device: the device
 * @params: the parameters it had, as they are written
 */
FIXTURE(module) {
	struct stat fifo;
	struct stat device;
	char params[128];
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
	static char value[16];
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/steve/parameters/%s", name);
	read_line(path, value, sizeof(value));
	return value;
}

FIXTURE_SETUP(module)
{
	static const char * const names[] = {
		"jobs", "policy", "reserve_ms", "strict",
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

TEST_F(module, idle_module_unloads_and_leaves_nothing)
{
	ASSERT_TRUE(knows_filesystem("stevefs"));
	ASSERT_EQ(0, module_unload());
	EXPECT_FALSE(module_loaded());
	EXPECT_EQ(-1, access(STEVE_DEVICE, F_OK));
	EXPECT_EQ(-1, access("/sys/class/misc/steve", F_OK));
	EXPECT_EQ(-1, access("/sys/kernel/slab/steve_client", F_OK));
	EXPECT_FALSE(knows_filesystem("stevefs"));
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

TEST_F(module, jobs_are_the_online_processors_by_default)
{
	reload("");
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), pool_status().jobs);
}

TEST_F(module, jobs_can_be_given)
{
	static const char * const params[] = {
		"jobs=0", "jobs=1", "jobs=7", "jobs=65535",
	};

	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		reload(params[i]);
		EXPECT_EQ(strtoul(params[i] + 5, NULL, 10), pool_status().jobs);
		EXPECT_STREQ(params[i] + 5, param("jobs"));
	}
}

TEST_F(module, parameters_tell_what_is_in_force)
{
	reload("policy=fair reserve_ms=60000");
	EXPECT_STREQ("fair", param("policy"));
	EXPECT_STREQ("60000", param("reserve_ms"));
	reload("policy=fifo reserve_ms=1");
	EXPECT_STREQ("fifo", param("policy"));
	EXPECT_STREQ("1", param("reserve_ms"));
	ASSERT_EQ(0, pool_set_jobs(17));
	EXPECT_STREQ("17", param("jobs"));
	reload("");
	EXPECT_STREQ("fifo", param("policy"));
	EXPECT_STREQ("100", param("reserve_ms"));
	EXPECT_STREQ("N", param("strict"));
}

TEST_F(module, bad_parameters_refuse_the_load)
{
	static const struct {
		const char *name;
		const char *params;
	} bad[] = {
		{ "jobs", "jobs=-1" },
		{ "jobs", "jobs=65536" },
		{ "jobs", "jobs=4294967296" },
		{ "jobs", "jobs=abc" },
		{ "jobs", "jobs=8x" },
		{ "jobs", "jobs=" },
		{ "jobs", "jobs" },
		{ "jobs", "jobs=1.5" },
		{ "policy", "policy=fairer" },
		{ "policy", "policy=" },
		{ "policy", "policy=1" },
		{ "reserve_ms", "reserve_ms=0" },
		{ "reserve_ms", "reserve_ms=60001" },
		{ "reserve_ms", "reserve_ms=1s" },
		{ "strict", "strict=maybe" },
		{ "strict", "jobs=4 strict=7" },
	};

	ASSERT_EQ(0, module_unload());
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int log = log_open();

		EXPECT_EQ(-1, module_load(bad[i].params)) {
			TH_LOG("%s", bad[i].params);
		}
		EXPECT_EQ(EINVAL, errno);
		EXPECT_FALSE(module_loaded());
		EXPECT_EQ(-1, access(STEVE_DEVICE, F_OK));
		EXPECT_FALSE(knows_filesystem("stevefs"));

		/* It is said what is wrong. */
		EXPECT_TRUE(log_tells(log, bad[i].name, "", "")) {
			TH_LOG("%s", bad[i].params);
		}
		close(log);
	}
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
