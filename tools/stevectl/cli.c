// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "steve.h"

/* What shells exit with when a command cannot be run. */
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

noreturn void usage_error(const struct invocation *call, const char *format, ...)
{
	va_list args;

	fputs("stevectl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see stevectl%s%s --help\n",
		call->command ? " " : "",
		call->command ? call->command->name : "");
	exit(EXIT_USAGE);
}

static void print_help(const struct command *command)
{
	printf("Usage: stevectl %s [--device PATH]%s%s\n\n"
	       "%s.\n\n"
	       "%s\n"
	       "Options:\n"
	       "%s"
	       HELP_DEVICE
	       "  --help          show this help\n",
	       command->name, *command->arguments ? " " : "",
	       command->arguments, command->summary, command->help,
	       command->options ? command->options : "");
}

/* Is it a letter that an option has? Then the option was given by its name. */
static bool has_letter(const struct option *options, int letter)
{
	for (; options->name; options++) {
		if (options->val == letter)
			return true;
	}
	return false;
}

static noreturn void refuse_option(const struct invocation *call,
				   const struct option *options)
{
	const char *word = call->argv[optind - 1];

	if (!optopt)
		usage_error(call, "no option is called '%s'", word);
	if (!has_letter(options, optopt))
		usage_error(call, "no option is called '-%c'", optopt);
	usage_error(call, "'%s': this option takes no argument", word);
}

/* Those options that have a letter have it as their value. */
static void find_letters(const struct option *options, char *letters)
{
	letters += strlen(letters);
	for (; options->name; options++) {
		if (options->val >= OPT_DEVICE)
			continue;
		*letters++ = (char)options->val;
		if (options->has_arg)
			*letters++ = ':';
	}
	*letters = 0;
}

int next_option(struct invocation *call, const struct option *options)
{
	bool in_order = !call->command || call->command->runs_command;
	char letters[32];
	int option;

	strcpy(letters, in_order ? "+:" : ":");
	find_letters(options, letters);
	for (;;) {
		option = getopt_long(call->argc, call->argv, letters, options,
				     NULL);
		switch (option) {
		case OPT_DEVICE:
			call->device = optarg;
			break;
		case OPT_HELP:
			if (!call->command)
				return option;
			print_help(call->command);
			exit(EXIT_SUCCESS);
		case ':':
			usage_error(call, "%s needs an argument",
				    call->argv[optind - 1]);
		case '?':
			refuse_option(call, options);
		case -1:
			call->argc -= optind;
			call->argv += optind;
			return option;
		default:
			return option;
		}
	}
}

void no_options(struct invocation *call)
{
	static const struct option options[] = {
		DEVICE_OPTION, HELP_OPTION, { }
	};

	next_option(call, options);
}

void check_operands(const struct invocation *call, int count)
{
	if (call->argc < count)
		usage_error(call, "an argument is missing");
	if (call->argc > count)
		usage_error(call, "'%s' is one argument too many",
			    call->argv[count]);
}

void check_command(const struct invocation *call)
{
	if (!call->argc)
		usage_error(call, "the command to run is missing");
}

int become_command(const struct invocation *call)
{
	int error;

	execvp(call->argv[0], call->argv);
	error = errno;
	warn("cannot run '%s'", call->argv[0]);
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* What to do when a jobserver cannot be opened. */
static const char *advice(const char *path, int err)
{
	switch (err) {
	case ENOENT:
		if (!strcmp(path, STEVE_FIFO))
			return "; load the module, modprobe steve, and mount stevefs there";
		if (strcmp(path, STEVE_DEVICE))
			return "; name the device or the FIFO of stevefs";
		if (!access("/sys/module/steve", F_OK))
			return "; the module is loaded: name its device by --device";
		return "; load the module: modprobe steve";
	case ENXIO:
	case ENODEV:
		return "; load the module: modprobe steve";
	case ENOTTY:
		if (strcmp(path, STEVE_DEVICE))
			return "; name " STEVE_DEVICE " or the FIFO of stevefs";
		return "; end what has that name, then load the module: modprobe steve";
	case EACCES:
		return "; be root or a member of the group jobserver";
	default:
		return "";
	}
}

int open_jobserver(const struct invocation *call)
{
	const char *path = call->device ? call->device : STEVE_DEVICE;
	int fd = steve_open(path);

	if (fd >= 0)
		return fd;
	if (fd == -ENOTTY)
		errx(EXIT_FAILURE, "%s is not a jobserver of steve%s", path,
		     advice(path, ENOTTY));
	errx(EXIT_FAILURE, "cannot open %s: %s%s", path, strerror(-fd),
	     advice(path, -fd));
}
