/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What holds tokens back, in words.
 */
#ifndef STEVECTL_LIMITS_H
#define STEVECTL_LIMITS_H

#include <linux/steve.h>

/**
 * limit_name() - name a limit
 * @index: number of its bit in struct steve_status.limits
 *
 * Return: its name, NULL if there is no such bit.
 */
const char *limit_name(unsigned int index);

/**
 * limits_sentence() - tell what holds tokens back
 * @status: the account of the pool
 *
 * Return: a sentence for people, to be freed by the caller; NULL if there is no
 * memory.
 */
char *limits_sentence(const struct steve_status *status);

#endif /* STEVECTL_LIMITS_H */
