// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "makeflags.h"
#include "proc.h"
#include "steve.h"

enum {
	OPT_ALWAYS = OPT_OWN,
};

static bool holds(const struct steve_client_info *clients, size_t count,
		  pid_t pid)
{
	for (size_t i = 0; i < count; i++) {
		if (clients[i].pid == pid && clients[i].held)
			return true;
	}
	return false;
}

/*
 * Does this process, or one that it comes from, hold a token? Then that is the
 * token to run on: to wait for another while that one is kept may last for ever.
 */
static bool has_token(int fd)
{
	struct steve_client_info *clients;
	bool found = false;
	size_t count;
	pid_t pid;
	int err;

	err = steve_get_clients(fd, &clients, &count);
	if (err)
		errx(EXIT_FAILURE, "cannot list the clients: %s",
		     strerror(-err));
	for (pid = getpid(); pid && !found; pid = proc_parent(pid))
		found = holds(clients, count, pid);
	free(clients);
	return found;
}

/*
 * Opens the jobserver that --device names; else the one that MAKEFLAGS names
 * already, if it is of steve, since who named it knows by which of its names the
 * programs can use it; else the device.
 */
static int open_by_name(const struct invocation *call, const char *flags,
			const char **path)
{
	char *named = call->device ? NULL : makeflags_fifo(flags);
	int fd;

	if (named && makeflags_can_name(named)) {
		fd = steve_open(named);
		if (fd >= 0) {
			*path = named;
			return fd;
		}
	}
	free(named);

	*path = call->device ? call->device : STEVE_DEVICE;
	if (!makeflags_can_name(*path))
		usage_error(call,
			    "MAKEFLAGS cannot name '%s'; give an absolute path without blanks, backslashes and dollars",
			    *path);
	return open_jobserver(call);
}

static void name_jobserver(const char *flags, const char *path)
{
	char *value = makeflags_name(flags, path);

	if (!value || setenv("MAKEFLAGS", value, 1))
		err(EXIT_FAILURE, "cannot set MAKEFLAGS");
	free(value);
}

static int run_with_token(struct invocation *call)
{
	static const struct option options[] = {
		{ "always", no_argument, NULL, OPT_ALWAYS },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	const char *flags = getenv("MAKEFLAGS");
	bool always = false;
	const char *path;
	int fd, error;

	while (next_option(call, options) == OPT_ALWAYS)
		always = true;
	check_command(call);

	if (!flags)
		flags = "";
	fd = open_by_name(call, flags, &path);
	name_jobserver(flags, path);
	if (always || !has_token(fd)) {
		error = steve_take(fd);
		if (error)
			errx(EXIT_FAILURE, "cannot take a token: %s",
			     strerror(-error));
	}

	return become_command(call);
}

const struct command run_command = {
	.name = "run",
	.arguments = "[--always] [--] CMD [ARGUMENT]...",
	.summary = "Run a command with a token of its own",
	.help =
"Waits for a token and becomes CMD. The token is back in the pool when CMD has\n"
"exited, however it exited, and CMD's exit status is the exit status; 126 if CMD\n"
"cannot be run, 127 if there is none.\n"
"\n"
"No token is taken where this process, or one that it comes from, holds one, as\n"
"in a recipe of a make that was started so.\n"
"\n"
"CMD finds --jobserver-auth=fifo:" STEVE_DEVICE " in MAKEFLAGS, beside what was there;\n"
"or there the path of --device; or, without that, the path by which MAKEFLAGS\n"
"named steve already. Programs that want a FIFO (ninja 1.13.0 to 1.13.2, older\n"
"LLVM) need the one of stevefs:\n"
"\n"
"  stevectl run --device /run/steve/fifo ninja\n"
"\n"
"Give CMD no -jN: make and ninja would use no jobserver then. GNU make before 4.4\n"
"cannot use this name at all.\n",
	.options =
"  --always        take a token in any case\n",
	.runs_command = true,
	.run = run_with_token,
};
