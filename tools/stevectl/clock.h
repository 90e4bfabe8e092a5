/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STEVECTL_CLOCK_H
#define STEVECTL_CLOCK_H

#include <time.h>

/**
 * now_ms() - read a clock that nobody sets
 *
 * Return: milliseconds since some time in the past.
 */
static inline long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif /* STEVECTL_CLOCK_H */
