/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many jobs a machine under pressure can bear: down quickly, up slowly. This
 * knows nothing of the kernel: it is told of pressure and of the time.
 *
 * Down: on pressure, half of the tokens in use become the cap. It goes down again
 * only when that one has had effect, that is when no more tokens are in use, and
 * some time after. Otherwise pressure that comes from jobs already running would
 * lower it to the minimum whatever there is.
 *
 * Up: when there was no pressure for some time, by a step after each interval, up
 * to the edge: the number at which pressure came last. It steps over the edge only
 * after a hold. If pressure comes within that time after a step, and more tokens
 * are in use than before it, that step was one too many: back to the number before.
 *
 * What damps it is that the hold is doubled each time pressure follows a rise. So
 * where the machine can bear five jobs and not six, six are tried after 4 s, 8 s,
 * 16 s, and in the end once a minute. After two minutes without pressure the hold
 * is as in the beginning.
 */
#ifndef STEVECTL_GOVERNOR_H
#define STEVECTL_GOVERNOR_H

#include <stdbool.h>

/**
 * struct governor - what is known of the machine
 * @min: the lowest the cap can be, 1 or more
 * @max: the highest
 * @cap: what it is
 * @before: what it was before it was raised last
 * @edge: the number of tokens at which pressure came last, above @max for none
 * @hold: how long to wait before the edge, in milliseconds
 * @pressed: when there was pressure last, in milliseconds as all times; long ago
 *	if never
 * @lowered: when the cap was lowered last
 * @raised: when it was raised last
 */
struct governor {
	unsigned int min;
	unsigned int max;
	unsigned int cap;
	unsigned int before;
	unsigned int edge;
	long long hold;
	long long pressed;
	long long lowered;
	long long raised;
};

/**
 * governor_init() - begin with the highest cap
 * @governor: the governor
 * @min: the lowest the cap can be, 1 or more
 * @max: the highest
 */
void governor_init(struct governor *governor, unsigned int min,
		   unsigned int max);

/**
 * governor_set_max() - change the highest cap
 * @governor: the governor
 * @max: the highest; where it is less than the lowest, that counts
 *
 * Return: true if the cap has changed.
 */
bool governor_set_max(struct governor *governor, unsigned int max);

/**
 * governor_press() - tell of pressure
 * @governor: the governor
 * @now: the time
 * @used: tokens in use
 *
 * Return: true if the cap has changed.
 */
bool governor_press(struct governor *governor, long long now,
		    unsigned int used);

/**
 * governor_rest() - tell that there is no pressure
 * @governor: the governor
 * @now: the time
 *
 * Return: true if the cap has changed.
 */
bool governor_rest(struct governor *governor, long long now);

#endif /* STEVECTL_GOVERNOR_H */
