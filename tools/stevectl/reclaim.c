// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "number.h"
#include "steve.h"

static noreturn void refuse(const char *text)
{
	errx(EXIT_FAILURE, "'%s' is not a process id; see stevectl ps", text);
}

static noreturn void complain(unsigned int pid, int error)
{
	const char *advice = "";

	switch (error) {
	case EPERM:
		advice = "; be root (CAP_SYS_RESOURCE)";
		break;
	case ESRCH:
		errx(EXIT_FAILURE,
		     "process %u has not used the jobserver, or is gone; see stevectl ps",
		     pid);
	case ENOTTY:
		advice = "; the module that is loaded is older than stevectl";
		break;
	}
	errx(EXIT_FAILURE, "cannot take the tokens of process %u: %s%s", pid,
	     strerror(error), advice);
}

static int reclaim(struct invocation *call)
{
	unsigned int pid, tokens;
	int error;

	no_options(call);
	check_operands(call, 1);
	if (!parse_number(call->argv[0], 1, INT_MAX, &pid))
		refuse(call->argv[0]);

	error = steve_reclaim(open_jobserver(call), (pid_t)pid, &tokens);
	if (error)
		complain(pid, -error);
	printf("%u token%s taken from process %u\n", tokens,
	       tokens == 1 ? "" : "s", pid);
	return EXIT_SUCCESS;
}

const struct command reclaim_command = {
	.name = "reclaim",
	.arguments = "PID",
	.summary = "Take the tokens of a client into the pool",
	.help =
"For a build that is stopped or hangs while it holds tokens. The process is not\n"
"touched: if it goes on, it runs jobs that it has no tokens for, and what it\n"
"writes back for them is accepted and does nothing. Killing it instead returns\n"
"its tokens as well.\n"
"\n"
"It needs root (CAP_SYS_RESOURCE), and the kernel logs it.\n",
	.run = reclaim,
};
