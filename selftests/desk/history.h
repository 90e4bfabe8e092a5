/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories: what happened in a world, step by step. They are made up at
 * random, can be written down and replayed, and cut down to what matters.
 */
#ifndef _DESK_HISTORY_H
#define _DESK_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

#include "steps.h"

/*
 * One history of so many is that of a large world, and has so many times more
 * steps than others.
 */
#define HISTORY_BIG		1000
#define HISTORY_BIG_FACTOR	100

struct world;

/**
 * struct history - a history
 * @jobs: number of tokens to begin with
 * @processes: number of processes
 * @reserve_ms: how long a reservation lasts, in milliseconds
 * @drain: at the end everybody who waits is to be served
 * @count: number of steps
 * @steps: the steps
 */
struct history {
	u32 jobs;
	u32 processes;
	u32 reserve_ms;
	bool drain;
	size_t count;
	struct step *steps;
};

/**
 * struct verdict - what came out of a history
 * @rule: the rule that was broken, or empty
 * @fault: how it was broken
 */
struct verdict {
	char rule[16];
	char fault[200];
};

void history_begin(struct world *world, const struct history *history);
void history_end(struct world *world, const struct history *history,
		 struct verdict *verdict);
void history_make(struct history *history, unsigned long seed, size_t steps,
		  struct verdict *verdict);
void history_run(const struct history *history, FILE *log,
		 struct verdict *verdict);
void history_write(const struct history *history, FILE *file);
bool history_read(struct history *history, FILE *file, const char *name);

#endif /* _DESK_HISTORY_H */
