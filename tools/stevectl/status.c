// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "limits.h"
#include "number.h"
#include "steve.h"

enum {
	OPT_JSON = 'J',
};

/**
 * struct account - all that is shown
 * @status: the account of the pool
 * @settings: its settings
 */
struct account {
	struct steve_status status;
	struct steve_settings settings;
};

/* How a field is stored and shown. */
enum type {
	TYPE_S32,
	TYPE_U32,
	TYPE_U32_LIMIT,		/* 0 for none */
	TYPE_U64,
	TYPE_LIMITS,		/* STEVE_LIMIT_* */
	TYPE_LOAD,		/* u32 in hundredths */
	TYPE_LOAD_LIMIT,
	TYPE_SIZE,		/* u64 in bytes */
	TYPE_SIZE_LIMIT,
};

/**
 * struct field - a field of struct account
 * @name: its name, there and here
 * @offset: where it is
 * @type: what it is
 */
struct field {
	const char *name;
	size_t offset;
	enum type type;
};

#define FIELD(part, field, type)					\
	{ #field, offsetof(struct account, part.field), type }

static const struct field tokens_shown[] = {
	FIELD(status, jobs, TYPE_U32),
	FIELD(status, size, TYPE_U32),
	FIELD(status, available, TYPE_S32),
	FIELD(status, held, TYPE_U32),
	FIELD(status, reserved, TYPE_U32),
	FIELD(status, lent, TYPE_U32),
	FIELD(status, clients, TYPE_U32),
	FIELD(status, waiting, TYPE_U32),
};

static const struct field counters_shown[] = {
	FIELD(status, granted, TYPE_U64),
	FIELD(status, returned, TYPE_U64),
	FIELD(status, reclaimed, TYPE_U64),
	FIELD(status, lapsed, TYPE_U64),
	FIELD(status, loans, TYPE_U64),
	FIELD(status, strays, TYPE_U64),
	FIELD(status, abandoned, TYPE_U64),
	FIELD(status, interrupted, TYPE_U64),
};

static const struct field limits_shown[] = {
	FIELD(status, limits, TYPE_LIMITS),
	FIELD(status, caps, TYPE_U32),
	FIELD(status, max_load, TYPE_LOAD_LIMIT),
	FIELD(status, load, TYPE_LOAD),
	FIELD(status, min_memory, TYPE_SIZE_LIMIT),
	FIELD(status, memory, TYPE_SIZE),
	FIELD(status, charged, TYPE_SIZE),
	FIELD(settings, min_jobs, TYPE_U32),
	FIELD(settings, max_per_process, TYPE_U32_LIMIT),
};

/**
 * struct group - fields that belong together
 * @fields: the fields
 * @count: number of them
 */
struct group {
	const struct field *fields;
	size_t count;
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* The limits are the last, since not every module has them. */
static const struct group groups[] = {
	{ tokens_shown, COUNT(tokens_shown) },
	{ counters_shown, COUNT(counters_shown) },
	{ limits_shown, COUNT(limits_shown) },
};

static size_t count_groups(const struct account *account)
{
	return COUNT(groups) - !(account->settings.mask & STEVE_SET_MIN_JOBS);
}

/* ---- Values ---- */

static __u32 u32_at(const void *value)
{
	return *(const __u32 *)value;
}

static __u64 u64_at(const void *value)
{
	return *(const __u64 *)value;
}

/* Names between @before and @after, with @between in between. */
static void print_limits(__u32 limits, const char *before, const char *between,
			 const char *after)
{
	const char *gap = "";
	const char *name;

	for (unsigned int i = 0; (name = limit_name(i)); i++) {
		if (!(limits & 1U << i))
			continue;
		printf("%s%s%s%s", gap, before, name, after);
		gap = between;
	}
}

static bool is_none(enum type type, const void *value)
{
	switch (type) {
	case TYPE_U32_LIMIT:
	case TYPE_LOAD_LIMIT:
	case TYPE_LIMITS:
		return !u32_at(value);
	case TYPE_SIZE_LIMIT:
		return !u64_at(value);
	default:
		return false;
	}
}

/* What people and JSON see alike. */
static void print_number(enum type type, const void *value)
{
	switch (type) {
	case TYPE_S32:
		printf("%d", *(const __s32 *)value);
		break;
	case TYPE_LOAD:
	case TYPE_LOAD_LIMIT:
		printf("%u.%02u", u32_at(value) / 100, u32_at(value) % 100);
		break;
	case TYPE_U64:
	case TYPE_SIZE:
	case TYPE_SIZE_LIMIT:
		printf("%llu", u64_at(value));
		break;
	default:
		printf("%u", u32_at(value));
	}
}

static void print_plain_value(enum type type, const void *value)
{
	char text[SIZE_TEXT];

	if (is_none(type, value))
		printf(NO_LIMIT);
	else if (type == TYPE_LIMITS)
		print_limits(u32_at(value), "", " ", "");
	else if (type == TYPE_SIZE || type == TYPE_SIZE_LIMIT)
		printf("%s", rough_size(u64_at(value), text));
	else
		print_number(type, value);
}

static void print_json_value(enum type type, const void *value)
{
	if (type == TYPE_LIMITS) {
		putchar('[');
		print_limits(u32_at(value), "\"", ", ", "\"");
		putchar(']');
	} else if (is_none(type, value)) {
		printf("null");
	} else {
		print_number(type, value);
	}
}

/* ---- The whole ---- */

static void print_plain(const struct account *account)
{
	char *sentence;

	for (size_t i = 0; i < count_groups(account); i++) {
		for (size_t j = 0; j < groups[i].count; j++) {
			const struct field *field = &groups[i].fields[j];

			printf("%s:%*s", field->name,
			       16 - (int)strlen(field->name), "");
			print_plain_value(field->type,
					  (const char *)account + field->offset);
			putchar('\n');
		}
		putchar('\n');
	}
	sentence = limits_sentence(&account->status);
	puts(sentence ? sentence : "");
	free(sentence);
}

/* One object; a table would be an array with one row. */
static void print_json(const struct account *account)
{
	const char *gap = "{\n   ";

	for (size_t i = 0; i < count_groups(account); i++) {
		for (size_t j = 0; j < groups[i].count; j++) {
			const struct field *field = &groups[i].fields[j];

			printf("%s\"%s\": ", gap, field->name);
			print_json_value(field->type,
					 (const char *)account + field->offset);
			gap = ",\n   ";
		}
	}
	puts("\n}");
}

static void read_account(int fd, struct account *account)
{
	int err = steve_get_status(fd, &account->status);

	if (!err)
		err = steve_get_settings(fd, &account->settings);
	if (err)
		errx(EXIT_FAILURE, "cannot read the account of the pool: %s",
		     strerror(-err));
}

static int show_status(struct invocation *call)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	struct account account;
	bool json = false;

	while (next_option(call, options) == OPT_JSON)
		json = true;
	check_operands(call, 0);

	read_account(open_jobserver(call), &account);
	if (json)
		print_json(&account);
	else
		print_plain(&account);
	return EXIT_SUCCESS;
}

const struct command status_command = {
	.name = "status",
	.arguments = "[--json]",
	.summary = "Show the account of the pool, and what holds tokens back",
	.help =
"  jobs             number of tokens, as it was set; 0 pauses the pool\n"
"  size             number of tokens in force\n"
"  available        tokens free to take; negative after the pool was made\n"
"                   smaller than the number of tokens in use\n"
"  held             tokens that clients have\n"
"  reserved         tokens put aside, each for one client about to read it\n"
"  lent             implicit slots that clients lent to the pool\n"
"  clients          processes known: they have used the jobserver, and live\n"
"  waiting          clients that have a place in the queue\n"
"\n"
"At any time, size + lent = available + held + reserved. Since the module was\n"
"loaded:\n"
"\n"
"  granted          tokens taken\n"
"  returned         tokens given back by a write\n"
"  reclaimed        tokens that came back because their client died, or by reclaim\n"
"  lapsed           reservations that ended unread\n"
"  loans            implicit slots lent\n"
"  strays           bytes written that returned no token\n"
"  abandoned        loans that ended because the lender died\n"
"  interrupted      blocked reads that ended on a signal\n"
"\n"
"The limits, and what they are held against:\n"
"\n"
"  limits           what holds tokens back right now: jobs, cap, load, memory\n"
"  caps             number of caps in force\n"
"  max_load         load above which none is granted: the lowest of all\n"
"  load             load average over one minute\n"
"  min_memory       memory below which none is granted: the highest of all\n"
"  memory           memory available\n"
"  charged          what of it jobs begun a moment ago are taken to want\n"
"  min_jobs         below so many, load and memory hold none back\n"
"  max_per_process  tokens that one client may hold\n"
"\n"
"The last line says in words what holds tokens back.\n",
	.options =
"  -J, --json      show an object with these names: numbers, sizes in bytes, null\n"
"                  for no limit, and limits as an array of names\n",
	.run = show_status,
};
