/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The search for a history that breaks a rule.
 */
#ifndef _DESK_SEARCH_H
#define _DESK_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

bool search(unsigned long seed, unsigned long count, size_t steps, FILE *out);
bool replay(const char *name);

#endif /* _DESK_SEARCH_H */
