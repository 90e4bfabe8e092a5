// SPDX-License-Identifier: GPL-2.0
#include "governor.h"

/* After the cap was lowered, pressure may still be from before. */
#define SETTLE_MS	1000

/* From one rise to the next, where there is no edge near. */
#define STEP_MS		2000

/* How long there has to be no pressure before the first rise. */
#define HOLD_MS		4000
#define HOLD_MAX_MS	64000

/* Without pressure for so long, the hold is what it was at first. */
#define PEACE_MS	(2 * HOLD_MAX_MS)

/* Long before any time. */
#define NEVER		(-PEACE_MS)

/* From the lowest to the highest in no more than so many steps. */
#define STEPS		8

static unsigned int lesser(unsigned int one, unsigned int other)
{
	return one < other ? one : other;
}

static unsigned int greater(unsigned int one, unsigned int other)
{
	return one > other ? one : other;
}

static long long later(long long one, long long other)
{
	return one > other ? one : other;
}

static void forget_edge(struct governor *governor)
{
	governor->edge = governor->max + 1;
}

void governor_init(struct governor *governor, unsigned int min,
		   unsigned int max)
{
	*governor = (struct governor){
		.min = min,
		.max = greater(min, max),
		.cap = greater(min, max),
		.hold = HOLD_MS,
		.pressed = NEVER,
		.lowered = NEVER,
		.raised = NEVER,
	};
	forget_edge(governor);
}

bool governor_set_max(struct governor *governor, unsigned int max)
{
	unsigned int cap = governor->cap;
	bool highest = cap == governor->max;
	bool no_edge = governor->edge > governor->max;

	governor->max = greater(governor->min, max);
	governor->cap = highest ? governor->max : lesser(cap, governor->max);
	if (no_edge)
		forget_edge(governor);
	return governor->cap != cap;
}

/* Was the cap lowered, and are tokens above it still in use? */
static bool has_no_effect_yet(const struct governor *governor, long long now,
			      unsigned int used)
{
	if (governor->lowered <= governor->raised)
		return false;
	return used > governor->cap || now - governor->lowered < SETTLE_MS;
}

/* Was the last rise one too many? */
static bool has_failed(const struct governor *governor, long long now,
		       unsigned int used)
{
	return governor->raised > governor->lowered &&
	       used > governor->before &&
	       now - governor->raised < governor->hold;
}

static void adapt_hold(struct governor *governor, long long now)
{
	if (now - governor->pressed >= PEACE_MS)
		governor->hold = HOLD_MS;
	else if (governor->raised > governor->lowered &&
		 governor->hold < HOLD_MAX_MS)
		governor->hold *= 2;
}

bool governor_press(struct governor *governor, long long now, unsigned int used)
{
	unsigned int level = lesser(used, governor->cap);
	unsigned int cap = level / 2;

	if (has_failed(governor, now, used))
		cap = governor->before;
	adapt_hold(governor, now);
	governor->pressed = now;
	if (governor->cap == governor->min ||
	    has_no_effect_yet(governor, now, used))
		return false;

	governor->edge = greater(level, governor->min + 1);
	governor->cap = greater(cap, governor->min);
	governor->lowered = now;
	return true;
}

bool governor_rest(struct governor *governor, long long now)
{
	unsigned int step = (governor->max - governor->min + STEPS - 1) / STEPS;
	unsigned int cap = lesser(governor->cap + step, governor->max);
	long long last = later(governor->pressed, governor->lowered);
	long long hold = cap >= governor->edge ? governor->hold : HOLD_MS;

	if (governor->cap == governor->max || now - last < hold)
		return false;
	/* Over the edge, wait as long as pressure would make it a failure. */
	if (now - governor->raised <
	    (governor->cap >= governor->edge ? governor->hold : STEP_MS))
		return false;

	if (governor->cap >= governor->edge)
		forget_edge(governor);
	governor->before = governor->cap;
	governor->cap = cap;
	governor->raised = now;
	return true;
}
