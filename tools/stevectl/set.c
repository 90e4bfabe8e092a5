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
};

#define POLICIES	(sizeof(policies) / sizeof(*policies))

enum kind {
	KIND_NUMBER,
	KIND_NAME,
	KIND_LOAD,		/* in hundredths */
	KIND_SIZE,		/* 64 bits, in bytes */
};

/**
 * struct setting - a field of struct steve_settings
 * @name: its name, there and here
 * @bit: its bit in the mask
 * @offset: where it is
 * @kind: how it is stored and written
 * @none: 0 is no limit
 * @least: the lowest number it can be, but for that
 * @most: the highest
 * @values: what it can be, for people
 */
struct setting {
	const char *name;
	__u64 bit;
	size_t offset;
	enum kind kind;
	bool none;
	unsigned long long least;
	unsigned long long most;
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
		.kind = KIND_NAME,
		.values = "fifo or fair",
	}, {
		SETTING(reserve_ms),
		.bit = STEVE_SET_RESERVE_MS,
		.least = STEVE_RESERVE_MS_MIN,
		.most = STEVE_RESERVE_MS_MAX,
		.values = "a number from " NUMBER(STEVE_RESERVE_MS_MIN)
			  " to " NUMBER(STEVE_RESERVE_MS_MAX),
	}, {
		SETTING(strict),
		.bit = STEVE_SET_STRICT,
		.most = 1,
		.values = "0 or 1",
	}, {
		SETTING(min_jobs),
		.bit = STEVE_SET_MIN_JOBS,
		.most = STEVE_JOBS_MAX,
		.values = "a number from 0 to " NUMBER(STEVE_JOBS_MAX),
	}, {
		SETTING(max_per_process),
		.bit = STEVE_SET_MAX_PER_PROCESS,
		.none = true,
		.least = 1,
		.most = STEVE_JOBS_MAX,
		.values = "a number from 1 to " NUMBER(STEVE_JOBS_MAX)
			  ", or none",
	}, {
		SETTING(max_load),
		.bit = STEVE_SET_MAX_LOAD,
		.kind = KIND_LOAD,
		.none = true,
		.least = 1,
		.most = STEVE_LOAD_MAX,
		.values = LOAD_VALUES ", or none",
	}, {
		SETTING(min_memory),
		.bit = STEVE_SET_MIN_MEMORY,
		.kind = KIND_SIZE,
		.none = true,
		.least = 1,
		.most = STEVE_MEMORY_MAX,
		.values = SIZE_VALUES ", or none",
	}, {
		SETTING(job_memory),
		.bit = STEVE_SET_JOB_MEMORY,
		.kind = KIND_SIZE,
		.most = STEVE_MEMORY_MAX,
		.values = SIZE_VALUES ", or 0",
	},
};

#define SETTINGS	(sizeof(settings) / sizeof(*settings))

static void *field_of(struct steve_settings *set, const struct setting *setting)
{
	return (char *)set + setting->offset;
}

static unsigned long long get_value(struct steve_settings *set,
				    const struct setting *setting)
{
	const void *field = field_of(set, setting);

	if (setting->kind == KIND_SIZE)
		return *(const __u64 *)field;
	return *(const __u32 *)field;
}

static void put_value(struct steve_settings *set, const struct setting *setting,
		      unsigned long long value)
{
	void *field = field_of(set, setting);

	if (setting->kind == KIND_SIZE)
		*(__u64 *)field = value;
	else
		*(__u32 *)field = (__u32)value;
}

/* As it can be given again. */
static void show_value(const struct setting *setting, unsigned long long value)
{
	char text[SIZE_TEXT];

	printf("%s=", setting->name);
	if (setting->none && !value)
		puts(NO_LIMIT);
	else if (setting->kind == KIND_NAME && value < POLICIES)
		puts(policies[value]);
	else if (setting->kind == KIND_LOAD)
		printf("%llu.%02llu\n", value / 100, value % 100);
	else if (setting->kind == KIND_SIZE)
		puts(exact_size(value, text));
	else
		printf("%llu\n", value);
}

static int show_settings(int fd)
{
	struct steve_settings set;
	int err = steve_get_settings(fd, &set);

	if (err)
		errx(EXIT_FAILURE, "cannot read the settings: %s",
		     strerror(-err));
	for (size_t i = 0; i < SETTINGS; i++) {
		if (set.mask & settings[i].bit)
			show_value(&settings[i], get_value(&set, &settings[i]));
	}
	return EXIT_SUCCESS;
}

static bool parse_policy(const char *text, unsigned int *number)
{
	for (unsigned int i = 0; i < POLICIES; i++) {
		if (!strcmp(policies[i], text)) {
			*number = i;
			return true;
		}
	}
	return false;
}

static bool parse_value(const struct setting *setting, const char *text,
			unsigned long long *value)
{
	unsigned int least = (unsigned int)setting->least;
	unsigned int most = (unsigned int)setting->most;
	unsigned int number = 0;
	bool good = false;

	switch (setting->kind) {
	case KIND_SIZE:
		return parse_size(text, setting->least, setting->most, value);
	case KIND_NUMBER:
		good = parse_number(text, least, most, &number);
		break;
	case KIND_NAME:
		good = parse_policy(text, &number);
		break;
	case KIND_LOAD:
		good = parse_hundredths(text, least, most, &number);
		break;
	}
	*value = number;
	return good;
}

static bool is_none(const struct setting *setting, const char *text)
{
	return setting->none && (!strcmp(text, NO_LIMIT) || !strcmp(text, "0"));
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
	unsigned long long number = 0;

	if (set->mask & setting->bit)
		usage_error(call, "%s is given twice", setting->name);
	if (!is_none(setting, value) && !parse_value(setting, value, &number))
		errx(EXIT_FAILURE, "%s cannot be '%s'; give %s", setting->name,
		     value, setting->values);
	put_value(set, setting, number);
	set->mask |= setting->bit;
}

/* Why the module refused settings that are right as far as stevectl knows. */
static const char *advice(int err)
{
	switch (err) {
	case -EPERM:
		return "; be root (CAP_SYS_RESOURCE)";
	case -EINVAL:
	case -E2BIG:
		return "; the module that is loaded is older than stevectl";
	default:
		return "";
	}
}

int change_settings(const struct invocation *call,
		    const struct steve_settings *set)
{
	int err = steve_set_settings(open_jobserver(call), set);

	if (err)
		errx(EXIT_FAILURE, "cannot change the settings: %s%s",
		     strerror(-err), advice(err));
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
"  jobs             number of tokens, 0 to 65535; 0 pauses the pool\n"
"  policy           fifo: whoever has waited longest is served first;\n"
"                   fair: whoever has the fewest tokens\n"
"  reserve_ms       how long a token is put aside for a program that sleeps in\n"
"                   poll and was told of it, in milliseconds, 1 to 60000\n"
"  strict           1: a write that returns no token fails; 0: it is only counted\n"
"  min_jobs         below so many tokens in use, load and memory hold none back,\n"
"                   0 to 65535\n"
"  max_per_process  tokens that one client may hold, 1 to 65535, or none\n"
"  max_load         no token is granted while the load average over one minute is\n"
"                   above this, 0.01 to 10000, or none\n"
"  min_memory       no token is granted while less memory than this is available,\n"
"                   in bytes or with K, M, G or T, such as 2G, or none\n"
"  job_memory       what a job is taken to need from its grant on, less and less\n"
"                   over the seconds in which it comes to use memory itself; in\n"
"                   bytes as above, or 0\n"
"\n"
"All that is given is changed at once, or nothing. That needs root\n"
"(CAP_SYS_RESOURCE), and lasts until the module is unloaded.\n",
	.run = set,
};
