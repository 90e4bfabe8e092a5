/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands, each of which is in a file of its own.
 */
#ifndef STEVECTL_COMMANDS_H
#define STEVECTL_COMMANDS_H

#include "cli.h"

extern const struct command ps_command;
extern const struct command run_command;
extern const struct command set_command;
extern const struct command set_jobs_command;
extern const struct command status_command;

#endif /* STEVECTL_COMMANDS_H */
