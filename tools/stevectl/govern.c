// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "governor.h"
#include "notify.h"
#include "number.h"
#include "steve.h"

/*
 * The kernel tells of pressure when tasks were held up for some part of a window
 * of time, once a window. This one is the shortest there is, in microseconds.
 */
#define WINDOW_US	500000u

/* How often to see whether the cap can rise. */
#define LOOK_MS		500

/* What is listened to where nothing is said, in percent of the time. */
#define MEMORY_PRESSURE	10

enum {
	OPT_MIN = OPT_OWN,
	OPT_MAX,
	OPT_PRESSURE,		/* and the following */
};

enum resource {
	MEMORY,
	CPU,
	IO,
	RESOURCES,
};

static const char *const resources[RESOURCES] = {
	[MEMORY] = "memory",
	[CPU] = "cpu",
	[IO] = "io",
};

/**
 * struct options - what is asked for
 * @min: the lowest cap
 * @max: the highest; 0 for the number of jobs that is set
 * @percent: for each resource how much pressure is too much; 0 for any
 */
struct options {
	unsigned int min;
	unsigned int max;
	unsigned int percent[RESOURCES];
};

/* ---- What is asked for ---- */

static unsigned int parse_jobs(const char *option, const char *text)
{
	unsigned int jobs;

	if (!parse_number(text, 1, STEVE_JOBS_MAX, &jobs))
		errx(EXIT_FAILURE, "%s cannot be '%s'; give a number from 1 to %d",
		     option, text, STEVE_JOBS_MAX);
	return jobs;
}

static unsigned int parse_percent(const char *resource, const char *text)
{
	unsigned int percent = 0;

	if (strcmp(text, NO_LIMIT) && !parse_number(text, 1, 100, &percent))
		errx(EXIT_FAILURE,
		     "--%s-pressure cannot be '%s'; give a number from 1 to 100, or none",
		     resource, text);
	return percent;
}

static void parse_options(struct invocation *call, struct options *asked)
{
	static const struct option options[] = {
		{ "min", required_argument, NULL, OPT_MIN },
		{ "max", required_argument, NULL, OPT_MAX },
		{ "memory-pressure", required_argument, NULL,
			OPT_PRESSURE + MEMORY },
		{ "cpu-pressure", required_argument, NULL, OPT_PRESSURE + CPU },
		{ "io-pressure", required_argument, NULL, OPT_PRESSURE + IO },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	bool any = false;
	int option;

	while ((option = next_option(call, options)) != -1) {
		if (option == OPT_MIN)
			asked->min = parse_jobs("--min", optarg);
		else if (option == OPT_MAX)
			asked->max = parse_jobs("--max", optarg);
		else
			asked->percent[option - OPT_PRESSURE] =
				parse_percent(resources[option - OPT_PRESSURE],
					      optarg);
	}
	check_operands(call, 0);
	if (asked->max && asked->min > asked->max)
		usage_error(call, "--min %u is more than --max %u", asked->min,
			    asked->max);
	for (int i = 0; i < RESOURCES; i++)
		any = any || asked->percent[i];
	if (!any)
		usage_error(call, "there is no pressure to listen to");
}

/* ---- Pressure ---- */

static noreturn void complain(const char *path, int error)
{
	const char *advice = "";

	if (error == ENOENT)
		advice = "; the kernel needs CONFIG_PSI";
	else if (error == EOPNOTSUPP)
		advice = "; boot with psi=1";
	errx(EXIT_FAILURE, "cannot listen to %s: %s%s", path, strerror(error),
	     advice);
}

static int open_trigger(const char *resource, unsigned int percent)
{
	char path[64], trigger[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/pressure/%s", resource);
	snprintf(trigger, sizeof(trigger), "some %u %u",
		 percent * (WINDOW_US / 100), WINDOW_US);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || write(fd, trigger, strlen(trigger) + 1) < 0)
		complain(path, errno);
	return fd;
}

static void open_triggers(const struct options *asked, struct pollfd *files)
{
	for (int i = 0; i < RESOURCES; i++) {
		files[i] = (struct pollfd){ .fd = -1, .events = POLLPRI };
		if (asked->percent[i])
			files[i].fd = open_trigger(resources[i],
						   asked->percent[i]);
	}
}

/* Waits for a while; returns what there is pressure on, NULL for nothing. */
static const char *wait_for_pressure(struct pollfd *files)
{
	if (poll(files, RESOURCES, LOOK_MS) < 0 && errno != EINTR)
		err(EXIT_FAILURE, "cannot wait for pressure");
	for (int i = 0; i < RESOURCES; i++) {
		if (files[i].revents & POLLERR)
			errx(EXIT_FAILURE, "the kernel tells no more of %s pressure",
			     resources[i]);
		if (files[i].revents & POLLPRI)
			return resources[i];
	}
	return NULL;
}

/* ---- The cap ---- */

static void read_status(int fd, struct steve_status *status)
{
	int error = steve_get_status(fd, status);

	if (error)
		errx(EXIT_FAILURE, "cannot read the account of the pool: %s",
		     strerror(-error));
}

static void apply(int fd, const struct governor *governor)
{
	const struct steve_cap cap = { .jobs = governor->cap };

	set_cap(fd, &cap);
}

/* Looks at everything once; returns why the cap has changed, NULL if it has not. */
static const char *look(struct governor *governor, const struct options *asked,
			const struct steve_status *status, const char *pressed)
{
	if (!asked->max && governor_set_max(governor, status->jobs))
		return "the number of jobs was changed";
	if (!pressed)
		return governor_rest(governor, now_ms()) ? "no pressure" : NULL;
	return governor_press(governor, now_ms(),
			      status->held + status->reserved) ? pressed : NULL;
}

static noreturn void follow(int fd, const struct options *asked,
			    struct governor *governor, struct pollfd *files)
{
	struct steve_status status;
	const char *pressed, *why;
	unsigned int cap;

	for (;;) {
		pressed = wait_for_pressure(files);
		read_status(fd, &status);
		cap = governor->cap;
		why = look(governor, asked, &status, pressed);
		if (!why)
			continue;
		apply(fd, governor);
		printf("cap %u, was %u: %s%s, %u in use\n", governor->cap, cap,
		       why, pressed == why ? " pressure" : "",
		       status.held + status.reserved);
	}
}

/* When memory is short its own must not be the first to go. */
static void stay_in_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		warn("cannot lock its memory, so it may be late when memory is short");
}

static int govern(struct invocation *call)
{
	struct options asked = {
		.min = 1,
		.percent = { [MEMORY] = MEMORY_PRESSURE },
	};
	struct pollfd files[RESOURCES];
	struct governor governor;
	struct steve_status status;
	int fd;

	parse_options(call, &asked);
	fd = open_jobserver(call);
	read_status(fd, &status);
	governor_init(&governor, asked.min,
		      asked.max ? asked.max : status.jobs);
	apply(fd, &governor);
	open_triggers(&asked, files);
	stay_in_memory();

	setlinebuf(stdout);
	printf("cap %u, at least %u\n", governor.cap, governor.min);
	notify_ready();
	follow(fd, &asked, &governor, files);
}

const struct command govern_command = {
	.name = "govern",
	.arguments = "[--min N] [--max N] [--{memory,cpu,io}-pressure PCT]...",
	.summary = "Cap the pool while the machine is under pressure",
	.help =
"Listens to the kernel (/proc/pressure) and moves a cap of its own: down within a\n"
"second of pressure, to half of the tokens in use; up slowly when there was none\n"
"for some seconds. It goes down again only when the running jobs have come down\n"
"to the cap. Each time that pressure follows a rise, it waits twice as long, up to\n"
"a minute, before it steps beyond the number of jobs at which pressure came last.\n"
"So it does not swing.\n"
"\n"
"Runs in the foreground until it is killed, for a service manager (with systemd,\n"
"Type=notify), and prints a line for each change. When it ends, however it ends,\n"
"its cap is gone. It needs root (CAP_SYS_RESOURCE).\n"
"\n"
"PCT is how much of the time some task was held up for want of memory, processors\n"
"or disks, 1 to 100, or none.\n",
	.options =
"  --min N         the lowest cap (1)\n"
"  --max N         the highest (the number of jobs that is set)\n"
"  --memory-pressure PCT\n"
"                  too little memory (10)\n"
"  --cpu-pressure PCT\n"
"                  too few processors (none)\n"
"  --io-pressure PCT\n"
"                  disks that are too slow (none)\n",
	.run = govern,
};
