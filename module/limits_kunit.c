// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the limits, of caps and of taking tokens back, in the world of
 * kunit_world.h. A test states one rule, in its name.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "kunit_world.h"
#include "pool.h"

#define MB		((u64)SZ_1M)

/* What a job is taken to need, and how fast that fades: 100 MB a second. */
#define JOB		(100 * STEVE_CHARGE_SECONDS * MB)
#define MIN_MEMORY	(1000 * MB)

/* A world under the policy that the test is for. */
static struct world *new_policy_world(struct kunit *test, u32 jobs)
{
	const struct policy_case *param = test->param_value;
	struct world *world = new_world(test, jobs);

	set_policy(world, param->policy);
	return world;
}

static void set_max_per_process(struct world *world, u32 most)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.max_per_process = most;
	configure(world, &settings);
}

static void set_min_jobs(struct world *world, u32 least)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.min_jobs = least;
	configure(world, &settings);
}

static void set_max_load(struct world *world, u32 most)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.max_load = most;
	configure(world, &settings);
}

static void set_memory(struct world *world, u64 least, u64 job)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.min_memory = least;
	settings.job_memory = job;
	configure(world, &settings);
}

/* ---- max_per_process ---- */

static void nobody_takes_more_than_one_may_hold(struct kunit *test)
{
	struct world *world = new_policy_world(test, 5);

	set_max_per_process(world, 2);
	take_many(world, 1, 2);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, readable(world, 1), 0);
	take_many(world, 2, 2);
	KUNIT_EXPECT_EQ(test, available(world), 1);
	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void what_is_reserved_counts_to_what_one_may_hold(struct kunit *test)
{
	struct world *world = new_policy_world(test, 5);

	set_max_per_process(world, 2);
	take(world, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void readable_is_what_one_may_still_hold(struct kunit *test)
{
	struct world *world = new_policy_world(test, 8);

	set_max_per_process(world, 3);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	look(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	set_max_per_process(world, 1);
	KUNIT_EXPECT_EQ_MSG(test, readable(world, 1), 1, "what is reserved");
	set_max_per_process(world, 0);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 7);
}

static void the_own_slot_comes_back_whatever_one_may_hold(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 1);
	KUNIT_EXPECT_EQ(test, give(world, 1, 1).lent, 1);
	KUNIT_EXPECT_EQ_MSG(test, readable(world, 1), 2, "its slot and a token");
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 1);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void the_own_slot_may_be_reserved_and_comes_back(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 1);
	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

/* Client 1 holds one token, all it may, and waits for more; client 0 has two. */
static struct world *new_set_aside_world(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);

	take(world, 1);
	take_many(world, 0, 2);
	set_max_per_process(world, 1);
	block(world, 1);
	return world;
}

static void whoever_is_set_aside_takes_no_place_from_others(struct kunit *test)
{
	struct world *world = new_set_aside_world(test);

	block_many(world, 2, 3);
	give(world, 0, 2);
	expect_served(world, "2 3");
	KUNIT_EXPECT_EQ(test, available(world), 0);
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, available(world), 1);
	KUNIT_EXPECT_EQ(test, readable(world, 4), 1);
	KUNIT_EXPECT_TRUE_MSG(test, take(world, 4), "a newcomer");
}

static void whoever_is_set_aside_keeps_its_place(struct kunit *test)
{
	struct world *world = new_set_aside_world(test);
	u64 before = place(world, 1);

	block_many(world, 2, 3);
	give(world, 0, 1);
	pass(world, 2 * COLD);
	KUNIT_EXPECT_NE(test, before, 0);
	KUNIT_EXPECT_EQ(test, place(world, 1), before);
	/* It has as few tokens as the other then, and came before it. */
	give(world, 1, 1);
	expect_served(world, "2 1");
}

static void one_return_of_one_set_aside_serves_one(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 2);
	take_many(world, 1, 2);
	block(world, 1);
	block(world, 1);
	give(world, 1, 1);
	expect_served(world, "1");
	give(world, 1, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, held(world, 1), 2);
	KUNIT_EXPECT_EQ(test, world->clients[1].readers, 0);
}

static void a_poller_set_aside_is_woken_once_it_may_hold_one(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 1);
	take(world, 1);
	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	pass(world, 2 * COLD);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 0);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_OFFERED);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void a_poller_that_stopped_is_not_woken(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 1);
	take(world, 1);
	poll(world, 1);
	stop_polling(world, 1);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 0);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void a_lower_limit_revokes_nothing(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take_many(world, 1, 3);
	set_max_per_process(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), 3);
	block(world, 1);
	give(world, 1, 2);
	KUNIT_EXPECT_EQ(test, handed(world, 1), 0);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, handed(world, 1), 1);
}

static void a_reservation_outlives_a_lower_limit(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take(world, 1);
	look(world, 1);
	set_max_per_process(world, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 2);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void a_lower_limit_sets_aside_who_waits(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);

	take(world, 1);
	take_many(world, 0, 2);
	block_many(world, 1, 2);
	set_max_per_process(world, 1);
	give(world, 0, 2);
	expect_served(world, "2");
	KUNIT_EXPECT_EQ(test, available(world), 1);
}

enum { CROWD = 36 };

/* Clients from 1 on hold a token each, all they may, and wait for more. */
static struct world *new_crowd_set_aside(struct kunit *test)
{
	struct world *world = new_policy_world(test, 2 * CROWD);
	int i;

	set_max_per_process(world, 1);
	for (i = 1; i <= CROWD; i++) {
		take(world, i);
		block(world, i);
	}
	return world;
}

/* That no more than a batch is woken at once, and in order, is always checked. */
static void a_higher_limit_serves_all_set_aside(struct kunit *test)
{
	struct world *world = new_crowd_set_aside(test);
	int i;

	set_max_per_process(world, 2);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	run_deferred(world);
	for (i = 1; i <= CROWD; i++)
		KUNIT_EXPECT_EQ(test, held(world, i), 2);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

/* Those with fewer tokens are released first, and must not be served so. */
static void a_higher_limit_lets_nobody_overtake(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3 * CROWD);
	int i;

	for (i = 1; i <= CROWD; i++)
		take_many(world, i, i <= CROWD / 2 ? 2 : 1);
	set_max_per_process(world, 1);
	block_many(world, 1, CROWD);
	set_max_per_process(world, 3);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

static void no_limit_serves_all_set_aside(struct kunit *test)
{
	struct world *world = new_crowd_set_aside(test);

	set_max_per_process(world, 0);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.held, 2 * CROWD);
}

static void newcomers_stand_behind_those_released(struct kunit *test)
{
	struct world *world = new_crowd_set_aside(test);

	set_jobs(world, 2 * CROWD);
	set_max_per_process(world, 2);
	KUNIT_ASSERT_TRUE(test, world->deferred);
	KUNIT_EXPECT_FALSE(test, take(world, CROWD + 1));
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.held, 2 * CROWD);
	KUNIT_EXPECT_EQ(test, held(world, CROWD + 1), 0);
}

static void a_limit_raised_and_lowered_again_releases_nobody(struct kunit *test)
{
	struct world *world = new_crowd_set_aside(test);
	int i;

	set_jobs(world, CROWD);
	set_max_per_process(world, 2);
	set_max_per_process(world, 1);
	set_jobs(world, 2 * CROWD);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.held, CROWD);
	for (i = 1; i <= CROWD; i++)
		KUNIT_EXPECT_NE(test, place(world, i), 0);
}

static void those_released_are_served_in_order(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);
	int i;

	for (i = 1; i <= 3; i++)
		take(world, i);
	set_max_per_process(world, 1);
	block(world, 2);
	block(world, 1);
	block(world, 3);
	set_max_per_process(world, 2);
	set_jobs(world, 4);
	expect_served(world, "2");
	set_jobs(world, 6);
	expect_served(world, "1 3");
}

static void whoever_is_set_aside_may_go(struct kunit *test)
{
	struct world *world = new_set_aside_world(test);

	interrupt(world, 1);
	KUNIT_EXPECT_NE(test, place(world, 1), 0);
	leave(world, 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
	poll(world, 1);
	die(world, 1);
	all_die(world);
	expect_empty(world);
}

static void a_place_of_one_set_aside_expires_when_cold(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_max_per_process(world, 1);
	take(world, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_NE(test, place(world, 1), 0);
	pass(world, 2 * COLD);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
}

/* Clients 1 and 3 never poll; client 1 has all it may hold, and stands first. */
static void a_token_is_kept_for_whoever_may_have_it(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);
	int tries;

	set_max_per_process(world, 1);
	take(world, 1);
	take(world, 0);
	take(world, 4);
	for (tries = 0; tries < 3; tries++) {
		if (tries)
			pass(world, 100 * MS);
		KUNIT_ASSERT_FALSE(test, take(world, 1));
		KUNIT_ASSERT_FALSE(test, take(world, 3));
	}
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 3), STEVE_RESERVED_KEPT);
	expect_served(world, "");
	give(world, 4, 1);
	expect_served(world, "2");
}

static void a_change_of_policy_leaves_those_set_aside(struct kunit *test)
{
	struct world *world = new_set_aside_world(test);

	block(world, 2);
	set_policy(world, !world->pool.set.policy);
	give(world, 0, 2);
	expect_served(world, "2");
	give(world, 1, 1);
	expect_served(world, "1");
}

/* ---- Load and memory ---- */

/* What keeps tokens back, and what lets them go again. */
struct cause {
	void (*begin)(struct world *world);
	void (*end)(struct world *world);
	u32 bit;
};

struct cause_case {
	const char *name;
	enum steve_policy policy;
	void (*limit)(struct world *world);
	const struct cause *cause;
};

static void limit_load(struct world *world)
{
	set_max_load(world, 400);
}

static void limit_load_by_cap(struct world *world)
{
	cap(world, 0, &(struct steve_pool_cap){ .jobs = 100, .max_load = 400 });
}

static void load_begins(struct world *world)
{
	world->load = 401;
}

static void load_ends(struct world *world)
{
	world->load = 400;
}

static void limit_memory(struct world *world)
{
	set_memory(world, MIN_MEMORY, 0);
}

static void limit_memory_by_cap(struct world *world)
{
	cap(world, 0, &(struct steve_pool_cap){
		.jobs = 100, .min_memory = MIN_MEMORY,
	});
}

static void memory_begins(struct world *world)
{
	world->memory = MIN_MEMORY - 1;
}

static void memory_ends(struct world *world)
{
	world->memory = MIN_MEMORY;
}

static const struct cause load = {
	load_begins, load_ends, STEVE_LIMIT_LOAD,
};

static const struct cause memory = {
	memory_begins, memory_ends, STEVE_LIMIT_MEMORY,
};

static const struct cause_case causes[] = {
	{ "load, fifo", STEVE_POLICY_FIFO, limit_load, &load },
	{ "load, fair", STEVE_POLICY_FAIR, limit_load, &load },
	{ "load, by a cap", STEVE_POLICY_FIFO, limit_load_by_cap, &load },
	{ "memory, fifo", STEVE_POLICY_FIFO, limit_memory, &memory },
	{ "memory, fair", STEVE_POLICY_FAIR, limit_memory, &memory },
	{ "memory, by a cap", STEVE_POLICY_FAIR, limit_memory_by_cap, &memory },
};

KUNIT_ARRAY_PARAM_DESC(cause, causes, name);

static void cause_begins(struct world *world)
{
	const struct cause_case *param = world->test->param_value;

	param->cause->begin(world);
}

static void cause_ends(struct world *world)
{
	const struct cause_case *param = world->test->param_value;

	param->cause->end(world);
}

/* The limit is there, and nothing holds a token back yet. */
static struct world *new_limited_world(struct kunit *test, u32 jobs)
{
	const struct cause_case *param = test->param_value;
	struct world *world = new_world(test, jobs);

	set_policy(world, param->policy);
	param->limit(world);
	cause_ends(world);
	return world;
}

static struct world *new_held_back_world(struct kunit *test, u32 jobs)
{
	struct world *world = new_limited_world(test, jobs);

	cause_begins(world);
	return world;
}

static void at_the_limit_tokens_are_granted(struct kunit *test)
{
	struct world *world = new_limited_world(test, 2);

	take_many(world, 1, 2);
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_JOBS);
}

static void past_the_limit_no_token_is_granted(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	KUNIT_EXPECT_EQ(test, readable(world, 1), 0);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, look(world, 2));
	KUNIT_EXPECT_FALSE(test, poll(world, 3));
	block(world, 4);
	pass(world, 10 * SEC);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, available(world), 4);
}

static void what_holds_tokens_back_is_told(struct kunit *test)
{
	const struct cause_case *param = test->param_value;
	struct world *world = new_limited_world(test, 2);

	KUNIT_EXPECT_EQ(test, limits(world), 0);
	cause_begins(world);
	KUNIT_EXPECT_EQ(test, limits(world), param->cause->bit);
	set_min_jobs(world, 1);
	KUNIT_EXPECT_EQ_MSG(test, limits(world), 0, "one can be granted");
	take(world, 1);
	KUNIT_EXPECT_EQ(test, limits(world), param->cause->bit);
	set_min_jobs(world, 3);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_JOBS);
	set_min_jobs(world, 0);
	KUNIT_EXPECT_EQ(test, limits(world), param->cause->bit | STEVE_LIMIT_JOBS);
	cause_ends(world);
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_JOBS);
}

static void it_is_looked_again_while_somebody_waits(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	block(world, 1);
	pass(world, 10 * SEC + RECHECK - 1);
	cause_ends(world);
	expect_served(world, "");
	pass(world, SEC);
	expect_served(world, "1");
}

static void pollers_are_woken_when_the_cause_is_gone(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	poll(world, 1);
	poll(world, 2);
	pass(world, 10 * SEC);
	cause_ends(world);
	pass(world, RECHECK);
	expect_served(world, "1 2");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_OFFERED);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void whoever_comes_when_the_cause_is_gone_overtakes_nobody(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	block_many(world, 1, 2);
	cause_ends(world);
	KUNIT_EXPECT_FALSE(test, take(world, 3));
	pass(world, RECHECK);
	expect_served(world, "1 2");
	KUNIT_EXPECT_TRUE(test, take(world, 3));
}

static void it_is_not_looked_again_when_nobody_waits(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);
	unsigned int looks;

	block(world, 1);
	poll(world, 2);
	pass(world, SEC);
	interrupt(world, 1);
	stop_polling(world, 2);
	leave(world, 2);
	pass(world, SEC);
	looks = world->looks;
	pass(world, 100 * SEC);
	KUNIT_EXPECT_EQ(test, world->looks, looks);
	KUNIT_EXPECT_EQ(test, world->pool.recheck, 0);
}

static void a_try_in_vain_makes_nobody_look(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);
	unsigned int looks;

	KUNIT_EXPECT_FALSE(test, take(world, 1));
	looks = world->looks;
	pass(world, 10 * SEC);
	KUNIT_EXPECT_EQ(test, world->looks, looks);
}

static void it_is_not_looked_at_all_where_no_token_is_free(struct kunit *test)
{
	struct world *world = new_limited_world(test, 1);
	unsigned int looks;

	take(world, 0);
	cause_begins(world);
	looks = world->looks;
	block(world, 1);
	pass(world, 10 * SEC);
	KUNIT_EXPECT_EQ(test, world->looks, looks);
	/* From then on it is: the token is free. */
	give(world, 0, 1);
	expect_served(world, "");
	cause_ends(world);
	pass(world, SEC);
	expect_served(world, "1");
}

static void it_is_looked_four_times_a_second(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);
	unsigned int looks;

	block(world, 1);
	looks = world->looks;
	pass(world, 10 * SEC);
	KUNIT_EXPECT_EQ(test, world->looks, looks + 40);
}

static void the_least_jobs_go_on(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);
	int i;

	block_many(world, 1, 8);
	set_min_jobs(world, 2);
	expect_served(world, "1 2");
	for (i = 1; i <= 6; i++) {
		pass(world, SEC);
		give(world, i, 1);
		KUNIT_EXPECT_EQ(test, world->pool.held, 2);
	}
	expect_served(world, "3 4 5 6 7 8");
}

static void the_least_jobs_are_readable(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	set_min_jobs(world, 3);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	take_many(world, 1, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 1);
	look(world, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 0);
	set_min_jobs(world, 100);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
}

static void what_is_reserved_is_delivered(struct kunit *test)
{
	struct world *world = new_limited_world(test, 4);

	KUNIT_ASSERT_TRUE(test, look(world, 1));
	cause_begins(world);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void what_lapses_is_held_back(struct kunit *test)
{
	struct world *world = new_limited_world(test, 1);

	look(world, 1);
	block(world, 2);
	cause_begins(world);
	pass(world, RESERVE);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, available(world), 1);
	cause_ends(world);
	pass(world, RECHECK);
	expect_served(world, "2");
}

static void what_is_returned_is_held_back(struct kunit *test)
{
	struct world *world = new_limited_world(test, 4);

	take_many(world, 0, 4);
	cause_begins(world);
	block_many(world, 1, 4);
	give(world, 0, 4);
	expect_served(world, "");
	cause_ends(world);
	pass(world, RECHECK);
	expect_served(world, "1 2 3 4");
}

static void without_a_limit_all_are_served_at_once(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	block_many(world, 1, 3);
	if (world->capping[0]) {
		uncap(world, 0);
	} else {
		set_max_load(world, 0);
		set_memory(world, 0, 0);
	}
	expect_served(world, "1 2 3");
	KUNIT_EXPECT_TRUE(test, take(world, 4));
}

static void who_waits_may_go_while_tokens_are_held_back(struct kunit *test)
{
	struct world *world = new_held_back_world(test, 4);

	block_many(world, 1, 3);
	poll(world, 4);
	take(world, 5);
	all_die(world);
	expect_empty(world);
}

/* ---- What jobs are charged ---- */

static struct world *new_charging_world(struct kunit *test, u32 jobs)
{
	struct world *world = new_policy_world(test, jobs);

	set_memory(world, MIN_MEMORY, JOB);
	return world;
}

static void what_was_just_granted_is_charged(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	world->memory = MIN_MEMORY;
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, charged(world), JOB);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	world->memory = MIN_MEMORY + JOB - 1;
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	world->memory = MIN_MEMORY + JOB;
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, charged(world), 2 * JOB);
}

/* All of them come within a moment, and none has used any memory yet. */
static void no_more_begin_at_once_than_there_is_memory_for(struct kunit *test)
{
	struct world *world = new_charging_world(test, 16);

	take_many(world, 0, 16);
	pass(world, 8 * SEC);
	block_many(world, 1, 16);
	world->memory = MIN_MEMORY + 3 * JOB;
	give(world, 0, 16);
	expect_served(world, "1 2 3 4");
	KUNIT_EXPECT_EQ(test, charged(world), 4 * JOB);
}

static void readable_is_what_there_is_memory_for(struct kunit *test)
{
	struct world *world = new_charging_world(test, 16);

	world->memory = MIN_MEMORY + 3 * JOB;
	KUNIT_EXPECT_EQ(test, readable(world, 1), 4);
	world->memory--;
	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	world->memory = MIN_MEMORY;
	KUNIT_EXPECT_EQ(test, readable(world, 1), 0);
	set_min_jobs(world, 3);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	set_memory(world, MIN_MEMORY, STEVE_CHARGE_SECONDS - 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 15);
}

/* A token is kept for client 1 first, and with that memory is short. */
static void readable_is_what_is_left_by_keeping(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	take_many(world, 0, 4);
	pass(world, 1000 * SEC);
	try_often(world, 1, 3, 100 * MS);
	world->memory = MIN_MEMORY;
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 0);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

/* What the least jobs leave is not for client 1, which is away. */
static void nothing_is_kept_while_memory_is_short(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	set_min_jobs(world, 1);
	take_many(world, 0, 4);
	pass(world, 1000 * SEC);
	try_often(world, 1, 3, 100 * MS);
	world->memory = MIN_MEMORY - 1;
	give(world, 0, 4);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
	KUNIT_EXPECT_EQ(test, readable(world, 3), 0);
}

static void the_charge_fades(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);
	int second;

	take_many(world, 1, 2);
	for (second = 0; second < STEVE_CHARGE_SECONDS; second++) {
		KUNIT_EXPECT_EQ(test, charged(world),
				(STEVE_CHARGE_SECONDS - second) * 200 * MB);
		pass(world, SEC);
	}
	KUNIT_EXPECT_EQ(test, charged(world), 0);
	pass(world, 1000 * SEC);
	KUNIT_EXPECT_EQ(test, charged(world), 0);
}

static void each_second_is_charged_by_its_age(struct kunit *test)
{
	struct world *world = new_charging_world(test, 8);

	take(world, 1);
	pass(world, 3 * SEC);
	take_many(world, 1, 2);
	pass(world, 2 * SEC);
	KUNIT_EXPECT_EQ(test, charged(world), (3 + 2 * 6) * 100 * MB);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, charged(world), (3 + 2 * 6 + 8) * 100 * MB);
	pass(world, 4 * SEC);
	KUNIT_EXPECT_EQ(test, charged(world), (2 * 2 + 4) * 100 * MB);
	pass(world, 100 * SEC);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, charged(world), JOB);
}

static void who_waits_is_served_as_the_charge_fades(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	world->memory = MIN_MEMORY + JOB / 2;
	take(world, 1);
	block(world, 2);
	pass(world, 4 * SEC - 1);
	expect_served(world, "");
	pass(world, RECHECK);
	expect_served(world, "2");
}

static void a_job_that_ended_is_not_charged(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);
	int i;

	for (i = 0; i < 100; i++) {
		take(world, 1);
		give(world, 1, 1);
	}
	KUNIT_EXPECT_EQ(test, charged(world), 0);
	take(world, 1);
	KUNIT_EXPECT_EQ_MSG(test, charged(world), JOB, "no more than are held");
	pass(world, 2 * SEC);
	take(world, 1);
	KUNIT_EXPECT_EQ_MSG(test, charged(world), JOB + JOB / 4 * 3,
			    "the youngest of those there were");
}

static void the_dead_are_not_charged(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	take_many(world, 1, 4);
	die(world, 1);
	KUNIT_EXPECT_EQ(test, charged(world), 0);
}

/* A job begins when its token is taken, however long it was put aside before. */
static void what_is_reserved_is_charged_as_if_it_began_now(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	set_reserve_ms(world, 60000);
	look(world, 1);
	KUNIT_EXPECT_EQ(test, charged(world), JOB);
	pass(world, 20 * SEC);
	KUNIT_EXPECT_EQ(test, charged(world), JOB);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, charged(world), JOB);
	pass(world, SEC);
	KUNIT_EXPECT_EQ(test, charged(world), JOB - 100 * MB);
}

static void what_lapses_is_not_charged(struct kunit *test)
{
	struct world *world = new_charging_world(test, 4);

	look(world, 1);
	pass(world, RESERVE);
	KUNIT_EXPECT_EQ(test, charged(world), 0);
}

static void nothing_is_charged_where_memory_is_not_limited(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_memory(world, 0, JOB);
	take_many(world, 1, 2);
	KUNIT_EXPECT_EQ(test, charged(world), 0);
	world->memory = 0;
	take(world, 1);
	cap(world, 0, &(struct steve_pool_cap){
		.jobs = 4, .min_memory = MIN_MEMORY,
	});
	KUNIT_EXPECT_FALSE(test, take(world, 1));
}

static void a_job_may_be_taken_to_need_all_there_can_be(struct kunit *test)
{
	struct world *world = new_policy_world(test, STEVE_JOBS_MAX);
	u32 i;

	set_memory(world, STEVE_MEMORY_MAX, STEVE_MEMORY_MAX);
	set_min_jobs(world, STEVE_JOBS_MAX);
	begin(world, 1, "take all");
	for (i = 0; i < STEVE_JOBS_MAX; i++)
		steve_pool_take(&world->pool, &world->clients[1].pool,
				world->now);
	world->clients[1].used = i;
	end(world);
	KUNIT_EXPECT_EQ(test, held(world, 1), STEVE_JOBS_MAX);
	KUNIT_EXPECT_EQ(test, charged(world), STEVE_JOBS_MAX * STEVE_MEMORY_MAX);
	set_min_jobs(world, 0);
	KUNIT_EXPECT_EQ(test, limits(world),
			STEVE_LIMIT_JOBS | STEVE_LIMIT_MEMORY);
}

/* ---- Caps ---- */

static void set_cap_jobs(struct world *world, int n, u32 jobs)
{
	KUNIT_ASSERT_EQ(world->test, 0,
			cap(world, n, &(struct steve_pool_cap){ .jobs = jobs }));
}

static void the_lowest_cap_counts(struct kunit *test)
{
	struct world *world = new_policy_world(test, 8);

	set_cap_jobs(world, 0, 4);
	set_cap_jobs(world, 1, 2);
	set_cap_jobs(world, 2, 6);
	KUNIT_EXPECT_EQ(test, world->pool.size, 2);
	KUNIT_EXPECT_EQ(test, world->pool.set.jobs, 8);
	uncap(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.size, 4);
	set_jobs(world, 3);
	KUNIT_EXPECT_EQ(test, world->pool.size, 3);
	uncap(world, 0);
	set_jobs(world, 7);
	KUNIT_EXPECT_EQ(test, world->pool.size, 6);
	uncap(world, 2);
	KUNIT_EXPECT_EQ(test, world->pool.size, 7);
	KUNIT_EXPECT_EQ(test, world->pool.capped, 0);
}

static void the_strictest_limit_of_each_kind_counts(struct kunit *test)
{
	struct world *world = new_policy_world(test, 8);

	set_max_load(world, 500);
	set_memory(world, 5 * MB, 0);
	cap(world, 0, &(struct steve_pool_cap){ .jobs = 9, .max_load = 600 });
	KUNIT_EXPECT_EQ(test, world->pool.max_load, 500);
	KUNIT_EXPECT_EQ(test, world->pool.min_memory, 5 * MB);
	cap(world, 1, &(struct steve_pool_cap){
		.jobs = 9, .max_load = 1, .min_memory = 4 * MB,
	});
	KUNIT_EXPECT_EQ(test, world->pool.max_load, 1);
	KUNIT_EXPECT_EQ(test, world->pool.min_memory, 5 * MB);
	cap(world, 2, &(struct steve_pool_cap){
		.jobs = 9, .min_memory = 6 * MB,
	});
	KUNIT_EXPECT_EQ(test, world->pool.min_memory, 6 * MB);
	KUNIT_EXPECT_EQ(test, world->pool.size, 8);
	set_max_load(world, 0);
	set_memory(world, 0, 0);
	KUNIT_EXPECT_EQ(test, world->pool.max_load, 1);
	KUNIT_EXPECT_EQ(test, world->pool.min_memory, 6 * MB);
}

static void a_cap_revokes_nothing(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take_many(world, 0, 4);
	set_cap_jobs(world, 0, 1);
	KUNIT_EXPECT_EQ(test, held(world, 0), 4);
	KUNIT_EXPECT_EQ(test, available(world), -3);
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_CAP);
	block(world, 1);
	give(world, 0, 3);
	expect_served(world, "");
	give(world, 0, 1);
	expect_served(world, "1");
}

static void a_cap_that_goes_serves_those_who_wait(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	set_cap_jobs(world, 0, 0);
	set_cap_jobs(world, 1, 1);
	block_many(world, 1, 5);
	uncap(world, 0);
	expect_served(world, "1");
	uncap(world, 1);
	expect_served(world, "2 3 4");
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_JOBS);
}

static void a_cap_that_goes_wakes_no_more_than_a_batch(struct kunit *test)
{
	struct world *world = new_policy_world(test, CLIENTS);

	set_cap_jobs(world, 0, 0);
	block_many(world, 0, CLIENTS - 1);
	uncap(world, 0);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.held, CLIENTS);
}

static void a_cap_can_be_replaced(struct kunit *test)
{
	struct world *world = new_policy_world(test, 8);
	const struct steve_pool_cap loose = { .jobs = 6 };

	cap(world, 0, &(struct steve_pool_cap){
		.jobs = 0, .max_load = 100, .min_memory = MB,
	});
	block_many(world, 1, 2);
	KUNIT_EXPECT_EQ(test, 0, replace_cap(world, 1, 0, &loose));
	expect_served(world, "1 2");
	KUNIT_EXPECT_EQ(test, world->pool.size, 6);
	KUNIT_EXPECT_EQ(test, world->pool.max_load, 0);
	KUNIT_EXPECT_EQ(test, world->pool.min_memory, 0);
	uncap(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.size, 8);
}

static void there_can_be_so_many_caps_and_no_more(struct kunit *test)
{
	const struct steve_pool_cap strict = { .jobs = 1, .max_load = 1 };
	struct world *world = new_policy_world(test, 8);
	int i;

	for (i = 0; i < STEVE_CAPS_MAX; i++)
		set_cap_jobs(world, i, 5);
	KUNIT_EXPECT_EQ(test, cap(world, i, &strict), -ENOSPC);
	KUNIT_EXPECT_EQ(test, world->pool.size, 5);
	KUNIT_EXPECT_EQ(test, world->pool.max_load, 0);
	KUNIT_EXPECT_EQ(test, replace_cap(world, i, 0, &strict), 0);
	KUNIT_EXPECT_EQ(test, world->pool.size, 1);
	uncap(world, 1);
	KUNIT_EXPECT_EQ(test, cap(world, 0, &strict), 0);
}

static void a_cap_above_the_jobs_changes_nothing(struct kunit *test)
{
	struct world *world = new_policy_world(test, 2);

	set_cap_jobs(world, 0, STEVE_JOBS_MAX);
	take_many(world, 1, 2);
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, limits(world), STEVE_LIMIT_JOBS);
}

static void loans_are_as_many_as_jobs_whatever_the_caps(struct kunit *test)
{
	struct world *world = new_policy_world(test, 2);

	set_cap_jobs(world, 0, 0);
	KUNIT_EXPECT_EQ(test, give(world, 1, 1).lent, 1);
	KUNIT_EXPECT_EQ(test, give(world, 2, 1).lent, 1);
	KUNIT_EXPECT_EQ(test, give(world, 3, 1).strays, 1);
	KUNIT_EXPECT_EQ(test, available(world), 2);
}

/* ---- Taking tokens back ---- */

static void what_is_reclaimed_is_free(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take_many(world, 1, 3);
	KUNIT_EXPECT_EQ(test, reclaim(world, 1), 3);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, available(world), 4);
	KUNIT_EXPECT_EQ(test, world->pool.counts.reclaimed, 3);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, 0);
	KUNIT_EXPECT_EQ_MSG(test, reclaim(world, 1), 0, "once");
	KUNIT_EXPECT_EQ(test, world->pool.counts.reclaimed, 3);
}

static void what_is_reclaimed_serves_those_who_wait(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);

	take_many(world, 1, 3);
	block_many(world, 2, 5);
	reclaim(world, 1);
	expect_served(world, "2 3 4");
}

static void nothing_is_reclaimed_from_whoever_has_nothing(struct kunit *test)
{
	struct world *world = new_policy_world(test, 3);

	give(world, 1, 1);
	look(world, 2);
	take_many(world, 0, 3);
	block(world, 3);
	KUNIT_EXPECT_EQ(test, reclaim(world, 1), 0);
	KUNIT_EXPECT_EQ(test, reclaim(world, 2), 0);
	KUNIT_EXPECT_EQ(test, reclaim(world, 3), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 2), STEVE_RESERVED_SEEN);
	KUNIT_EXPECT_NE(test, place(world, 3), 0);
}

/* Of @debt tokens taken from it and @held that it took since, it writes @bytes. */
struct debt_case {
	const char *name;
	u32 debt;
	u32 held;
	size_t bytes;
	struct steve_pool_given given;
};

static const struct debt_case debts[] = {
	{ "a part of it", 3, 0, 2, { 0, 0, 2, 0 } },
	{ "all of it", 3, 0, 3, { 0, 0, 3, 0 } },
	{ "and the slot", 3, 0, 4, { 0, 1, 3, 0 } },
	{ "and a stray", 3, 0, 5, { 0, 1, 3, 1 } },
	{ "tokens first", 2, 2, 2, { 2, 0, 0, 0 } },
	{ "tokens, then debt", 2, 2, 3, { 2, 0, 1, 0 } },
	{ "tokens, debt, slot and strays", 2, 1, 7, { 1, 1, 2, 3 } },
	{ "nothing", 2, 1, 0, { 0, 0, 0, 0 } },
	{ "all there could be", 2, 1, SIZE_MAX, { 1, 1, 2, SIZE_MAX - 4 } },
};

KUNIT_ARRAY_PARAM_DESC(debt, debts, name);

static void what_is_written_later_pays_the_debt(struct kunit *test)
{
	const struct debt_case *param = test->param_value;
	struct world *world = new_world(test, 4);
	struct steve_pool_given given;

	take_many(world, 1, param->debt);
	reclaim(world, 1);
	take_many(world, 1, param->held);
	given = give(world, 1, param->bytes);
	KUNIT_EXPECT_EQ(test, given.returned, param->given.returned);
	KUNIT_EXPECT_EQ(test, given.lent, param->given.lent);
	KUNIT_EXPECT_EQ(test, given.paid, param->given.paid);
	KUNIT_EXPECT_EQ(test, given.strays, param->given.strays);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.debt,
			param->debt - given.paid);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, given.returned);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, given.strays);
	KUNIT_EXPECT_EQ(test, world->pool.counts.loans, given.lent);
}

static void a_debt_adds_up(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take_many(world, 1, 2);
	reclaim(world, 1);
	take_many(world, 1, 3);
	KUNIT_EXPECT_EQ(test, reclaim(world, 1), 3);
	KUNIT_EXPECT_EQ(test, give(world, 1, 6).paid, 5);
}

static void a_paid_debt_serves_nobody(struct kunit *test)
{
	struct world *world = new_policy_world(test, 2);

	take_many(world, 1, 2);
	reclaim(world, 1);
	take_many(world, 2, 2);
	block(world, 3);
	KUNIT_EXPECT_EQ(test, give(world, 1, 2).paid, 2);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, available(world), 0);
}

static void what_was_reclaimed_before_it_was_delivered_is_no_debt(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take(world, 1);
	reclaim(world, 1);
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.debt, 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
	KUNIT_EXPECT_EQ(test, available(world), 4);
	KUNIT_EXPECT_EQ_MSG(test, give(world, 1, 1).lent, 1, "as before");
}

static void what_was_taken_since_is_put_back_first(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take(world, 1);
	reclaim(world, 1);
	take(world, 1);
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.debt, 1);
	KUNIT_EXPECT_EQ(test, give(world, 1, 1).paid, 1);
}

static void a_debt_ends_with_its_client(struct kunit *test)
{
	struct world *world = new_policy_world(test, 4);

	take_many(world, 1, 2);
	reclaim(world, 1);
	die(world, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.debt, 0);
	KUNIT_EXPECT_EQ(test, world->pool.counts.reclaimed, 2);
	KUNIT_EXPECT_EQ(test, world->pool.counts.abandoned, 0);
	all_die(world);
	expect_empty(world);
}

static void whoever_waits_is_reclaimed_from_and_waits_on(struct kunit *test)
{
	struct world *world = new_policy_world(test, 2);

	take_many(world, 1, 2);
	block_many(world, 2, 3);
	block(world, 1);
	reclaim(world, 1);
	expect_served(world, "2 3");
	KUNIT_EXPECT_EQ(test, world->clients[1].readers, 1);
	give(world, 2, 1);
	expect_served(world, "1");
}

static void whoever_is_set_aside_may_hold_more_when_it_was_reclaimed_from(struct kunit *test)
{
	struct world *world = new_set_aside_world(test);

	reclaim(world, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, held(world, 1), 1);
}

/* ---- Whatever happens ---- */

#define LIMITS_SEEDS	12
#define LIMITS_STEPS	3000

static void random_limits(struct world *world, struct rnd_state *random)
{
	struct steve_pool_settings settings = world->pool.set;
	u32 number = prandom_u32_state(random);
	u32 value = number / 16 % 4;

	switch (number % 8) {
	case 0 ... 1:
		settings.max_per_process = value;
		break;
	case 2:
		settings.min_jobs = value;
		break;
	case 3:
		settings.max_load = 100 * value;
		break;
	case 4:
		settings.min_memory = value * MIN_MEMORY;
		break;
	case 5:
		settings.job_memory = value * JOB;
		break;
	case 6:
		settings.jobs = number / 16 % 9;
		break;
	case 7:
		settings.policy = value % 2;
		break;
	}
	configure(world, &settings);
}

static void random_cap(struct world *world, struct rnd_state *random)
{
	u32 number = prandom_u32_state(random);
	struct steve_pool_cap limits = {
		.jobs = number % 8,
		.max_load = number / 8 % 4 * 100,
		.min_memory = number / 32 % 3 * MIN_MEMORY,
	};
	int n = number / 128 % 4, other = number / 512 % 4;

	if (!world->capping[n] && world->capping[other])
		replace_cap(world, n, other, &limits);
	else if (!world->capping[n])
		cap(world, n, &limits);
	else
		uncap(world, n);
}

static void random_limits_step(struct world *world, int clients,
			       struct rnd_state *random)
{
	u32 number = prandom_u32_state(random);
	int i = number / 32 % clients;

	switch (number % 32) {
	case 0:
		random_limits(world, random);
		break;
	case 1:
		random_cap(world, random);
		break;
	case 2:
		reclaim(world, i);
		break;
	case 3:
		world->load = number / 32 % 5 * 100;
		break;
	case 4 ... 5:
		world->memory = number / 32 % 20 * MIN_MEMORY / 4;
		break;
	case 6:
		if (held(world, i) || world->clients[i].pool.debt)
			untake(world, i);
		break;
	case 7:
		pass(world, number % 5 * RECHECK);
		break;
	default:
		random_deed(world, i, random);
		break;
	}
}

struct limits_walk_case {
	const char *name;
	int clients;
	u32 jobs;
};

static const struct limits_walk_case limits_walks[] = {
	{ "two clients", 2, 3 },
	{ "few clients", 5, 4 },
	{ "many clients", CLIENTS, 8 },
};

KUNIT_ARRAY_PARAM_DESC(limits_walk, limits_walks, name);

static void the_limits_hold_whatever_happens(struct kunit *test)
{
	const struct limits_walk_case *param = test->param_value;
	struct rnd_state random;
	struct world *world;
	int seed, step;

	for (seed = 1; seed <= LIMITS_SEEDS; seed++) {
		prandom_seed_state(&random, seed);
		world = new_world(test, param->jobs);
		for (step = 0; step < LIMITS_STEPS; step++)
			random_limits_step(world, param->clients, &random);
		all_die(world);
		expect_empty(world);
		kunit_kfree(test, world);
	}
}

/* When nothing holds them back any more, all who wait are served. */
static void nobody_is_forgotten_whatever_happened(struct kunit *test)
{
	const struct limits_walk_case *param = test->param_value;
	struct rnd_state random;
	struct world *world;
	int step, i;

	prandom_seed_state(&random, LIMITS_SEEDS + 1);
	world = new_world(test, param->jobs);
	for (step = 0; step < LIMITS_STEPS; step++)
		random_limits_step(world, param->clients, &random);
	for (i = 0; i < 4; i++) {
		if (world->capping[i])
			uncap(world, i);
	}
	configure(world, &(struct steve_pool_settings){
		.jobs = STEVE_JOBS_MAX, .reserve_ms = RESERVE_MS,
	});
	run_deferred(world);
	for (i = 0; i < CLIENTS; i++)
		KUNIT_EXPECT_EQ(test, world->clients[i].readers, 0);
}

/* ---- All of it ---- */

static struct kunit_case share_cases[] = {
	KUNIT_CASE_PARAM(nobody_takes_more_than_one_may_hold,
			 policy_gen_params),
	KUNIT_CASE_PARAM(what_is_reserved_counts_to_what_one_may_hold,
			 policy_gen_params),
	KUNIT_CASE_PARAM(readable_is_what_one_may_still_hold,
			 policy_gen_params),
	KUNIT_CASE_PARAM(the_own_slot_comes_back_whatever_one_may_hold,
			 policy_gen_params),
	KUNIT_CASE_PARAM(the_own_slot_may_be_reserved_and_comes_back,
			 policy_gen_params),
	KUNIT_CASE_PARAM(whoever_is_set_aside_takes_no_place_from_others,
			 policy_gen_params),
	KUNIT_CASE_PARAM(whoever_is_set_aside_keeps_its_place,
			 policy_gen_params),
	KUNIT_CASE_PARAM(one_return_of_one_set_aside_serves_one,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_poller_set_aside_is_woken_once_it_may_hold_one,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_poller_that_stopped_is_not_woken,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_lower_limit_revokes_nothing, policy_gen_params),
	KUNIT_CASE_PARAM(a_reservation_outlives_a_lower_limit,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_lower_limit_sets_aside_who_waits,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_higher_limit_serves_all_set_aside,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_higher_limit_lets_nobody_overtake,
			 policy_gen_params),
	KUNIT_CASE_PARAM(no_limit_serves_all_set_aside, policy_gen_params),
	KUNIT_CASE_PARAM(a_token_is_kept_for_whoever_may_have_it,
			 policy_gen_params),
	KUNIT_CASE_PARAM(newcomers_stand_behind_those_released,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_limit_raised_and_lowered_again_releases_nobody,
			 policy_gen_params),
	KUNIT_CASE_PARAM(those_released_are_served_in_order,
			 policy_gen_params),
	KUNIT_CASE_PARAM(whoever_is_set_aside_may_go, policy_gen_params),
	KUNIT_CASE_PARAM(a_place_of_one_set_aside_expires_when_cold,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_change_of_policy_leaves_those_set_aside,
			 policy_gen_params),
	{}
};

static struct kunit_case throttle_cases[] = {
	KUNIT_CASE_PARAM(at_the_limit_tokens_are_granted, cause_gen_params),
	KUNIT_CASE_PARAM(past_the_limit_no_token_is_granted, cause_gen_params),
	KUNIT_CASE_PARAM(what_holds_tokens_back_is_told, cause_gen_params),
	KUNIT_CASE_PARAM(it_is_looked_again_while_somebody_waits,
			 cause_gen_params),
	KUNIT_CASE_PARAM(pollers_are_woken_when_the_cause_is_gone,
			 cause_gen_params),
	KUNIT_CASE_PARAM(whoever_comes_when_the_cause_is_gone_overtakes_nobody,
			 cause_gen_params),
	KUNIT_CASE_PARAM(it_is_not_looked_again_when_nobody_waits,
			 cause_gen_params),
	KUNIT_CASE_PARAM(a_try_in_vain_makes_nobody_look, cause_gen_params),
	KUNIT_CASE_PARAM(it_is_not_looked_at_all_where_no_token_is_free,
			 cause_gen_params),
	KUNIT_CASE_PARAM(it_is_looked_four_times_a_second, cause_gen_params),
	KUNIT_CASE_PARAM(the_least_jobs_go_on, cause_gen_params),
	KUNIT_CASE_PARAM(the_least_jobs_are_readable, cause_gen_params),
	KUNIT_CASE_PARAM(what_is_reserved_is_delivered, cause_gen_params),
	KUNIT_CASE_PARAM(what_lapses_is_held_back, cause_gen_params),
	KUNIT_CASE_PARAM(what_is_returned_is_held_back, cause_gen_params),
	KUNIT_CASE_PARAM(without_a_limit_all_are_served_at_once,
			 cause_gen_params),
	KUNIT_CASE_PARAM(who_waits_may_go_while_tokens_are_held_back,
			 cause_gen_params),
	{}
};

static struct kunit_case charge_cases[] = {
	KUNIT_CASE_PARAM(what_was_just_granted_is_charged, policy_gen_params),
	KUNIT_CASE_PARAM(no_more_begin_at_once_than_there_is_memory_for,
			 policy_gen_params),
	KUNIT_CASE_PARAM(readable_is_what_there_is_memory_for,
			 policy_gen_params),
	KUNIT_CASE_PARAM(nothing_is_kept_while_memory_is_short,
			 policy_gen_params),
	KUNIT_CASE_PARAM(readable_is_what_is_left_by_keeping,
			 policy_gen_params),
	KUNIT_CASE_PARAM(the_charge_fades, policy_gen_params),
	KUNIT_CASE_PARAM(each_second_is_charged_by_its_age, policy_gen_params),
	KUNIT_CASE_PARAM(who_waits_is_served_as_the_charge_fades,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_job_that_ended_is_not_charged, policy_gen_params),
	KUNIT_CASE_PARAM(the_dead_are_not_charged, policy_gen_params),
	KUNIT_CASE_PARAM(what_is_reserved_is_charged_as_if_it_began_now,
			 policy_gen_params),
	KUNIT_CASE_PARAM(what_lapses_is_not_charged, policy_gen_params),
	KUNIT_CASE_PARAM(nothing_is_charged_where_memory_is_not_limited,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_job_may_be_taken_to_need_all_there_can_be,
			 policy_gen_params),
	{}
};

static struct kunit_case cap_cases[] = {
	KUNIT_CASE_PARAM(the_lowest_cap_counts, policy_gen_params),
	KUNIT_CASE_PARAM(the_strictest_limit_of_each_kind_counts,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_cap_revokes_nothing, policy_gen_params),
	KUNIT_CASE_PARAM(a_cap_that_goes_serves_those_who_wait,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_cap_that_goes_wakes_no_more_than_a_batch,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_cap_can_be_replaced, policy_gen_params),
	KUNIT_CASE_PARAM(there_can_be_so_many_caps_and_no_more,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_cap_above_the_jobs_changes_nothing,
			 policy_gen_params),
	KUNIT_CASE_PARAM(loans_are_as_many_as_jobs_whatever_the_caps,
			 policy_gen_params),
	{}
};

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE_PARAM(what_is_reclaimed_is_free, policy_gen_params),
	KUNIT_CASE_PARAM(what_is_reclaimed_serves_those_who_wait,
			 policy_gen_params),
	KUNIT_CASE_PARAM(nothing_is_reclaimed_from_whoever_has_nothing,
			 policy_gen_params),
	KUNIT_CASE_PARAM(what_is_written_later_pays_the_debt, debt_gen_params),
	KUNIT_CASE_PARAM(a_debt_adds_up, policy_gen_params),
	KUNIT_CASE_PARAM(a_paid_debt_serves_nobody, policy_gen_params),
	KUNIT_CASE_PARAM(what_was_reclaimed_before_it_was_delivered_is_no_debt,
			 policy_gen_params),
	KUNIT_CASE_PARAM(what_was_taken_since_is_put_back_first,
			 policy_gen_params),
	KUNIT_CASE_PARAM(a_debt_ends_with_its_client, policy_gen_params),
	KUNIT_CASE_PARAM(whoever_waits_is_reclaimed_from_and_waits_on,
			 policy_gen_params),
	KUNIT_CASE_PARAM(whoever_is_set_aside_may_hold_more_when_it_was_reclaimed_from,
			 policy_gen_params),
	KUNIT_CASE_PARAM(the_limits_hold_whatever_happens, limits_walk_gen_params),
	KUNIT_CASE_PARAM(nobody_is_forgotten_whatever_happened,
			 limits_walk_gen_params),
	{}
};

static struct kunit_suite share_suite = {
	.name = "steve_limit_shares",
	.test_cases = share_cases,
};

static struct kunit_suite throttle_suite = {
	.name = "steve_limit_load_and_memory",
	.test_cases = throttle_cases,
};

static struct kunit_suite charge_suite = {
	.name = "steve_limit_charges",
	.test_cases = charge_cases,
};

static struct kunit_suite cap_suite = {
	.name = "steve_limit_caps",
	.test_cases = cap_cases,
};

static struct kunit_suite reclaim_suite = {
	.name = "steve_limit_reclaim",
	.test_cases = reclaim_cases,
};

kunit_test_suites(&share_suite, &throttle_suite, &charge_suite, &cap_suite,
		  &reclaim_suite);
