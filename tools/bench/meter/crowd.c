// SPDX-License-Identifier: GPL-2.0
/*
 * Many wait, and one returns tokens: what each costs until all of them sleep
 * again, whoever got it, and how many were woken for it. For comparison, many
 * have a pipe each, and one after the other gets a byte.
 *
 * All are on one processor, and those who wait come before the one who returns:
 * so it goes on only when they have done all that they do about a token.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "meter.h"

static void wait_by_poll(const char *path)
{
	int fd = open_file(path, O_RDONLY | O_NONBLOCK);

	for (;;)
		take_by_poll(fd);
}

static void wait_by_read(const char *path)
{
	int fd = open_file(path, O_RDONLY);

	for (;;)
		take(fd);
}

/* Has a place in the queue, and cannot be told of a token. */
static void stay_cold(const char *path)
{
	int fd = open_file(path, O_RDONLY | O_NONBLOCK);
	char byte;

	if (read(fd, &byte, 1) != -1 || errno != EAGAIN)
		die("read");
	for (;;)
		pause();
}

static void wait_as(const char *kind, const char *path, unsigned int which, int end)
{
	if (end >= 0)
		for (;;)
			take_by_poll(end);
	if (!strcmp(kind, "poll"))
		wait_by_poll(path);
	if (!strcmp(kind, "cold") && which)
		stay_cold(path);
	wait_by_read(path);
}

/* As many pipes: ends to read from, then those to write to. */
static int (*make_pipes(unsigned int count))[2]
{
	const struct rlimit enough = { 2 * count + 64, 2 * count + 64 };
	int (*pipes)[2] = calloc(count, sizeof(*pipes));

	if (!pipes || setrlimit(RLIMIT_NOFILE, &enough))
		die("setrlimit");
	for (unsigned int i = 0; i < count; i++)
		if (pipe2(pipes[i], O_NONBLOCK))
			die("pipe2");
	return pipes;
}

static unsigned int all_sleeps(const pid_t *pids, unsigned int count)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += sleeps(pids[i]);
	return sum;
}

static void run(char **args)
{
	const char *path = args[0], *kind = args[1];
	unsigned int waiters = number(args[2]), count = number(args[3]);
	pid_t *pids = calloc(waiters, sizeof(*pids));
	uint64_t *times = calloc(count, sizeof(*times));
	unsigned int woken;
	int (*pipes)[2] = strcmp(kind, "apart") ? NULL : make_pipes(waiters);
	uint64_t start;
	int fd = open_file(path, O_RDWR);

	if (!times || !pids)
		die("no memory");
	for (unsigned int i = 0; i < count; i++)
		take(fd);

	pin(0);
	set_priority(2);
	/* In cold company the one who reads comes last. */
	for (unsigned int i = waiters; i-- > 0;) {
		pids[i] = fork_child();
		if (!pids[i])
			wait_as(kind, path, i, pipes ? pipes[i][0] : -1);
	}
	set_priority(1);

	woken = all_sleeps(pids, waiters);
	for (unsigned int i = 0; i < count; i++) {
		start = now();
		give(pipes ? pipes[i % waiters][1] : fd);
		times[i] = now() - start;
	}
	woken = all_sleeps(pids, waiters) - woken;
	printf("%ju %f\n", (uintmax_t)median(times, count),
	       (double)woken / count);
	end_children();
}

const struct meter crowd_meter = {
	.name = "crowd",
	.usage = "PATH poll|read|cold|apart WAITERS TOKENS",
	.nargs = 4,
	.run = run,
};
