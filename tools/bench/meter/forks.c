// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that never touch a jobserver are made and end: what one costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meter.h"

static void run(char **args)
{
	unsigned int count = number(args[0]);
	uint64_t *times = calloc(count, sizeof(*times));

	if (!times)
		die("no memory");
	pin(0);
	for (unsigned int i = 0; i < count; i++) {
		uint64_t start = now();
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (waitpid(pid, NULL, 0) != pid)
			die("waitpid");
		times[i] = now() - start;
	}
	printf("%ju\n", (uintmax_t)median(times, count));
}

const struct meter forks_meter = {
	.name = "forks",
	.usage = "LOOPS",
	.nargs = 1,
	.run = run,
};
