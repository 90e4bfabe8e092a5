// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

#define DIGITS	"0123456789"

/* From bytes on, each 1024 times the one before. */
static const char units[] = "\0KMGT";

#define UNITS	(sizeof(units) - 1)

bool parse_number(const char *text, unsigned int least, unsigned int most,
		  unsigned int *number)
{
	/* Where it is too large, this is ULONG_MAX. */
	unsigned long value = strtoul(text, NULL, 10);

	if (!*text || text[strspn(text, DIGITS)])
		return false;
	if (value < least || value > most)
		return false;
	*number = (unsigned int)value;
	return true;
}

bool parse_hundredths(const char *text, unsigned int least, unsigned int most,
		      unsigned int *number)
{
	size_t whole = strspn(text, DIGITS);
	size_t decimals = 0;
	unsigned long value;

	if (text[whole] == '.') {
		decimals = strspn(text + whole + 1, DIGITS);
		if (!decimals || decimals > 2 || text[whole + 1 + decimals])
			return false;
	} else if (text[whole]) {
		return false;
	}
	if (!whole)
		return false;

	value = strtoul(text, NULL, 10);
	if (value > most / 100)
		return false;
	value *= 100;
	if (decimals)
		value += strtoul(text + whole + 1, NULL, 10) *
			 (decimals == 1 ? 10 : 1);
	if (value < least || value > most)
		return false;
	*number = (unsigned int)value;
	return true;
}

static bool find_unit(char letter, unsigned int *shift)
{
	for (unsigned int unit = 0; unit < UNITS; unit++) {
		if (units[unit] == toupper((unsigned char)letter)) {
			*shift = 10 * unit;
			return true;
		}
	}
	return false;
}

bool parse_size(const char *text, unsigned long long least,
		unsigned long long most, unsigned long long *size)
{
	size_t digits = strspn(text, DIGITS);
	unsigned long long value = strtoull(text, NULL, 10);
	unsigned int shift;

	if (!digits || !find_unit(text[digits], &shift))
		return false;
	if (text[digits] && text[digits + 1])
		return false;
	if (value > most >> shift || value << shift < least)
		return false;
	*size = value << shift;
	return true;
}

const char *exact_size(unsigned long long size, char text[SIZE_TEXT])
{
	unsigned int unit = 0;

	while (size && !(size % 1024) && unit < UNITS - 1) {
		size /= 1024;
		unit++;
	}
	/* The first unit has no letter. */
	snprintf(text, SIZE_TEXT, "%llu%.1s", size, units + unit);
	return text;
}

const char *rough_size(unsigned long long size, char text[SIZE_TEXT])
{
	unsigned long long below = 0;
	unsigned int unit = 0;

	while (size >= 1024 && unit < UNITS - 1) {
		below = size % 1024;
		size /= 1024;
		unit++;
	}
	if (below && size < 100)
		snprintf(text, SIZE_TEXT, "%llu.%llu%.1s", size,
			 below * 10 / 1024, units + unit);
	else
		snprintf(text, SIZE_TEXT, "%llu%.1s", size, units + unit);
	return text;
}
