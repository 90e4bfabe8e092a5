// SPDX-License-Identifier: GPL-2.0
/*
 * usage: meter MEASUREMENT ARGUMENT...
 *
 * One measurement of a jobserver. Without arguments it lists them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"

static const struct meter *meters[] = {
	&cycle_meter, &handoff_meter, &crowd_meter, &reclaim_meter,
	&forks_meter, &clients_meter,
};

void die(const char *what)
{
	fprintf(stderr, "meter: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Nanoseconds. */
uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value > INT_MAX) {
		fprintf(stderr, "meter: '%s' is not a number\n", text);
		exit(2);
	}
	return (unsigned int)value;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Memory that forks share. */
void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

void take(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		die("read");
}

void give(int fd)
{
	if (write(fd, "+", 1) != 1)
		die("write");
}

/* As make does it. */
void take_by_poll(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char byte;

	for (;;) {
		if (poll(&poller, 1, -1) != 1)
			die("poll");
		if (read(fd, &byte, 1) == 1)
			return;
		if (errno != EAGAIN)
			die("read");
	}
}

void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/*
 * Of two real-time processes on one processor the lower runs only while the
 * higher sleeps.
 */
void set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("sched_setscheduler");
}

pid_t fork_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Ends all, who share the process group of this process. */
void end_children(void)
{
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
}

static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open_file(path, O_RDONLY);
	length = read(fd, text, size - 1);
	if (length < 0)
		die(path);
	text[length] = 0;
	close(fd);
}

/* Waits until the main thread of a process sleeps. */
void wait_asleep(pid_t pid)
{
	char text[512];
	char state;

	for (;;) {
		read_proc(pid, "stat", text, sizeof(text));
		state = strrchr(text, ')')[2];
		if (state == 'S')
			return;
		if (state == 'Z') {
			errno = ECHILD;
			die("a process that was to wait");
		}
		sched_yield();
	}
}

/* How often the main thread of a process went to sleep. */
unsigned int sleeps(pid_t pid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char text[4096];
	const char *line;

	read_proc(pid, "status", text, sizeof(text));
	line = strstr(text, key);
	if (!line)
		die("status");
	return (unsigned int)strtoul(line + strlen(key), NULL, 10);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(meters) / sizeof(*meters); i++) {
		const struct meter *meter = meters[i];

		if (argc > 1 && strcmp(argv[1], meter->name))
			continue;
		if (argc == meter->nargs + 2) {
			setpgid(0, 0);
			meter->run(argv + 2);
			return 0;
		}
		fprintf(stderr, "usage: meter %s %s\n", meter->name,
			meter->usage);
	}
	return 2;
}
