// SPDX-License-Identifier: GPL-2.0
/*
 * Many clients that wait, for somebody to look at what memory they take: says
 * "ready", and ends with its standard input.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "meter.h"

static void run(char **args)
{
	const char *path = args[0];
	unsigned int count = number(args[1]);
	char byte;

	pin(0);
	set_priority(2);
	for (unsigned int i = 0; i < count; i++) {
		if (!fork_child()) {
			take(open_file(path, O_RDWR));
			_exit(0);
		}
	}
	set_priority(1);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	end_children();
}

const struct meter clients_meter = {
	.name = "clients",
	.usage = "PATH COUNT",
	.nargs = 2,
	.run = run,
};
