/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chance that can be repeated.
 */
#ifndef _DESK_RANDOM_H
#define _DESK_RANDOM_H

#include <stdbool.h>
#include <stdlib.h>

#include <linux/types.h>

struct random {
	unsigned short state[3];
};

static inline void random_init(struct random *random, unsigned long seed)
{
	random->state[0] = seed;
	random->state[1] = seed >> 16;
	random->state[2] = seed >> 32;
	/* Seeds that are close to each other begin alike. */
	nrand48(random->state);
	nrand48(random->state);
}

/* A number from 0 to @count - 1. */
static inline u64 random_below(struct random *random, u64 count)
{
	u64 number = (u64)nrand48(random->state) << 31 |
		     nrand48(random->state);

	return number % count;
}

static inline bool random_chance(struct random *random, unsigned int percent)
{
	return random_below(random, 100) < percent;
}

/* A number from @from to @to. */
static inline double random_between(struct random *random, double from,
				    double to)
{
	return from + (to - from) * erand48(random->state);
}

#endif /* _DESK_RANDOM_H */
