/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all subcommands have in common: their options, and how they complain.
 *
 * A complaint is one line on standard error. It ends the program: with status 1,
 * by errx(), if something cannot be done; with EXIT_USAGE, by usage_error(), if
 * it was asked for wrongly.
 */
#ifndef STEVECTL_CLI_H
#define STEVECTL_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdnoreturn.h>

#define EXIT_USAGE	2

#define __printf(a, b)	__attribute__((__format__ \
				       (__printf__, a, b)))

struct invocation;

/**
 * struct command - a subcommand
 * @name: its name
 * @arguments: its options and operands, for the first line of its help
 * @summary: what it does, in a few words
 * @help: more of that, and what it shows
 * @options: its own options, a line each; may be NULL
 * @runs_command: its operands are a command with options of its own
 * @run: does it; returns the exit status
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	const char *options;
	bool runs_command;
	int (*run)(struct invocation *call);
};

/**
 * struct invocation - what the user asked for
 * @command: the subcommand, NULL as long as none is known
 * @device: the jobserver that was named, or NULL
 * @argc: number of arguments
 * @argv: the arguments; when next_option() has returned -1, the operands
 */
struct invocation {
	const struct command *command;
	const char *device;
	int argc;
	char **argv;
};

/* Values of options; those of a subcommand begin at OPT_OWN. */
enum {
	OPT_DEVICE = 256,
	OPT_HELP,
	OPT_OWN,
};

/* The options of all subcommands. */
#define DEVICE_OPTION	{ "device", required_argument, NULL, OPT_DEVICE }
#define HELP_OPTION	{ "help", no_argument, NULL, OPT_HELP }

/* The help for one of them. */
#define HELP_DEVICE \
	"  --device PATH   use this device or FIFO of stevefs instead of " STEVE_DEVICE "\n"

/**
 * next_option() - find the next option that is not one of all subcommands
 * @call: the invocation
 * @options: the options it may have; the value of one that has a short name is
 * that letter
 *
 * Return: the value of the option, its argument being in optarg; -1 after the
 * last.
 */
int next_option(struct invocation *call, const struct option *options);

/**
 * no_options() - make sure that there are none but those of all subcommands
 * @call: the invocation
 */
void no_options(struct invocation *call);

/**
 * check_operands() - make sure that there are as many as there must be
 * @call: the invocation, after the last option
 * @count: how many
 */
void check_operands(const struct invocation *call, int count);

/**
 * open_jobserver() - open the jobserver that was named, or the device
 * @call: the invocation
 *
 * Return: a descriptor.
 */
int open_jobserver(const struct invocation *call);

/**
 * check_command() - make sure that the operands are a command
 * @call: the invocation, after the last option
 */
void check_command(const struct invocation *call);

/**
 * become_command() - run the command that the operands are, in this process
 * @call: the invocation, after the last option
 *
 * Return: the exit status, as shells have it, if it cannot be run.
 */
int become_command(const struct invocation *call);

/**
 * usage_error() - complain that something was asked for wrongly
 * @call: the invocation
 * @format: what is wrong
 */
noreturn __printf(2, 3)
void usage_error(const struct invocation *call, const char *format, ...);

#endif /* STEVECTL_CLI_H */
