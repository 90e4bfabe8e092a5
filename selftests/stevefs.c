// SPDX-License-Identifier: GPL-2.0
/*
 * The FIFO of stevefs: what it looks like, that it never blocks an open, that
 * there is one of it however often it is mounted, and who may mount it.
 */
#include "harness.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/**
 * struct mounts - a mount namespace of the test's own, and a place in it
 * @st: the FIFO as it was found
 * @dir: an empty directory
 * @fifo: the FIFO, if stevefs is mounted at @dir
 */
FIXTURE(mounts) {
	struct stat st;
	char dir[32];
	char fifo[48];
};

FIXTURE_SETUP(mounts)
{
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	ASSERT_EQ(0, stat(STEVE_FIFO, &self->st)) {
		TH_LOG("stevefs is not mounted at " STEVEFS_DIR);
	}
	snprintf(self->dir, sizeof(self->dir), "/tmp/stevefs-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->fifo, sizeof(self->fifo), "%s/fifo", self->dir);
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* The mounts are gone with the test; what they changed is put right. */
FIXTURE_TEARDOWN_PARENT(mounts)
{
	EXPECT_EQ(0, stevefs_mount(&self->st));
	EXPECT_EQ(0, rmdir(self->dir));
	EXPECT_TRUE(wait_until(pool_idle()));
}

static int mount_at(const char *dir, const char *options)
{
	return mount("none", dir, "stevefs", 0, options);
}

TEST_F(mounts, there_is_one_fifo)
{
	struct dirent *entry;
	unsigned int n = 0;
	struct stat st;
	DIR *dir;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	ASSERT_EQ(0, stat(self->fifo, &st));
	EXPECT_TRUE(S_ISFIFO(st.st_mode));
	EXPECT_EQ(1, st.st_nlink);

	dir = opendir(self->dir);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		EXPECT_STREQ("fifo", entry->d_name);
		EXPECT_EQ(DT_FIFO, entry->d_type);
	}
	EXPECT_EQ(1, n);
	closedir(dir);
}

TEST_F(mounts, every_mount_shows_the_same)
{
	struct stat dir, fifo;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	ASSERT_EQ(0, stat(self->fifo, &fifo));
	EXPECT_EQ(self->st.st_dev, fifo.st_dev);
	EXPECT_EQ(self->st.st_ino, fifo.st_ino);
	EXPECT_EQ(self->st.st_uid, fifo.st_uid);
	EXPECT_EQ(self->st.st_gid, fifo.st_gid);
	EXPECT_EQ(self->st.st_mode, fifo.st_mode);

	/* It does not go with one of the mounts. */
	ASSERT_EQ(0, umount(self->dir));
	ASSERT_EQ(0, stat(STEVEFS_DIR, &dir));
	EXPECT_EQ(0, stat(STEVE_FIFO, &fifo));
	EXPECT_EQ(self->st.st_ino, fifo.st_ino);
}

TEST_F(mounts, options_say_whose_it_is)
{
	struct stat st;

	ASSERT_EQ(0, mount_at(self->dir, "uid=1000,gid=1001,mode=640"));
	ASSERT_EQ(0, stat(self->fifo, &st));
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(1001, st.st_gid);
	EXPECT_EQ(S_IFIFO | 0640, st.st_mode);

	/* One can change one's mind. */
	ASSERT_EQ(0, mount("none", self->dir, NULL, MS_REMOUNT, "mode=0600"));
	ASSERT_EQ(0, stat(self->fifo, &st));
	EXPECT_EQ(S_IFIFO | 0600, st.st_mode);
	EXPECT_EQ(1000, st.st_uid);
}

TEST_F(mounts, options_are_told)
{
	char line[512];
	bool found = false;
	FILE *file;

	ASSERT_EQ(0, mount_at(self->dir, "uid=1000,gid=1001,mode=0640"));
	file = fopen("/proc/self/mounts", "r");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, self->dir) &&
			 strstr(line, "uid=1000,gid=1001,mode=640");
	EXPECT_TRUE(found);
	fclose(file);
}

TEST_F(mounts, bad_options_are_refused)
{
	static const char * const options[] = {
		"bogus", "bogus=1", "size=1", "mode=8", "mode=01777",
		"mode=10640", "mode=rw", "mode=", "mode", "uid=somebody",
		"uid=-1", "uid=4294967295", "uid=4294967296", "uid=", "uid",
		"gid=somebody", "gid=4294967295", "gid=", "mode=-1",
		"uid=1000,mode=9",
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		EXPECT_EQ(-1, mount_at(self->dir, options[i])) {
			TH_LOG("%s", options[i]);
		}
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, stat(self->fifo, &st));
	}
	ASSERT_EQ(0, stat(STEVE_FIFO, &st));
	EXPECT_EQ(self->st.st_mode, st.st_mode);
	EXPECT_EQ(self->st.st_uid, st.st_uid);
	EXPECT_EQ(self->st.st_gid, st.st_gid);
}

/* Where a real FIFO waits for its other end, or says that there is none. */
TEST_F(mounts, opens_never_block_or_fail)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		int fd = open(self->fifo, modes[i]);

		EXPECT_LE(0, fd);
		close(fd);
		fd = open(self->fifo, modes[i] | O_NONBLOCK);
		EXPECT_LE(0, fd);
		close(fd);
		fd = open(self->fifo, modes[i] | O_NONBLOCK | O_CLOEXEC);
		EXPECT_LE(0, fd);
		EXPECT_EQ(modes[i], fcntl(fd, F_GETFL) & O_ACCMODE);
		close(fd);
	}
}

TEST_F(mounts, fifo_and_device_share_the_pool)
{
	int device = open_steve(O_RDWR | O_CLOEXEC);
	int jobs = pool_status().jobs;
	int fd;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	fd = open(self->fifo, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);

	take(fd);
	EXPECT_EQ(jobs - 1, pool_status().available);
	EXPECT_EQ(1, pool_client(getpid()).held);
	give(device);
	EXPECT_EQ(jobs, pool_status().available);
	take(device);
	close(device);
	give(fd);
	EXPECT_TRUE(pool_idle());
}

/* Where the readers of a real FIFO would see its end. */
TEST_F(mounts, fifo_never_ends)
{
	int in, out;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	out = open(self->fifo, O_WRONLY | O_CLOEXEC);
	in = open(self->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, in);
	close(out);
	take(in);

	/* Nor is anybody killed who writes to it. */
	out = open(self->fifo, O_WRONLY | O_CLOEXEC);
	close(in);
	give(out);
	EXPECT_TRUE(pool_idle());
}

TEST_F(mounts, fifo_can_be_bound_over_the_device)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, mount(STEVE_FIFO, STEVE_DEVICE, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, stat(STEVE_DEVICE, &st));
	EXPECT_TRUE(S_ISFIFO(st.st_mode));
	EXPECT_EQ(self->st.st_ino, st.st_ino);

	fd = open_steve(O_RDWR | O_CLOEXEC);
	take(fd);
	EXPECT_EQ(1, pool_status().held);
	give(fd);
	EXPECT_TRUE(pool_idle());
}

TEST_F(mounts, nothing_else_can_be_made_in_it)
{
	char path[48], other[48];
	struct stat st;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	snprintf(path, sizeof(path), "%s/new", self->dir);
	snprintf(other, sizeof(other), "%s/other", self->dir);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CREAT, 0600));
	EXPECT_EQ(-1, mkdir(path, 0700));
	EXPECT_EQ(-1, mknod(path, S_IFIFO | 0600, 0));
	EXPECT_EQ(-1, symlink("fifo", path));
	EXPECT_EQ(-1, link(self->fifo, path));
	EXPECT_EQ(-1, open(self->dir, O_RDWR | O_TMPFILE, 0600));
	EXPECT_EQ(-1, stat(path, &st));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(mounts, fifo_can_not_be_moved_or_removed)
{
	char path[48];
	struct stat st;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	snprintf(path, sizeof(path), "%s/new", self->dir);
	EXPECT_EQ(-1, rename(self->fifo, path));
	EXPECT_EQ(-1, unlink(self->fifo));
	EXPECT_EQ(-1, rmdir(self->fifo));
	ASSERT_EQ(0, stat(self->fifo, &st));
	EXPECT_EQ(self->st.st_ino, st.st_ino);
	EXPECT_EQ(1, st.st_nlink);
}

TEST_F(mounts, truncating_changes_nothing)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	EXPECT_EQ(-1, truncate(self->fifo, 0));
	fd = open(self->fifo, O_RDWR | O_TRUNC | O_CREAT | O_CLOEXEC, 0666);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(self->st.st_mode, st.st_mode);
	take(fd);
	give(fd);
	EXPECT_TRUE(pool_idle());
}

TEST_F(mounts, open_file_keeps_the_mount_busy)
{
	int fd;

	ASSERT_EQ(0, mount_at(self->dir, NULL));
	fd = open(self->fifo, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, umount(self->dir));
	EXPECT_EQ(EBUSY, errno);

	/* Detached, it serves whoever has it open. */
	ASSERT_EQ(0, umount2(self->dir, MNT_DETACH));
	take(fd);
	EXPECT_EQ(1, pool_status().held);
	give(fd);
	close(fd);
	EXPECT_TRUE(pool_idle());
}

TEST_F(mounts, permissions_are_those_of_the_node)
{
	pid_t pid;

	ASSERT_EQ(0, mount_at(self->dir, "uid=0,gid=1001,mode=0640"));
	IN_CHILD(pid) {
		if (setresgid(1001, 1001, 1001) || setresuid(1000, 1000, 1000))
			die("cannot become another user");
		EXPECT_LE(0, open(self->fifo, O_RDONLY));
		EXPECT_EQ(-1, open(self->fifo, O_RDWR));
		EXPECT_EQ(EACCES, errno);
	}
	EXPECT_TRUE(succeeded(reap(pid)));
}

TEST_F(mounts, user_namespaces_can_not_mount_it)
{
	pid_t pid;
	int status;

	IN_CHILD(pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(KSFT_SKIP);
		EXPECT_EQ(-1, mount_at(self->dir, NULL));
		EXPECT_EQ(EPERM, errno);
	}
	status = reap(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		SKIP(return, "kernel without user namespaces");
	EXPECT_TRUE(succeeded(status));
}

TEST_F(mounts, it_comes_and_goes_many_times)
{
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, mount_at(self->dir, NULL));
		ASSERT_EQ(0, umount(self->dir));
	}
}

TEST_HARNESS_MAIN
