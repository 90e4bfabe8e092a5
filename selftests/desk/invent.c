// SPDX-License-Identifier: GPL-2.0
/*
 * Histories made up at random.
 */
#include <linux/kernel.h>
#include <linux/time64.h>

#include "history.h"
#include "random.h"
#include "world.h"

/* No step takes longer. */
#define LONGEST_NS		(1000 * NSEC_PER_SEC)

/* What processes do, and how often: operations of a thread or a process. */
struct temper {
	enum what what;
	unsigned int weight;
};

#define TEMPER	12

enum {
	ANYTHING,
	MAKE,
	NINJA,
	CARGO,
	WATCHER,
	SLOW_WATCHER,
	EPOLLER,
	LENDER,
	TEMPERS,
};

static const struct temper tempers[TEMPERS][TEMPER] = {
	[ANYTHING] = {
		{ TRY, 4 }, { READ, 4 }, { POLL, 4 }, { PEEK, 1 }, { EPWAIT, 3 },
		{ SIGNAL, 4 }, { WRITE, 8 }, { EPOLL, 2 }, { REARM, 1 },
		{ UNEPOLL, 1 }, { FAULT, 1 }, { ASK, 1 },
	},
	/* Polls, then tries; is interrupted, then returns. */
	[MAKE] = { { POLL, 8 }, { TRY, 4 }, { SIGNAL, 4 }, { WRITE, 4 } },
	/* Only tries. */
	[NINJA] = { { TRY, 5 }, { ASK, 1 }, { WRITE, 4 } },
	/* Only blocks. */
	[CARGO] = { { READ, 6 }, { WRITE, 6 }, { SIGNAL, 1 }, { DISCARD, 1 } },
	/* Polls and never reads. */
	[WATCHER] = {
		{ POLL, 4 }, { PEEK, 2 }, { SIGNAL, 2 }, { EPOLL, 1 },
		{ EPWAIT, 2 }, { REARM, 1 },
	},
	/* The same, but takes its time when it is woken. */
	[SLOW_WATCHER] = {
		{ POLL, 4 }, { PEEK, 2 }, { EPOLL, 1 }, { EPWAIT, 2 },
		{ REARM, 1 },
	},
	/* Uses epoll. */
	[EPOLLER] = {
		{ EPWAIT, 8 }, { TRY, 6 }, { WRITE, 4 }, { EPOLL, 2 },
		{ REARM, 2 }, { SIGNAL, 1 }, { UNEPOLL, 1 },
	},
	/* Lends its implicit slot. */
	[LENDER] = {
		{ WRITE, 4 }, { TRY, 2 }, { READ, 2 }, { FAULT, 1 }, { PEEK, 1 },
	},
};

/* Spans that matter to the pool, and less than them, and more. */
static const u64 spans[] = {
	0, 10 * NSEC_PER_USEC, NSEC_PER_MSEC, 5 * NSEC_PER_MSEC,
	20 * NSEC_PER_MSEC, 100 * NSEC_PER_MSEC, 500 * NSEC_PER_MSEC,
	2 * NSEC_PER_SEC, 4 * NSEC_PER_SEC, 15 * NSEC_PER_SEC,
	70 * NSEC_PER_SEC,
};

static u64 random_span(struct random *random, const struct world *world)
{
	u64 span;

	/* To the moment when something is due, and a bit before and after. */
	if (world->timer > world->now &&
	    world->timer < world->now + LONGEST_NS && random_chance(random, 40))
		return world->timer - world->now - 1 + random_below(random, 3);
	span = spans[random_below(random, ARRAY_SIZE(spans))];
	if (span > NSEC_PER_SEC && random_chance(random, 60))
		span /= 1000;
	return span + random_below(random, span / 4 + 1);
}

static unsigned int temper_of(const struct process *process)
{
	return process->client.pid % TEMPERS;
}

static enum what random_what(struct random *random, unsigned int temper)
{
	const struct temper *choice = tempers[temper];
	unsigned int sum = 0;
	int number;
	int i;

	for (i = 0; i < TEMPER; i++)
		sum += choice[i].weight;
	number = random_below(random, sum);
	for (i = 0; number >= (int)choice[i].weight; i++)
		number -= choice[i].weight;
	return choice[i].what;
}

static u64 random_argument(struct random *random, const struct world *world,
			   const struct step *step)
{
	switch (step->what) {
	case WAIT:
		return random_span(random, world);
	case WRITE:
		return random_chance(random, 80) ? 1 :
						   random_below(random, 4);
	case EPOLL:
		return random_below(random, ONESHOT + 1);
	case EPWAIT:
		return random_chance(random, 85) ?
		       step->process : random_below(random, world->count);
	default:
		return 0;
	}
}

/* What happens to a thread that was woken; a wait is for others to go on. */
static enum what random_woken(struct random *random,
			      const struct process *process)
{
	unsigned int at_once = temper_of(process) == SLOW_WATCHER ? 5 : 80;

	if (random_chance(random, at_once))
		return RESUME;
	if (at_once < 50)
		return WAIT;
	return random_chance(random, 50) ? SIGNAL : DISCARD;
}

/* What a process does next, or what happens to it. */
static void random_process_step(struct random *random,
				const struct world *world, struct step *step)
{
	const struct process *process;
	const struct thread *thread;

	step->process = random_below(random, world->count);
	step->thread = random_chance(random, 60) ? 0 :
						   random_below(random, THREADS);
	process = world->processes[step->process];
	thread = &process->threads[step->thread];

	if (process->dead)
		step->what = random_chance(random, 50) ? FORGET : LEAVE;
	else if (thread->state == HANDED || thread->state == POLL_WOKEN ||
		 thread->state == EPOLL_WOKEN)
		step->what = random_woken(random, process);
	else if (random_chance(random, 2))
		step->what = random_chance(random, 50) ? EXIT : LEAVE;
	else if (random_chance(random, 1))
		step->what = RECLAIM;
	else
		step->what = random_what(random, temper_of(process));
	step->argument = random_argument(random, world, step);
}

static void random_machine_step(struct random *random,
				const struct world *world, struct step *step)
{
	switch (random_below(random, 40)) {
	case 0:
		step->what = JOBS;
		step->argument = random_below(random, 2 * world->pool.set.jobs + 2);
		break;
	case 1:
		step->what = POLICY;
		step->argument = random_below(random, 2);
		break;
	case 2:
		step->what = UNKNOWN;
		step->argument = 1 + random_below(random, 3);
		break;
	case 3:
		step->what = SHARE;
		step->argument = random_below(random, 4);
		break;
	case 4:
		step->what = MEMORY;
		step->argument = random_below(random, SCARCE + 1);
		break;
	case 5:
		step->what = world->capped ? UNCAP : CAP;
		step->argument = random_below(random, world->pool.set.jobs + 1);
		break;
	default:
		step->what = WAIT;
		step->argument = random_span(random, world);
		break;
	}
}

static void random_step(struct random *random, const struct world *world,
			struct step *step)
{
	*step = (struct step){ };
	if (world->work && random_chance(random, 50))
		step->what = WORK;
	else if (world_timer_is_due(world) && random_chance(random, 70))
		step->what = TIMER;
	else if (random_chance(random, world->count > 64 ? 3 : 25))
		random_machine_step(random, world, step);
	else
		random_process_step(random, world, step);
}

/* Most worlds are small: more happens in them in fewer steps. */
static void random_history(struct random *random, struct history *history,
			   unsigned long seed)
{
	if (seed % HISTORY_BIG == 0) {
		history->jobs = 4096;
		history->processes = 10000;
	} else if (seed % 50 == 0) {
		history->jobs = 1 + random_below(random, 64);
		history->processes = 20 + random_below(random, 300);
	} else if (seed % 5 == 0) {
		history->jobs = 1 + random_below(random, 8);
		history->processes = 2 + random_below(random, 15);
	} else {
		history->jobs = random_below(random, 4);
		history->processes = 1 + random_below(random, 4);
	}
	history->reserve_ms = random_chance(random, 80) ? 100 :
			      1 + random_below(random, 1000);
	history->drain = true;
}

/**
 * history_make() - make up a history
 * @history: the history; @history->steps has room for the steps
 * @seed: which one
 * @steps: number of steps; worlds of many processes have more
 * @verdict: what came out of it
 *
 * Ends at the first fault.
 */
void history_make(struct history *history, unsigned long seed, size_t steps,
		  struct verdict *verdict)
{
	struct random random;
	struct world world;
	size_t left;

	random_init(&random, seed);
	random_history(&random, history, seed);
	history->count = 0;
	history_begin(&world, history);
	if (seed % HISTORY_BIG == 0)
		steps *= HISTORY_BIG_FACTOR;
	for (left = 4 * steps; left && history->count < steps; left--) {
		struct step *step = &history->steps[history->count];

		random_step(&random, &world, step);
		/* It is to be seen even if it ends in a crash. */
		history->count++;
		if (!step_do(&world, step))
			history->count--;
		if (world.judge.rule)
			break;
	}
	history_end(&world, history, verdict);
}
