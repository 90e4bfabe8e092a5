// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "number.h"
#include "steve.h"

static const char *const policies[] = {
	[STEVE_POLICY_FIFO] = "fifo",
	[STEVE_POLICY_FAIR] = "fair",
	NULL,
};

/**
 * struct setting - a field of struct steve_settings
 * @name: its name, there and here
 * @bit: its bit in the mask
 * @offset: where it is
 * @least: the lowest number it can be
 * @most: the highest
 * @names: what the numbers are called, or NULL
 * @values: what it can be, for people
 */
struct setting {
	const char *name;
	__u64 bit;
	size_t offset;
	unsigned int least;
	unsigned int most;
	const char *const *names;
	const char *values;
};

#define STRING(x)	#x
#define NUMBER(x)	STRING(x)

#define SETTING(field)	#field, .offset = offsetof(struct steve_settings, field)

static const struct setting settings[] = {
	{
		SETTING(jobs),
		.bit = STEVE_SET_JOBS,
		.most = STEVE_JOBS_MAX,
		.values = "a number from 0 to " NUMBER(STEVE_JOBS_MAX),
	}, {
		SETTING(policy),
		.bit = STEVE_SET_POLICY,
		.names = policies,
		.values = "fifo or fair",
	}, {
		SETTING(reserve_ms),
		.bit = STEVE_SET_RESERVE_MS,
		.least = STEVE_RESERVE_MS_MIN,
		.most = STEVE_RESERVE_MS_MAX,
		.values = "a number from " NUMBER(STEVE_RESERVE_MS_MIN)
			  " to " NUMBER(STEVE_RESERVE_MS_MAX),
	},
};

#define SETTINGS	(sizeof(settings) / sizeof(*settings))

static __u32 *field_of(struct steve_settings *set, const struct setting *setting)
{
	return (__u32 *)((char *)set + setting->offset);
}

static void show_setting(struct steve_settings *set,
			 const struct setting *setting)
{
	unsigned int value = *field_of(set, setting);

	if (!(set->mask & setting->bit))
		return;
	if (setting->names)
		printf("%s=%s\n", setting->name, setting->names[value]);
	else
		printf("%s=%u\n", setting->name, value);
}

static int show_settings(int fd)
{
	struct steve_settings set;
	int err = steve_get_settings(fd, &set);

	if (err)
		errx(EXIT_FAILURE, "cannot read the settings: %s",
		     strerror(-err));
	for (size_t i = 0; i < SETTINGS; i++)
		show_setting(&set, &settings[i]);
	return EXIT_SUCCESS;
}

static bool parse_name(const char *text, const char *const *names,
		       unsigned int *number)
{
	for (*number = 0; names[*number]; ++*number) {
		if (!strcmp(names[*number], text))
			return true;
	}
	return false;
}

static const struct setting *find_setting(const struct invocation *call,
					  const char *text)
{
	size_t length = strcspn(text, "=");

	if (!text[length])
		usage_error(call, "'%s' is not NAME=VALUE", text);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (strlen(settings[i].name) == length &&
		    !strncmp(settings[i].name, text, length))
			return &settings[i];
	}
	usage_error(call, "no setting is called '%.*s'", (int)length, text);
}

/* Notes what NAME=VALUE asks for. */
static void parse_setting(const struct invocation *call, const char *text,
			  struct steve_settings *set)
{
	const struct setting *setting = find_setting(call, text);
	const char *value = strchr(text, '=') + 1;
	unsigned int number;

	if (set->mask & setting->bit)
		usage_error(call, "%s is given twice", setting->name);
	if (!(setting->names ? parse_name(value, setting->names, &number) :
			       parse_number(value, setting->least,
					    setting->most, &number)))
		errx(EXIT_FAILURE, "%s cannot be '%s'; give %s", setting->name,
		     value, setting->values);
	*field_of(set, setting) = number;
	set->mask |= setting->bit;
}

int change_settings(const struct invocation *call,
		    const struct steve_settings *set)
{
	int err = steve_set_settings(open_jobserver(call), set);

	if (err)
		errx(EXIT_FAILURE, "cannot change the settings: %s%s",
		     strerror(-err),
		     err == -EPERM ? "; be root (CAP_SYS_RESOURCE)" : "");
	return EXIT_SUCCESS;
}

static int set(struct invocation *call)
{
	struct steve_settings set = { 0 };

	no_options(call);
	for (int i = 0; i < call->argc; i++)
		parse_setting(call, call->argv[i], &set);
	if (!set.mask)
		return show_settings(open_jobserver(call));
	return change_settings(call, &set);
}

const struct command set_command = {
	.name = "set",
	.arguments = "[NAME=VALUE]...",
	.summary = "Show or change the settings of the pool",
	.help =
"  jobs         number of tokens, 0 to 65535; 0 pauses the pool\n"
"  policy       fifo: whoever has waited longest is served first;\n"
"               fair: whoever has the fewest tokens\n"
"  reserve_ms   how long a token is put aside for a program that sleeps in poll\n"
"               and was told of it, in milliseconds, 1 to 60000\n"
"\n"
"All that is given is changed at once, or nothing. That needs root\n"
"(CAP_SYS_RESOURCE), and lasts until the module is unloaded.\n",
	.run = set,
};
