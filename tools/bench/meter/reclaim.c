// SPDX-License-Identifier: GPL-2.0
/*
 * A client dies that holds tokens, while many others are known: the time from
 * its death until its parent knows, and until all who waited have theirs.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meter.h"

static unsigned int *served;

static void be_known(const char *path, bool waits)
{
	int fd = open_file(path, O_RDWR);

	take(fd);
	if (waits)
		__atomic_fetch_add(served, 1, __ATOMIC_RELAXED);
	else
		give(fd);
	for (;;)
		pause();
}

static pid_t start_holder(const char *path, unsigned int tokens)
{
	pid_t pid = fork_child();
	int fd;

	if (pid) {
		wait_asleep(pid);
		return pid;
	}
	fd = open_file(path, O_RDWR);
	for (unsigned int i = 0; i < tokens; i++)
		take(fd);
	for (;;)
		pause();
}

static void run(char **args)
{
	const char *path = args[0];
	bool waits = !strcmp(args[1], "waiting");
	unsigned int others = number(args[2]), held = number(args[3]);
	unsigned int expected;
	uint64_t start, reaped;
	pid_t holder = 0;

	served = shared(sizeof(*served));
	pin(0);
	if (waits)
		holder = start_holder(path, held);
	set_priority(2);
	for (unsigned int i = 0; i < others; i++)
		if (!fork_child())
			be_known(path, waits);
	set_priority(1);
	if (!waits)
		holder = start_holder(path, held);

	start = now();
	kill(holder, SIGKILL);
	if (waitpid(holder, NULL, 0) != holder)
		die("waitpid");
	reaped = now() - start;
	expected = !waits ? 0 : held < others ? held : others;
	while (__atomic_load_n(served, __ATOMIC_RELAXED) < expected)
		usleep(100);
	printf("%ju %ju\n", (uintmax_t)reaped, (uintmax_t)(now() - start));
	end_children();
}

const struct meter reclaim_meter = {
	.name = "reclaim",
	.usage = "PATH known|waiting OTHERS TOKENS",
	.nargs = 4,
	.run = run,
};
