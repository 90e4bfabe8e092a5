// SPDX-License-Identifier: GPL-2.0
/*
 * A token is returned in one process until another, which waited for it, has
 * read it and runs: the median of such times.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "meter.h"

static uint64_t *taken_at;
static int done[2];

static void take_all(const char *path, bool polls, int cpu, unsigned int count)
{
	int fd = open_file(path, O_RDONLY | (polls ? O_NONBLOCK : 0));

	if (cpu >= 0)
		pin((unsigned int)cpu);
	for (unsigned int i = 0; i < count; i++) {
		if (polls)
			take_by_poll(fd);
		else
			take(fd);
		taken_at[i] = now();
		give(done[1]);
	}
	_exit(0);
}

static void run(char **args)
{
	const char *path = args[0];
	bool polls = !strcmp(args[1], "poll");
	bool pinned = strcmp(args[2], "free");
	bool apart = !strcmp(args[2], "apart");
	unsigned int count = number(args[3]);
	uint64_t *times, given_at;
	int fd = open_file(path, O_RDWR);
	pid_t taker;

	times = calloc(count, sizeof(*times));
	taken_at = shared(count * sizeof(*taken_at));
	if (!times || pipe(done))
		die("no memory");
	/* First they are all here, so that none has to come back. */
	for (unsigned int i = 0; i < count; i++)
		take(fd);
	taker = fork_child();
	if (!taker)
		take_all(path, polls, pinned ? apart : -1, count);
	if (pinned)
		pin(0);
	for (unsigned int i = 0; i < count; i++) {
		wait_asleep(taker);
		given_at = now();
		give(fd);
		take(done[0]);
		times[i] = taken_at[i] - given_at;
	}
	printf("%ju\n", (uintmax_t)median(times, count));
}

const struct meter handoff_meter = {
	.name = "handoff",
	.usage = "PATH read|poll together|apart|free TOKENS",
	.nargs = 4,
	.run = run,
};
