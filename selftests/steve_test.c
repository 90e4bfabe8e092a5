// SPDX-License-Identifier: GPL-2.0
/*
 * What all suites share; see steve_test.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "steve_test.h"

static int observer = -1;
static bool forked;

time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/*
 * fork_child() asks for it; a change of the user ends that, and it is not for
 * other threads. By no call of the library, whose memory some clients share.
 */
void die_with_the_test(void)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

void die(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	printf("# [%d] ", getpid());
	vprintf(fmt, args);
	printf(" (errno: %s)\n", strerror(err));
	va_end(args);
	fflush(stdout);
	abort();
}

/* Has a call that returned @ret failed with this error? */
bool fails(long ret, int error)
{
	return ret == -1 && errno == error;
}

int open_steve(int flags)
{
	int fd = open(STEVE_DEVICE, flags);

	if (fd < 0)
		die("cannot open " STEVE_DEVICE);
	return fd;
}

/*
 * A descriptor to look through. It is opened once in a process, before that
 * process may have dropped its privileges, and children inherit it.
 */
static int observe(void)
{
	if (observer < 0)
		observer = open_steve(O_RDWR | O_CLOEXEC);
	return observer;
}

/* Lets go of the device, so that the module can be unloaded. */
void pool_close(void)
{
	if (observer >= 0)
		close(observer);
	observer = -1;
}

static struct steve_status read_status(int fd)
{
	struct steve_status st = {};

	if (ioctl(fd, STEVE_IOC_GET_STATUS, &st))
		die("cannot read the status");
	return st;
}

/**
 * adds_up() - does an account add up?
 * @st: the account
 *
 * Every token is somewhere, and every one that was ever taken is held, or has
 * come back in some way.
 *
 * Return: false if it does not, which is told.
 */
bool adds_up(const struct steve_status *st)
{
	__s64 supply = (__s64)st->size + st->lent;
	__s64 use = (__s64)st->available + st->held + st->reserved;
	__u64 in = st->granted + st->lent + st->abandoned;
	__u64 out = st->returned + st->reclaimed + st->held + st->loans;

	if (supply == use && in == out)
		return true;
	printf("# size %u + lent %u, available %d + held %u + reserved %u\n",
	       st->size, st->lent, st->available, st->held, st->reserved);
	printf("# granted %llu + lent %u + abandoned %llu\n", st->granted,
	       st->lent, st->abandoned);
	printf("# returned %llu + reclaimed %llu + held %u + loans %llu\n",
	       st->returned, st->reclaimed, st->held, st->loans);
	fflush(stdout);
	return false;
}

/* Was nothing taken, given or put aside from one to the other? */
static bool nothing_moved(const struct steve_status *a, const struct steve_status *b)
{
	return a->granted == b->granted && a->returned == b->returned &&
	       a->reclaimed == b->reclaimed && a->lapsed == b->lapsed &&
	       a->loans == b->loans && a->abandoned == b->abandoned &&
	       a->reserved == b->reserved;
}

/**
 * sum_of_clients() - do the clients have together what the account says?
 * @fd: the device, open for one who sees all clients
 *
 * Return: SUM_WRONG if they do not, which is told, and SUM_UNKNOWN if tokens
 * moved while the clients were read. What is put aside moves from one who goes
 * away to another, and no counter tells.
 */
enum sum sum_of_clients(int fd)
{
	struct steve_status before = read_status(fd), after;
	__u64 held = 0, reserved = 0, lent = 0;
	struct steve_client_info rows[64];
	struct steve_clients batch = {
		.rows = (uintptr_t)rows,
		.row_size = sizeof(rows[0]),
	};

	do {
		batch.count = ARRAY_SIZE(rows);
		batch.more = 0;
		if (ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch))
			die("cannot list the clients");
		for (unsigned int i = 0; i < batch.count; i++) {
			held += rows[i].held;
			reserved += rows[i].reserved;
			lent += rows[i].lent;
		}
	} while (batch.more);
	after = read_status(fd);
	if (!nothing_moved(&before, &after))
		return SUM_UNKNOWN;
	if (held == after.held && lent == after.lent)
		return reserved == after.reserved ? SUM_RIGHT : SUM_UNKNOWN;
	printf("# all clients: held %llu of %u, lent %llu of %u\n", held,
	       after.held, lent, after.lent);
	return SUM_WRONG;
}

struct steve_status pool_status(void)
{
	struct steve_status st = read_status(observe());

	if (!adds_up(&st))
		die("the account does not add up");
	return st;
}

/* Do all clients have together what the account says? False if tokens moved. */
bool pool_clients_add_up(void)
{
	enum sum sum = sum_of_clients(observe());

	if (sum == SUM_WRONG)
		die("the clients do not have what the account says");
	return sum == SUM_RIGHT;
}

/* Reads what each client has, too; waits until nothing moves meanwhile. */
void pool_check_clients(void)
{
	if (!wait_until(pool_clients_add_up()))
		die("tokens move all the time");
}

/* Is every token in the pool, and does nobody want one? */
bool pool_idle(void)
{
	struct steve_status st = pool_status();

	return !st.held && !st.reserved && !st.lent && !st.waiting &&
	       st.available == (int)st.jobs;
}

int pool_set(const struct steve_settings *set)
{
	return ioctl(observe(), STEVE_IOC_SET_SETTINGS, set);
}

int pool_set_jobs(unsigned int jobs)
{
	return pool_set(&(struct steve_settings){
		.mask = STEVE_SET_JOBS, .jobs = jobs,
	});
}

int pool_set_reserve_ms(unsigned int reserve_ms)
{
	return pool_set(&(struct steve_settings){
		.mask = STEVE_SET_RESERVE_MS, .reserve_ms = reserve_ms,
	});
}

/* All of them, as pool_set() takes them. */
struct steve_settings pool_settings(void)
{
	struct steve_settings set = {};

	if (ioctl(observe(), STEVE_IOC_GET_SETTINGS, &set))
		die("cannot read the settings");
	return set;
}

/* The row of a client, with an id of 0 if it is not known. */
struct steve_client_info pool_client(pid_t pid)
{
	struct steve_client_info rows[16];
	struct steve_clients batch = {
		.rows = (uintptr_t)rows,
		.row_size = sizeof(rows[0]),
	};

	do {
		batch.count = 16;
		batch.more = 0;
		if (ioctl(observe(), STEVE_IOC_GET_CLIENTS, &batch))
			die("cannot list the clients");
		for (unsigned int i = 0; i < batch.count; i++)
			if (rows[i].pid == pid)
				return rows[i];
	} while (batch.more);
	return (struct steve_client_info){};
}

void take(int fd)
{
	char byte = 0;
	ssize_t ret = read(fd, &byte, 1);

	if (ret != 1 || byte != '+')
		die("read gave %zd, byte %d", ret, byte);
}

void give(int fd)
{
	ssize_t ret = write(fd, "+", 1);

	if (ret != 1)
		die("write gave %zd", ret);
}

void take_many(int fd, unsigned int n)
{
	while (n--)
		take(fd);
}

void give_many(int fd, unsigned int n)
{
	while (n--)
		give(fd);
}

void fork_child(pid_t *pid)
{
	pid_t parent = getpid();

	fflush(stdout);
	*pid = fork();
	if (*pid < 0)
		die("cannot fork");
	forked = *pid == 0;
	if (forked) {
		die_with_the_test();
		if (getppid() != parent)
			_exit(1);
	}
}

/* Is this the child that fork_child() made? */
bool is_child(void)
{
	return forked;
}

/* The number of tokens that this process could take now. */
int fionread(int fd)
{
	int n = -1;

	if (ioctl(fd, FIONREAD, &n))
		die("cannot tell how many tokens there are");
	return n;
}

void hold_forever(void)
{
	for (;;)
		pause();
}

/* A child that takes @n tokens and keeps them. The pool must have as many. */
pid_t start_holder(unsigned int n)
{
	pid_t pid;

	IN_CHILD(pid) {
		take_many(open_steve(O_RDWR), n);
		hold_forever();
	}
	if (!wait_until(pool_client(pid).held == n))
		die("client %d did not get %u tokens", pid, n);
	return pid;
}

/* A child that is blocked in read, and keeps the token when it gets it. */
pid_t start_reader(void)
{
	pid_t pid;

	IN_CHILD(pid) {
		take(open_steve(O_RDWR));
		hold_forever();
	}
	if (!wait_until(is_waiting(pid, STEVE_WAIT_READ)))
		die("client %d did not block in read", pid);
	return pid;
}

/*
 * Does another process get a token by a non-blocking read? If so it is back
 * afterwards, and a failed try leaves nothing behind in the queue.
 */
bool another_can_take(int nonblock)
{
	char byte;
	pid_t pid;
	int status;

	IN_CHILD(pid) {
		if (read(nonblock, &byte, 1) == 1)
			_exit(1);
		if (errno != EAGAIN)
			die("read does not say EAGAIN");
	}
	status = reap(pid);
	if (!WIFEXITED(status))
		die("the other process was killed");
	return WEXITSTATUS(status);
}

bool is_waiting(pid_t pid, unsigned int wait)
{
	return pool_client(pid).wait == wait;
}

int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait for process %d", pid);
	return status;
}

/* Ends a child that has found nothing wrong; else it would have aborted. */
void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	status = reap(pid);
	if (!succeeded(status) &&
	    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		die("process %d ended with status %#x", pid, status);
}

bool succeeded(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void announce(const char *name)
{
	prctl(PR_SET_NAME, name);
}

/* Reads a file of /proc into @buf; an empty text if it is not there. */
static void proc_read(char *buf, size_t size, const char *fmt, ...)
{
	char path[64];
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	buf[0] = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, buf, size - 1);
	buf[len > 0 ? len : 0] = 0;
	close(fd);
}

/* The state letter of a thread, 0 if there is no such thread. */
char proc_state(pid_t pid, pid_t tid)
{
	char buf[512];
	char *end;

	proc_read(buf, sizeof(buf), "/proc/%d/task/%d/stat", pid, tid);
	end = strrchr(buf, ')');
	return end ? end[2] : 0;
}

bool is_named(pid_t pid, const char *name)
{
	char buf[64];

	proc_read(buf, sizeof(buf), "/proc/%d/comm", pid);
	buf[strcspn(buf, "\n")] = 0;
	return !strcmp(buf, name);
}

/* How often the main thread of a process went to sleep. */
long proc_sleeps(pid_t pid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char buf[4096];
	char *line;

	proc_read(buf, sizeof(buf), "/proc/%d/status", pid);
	line = strstr(buf, key);
	if (!line)
		die("cannot tell how often process %d slept", pid);
	return strtol(line + strlen(key), NULL, 10);
}

/* Is the thread asleep in this system call? */
bool proc_in_syscall(pid_t pid, pid_t tid, long nr)
{
	char buf[256];
	char *end;

	proc_read(buf, sizeof(buf), "/proc/%d/task/%d/syscall", pid, tid);
	return strtol(buf, &end, 10) == nr && end != buf;
}

bool module_loaded(void)
{
	return access("/sys/module/steve/initstate", F_OK) == 0;
}

/* Opens the file that STEVE_KO names. */
int module_file(void)
{
	const char *path = getenv("STEVE_KO");
	int fd;

	if (!path)
		die("set STEVE_KO to the file of the module");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s", path);
	return fd;
}

/* Returns 0, or -1 with errno set. */
int module_load_from(int file, const char *params)
{
	return syscall(SYS_finit_module, file, params, 0);
}

int module_load(const char *params)
{
	int fd = module_file();
	int ret = module_load_from(fd, params);
	int err = errno;

	close(fd);
	errno = err;
	return ret;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "steve", O_NONBLOCK);
}

bool stevefs_mounted(void)
{
	struct stat st;

	return stat(STEVE_FIFO, &st) == 0;
}

/* Mounts stevefs at its place, with the owner and mode of @fifo. */
int stevefs_mount(const struct stat *fifo)
{
	char options[64];
	int flags = stevefs_mounted() ? MS_REMOUNT : 0;

	snprintf(options, sizeof(options), "uid=%u,gid=%u,mode=%o",
		 fifo->st_uid, fifo->st_gid, fifo->st_mode & 0777);
	return mount("none", STEVEFS_DIR, "stevefs", flags, options);
}

bool write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0 || lseek(log, 0, SEEK_END))
		die("cannot read the kernel's log");
	return log;
}

/* Reads on in the log; true at a line of the module that has all of these. */
bool log_tells(int log, const char *a, const char *b, const char *c)
{
	char line[8192];
	ssize_t len;

	for (;;) {
		len = read(log, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return false;
		line[len] = 0;
		if (strstr(line, "steve") && strstr(line, a) &&
		    strstr(line, b) && strstr(line, c))
			return true;
	}
}

static void *get_memory(int prot, int flags, size_t size)
{
	void *mem = mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("no memory");
	return mem;
}

void *bad_memory(void)
{
	return get_memory(PROT_NONE, MAP_PRIVATE, sysconf(_SC_PAGESIZE));
}

/* The end of a page that can be used, before one that cannot. */
char *end_of_memory(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *mem = get_memory(PROT_READ | PROT_WRITE, MAP_PRIVATE, 2 * page);

	if (mprotect(mem + page, page, PROT_NONE))
		die("cannot protect memory");
	return mem + page;
}

void *shared_memory(size_t size)
{
	return get_memory(PROT_READ | PROT_WRITE, MAP_SHARED, size);
}
