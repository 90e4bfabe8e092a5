// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "steve.h"

enum {
	OPT_JSON = OPT_OWN,
};

enum type {
	TYPE_S32,
	TYPE_U32,
	TYPE_U64,
};

/**
 * struct field - a field of struct steve_status
 * @name: its name, there and here
 * @offset: where it is
 * @type: what it is
 */
struct field {
	const char *name;
	size_t offset;
	enum type type;
};

#define FIELD(field, type)						\
	{ #field, offsetof(struct steve_status, field), type }

static const struct field fields[] = {
	FIELD(jobs, TYPE_U32),
	FIELD(size, TYPE_U32),
	FIELD(available, TYPE_S32),
	FIELD(held, TYPE_U32),
	FIELD(reserved, TYPE_U32),
	FIELD(lent, TYPE_U32),
	FIELD(clients, TYPE_U32),
	FIELD(waiting, TYPE_U32),
	FIELD(granted, TYPE_U64),
	FIELD(returned, TYPE_U64),
	FIELD(reclaimed, TYPE_U64),
	FIELD(lapsed, TYPE_U64),
	FIELD(loans, TYPE_U64),
	FIELD(strays, TYPE_U64),
	FIELD(abandoned, TYPE_U64),
	FIELD(interrupted, TYPE_U64),
};

#define FIELDS	(sizeof(fields) / sizeof(*fields))

static void print_value(const struct steve_status *status,
			const struct field *field)
{
	const void *value = (const char *)status + field->offset;

	switch (field->type) {
	case TYPE_S32:
		printf("%d", *(const __s32 *)value);
		break;
	case TYPE_U32:
		printf("%u", *(const __u32 *)value);
		break;
	case TYPE_U64:
		printf("%llu", *(const __u64 *)value);
		break;
	}
}

static void print_plain(const struct steve_status *status)
{
	for (size_t i = 0; i < FIELDS; i++) {
		int gap = 12 - (int)strlen(fields[i].name);

		printf("%s:%*s", fields[i].name, gap, "");
		print_value(status, &fields[i]);
		putchar('\n');
	}
}

/* One object of numbers; a table would be an array with one row. */
static void print_json(const struct steve_status *status)
{
	for (size_t i = 0; i < FIELDS; i++) {
		printf("%s\"%s\": ", i ? ",\n   " : "{\n   ", fields[i].name);
		print_value(status, &fields[i]);
	}
	puts("\n}");
}

static int show_status(struct invocation *call)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	struct steve_status status;
	bool json = false;
	int err;

	while (next_option(call, options) == OPT_JSON)
		json = true;
	check_operands(call, 0);

	err = steve_get_status(open_jobserver(call), &status);
	if (err)
		errx(EXIT_FAILURE, "cannot read the account of the pool: %s",
		     strerror(-err));
	if (json)
		print_json(&status);
	else
		print_plain(&status);
	return EXIT_SUCCESS;
}

const struct command status_command = {
	.name = "status",
	.arguments = "[--json]",
	.summary = "Show the account of the pool",
	.help =
"  jobs         number of tokens, as it was set; 0 pauses the pool\n"
"  size         number of tokens in force\n"
"  available    tokens free to take; negative after the pool was made smaller\n"
"               than the number of tokens in use\n"
"  held         tokens that clients have\n"
"  reserved     tokens put aside, each for one client that is about to read it\n"
"  lent         implicit slots that clients lent to the pool\n"
"  clients      processes known: those that have used the jobserver and live\n"
"  waiting      clients that have a place in the queue\n"
"\n"
"At any time, size + lent = available + held + reserved. Since the module was\n"
"loaded:\n"
"\n"
"  granted      tokens taken\n"
"  returned     tokens given back by a write\n"
"  reclaimed    tokens that came back because their client died\n"
"  lapsed       reservations that ended unread\n"
"  loans        implicit slots lent\n"
"  strays       bytes written that returned no token\n"
"  abandoned    loans that ended because the lender died\n"
"  interrupted  blocked reads that ended on a signal\n",
	.options =
"  --json          show an object with a number of each name\n",
	.run = show_status,
};
