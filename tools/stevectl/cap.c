// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "number.h"
#include "steve.h"

enum {
	OPT_MIN_MEMORY = OPT_OWN,
	OPT_MAX_LOAD,
};

/* What shells add to the number of the signal that killed a command. */
#define EXIT_SIGNALED	128

/**
 * struct signals - how a process treats signals
 * @mask: those it blocks
 * @child: what it does when a child exits
 */
struct signals {
	sigset_t mask;
	struct sigaction child;
};

/* ---- What is asked for ---- */

static void parse_options(struct invocation *call, struct steve_cap *cap)
{
	static const struct option options[] = {
		{ "min-memory", required_argument, NULL, OPT_MIN_MEMORY },
		{ "max-load", required_argument, NULL, OPT_MAX_LOAD },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	unsigned long long size;
	int option;

	while ((option = next_option(call, options)) != -1) {
		switch (option) {
		case OPT_MIN_MEMORY:
			if (!parse_size(optarg, 1, STEVE_MEMORY_MAX, &size))
				errx(EXIT_FAILURE,
				     "--min-memory cannot be '%s'; give " SIZE_VALUES,
				     optarg);
			cap->min_memory = size;
			break;
		case OPT_MAX_LOAD:
			if (!parse_hundredths(optarg, 1, STEVE_LOAD_MAX,
					      &cap->max_load))
				errx(EXIT_FAILURE,
				     "--max-load cannot be '%s'; give " LOAD_VALUES,
				     optarg);
			break;
		}
	}
}

/* Options may stand before the number and after it. */
static void parse_cap(struct invocation *call, struct steve_cap *cap)
{
	const char *number;

	if (call->argc > 1)
		refuse_negative_jobs(call->argv[1]);
	parse_options(call, cap);
	if (!call->argc)
		usage_error(call, "the number of jobs is missing");
	number = call->argv[0];
	if (!strcmp(number, NO_LIMIT))
		cap->jobs = STEVE_JOBS_MAX;
	else if (!parse_number(number, 0, STEVE_JOBS_MAX, &cap->jobs))
		refuse_jobs(number);
	optind = 0;	/* Begins anew, behind it. */
	parse_options(call, cap);
	check_command(call);
}

void set_cap(int fd, const struct steve_cap *cap)
{
	int error = steve_set_cap(fd, cap);

	switch (error) {
	case 0:
		return;
	case -EPERM:
		errx(EXIT_FAILURE,
		     "cannot cap the pool: %s; be root (CAP_SYS_RESOURCE)",
		     strerror(EPERM));
	case -ENOSPC:
		errx(EXIT_FAILURE,
		     "cannot cap the pool: there are %d caps already; end one",
		     STEVE_CAPS_MAX);
	case -ENOTTY:
		errx(EXIT_FAILURE,
		     "cannot cap the pool: the module that is loaded is older than stevectl");
	default:
		errx(EXIT_FAILURE, "cannot cap the pool: %s", strerror(-error));
	}
}

/* ---- The command ---- */

/* All signals are waited for, so that none gets lost between two of them. */
static void catch_signals(struct signals *found)
{
	struct sigaction keep = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	if (sigaction(SIGCHLD, &keep, &found->child) ||
	    sigprocmask(SIG_SETMASK, &all, &found->mask))
		err(EXIT_FAILURE, "cannot wait for signals");
}

static noreturn void start_command(const struct invocation *call, int fd,
				   const struct signals *signals)
{
	/* Not even until it is run is there a second descriptor. */
	close(fd);
	sigaction(SIGCHLD, &signals->child, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
	_exit(become_command(call));
}

/* Does what a signal does to who does not wait for it. */
static void obey(int number)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

static bool is_stop(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/*
 * What a terminal sends it sends to the command, too, which is in the same
 * process group.
 */
static void pass_on(const siginfo_t *info, pid_t child)
{
	if (info->si_code <= 0)
		kill(child, info->si_signo);
	if (is_stop(info->si_signo))
		obey(info->si_signo);
}

/* Returns false as long as it runs. */
static bool has_exited(pid_t child, int *status)
{
	pid_t pid = waitpid(child, status, WNOHANG);

	if (pid < 0)
		err(EXIT_FAILURE, "cannot wait for the command");
	return pid;
}

static int follow_command(pid_t child)
{
	siginfo_t info;
	sigset_t all;
	int status;

	sigfillset(&all);
	while (!has_exited(child, &status)) {
		if (sigwaitinfo(&all, &info) < 0)
			continue;	/* It was stopped, and goes on. */
		if (info.si_signo != SIGCHLD)
			pass_on(&info, child);
	}
	if (WIFSIGNALED(status))
		return EXIT_SIGNALED + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int run_capped(struct invocation *call)
{
	struct steve_cap cap = { .flags = 0 };
	struct signals signals;
	pid_t child;
	int fd;

	parse_cap(call, &cap);
	fd = open_jobserver(call);
	set_cap(fd, &cap);

	catch_signals(&signals);
	child = fork();
	if (child < 0)
		err(EXIT_FAILURE, "cannot start '%s'", call->argv[0]);
	if (!child)
		start_command(call, fd, &signals);
	return follow_command(child);
}

const struct command cap_command = {
	.name = "cap",
	.arguments = "N [--min-memory SIZE] [--max-load LOAD] [--] CMD [ARGUMENT]...",
	.summary = "Run a command while the pool is capped",
	.help =
"As long as CMD runs, the pool has no more than N tokens: 0 to 65535, or none for\n"
"as many as without it. Of several caps the lowest counts. The settings of the\n"
"pool are not touched: when this program ends, however it ends, its cap is gone,\n"
"even if CMD left others running.\n"
"\n"
"Signals are passed on to CMD. The exit status is that of CMD; 128 and the number\n"
"of the signal if one killed it; 126 if CMD cannot be run, 127 if there is none.\n"
"\n"
"It needs root (CAP_SYS_RESOURCE). CMD gets no token by this; for a build that\n"
"knows of no jobserver yet:\n"
"\n"
"  stevectl cap 4 -- stevectl run emerge webkit-gtk\n",
	.options =
"  --min-memory SIZE  grant no token while less memory is available, such as 2G\n"
"  --max-load LOAD    grant no token while the load average over one minute is\n"
"                     higher, such as 8.5\n",
	.runs_command = true,
	.run = run_capped,
};
