// SPDX-License-Identifier: GPL-2.0
/*
 * stevectl: looks at the pool of the jobserver, changes it, and runs commands
 * with a token of it or under a cap.
 */
#include <err.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../module/version.h"
#include "cli.h"
#include "commands.h"
#include "steve.h"

enum {
	OPT_VERSION = OPT_OWN,
};

/* In the order in which --help shows them. */
static const struct command *const commands[] = {
	&status_command,
	&ps_command,
	&top_command,
	&set_jobs_command,
	&set_command,
	&run_command,
	&cap_command,
	&govern_command,
	&wait_command,
	&reclaim_command,
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static void print_overview(void)
{
	puts("Usage: stevectl [--device PATH] COMMAND [ARGUMENT]...\n"
	     "\n"
	     "Looks after the pool of job tokens of this machine.\n"
	     "\n"
	     "Commands:");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %s\n", commands[i]->name,
		       commands[i]->summary);
	puts("\n"
	     "Options:\n"
	     HELP_DEVICE
	     "  --help          show this help; after a command, the help of that command\n"
	     "  --version       show the version");
}

/* Output that did not arrive, on a full disk for example, is a failure. */
static void flush_stdout(void)
{
	if (fflush(stdout))
		warn("cannot write");
	else if (ferror(stdout))
		warnx("cannot write");
	else
		return;
	_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "version", no_argument, NULL, OPT_VERSION },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	struct invocation call = { .argc = argc, .argv = argv };

	setlocale(LC_CTYPE, "");
	atexit(flush_stdout);

	switch (next_option(&call, options)) {
	case OPT_HELP:
		print_overview();
		return EXIT_SUCCESS;
	case OPT_VERSION:
		puts("stevectl " STEVE_VERSION);
		return EXIT_SUCCESS;
	}

	if (!call.argc)
		usage_error(&call, "no command was given");
	call.command = find_command(call.argv[0]);
	if (!call.command)
		usage_error(&call, "no command is called '%s'", call.argv[0]);
	optind = 0;	/* Begins anew. */
	return call.command->run(&call);
}
