// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool parse_number(const char *text, unsigned int least, unsigned int most,
		  unsigned int *number)
{
	/* Where it is too large, this is ULONG_MAX. */
	unsigned long value = strtoul(text, NULL, 10);

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	if (value < least || value > most)
		return false;
	*number = (unsigned int)value;
	return true;
}
