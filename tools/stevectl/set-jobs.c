// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "steve.h"

#define DIGITS	"0123456789"

static noreturn void refuse(const char *text)
{
	errx(EXIT_FAILURE, "'%s' is not a number of jobs; give one from 0 to %d",
	     text, STEVE_JOBS_MAX);
}

/* Negative numbers look like options, but are numbers out of range. */
static void refuse_negative(const struct invocation *call)
{
	for (int i = 1; i < call->argc; i++) {
		const char *text = call->argv[i];

		if (*text == '-' && strspn(text + 1, DIGITS))
			refuse(text);
	}
}

static unsigned int parse_jobs(const char *text)
{
	unsigned long jobs = strtoul(text, NULL, 10);

	if (!*text || text[strspn(text, DIGITS)] || jobs > STEVE_JOBS_MAX)
		refuse(text);
	return (unsigned int)jobs;
}

static int set_jobs(struct invocation *call)
{
	unsigned int jobs;
	int err;

	refuse_negative(call);
	no_options(call);
	check_operands(call, 1);
	jobs = parse_jobs(call->argv[0]);

	err = steve_set_jobs(open_jobserver(call), jobs);
	if (err)
		errx(EXIT_FAILURE, "cannot set the number of jobs: %s%s",
		     strerror(-err),
		     err == -EPERM ? "; be root (CAP_SYS_RESOURCE)" : "");
	return EXIT_SUCCESS;
}

const struct command set_jobs_command = {
	.name = "set-jobs",
	.arguments = "N",
	.summary = "Change the number of tokens in the pool",
	.help =
"N is 0 to 65535; 0 pauses the pool. Nothing is taken from anybody: where N is\n"
"less than the number of tokens in use, tokens vanish as they come back. It needs\n"
"root (CAP_SYS_RESOURCE), and lasts until the module is unloaded.\n",
	.run = set_jobs,
};
