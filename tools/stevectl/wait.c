// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "number.h"
#include "steve.h"

/* As timeout(1) has it. */
#define EXIT_TIMEOUT	124

/* Between two looks at the pool. */
#define LOOK_MS		100

/* The longest time-out: a year. */
#define TIMEOUT_MAX	(366U * 24 * 3600)

enum {
	OPT_IDLE = OPT_OWN,
	OPT_FREE,
	OPT_TIMEOUT,
};

/**
 * struct goal - what to wait for
 * @free: a free token, else that nobody uses the pool
 * @limited: not for ever
 * @until: until when, by now_ms()
 */
struct goal {
	bool free;
	bool limited;
	long long until;
};

static void parse_timeout(struct goal *goal, const char *text)
{
	unsigned int hundredths;

	if (!parse_hundredths(text, 0, 100 * TIMEOUT_MAX, &hundredths))
		errx(EXIT_FAILURE,
		     "--timeout cannot be '%s'; give seconds from 0 to 31622400, such as 0.5",
		     text);
	goal->limited = true;
	goal->until = now_ms() + 10 * (long long)hundredths;
}

static void parse_options(struct invocation *call, struct goal *goal)
{
	static const struct option options[] = {
		{ "idle", no_argument, NULL, OPT_IDLE },
		{ "free", no_argument, NULL, OPT_FREE },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	bool idle = false;
	int option;

	while ((option = next_option(call, options)) != -1) {
		switch (option) {
		case OPT_IDLE:
			idle = true;
			break;
		case OPT_FREE:
			goal->free = true;
			break;
		case OPT_TIMEOUT:
			parse_timeout(goal, optarg);
			break;
		}
	}
	check_operands(call, 0);
	if (idle && goal->free)
		usage_error(call, "--idle and --free exclude each other");
}

static bool reached(const struct goal *goal, const struct steve_status *status)
{
	if (goal->free)
		return status->available > 0 && !status->limits;
	return !status->held && !status->reserved && !status->lent &&
	       !status->waiting;
}

/* A person sees what is waited for; nobody else does. */
static void show_progress(const struct steve_status *status)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%u held, %u reserved, %u waiting\033[K",
			status->held, status->reserved, status->waiting);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static int wait_for_goal(struct invocation *call)
{
	static const struct timespec gap = { .tv_nsec = LOOK_MS * 1000000 };
	struct goal goal = { .free = false };
	struct steve_status status;
	int fd, error;

	parse_options(call, &goal);
	fd = open_jobserver(call);
	for (;;) {
		error = steve_get_status(fd, &status);
		if (error)
			errx(EXIT_FAILURE,
			     "cannot read the account of the pool: %s",
			     strerror(-error));
		if (reached(&goal, &status))
			break;
		if (goal.limited && now_ms() >= goal.until) {
			clear_progress();
			warnx("the pool %s: %u held, %u reserved, %u waiting",
			      goal.free ? "has no free token" : "is in use",
			      status.held, status.reserved, status.waiting);
			return EXIT_TIMEOUT;
		}
		show_progress(&status);
		nanosleep(&gap, NULL);
	}
	clear_progress();
	return EXIT_SUCCESS;
}

const struct command wait_command = {
	.name = "wait",
	.arguments = "[--idle | --free] [--timeout SECONDS]",
	.summary = "Wait until the pool is idle, or has a free token",
	.help =
"Looks at the pool ten times a second, takes nothing, and stands in no queue. The\n"
"exit status is 124 when the time is over.\n",
	.options =
"  --idle          until no token is held, reserved or lent, and nobody waits: the\n"
"                  default\n"
"  --free          until a token is free and no limit holds it back\n"
"  --timeout SECONDS\n"
"                  give up after that time, such as 10 or 0.5; 0: look once\n",
	.run = wait_for_goal,
};
