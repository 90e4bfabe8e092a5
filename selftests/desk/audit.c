// SPDX-License-Identifier: GPL-2.0
/*
 * The audit after each step: is the account right, is everybody where he
 * belongs, and does nobody wait in vain?
 */
#include <linux/time64.h>

#include "judge.h"
#include "world.h"

/* In a world of more clients not all are looked at after every step. */
#define SMALL_WORLD		64
#define STEPS_BETWEEN_ALL	2048

/* When memory is short the pool looks again at least so often. */
#define RECHECK_NS		(250 * NSEC_PER_MSEC)

/* ---- One client after a step ---- */

static void add(struct account *to, const struct account *account, int sign)
{
	to->held += sign * account->held;
	to->reserved += sign * account->reserved;
	to->lent += sign * account->lent;
	to->waiting += sign * account->waiting;
}

static void judge_account(struct process *process)
{
	const struct steve_pool_client *client = &process->client;
	struct judged *judged = &process->judged;
	struct account account = {
		.held = client->held,
		.reserved = client->reserved,
		.lent = client->lent,
		.waiting = client->place != 0,
	};

	add(&process->world->judge.account, &judged->account, -1);
	add(&process->world->judge.account, &account, 1);
	judged->account = account;
	if (client->held != judged->tokens || client->lent != judged->lent)
		judge_fault(process->world, "account",
			    "%u has %u tokens and lent %u; the pool says %u and %u",
			    process->index, judged->tokens, judged->lent,
			    client->held, client->lent);
	if (client->debt != judged->debt)
		judge_fault(process->world, "account",
			    "%u owes %u tokens; the pool says %u",
			    process->index, judged->debt, client->debt);
	if (client->lent && client->held)
		judge_fault(process->world, "account",
			    "%u lent its slot and holds a token",
			    process->index);
}

static void judge_place(struct process *process)
{
	struct judged *judged = &process->judged;
	struct world *world = process->world;
	u64 place = process->client.place;

	if (judged->place && place != judged->place && !judged->moved &&
	    (place || !judge_may_expire(process)))
		judge_fault(world, "place", "%u loses its place",
			    process->index);
	if (!judged->place && place && !judged->asked && !judged->moved)
		judge_fault(world, "place",
			    "%u has a place it did not ask for",
			    process->index);
	if (judged->old_place && place == judged->old_place)
		judge_fault(world, "place",
			    "%u did not take a token it had seen, and keeps its place",
			    process->index);
	judged->old_place = 0;
	judged->place = place;
}

static void judge_wait(struct process *process)
{
	const struct steve_pool_client *client = &process->client;
	unsigned int reading = 0;
	int i;

	for (i = 0; i < THREADS; i++)
		reading += process->threads[i].state == READING;
	if (client->readers != reading)
		judge_fault(process->world, "readers",
			    "%u has %u blocked readers; the pool says %u",
			    process->index, reading, client->readers);
	if (process_waits(process) && !client->reservation &&
	    (!client->place || !(client->readers || client->polling)))
		judge_fault(process->world, "forgotten",
			    "%u sleeps, and the pool does not know",
			    process->index);
}

static void judge_line(struct process *process)
{
	const struct steve_pool_client *client = &process->client;
	const struct steve_pool *pool = &process->world->pool;
	bool asleep = client->readers || client->polling;
	bool wakeable = client->line == &pool->wakeable ||
			client->line == &pool->full;

	if (!client->line)
		return;
	if (!client->place || client->reservation || wakeable != asleep ||
	    (client->line == &pool->full && !process->world->work &&
	     !judge_is_full(process)))
		judge_fault(process->world, "line",
			    "%u stands in a line where it does not belong",
			    process->index);
}

static void judge_process(struct process *process)
{
	judge_account(process);
	judge_place(process);
	judge_wait(process);
	judge_line(process);
	process->judged.touched = false;
	process->judged.asked = false;
	process->judged.moved = false;
}

/* ---- The whole after a step ---- */

static void judge_sums(struct world *world, bool all)
{
	const struct steve_pool *pool = &world->pool;
	struct judge *judge = &world->judge;
	const struct account *sum = &judge->account;
	int available = steve_pool_available(pool);

	if (pool->held != sum->held || pool->reserved != sum->reserved ||
	    pool->lent != sum->lent)
		judge_fault(world, "account",
			    "held %u, reserved %u, lent %u; clients have %u, %u, %u",
			    pool->held, pool->reserved, pool->lent,
			    sum->held, sum->reserved, sum->lent);
	/* That a cold place has expired is seen when all are looked at. */
	if (all && pool->waiting != sum->waiting)
		judge_fault(world, "account", "%u wait; %u clients do",
			    pool->waiting, sum->waiting);
	if (available < 0 && available < judge->available && !judge->shrank)
		judge_fault(world, "account",
			    "%d tokens available, after %d: one was given out twice",
			    available, judge->available);
	judge->available = available;
	judge->shrank = false;
	judge->kept_now = false;
}

static void judge_timer(struct world *world)
{
	struct rb_node *node = rb_first_cached(&world->pool.deadlines);
	struct steve_pool_client *client =
		rb_entry_safe(node, struct steve_pool_client, deadline_node);

	if (client && !world->work &&
	    (!world->timer || world->timer > client->deadline))
		judge_fault(world, "timer",
			    "%u is due, and no timer is set for it",
			    to_process(client)->index);
}

/* Is memory short, or was when the pool last looked, and is it to look again? */
static bool is_held_back(const struct world *world)
{
	const struct steve_pool *pool = &world->pool;

	if (!pool->min_memory)
		return false;
	if (pool->recheck > world->now || world_timer_is_due(world))
		return true;
	return world->memory < pool->min_memory +
			       steve_pool_charged(pool, world->now);
}

/* Is a token free for whoever waits? */
static bool is_idle(const struct world *world)
{
	return steve_pool_available(&world->pool) > 0 && !world->work &&
	       !is_held_back(world);
}

/* Somebody waits for memory, and the pool looks again in time. */
static void judge_recheck(struct world *world)
{
	const struct steve_pool *pool = &world->pool;

	if (!pool->recheck || world->work)
		return;
	if (!world->timer || world->timer > pool->recheck ||
	    pool->recheck > world->now + RECHECK_NS)
		judge_fault(world, "recheck",
			    "memory is short, and it is not looked again");
}

/* Only the first in line, for speed. */
static void judge_idle(struct world *world)
{
	struct rb_node *node = rb_first_cached(&world->pool.wakeable.by_place);
	struct steve_pool_client *client =
		rb_entry_safe(node, struct steve_pool_client, place_node);

	if (client && is_idle(world) && judge_is_eligible(to_process(client)))
		judge_fault(world, "idle",
			    "%u is in line, and a token is available",
			    to_process(client)->index);
}

static unsigned int judge_places(struct world *world,
				 struct steve_pool_line *line)
{
	struct steve_pool_client *client;
	unsigned int count = 0;
	struct rb_node *node;
	u64 last = 0;

	node = rb_first(&line->by_place.rb_root);
	if (node != rb_first_cached(&line->by_place))
		judge_fault(world, "tree", "by place: wrong first");
	for (; node; node = rb_next(node)) {
		client = rb_entry(node, struct steve_pool_client, place_node);
		if (client->line != line || client->place <= last)
			judge_fault(world, "tree", "by place: %u is wrong",
				    to_process(client)->index);
		last = client->place;
		count++;
	}
	return count;
}

static unsigned int judge_shares(struct world *world,
				 struct steve_pool_line *line)
{
	struct steve_pool_client *client, *last = NULL;
	unsigned int count = 0;
	struct rb_node *node;

	node = rb_first(&line->by_share.rb_root);
	if (node != rb_first_cached(&line->by_share))
		judge_fault(world, "tree", "by share: wrong first");
	for (; node; node = rb_next(node)) {
		client = rb_entry(node, struct steve_pool_client, share_node);
		if (client->line != line ||
		    (last && (client->group->held < last->group->held ||
			      (client->group->held == last->group->held &&
			       client->place <= last->place))))
			judge_fault(world, "tree", "by share: %u is wrong",
				    to_process(client)->index);
		last = client;
		count++;
	}
	return count;
}

static unsigned int judge_deadlines(struct world *world)
{
	struct rb_root_cached *deadlines = &world->pool.deadlines;
	struct steve_pool_client *client;
	unsigned int count = 0;
	struct rb_node *node;
	u64 last = 0;

	node = rb_first(&deadlines->rb_root);
	if (node != rb_first_cached(deadlines))
		judge_fault(world, "tree", "by deadline: wrong first");
	for (; node; node = rb_next(node)) {
		client = rb_entry(node, struct steve_pool_client,
				  deadline_node);
		if (!client->deadline || client->deadline < last)
			judge_fault(world, "tree", "by deadline: %u is wrong",
				    to_process(client)->index);
		last = client->deadline;
		count++;
	}
	return count;
}

static void judge_trees(struct world *world)
{
	struct steve_pool *pool = &world->pool;
	unsigned int wakeable = 0, keepable = 0, full = 0, deadlines = 0;
	unsigned int i;

	for (i = 0; i < world->count; i++) {
		const struct steve_pool_client *client =
			&world->processes[i]->client;

		wakeable += client->line == &pool->wakeable;
		keepable += client->line == &pool->keepable;
		full += client->line == &pool->full;
		deadlines += client->deadline != 0;
	}
	if (judge_places(world, &pool->wakeable) != wakeable ||
	    judge_shares(world, &pool->wakeable) != wakeable ||
	    judge_places(world, &pool->keepable) != keepable ||
	    judge_shares(world, &pool->keepable) != keepable ||
	    judge_places(world, &pool->full) != full ||
	    judge_shares(world, &pool->full) != full ||
	    judge_deadlines(world) != deadlines)
		judge_fault(world, "tree", "somebody is missing, or not gone");
}

static void judge_all(struct world *world)
{
	bool idle = is_idle(world);
	unsigned int i;

	for (i = 0; i < world->count; i++) {
		struct process *process = world->processes[i];

		judge_process(process);
		if (idle && judge_is_eligible(process))
			judge_fault(world, "idle",
				    "%u waits, and a token is available", i);
	}
	judge_trees(world);
}

/**
 * judge_sees_all() - are all clients looked at after every step?
 * @world: the world
 *
 * Return: whether it is so small.
 */
bool judge_sees_all(const struct world *world)
{
	return world->count <= SMALL_WORLD;
}

/**
 * judge_step() - look at what a step has done
 * @world: the world
 */
void judge_step(struct world *world)
{
	struct judge *judge = &world->judge;
	bool all = judge_sees_all(world) || !judge->until_all--;
	unsigned int i;

	if (all) {
		judge_all(world);
		judge->until_all = STEPS_BETWEEN_ALL;
	} else {
		for (i = 0; i < judge->touched_count; i++)
			judge_process(judge->touched[i]);
	}
	judge->touched_count = 0;
	/* A place that goes to somebody else does so in the same step. */
	judge->asker = NULL;
	judge_sums(world, all);
	judge_timer(world);
	judge_recheck(world);
	judge_idle(world);
}

/**
 * judge_empty() - everybody is dead: is nothing left?
 * @world: the world
 */
void judge_empty(struct world *world)
{
	const struct steve_pool *pool = &world->pool;

	judge_all(world);
	judge_sums(world, true);
	if (pool->held || pool->reserved || pool->lent || pool->waiting)
		judge_fault(world, "account",
			    "all are dead; held %u, reserved %u, lent %u, waiting %u",
			    pool->held, pool->reserved, pool->lent,
			    pool->waiting);
	if (!RB_EMPTY_ROOT(&pool->wakeable.by_place.rb_root) ||
	    !RB_EMPTY_ROOT(&pool->keepable.by_place.rb_root) ||
	    !RB_EMPTY_ROOT(&pool->full.by_place.rb_root) ||
	    !RB_EMPTY_ROOT(&pool->deadlines.rb_root))
		judge_fault(world, "tree", "all are dead; somebody is there");
}
