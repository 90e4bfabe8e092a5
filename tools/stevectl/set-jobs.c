// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "number.h"
#include "steve.h"

void refuse_jobs(const char *text)
{
	errx(EXIT_FAILURE, "'%s' is not a number of jobs; give one from 0 to %d",
	     text, STEVE_JOBS_MAX);
}

void refuse_negative_jobs(const char *text)
{
	if (*text == '-' && strspn(text + 1, "0123456789"))
		refuse_jobs(text);
}

static int set_jobs(struct invocation *call)
{
	struct steve_settings settings = { .mask = STEVE_SET_JOBS };

	for (int i = 1; i < call->argc; i++)
		refuse_negative_jobs(call->argv[i]);
	no_options(call);
	check_operands(call, 1);
	if (!parse_number(call->argv[0], 0, STEVE_JOBS_MAX, &settings.jobs))
		refuse_jobs(call->argv[0]);
	return change_settings(call, &settings);
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
