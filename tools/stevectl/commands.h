/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands, each of which is in a file of its own.
 */
#ifndef STEVECTL_COMMANDS_H
#define STEVECTL_COMMANDS_H

#include <linux/steve.h>

#include "cli.h"

extern const struct command cap_command;
extern const struct command govern_command;
extern const struct command ps_command;
extern const struct command reclaim_command;
extern const struct command run_command;
extern const struct command set_command;
extern const struct command set_jobs_command;
extern const struct command status_command;
extern const struct command top_command;
extern const struct command wait_command;

/**
 * refuse_jobs() - complain that a text is no number of jobs
 * @text: the text
 */
noreturn void refuse_jobs(const char *text);

/**
 * refuse_negative_jobs() - refuse what looks like an option, but is a number
 * @text: an argument
 */
void refuse_negative_jobs(const char *text);

/**
 * set_cap() - cap the pool for as long as the descriptor is open, or complain
 * @fd: the jobserver
 * @cap: the cap
 */
void set_cap(int fd, const struct steve_cap *cap);

/**
 * change_settings() - change settings of the pool, all or none
 * @call: the invocation
 * @set: those that the mask names
 *
 * Return: the exit status.
 */
int change_settings(const struct invocation *call,
		    const struct steve_settings *set);

#endif /* STEVECTL_COMMANDS_H */
