// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "limits.h"
#include "number.h"

static const char *const names[] = { "jobs", "cap", "load", "memory" };

const char *limit_name(unsigned int index)
{
	return index < sizeof(names) / sizeof(*names) ? names[index] : NULL;
}

static void tell_memory(FILE *out, const struct steve_status *status)
{
	char memory[SIZE_TEXT], charged[SIZE_TEXT], least[SIZE_TEXT];

	fprintf(out, "memory is short: %s available",
		rough_size(status->memory, memory));
	if (status->charged)
		fprintf(out, ", %s of it for jobs just begun",
			rough_size(status->charged, charged));
	fprintf(out, ", min_memory is %s",
		rough_size(status->min_memory, least));
}

static void tell_load(FILE *out, const struct steve_status *status)
{
	fprintf(out, "the load is %u.%02u, max_load is %u.%02u",
		status->load / 100, status->load % 100,
		status->max_load / 100, status->max_load % 100);
}

static void tell_shortage(FILE *out, const struct steve_status *status)
{
	fputs("Tokens are held back: ", out);
	if (status->limits & STEVE_LIMIT_MEMORY)
		tell_memory(out, status);
	if (status->limits & STEVE_LIMIT_MEMORY &&
	    status->limits & STEVE_LIMIT_LOAD)
		fputs("; ", out);
	if (status->limits & STEVE_LIMIT_LOAD)
		tell_load(out, status);
}

/* Where some things are short, it does not matter that others are, too. */
static void tell(FILE *out, const struct steve_status *status)
{
	if (status->limits & (STEVE_LIMIT_MEMORY | STEVE_LIMIT_LOAD))
		tell_shortage(out, status);
	else if (!status->jobs)
		fputs("The pool is paused: jobs is 0", out);
	else if (!status->size)
		fputs("The pool is paused: a cap is 0", out);
	else if (status->limits & STEVE_LIMIT_CAP)
		fprintf(out, "No token is free: a cap leaves %u of %u",
			status->size, status->jobs);
	else if (status->available <= 0)
		fputs("No token is free: all are in use", out);
	else
		fputs("Nothing holds tokens back", out);
	putc('.', out);
}

char *limits_sentence(const struct steve_status *status)
{
	char *sentence = NULL;
	size_t length;
	FILE *out;

	out = open_memstream(&sentence, &length);
	if (!out)
		return NULL;
	tell(out, status);
	if (fclose(out)) {
		free(sentence);
		return NULL;
	}
	return sentence;
}
