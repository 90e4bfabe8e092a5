// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the pool, in the world of kunit_world.h. A test states one rule,
 * in its name.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "kunit_world.h"
#include "pool.h"

/* ---- Tokens ---- */

static void a_token_is_taken_and_returned(struct kunit *test)
{
	struct world *world = new_world(test, 2);

	KUNIT_EXPECT_TRUE(test, take(world, 0));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, held(world, 2), 0);
	KUNIT_EXPECT_EQ(test, give(world, 0, 1).returned, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, world->pool.counts.granted, 3);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, 1);
}

struct quick_case {
	const char *name;
	void (*enter)(struct world *world);
	bool quick;
};

static void quick_if_free(struct world *world)
{
	give(world, 0, 1);
}

static void quick_if_full(struct world *world)
{
}

static void quick_if_cold_waits(struct world *world)
{
	take(world, 2);
	give(world, 0, 1);
}

static void quick_if_reserved(struct world *world)
{
	give(world, 0, 2);
	look(world, 1);
}

static void quick_if_reserved_before_others(struct world *world)
{
	poll(world, 1);
	poll(world, 2);
	give(world, 0, 1);
	poll(world, 1);
}

static void quick_if_woken(struct world *world)
{
	poll(world, 1);
	give(world, 0, 1);
	poll(world, 1);
}

static void quick_if_another_thread_sleeps(struct world *world)
{
	quick_if_woken(world);
	world->clients[1].armed = true;
}

static void quick_if_lent(struct world *world)
{
	give(world, 1, 1);
}

static void quick_if_missed_a_try(struct world *world)
{
	take(world, 1);
	pass(world, COLD);
	give(world, 0, 1);
}

static void quick_if_ignored(struct world *world)
{
	give(world, 0, 1);
	look(world, 1);
	pass(world, RESERVE);
}

static void quick_if_overslept(struct world *world)
{
	poll(world, 1);
	give(world, 0, 1);
	pass(world, RESERVE - 1);
	world->clients[1].armed = false;
	pass(world, 1 + COLD);
}

static const struct quick_case quick_takes[] = {
	{ "a token is free", quick_if_free, true },
	{ "no token is free", quick_if_full },
	{ "somebody waits", quick_if_cold_waits },
	{ "a token is reserved", quick_if_reserved, true },
	{ "it was told of a token", quick_if_woken, true },
	{ "it was, and others wait", quick_if_reserved_before_others },
	{ "it was, and another thread sleeps", quick_if_another_thread_sleeps },
	{ "the slot is lent", quick_if_lent },
	{ "a try failed", quick_if_missed_a_try },
	{ "a reservation was ignored", quick_if_ignored },
	{ "a reservation was not seen", quick_if_overslept },
};

KUNIT_ARRAY_PARAM_DESC(quick_take, quick_takes, name);

static void quick_take_is_for_the_simple_case(struct kunit *test)
{
	const struct quick_case *param = test->param_value;
	struct world *world = new_full_world(test, 2);
	bool taken;

	param->enter(world);
	begin(world, 1, "take quick");
	taken = steve_pool_take_quick(&world->pool, &world->clients[1].pool);
	end(world);
	KUNIT_EXPECT_EQ(test, taken, param->quick);
	KUNIT_EXPECT_EQ(test, held(world, 1), param->quick);
}

static void quick_poll_is_for_what_is_reserved(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	struct steve_pool_client *client = &world->clients[1].pool;
	bool readable[3];

	begin(world, 1, "poll quick");
	readable[0] = steve_pool_poll_quick(&world->pool, client);
	end(world);
	poll(world, 1);
	give(world, 0, 1);
	begin(world, 1, "poll quick");
	readable[1] = steve_pool_poll_quick(&world->pool, client);
	readable[2] = steve_pool_poll_quick(&world->pool, client);
	end(world);
	KUNIT_EXPECT_FALSE_MSG(test, readable[0], "and nothing is free");
	KUNIT_EXPECT_TRUE_MSG(test, readable[1], "when woken");
	KUNIT_EXPECT_TRUE_MSG(test, readable[2], "when told before");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_SEEN);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

/* It is then reserved for as long as any other that was polled. */
static void quick_poll_is_not_for_what_is_kept(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	bool readable;

	try_often(world, 1, 3, 100 * MS);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_ASSERT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	begin(world, 1, "poll quick");
	readable = steve_pool_poll_quick(&world->pool,
					 &world->clients[1].pool);
	end(world);
	KUNIT_EXPECT_FALSE(test, readable);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

static void quick_give_is_for_the_simple_case(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);
	bool given[3];

	begin(world, 0, "give quick");
	given[0] = steve_pool_give_quick(&world->pool, &world->clients[0].pool);
	given[1] = steve_pool_give_quick(&world->pool, &world->clients[1].pool);
	end(world);
	take(world, 1);
	take(world, 2);
	begin(world, 0, "give quick");
	given[2] = steve_pool_give_quick(&world->pool, &world->clients[0].pool);
	end(world);
	KUNIT_EXPECT_TRUE(test, given[0]);
	KUNIT_EXPECT_FALSE_MSG(test, given[1], "by one that holds nothing");
	KUNIT_EXPECT_FALSE_MSG(test, given[2], "while somebody waits");
}

/* Client 1 holds @held tokens, @loans others lend, and it writes @bytes. */
struct write_case {
	const char *name;
	u32 jobs;
	u32 held;
	u32 loans;
	size_t bytes;
	struct steve_pool_given given;
};

static const struct write_case writes[] = {
	{ "one token", 4, 1, 0, 1, { 1, 0, 0, 0 } },
	{ "one of many tokens", 4, 4, 0, 1, { 1, 0, 0, 0 } },
	{ "many tokens", 4, 4, 0, 3, { 3, 0, 0, 0 } },
	{ "the slot", 4, 0, 0, 1, { 0, 1, 0, 0 } },
	{ "the slot, and a stray", 4, 0, 0, 2, { 0, 1, 0, 1 } },
	{ "the tokens and the slot", 4, 2, 0, 3, { 2, 1, 0, 0 } },
	{ "the tokens, the slot, and strays", 4, 2, 0, 9, { 2, 1, 0, 6 } },
	{ "the last loan", 4, 0, 3, 1, { 0, 1, 0, 0 } },
	{ "more loans than jobs", 4, 0, 4, 1, { 0, 0, 0, 1 } },
	{ "a loan where there are no jobs", 0, 0, 0, 1, { 0, 0, 0, 1 } },
	{ "no bytes", 4, 1, 0, 0, { 0, 0, 0, 0 } },
	{ "all there could be", 4, 1, 0, SIZE_MAX, { 1, 1, 0, SIZE_MAX - 2 } },
};

KUNIT_ARRAY_PARAM_DESC(write, writes, name);

static void bytes_return_tokens_then_lend_then_stray(struct kunit *test)
{
	const struct write_case *param = test->param_value;
	struct world *world = new_world(test, param->jobs);
	struct steve_pool_given given;
	u32 i;

	for (i = 0; i < param->held; i++)
		take(world, 1);
	for (i = 0; i < param->loans; i++)
		give(world, 2 + i, 1);
	given = give(world, 1, param->bytes);
	KUNIT_EXPECT_EQ(test, given.returned, param->given.returned);
	KUNIT_EXPECT_EQ(test, given.lent, param->given.lent);
	KUNIT_EXPECT_EQ(test, given.strays, param->given.strays);
	KUNIT_EXPECT_EQ(test, held(world, 1), param->held - given.returned);
	KUNIT_EXPECT_EQ(test, world->pool.lent, param->loans + given.lent);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, given.returned);
	KUNIT_EXPECT_EQ(test, world->pool.counts.loans,
			param->loans + given.lent);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, given.strays);
}

static void a_slot_is_lent_once(struct kunit *test)
{
	struct world *world = new_world(test, 4);

	KUNIT_EXPECT_EQ(test, give(world, 1, 1).lent, 1);
	KUNIT_EXPECT_EQ(test, give(world, 1, 1).strays, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
}

static void a_lent_slot_comes_back_before_a_token(struct kunit *test)
{
	struct world *world = new_world(test, 4);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 1);
}

static void a_lent_slot_comes_back_to_whoever_waits_for_it(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	give(world, 1, 1);
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	take(world, 0);
	block(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, handed(world, 1), 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
}

static void a_lent_slot_comes_back_by_a_reservation(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
}

static void a_loan_serves_whoever_waits(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 2);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, handed(world, 2), 1);
}

static void a_loan_ends_with_its_lender(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 0));
	die(world, 1);
	KUNIT_EXPECT_EQ(test, available(world), -1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.abandoned, 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.reclaimed, 0);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
}

static void a_loan_that_ended_makes_room_for_another(struct kunit *test)
{
	struct world *world = new_world(test, 2);

	give(world, 1, 1);
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, give(world, 3, 1).strays, 1);
	die(world, 1);
	KUNIT_EXPECT_EQ(test, give(world, 3, 1).lent, 1);
	KUNIT_EXPECT_EQ(test, give(world, 4, 1).strays, 1);
	take(world, 2);
	KUNIT_EXPECT_EQ(test, give(world, 4, 1).lent, 1);
}

static void a_smaller_pool_has_room_for_fewer_loans(struct kunit *test)
{
	struct world *world = new_world(test, 3);

	give(world, 1, 1);
	give(world, 2, 1);
	give(world, 3, 1);
	set_jobs(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 3);
	take(world, 1);
	take(world, 2);
	KUNIT_EXPECT_EQ(test, give(world, 4, 1).strays, 1);
	take(world, 3);
	KUNIT_EXPECT_EQ(test, give(world, 4, 1).lent, 1);
}

static void a_stray_adds_no_token(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	give(world, 1, 1);
	take(world, 2);
	KUNIT_EXPECT_EQ(test, give(world, 1, 5).strays, 5);
	KUNIT_EXPECT_EQ(test, available(world), 0);
	KUNIT_EXPECT_FALSE(test, take(world, 3));
}

static void an_unknown_client_only_strays(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	struct steve_pool_given given;

	block(world, 1);
	begin(world, -1, "give");
	steve_pool_give(&world->pool, NULL, 7, world->now, &given);
	end(world);
	KUNIT_EXPECT_EQ(test, given.returned, 0);
	KUNIT_EXPECT_EQ(test, given.lent, 0);
	KUNIT_EXPECT_EQ(test, given.strays, 7);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, 7);
	expect_served(world, "");
}

/* ---- The size of the pool ---- */

static void a_smaller_pool_revokes_nothing(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	set_jobs(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 0), 4);
	KUNIT_EXPECT_EQ(test, available(world), -3);
	KUNIT_EXPECT_EQ(test, give(world, 0, 4).returned, 4);
	KUNIT_EXPECT_EQ(test, available(world), 1);
}

static void nothing_is_granted_until_a_smaller_pool_has_drained(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	block(world, 1);
	set_jobs(world, 2);
	give(world, 0, 1);
	give(world, 0, 1);
	expect_served(world, "");
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_FALSE(test, look(world, 3));
	KUNIT_EXPECT_EQ(test, available(world), 0);
	give(world, 0, 1);
	expect_served(world, "1");
}

static void a_reservation_outlives_a_smaller_pool(struct kunit *test)
{
	struct world *world = new_full_world(test, 3);

	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	set_jobs(world, 1);
	KUNIT_EXPECT_EQ(test, available(world), -2);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, available(world), -2);
}

/* @waiters block, then a pool with @held tokens in use gets @jobs. */
struct raise_case {
	const char *name;
	u32 held;
	int waiters;
	u32 jobs;
	const char *served;
};

static const struct raise_case raises[] = {
	{ "fewer tokens than waiters", 0, 5, 3, "1 2 3" },
	{ "as many", 0, 5, 5, "1 2 3 4 5" },
	{ "more", 0, 3, 5, "1 2 3" },
	{ "nobody waits", 0, 0, 5, "" },
	{ "some are in use", 4, 5, 6, "1 2" },
	{ "all are in use", 4, 5, 4, "" },
	{ "by too little", 4, 5, 3, "" },
};

KUNIT_ARRAY_PARAM_DESC(raise, raises, name);

static void a_larger_pool_serves_those_who_wait_in_order(struct kunit *test)
{
	const struct raise_case *param = test->param_value;
	struct world *world = new_full_world(test, param->held);

	set_jobs(world, 0);
	block_many(world, 1, param->waiters);
	set_jobs(world, param->jobs);
	expect_served(world, param->served);
}

static void no_jobs_pause_the_pool(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	set_jobs(world, 0);
	block(world, 1);
	poll(world, 2);
	give(world, 0, 2);
	expect_served(world, "");
	KUNIT_EXPECT_FALSE(test, take(world, 3));
	KUNIT_EXPECT_EQ(test, readable(world, 3), 0);
	set_jobs(world, 2);
	expect_served(world, "1 2");
}

/* ---- How many tokens are readable ---- */

static void what_is_free_is_readable(struct kunit *test)
{
	struct world *world = new_world(test, 3);

	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 2);
}

static void what_is_reserved_is_readable_for_one(struct kunit *test)
{
	struct world *world = new_world(test, 3);

	look(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 2);
}

static void readable_is_never_negative(struct kunit *test)
{
	struct world *world = new_full_world(test, 3);

	set_jobs(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 0);
	give(world, 0, 1);
	set_jobs(world, 3);
	look(world, 1);
	set_jobs(world, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
	KUNIT_EXPECT_EQ(test, readable(world, 0), 0);
}

static void nothing_is_readable_before_ones_turn(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block_many(world, 1, BATCH + 4);
	set_jobs(world, 30);
	KUNIT_EXPECT_EQ(test, available(world), 30 - BATCH);
	KUNIT_EXPECT_EQ(test, readable(world, 30), 0);
	KUNIT_EXPECT_EQ(test, readable(world, BATCH + 1), 30 - BATCH);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, readable(world, 30), 30 - BATCH - 4);
}

static void a_cold_client_makes_nothing_unreadable(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	take(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
}

static void who_is_awake_in_line_makes_nothing_unreadable(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	for (i = 1; i <= BATCH + 4; i++) {
		poll(world, i);
		stop_polling(world, i);
	}
	give(world, 0, 1);
	KUNIT_ASSERT_TRUE(test, world->deferred);
	KUNIT_ASSERT_EQ(test, available(world), 1);
	KUNIT_EXPECT_EQ(test, readable(world, 30), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 30));
}

static void what_was_not_delivered_is_free(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_ASSERT_TRUE(test, take(world, 1));
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_EQ(test, available(world), 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.granted, 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, 1);
}

static void what_was_not_delivered_serves_whoever_waits(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	untake(world, 0);
	expect_served(world, "1");
}

static void a_slot_that_was_not_delivered_is_lent_again(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	give(world, 1, 1);
	KUNIT_ASSERT_TRUE(test, take(world, 1));
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, 0);
}

/* Else processes that read into bad memory could make tokens without end. */
static void a_slot_that_was_not_delivered_may_be_one_too_many(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	give(world, 1, 1);
	KUNIT_ASSERT_TRUE(test, take(world, 1));
	give(world, 2, 1);
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	KUNIT_EXPECT_EQ(test, available(world), 2);
}

static void what_was_returned_meanwhile_may_be_one_too_many(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_ASSERT_TRUE(test, take(world, 1));
	give(world, 1, 1);
	give(world, 2, 1);
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	KUNIT_EXPECT_EQ(test, available(world), 2);
}

/* Another thread of the client was quicker. */
static void what_was_returned_meanwhile_is_no_stray(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_ASSERT_TRUE(test, take(world, 1));
	give(world, 1, 1);
	untake(world, 1);
	untake(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, 0);
}

/* ---- The queue ---- */

/* How six clients come, one after another: r blocks, p polls, t only tries. */
struct line_case {
	const char *name;
	const char *comers;
	const char *served;
};

static const struct line_case lines[] = {
	{ "readers", "rrrrrr", "1 2 3 4 5 6" },
	{ "pollers", "pppppp", "1 2 3 4 5 6" },
	{ "readers and pollers", "rprppr", "1 2 3 4 5 6" },
	{ "some that only try", "trptrp", "2 3 5 6" },
	{ "all only try", "tttttt", "" },
};

KUNIT_ARRAY_PARAM_DESC(line, lines, name);

static void come(struct world *world, int i, char how)
{
	if (how == 'r')
		block(world, i);
	else if (how == 'p')
		KUNIT_ASSERT_FALSE(world->test, poll(world, i));
	else
		KUNIT_ASSERT_FALSE(world->test, take(world, i));
}

static void whoever_came_first_is_served_first(struct kunit *test)
{
	const struct line_case *param = test->param_value;
	struct world *world = new_world(test, 0);
	int i;

	for (i = 0; param->comers[i]; i++)
		come(world, i + 1, param->comers[i]);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, i);
	set_jobs(world, 6);
	expect_served(world, param->served);
}

static void one_return_wakes_one_client(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	block(world, 1);
	poll(world, 2);
	block(world, 3);
	give(world, 0, 1);
	expect_served(world, "1");
	give(world, 0, 1);
	expect_served(world, "2");
}

static void a_client_has_one_place_for_all_its_threads(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	block(world, 2);
	block(world, 1);
	poll(world, 1);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 2);
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
}

static void whoever_wants_more_goes_to_the_tail(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block(world, 1);
	block(world, 1);
	block(world, 1);
	block(world, 2);
	block(world, 2);
	poll(world, 3);
	set_jobs(world, 6);
	expect_served(world, "1 2 3 1 2 1");
}

static void whoever_asks_at_once_stands_before_whom_it_served(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block_many(world, 1, 2);
	block(world, 1);
	give(world, 0, 1);
	block(world, 0);
	give(world, 1, 1);
	give(world, 2, 1);
	give(world, 0, 1);
	expect_served(world, "1 2 0 1");
}

static void whoever_asks_later_stands_behind_whom_it_served(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	block(world, 1);
	give(world, 0, 1);
	pass(world, OWN_RETURN + 1);
	block(world, 0);
	give(world, 1, 1);
	expect_served(world, "1 1");
}

static void whoever_came_in_between_stands_before_both(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	block(world, 1);
	give(world, 0, 1);
	block(world, 2);
	block(world, 0);
	give(world, 1, 1);
	give(world, 1, 1);
	expect_served(world, "1 1 2");
}

static void whoever_serves_itself_keeps_its_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 0);
	block(world, 0);
	give(world, 0, 1);
	block(world, 0);
	KUNIT_EXPECT_EQ(test, place(world, 0), 2);
	expect_served(world, "0");
}

static void a_served_poller_goes_to_the_tail(struct kunit *test)
{
	struct world *world = new_full_world(test, 3);

	poll(world, 1);
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	give(world, 0, 2);
	expect_served(world, "1 2 1");
}

static void a_served_poller_that_sleeps_no_more_has_no_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	give(world, 0, 1);
	poll(world, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
}

static void whoever_has_enough_has_no_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	block(world, 1);
	take(world, 2);
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, place(world, 2), 0);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

static void a_reader_is_served_before_a_poller_of_its_client(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, handed(world, 1), 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 0);
	KUNIT_EXPECT_EQ(test, place(world, 1), 2);
}

static void a_try_that_fails_gets_a_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	take(world, 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.since, world->now);
}

static void places_do_not_wrap(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	world->pool.last_place = U32_MAX - 2;
	block_many(world, 1, 5);
	KUNIT_EXPECT_EQ(test, place(world, 5), U32_MAX + 3ULL);
	set_jobs(world, 5);
	expect_served(world, "1 2 3 4 5");
}

static void a_wakeable_place_never_expires(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	block(world, 1);
	poll(world, 2);
	pass(world, 100 * 3600 * SEC);
	give(world, 0, 2);
	expect_served(world, "1 2");
}

static void edge_triggered_epoll_is_told_after_a_failed_try(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	world->clients[1].armed = true;
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	give(world, 0, 1);
	expect_served(world, "1");
}

/* ---- Cold places ---- */

static void an_interrupted_reader_keeps_its_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	u64 before;

	block(world, 1);
	before = place(world, 1);
	interrupt(world, 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), before);
	KUNIT_EXPECT_EQ(test, world->pool.counts.interrupted, 1);
}

static void the_place_of_an_interrupted_reader_expires(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	pass(world, 10 * COLD);
	interrupt(world, 1);
	pass(world, COLD - 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	pass(world, 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
}

static void an_interrupted_thread_leaves_its_siblings_waiting(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	block(world, 1);
	interrupt(world, 1);
	give(world, 0, 1);
	expect_served(world, "1");
}

static void an_interrupted_reader_may_still_be_woken_in_poll(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 1);
	interrupt(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 1);
}

static void a_cold_client_is_passed_over(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	take(world, 1);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
}

static void a_cold_client_is_first_when_it_is_back(struct kunit *test)
{
	struct world *world = new_full_world(test, 3);

	take(world, 1);
	poll(world, 2);
	stop_polling(world, 2);
	block(world, 3);
	interrupt(world, 3);
	block(world, 4);
	block(world, 3);
	poll(world, 2);
	block(world, 1);
	give(world, 0, 3);
	expect_served(world, "1 2 3");
}

static void a_cold_client_stops_nobody(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	take(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 2));
}

static void a_poller_found_awake_turns_cold(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 2);
	stop_polling(world, 1);
	give(world, 0, 1);
	expect_served(world, "2");
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	pass(world, COLD);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
}

static void a_poller_found_awake_may_sleep_again(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 2);
	stop_polling(world, 1);
	give(world, 0, 1);
	block(world, 3);
	poll(world, 1);
	give(world, 2, 1);
	expect_served(world, "2 1");
}

/* A client that comes back after @habit, if that is known of it. */
struct expiry_case {
	const char *name;
	u64 habit;
	u64 expiry;
};

static const struct expiry_case expiries[] = {
	{ "habit not known", 0, COLD },
	{ "short habit", 10 * MS, COLD },
	{ "long habit", 10 * SEC, COLD_HABITS * 10 * SEC },
};

KUNIT_ARRAY_PARAM_DESC(expiry, expiries, name);

static void a_place_left_cold_for_long_expires(struct kunit *test)
{
	const struct expiry_case *param = test->param_value;
	struct world *world = new_full_world(test, 1);

	take(world, 1);
	if (param->habit) {
		pass(world, param->habit);
		take(world, 1);
	}
	pass(world, param->expiry - 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	pass(world, 1);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

static void a_cold_place_lives_on_with_every_try(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	for (i = 0; i < 10; i++) {
		take(world, 1);
		pass(world, COLD - SEC);
	}
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
}

static void whoever_let_its_place_expire_goes_to_the_tail(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	take(world, 1);
	block(world, 2);
	pass(world, COLD);
	block(world, 1);
	give(world, 0, 2);
	expect_served(world, "2 1");
}

/* ---- Nobody is overtaken ---- */

static void a_newcomer_does_not_take_what_is_reserved(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 0));
	KUNIT_EXPECT_FALSE(test, look(world, 2));
	KUNIT_EXPECT_EQ(test, readable(world, 2), 0);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void no_more_than_a_batch_is_woken_at_once(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block_many(world, 1, BATCH + 4);
	set_jobs(world, 30);
	KUNIT_EXPECT_EQ(test, world->woken, BATCH);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	expect_served(world, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
	run_deferred(world);
	expect_served(world, "17 18 19 20");
	KUNIT_EXPECT_EQ(test, available(world), 30 - BATCH - 4);
}

static void a_death_wakes_no_more_than_a_batch(struct kunit *test)
{
	struct world *world = new_full_world(test, 30);
	int i;

	for (i = 1; i <= 30; i++)
		poll(world, i);
	die(world, 0);
	KUNIT_EXPECT_EQ(test, world->woken, BATCH);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	run_deferred(world);
	for (i = 1; i <= 30; i++)
		KUNIT_EXPECT_EQ(test, world->clients[i].notified, 1);
}

static void a_full_batch_is_not_deferred_for_nothing(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block_many(world, 1, BATCH);
	set_jobs(world, 30);
	KUNIT_EXPECT_EQ(test, world->woken, BATCH);
	KUNIT_EXPECT_FALSE(test, world->deferred);
}

static void newcomers_stand_behind_a_deferral(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block_many(world, 1, BATCH + 4);
	set_jobs(world, BATCH + 4);
	KUNIT_EXPECT_EQ(test, available(world), 4);
	KUNIT_EXPECT_FALSE(test, take(world, 30));
	KUNIT_EXPECT_FALSE(test, look(world, 31));
	block(world, 32);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, handed(world, BATCH + 4), 1);
	KUNIT_EXPECT_EQ(test, handed(world, 32), 0);
}

static void whoever_stands_first_need_not_wait_for_a_deferral(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	take(world, 30);
	block_many(world, 1, BATCH + 4);
	set_jobs(world, BATCH + 4);
	KUNIT_EXPECT_TRUE(test, take(world, 30));
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, handed(world, BATCH + 3), 1);
	KUNIT_EXPECT_EQ(test, handed(world, BATCH + 4), 0);
}

static void a_poll_during_a_deferral_robs_no_sibling(struct kunit *test)
{
	struct world *world = new_world(test, 0);

	block_many(world, 1, BATCH + 4);
	set_jobs(world, BATCH + 4);
	look(world, BATCH + 1);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, handed(world, BATCH + 1), 1);
}

static void no_more_than_a_batch_is_found_awake_at_once(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	for (i = 1; i <= BATCH + 4; i++) {
		poll(world, i);
		stop_polling(world, i);
	}
	block(world, 30);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	expect_served(world, "");
	run_deferred(world);
	expect_served(world, "30");
}

static void a_taker_finds_no_more_than_a_batch_awake(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	for (i = 1; i <= 2 * BATCH + 4; i++) {
		poll(world, i);
		stop_polling(world, i);
	}
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 38));
	KUNIT_EXPECT_TRUE(test, world->deferred);
	KUNIT_EXPECT_TRUE(test, take(world, 39));
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	KUNIT_EXPECT_EQ(test, place(world, 2 * BATCH + 4), 2 * BATCH + 4);
}

static void no_more_than_a_batch_of_places_expires_at_once(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	for (i = 1; i <= BATCH + 4; i++)
		take(world, i);
	world->now += COLD;
	run(world);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 4);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	run_deferred(world);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

static void the_timer_is_set_for_the_next_to_be_looked_at(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	KUNIT_EXPECT_EQ(test, world->armed_at, 0);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, world->armed_at, world->now + COLD);
	give(world, 0, 1);
	look(world, 2);
	KUNIT_EXPECT_EQ(test, world->armed_at, world->now + RESERVE);
	pass(world, RESERVE);
	KUNIT_EXPECT_EQ(test, world->armed_at, world->now + COLD - RESERVE);
	pass(world, COLD - RESERVE);
	KUNIT_EXPECT_EQ(test, world->armed_at, 0);
}

static void a_run_with_nothing_due_does_nothing(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);
	u64 armed_at;

	block(world, 1);
	take(world, 2);
	give(world, 0, 1);
	poll(world, 3);
	armed_at = world->armed_at;
	run(world);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, world->armed_at, armed_at);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 2);
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, 0);
}

/* ---- Fair ---- */

static void fair_serves_whoever_has_the_fewest_tokens(struct kunit *test)
{
	struct world *world = new_fair_world(test, 6);

	take_many(world, 1, 2);
	take_many(world, 2, 1);
	take_many(world, 0, 3);
	block(world, 1);
	poll(world, 2);
	block(world, 3);
	give(world, 0, 3);
	expect_served(world, "3 2 1");
}

static void fair_serves_equals_in_order(struct kunit *test)
{
	struct world *world = new_fair_world(test, 8);

	take_many(world, 0, 5);
	take_many(world, 1, 1);
	take_many(world, 2, 1);
	take_many(world, 3, 1);
	block(world, 3);
	block(world, 1);
	block(world, 2);
	give(world, 0, 3);
	expect_served(world, "3 1 2");
}

static void fair_counts_each_token_as_it_is_served(struct kunit *test)
{
	struct world *world = new_fair_world(test, 3);
	int i;

	take_many(world, 2, 1);
	take_many(world, 3, 2);
	for (i = 0; i < 3; i++) {
		block(world, 1);
		block(world, 2);
		block(world, 3);
	}
	set_jobs(world, 9);
	expect_served(world, "1 2 1 3 2 1");
}

static void fair_counts_what_is_returned_while_waiting(struct kunit *test)
{
	struct world *world = new_fair_world(test, 5);

	take_many(world, 1, 3);
	take_many(world, 2, 2);
	block(world, 2);
	block(world, 1);
	give(world, 1, 2);
	expect_served(world, "1 2");
}

static void fair_lets_a_newcomer_with_fewer_tokens_in(struct kunit *test)
{
	struct world *world = new_fair_world(test, BATCH + 4);
	int i;

	for (i = 1; i <= BATCH + 4; i++)
		take_many(world, i, 1);
	block_many(world, 1, BATCH + 4);
	set_jobs(world, 2 * (BATCH + 4));
	KUNIT_EXPECT_TRUE(test, world->deferred);
	KUNIT_EXPECT_TRUE(test, take(world, 30));
	KUNIT_EXPECT_FALSE(test, take(world, 30));
}

static void a_change_of_policy_holds_for_those_who_wait(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	give(world, 0, 2);
	take_many(world, 1, 1);
	take_many(world, 2, 1);
	block(world, 1);
	block(world, 2);
	block(world, 3);
	block(world, 3);
	set_policy(world, STEVE_POLICY_FAIR);
	give(world, 0, 1);
	expect_served(world, "3");
	set_policy(world, STEVE_POLICY_FIFO);
	give(world, 0, 1);
	expect_served(world, "1");
}

/* ---- Reservations ---- */

static void a_poll_reserves_what_is_free(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_SEEN);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void a_client_has_one_reservation(struct kunit *test)
{
	struct world *world = new_world(test, 4);

	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 1);
}

static void a_sleeping_poller_is_offered_a_token(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	give(world, 0, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_OFFERED);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_SEEN);
}

static void an_offer_is_not_lost_on_whoever_does_not_poll_again(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	poll(world, 1);
	poll(world, 2);
	give(world, 0, 2);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_TRUE(test, take_or_block(world, 2));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 0);
}

static void a_reservation_is_for_one_read(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held(world, 1), 1);
}

static void looking_again_makes_a_reservation_no_longer(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	look(world, 1);
	pass(world, RESERVE - 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	pass(world, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
}

static void what_lapses_goes_to_the_next_in_line(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 2);
	give(world, 0, 1);
	pass(world, RESERVE - 1);
	expect_served(world, "1");
	pass(world, 1);
	expect_served(world, "2");
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, 1);
}

static void what_lapses_is_free_if_nobody_waits(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	look(world, 1);
	pass(world, RESERVE);
	KUNIT_EXPECT_EQ(test, available(world), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
}

static void a_reservation_lasts_as_long_as_was_set(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	set_reserve_ms(world, 3000);
	look(world, 1);
	pass(world, 3 * SEC - 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_SEEN);
	pass(world, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
}

/* Client 1 sleeps through its reservation, and client 2 gets the token. */
static struct world *new_overslept_world(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 2);
	give(world, 0, 1);
	pass(world, RESERVE);
	expect_served(world, "1 2");
	return world;
}

static void a_reservation_not_seen_costs_no_place(struct kunit *test)
{
	struct world *world = new_overslept_world(test);

	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
}

static void a_reservation_not_seen_comes_again_later(struct kunit *test)
{
	struct world *world = new_overslept_world(test);

	give(world, 2, 1);
	pass(world, RETRY - 1);
	expect_served(world, "");
	pass(world, 1);
	expect_served(world, "1");
}

static void a_late_look_excuses_a_reservation_not_seen(struct kunit *test)
{
	struct world *world = new_overslept_world(test);

	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	block(world, 3);
	give(world, 2, 1);
	expect_served(world, "1");
}

/* Client 1 looks too late, and sleeps through the next; client 3 gets that one. */
static struct world *new_late_again_world(struct kunit *test)
{
	struct world *world = new_overslept_world(test);

	poll(world, 1);
	block(world, 3);
	give(world, 2, 1);
	pass(world, RESERVE);
	expect_served(world, "1 3");
	return world;
}

static void a_late_look_is_no_excuse_twice(struct kunit *test)
{
	struct world *world = new_late_again_world(test);

	poll(world, 1);
	give(world, 3, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
}

static void a_late_look_finds_what_is_free(struct kunit *test)
{
	struct world *world = new_overslept_world(test);

	give(world, 2, 1);
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
}

static void a_late_look_finds_what_is_free_however_often(struct kunit *test)
{
	struct world *world = new_late_again_world(test);

	give(world, 3, 1);
	expect_served(world, "");
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
}

static void a_seen_reservation_costs_the_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	block(world, 2);
	block(world, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, poll(world, 1));
	pass(world, RESERVE);
	expect_served(world, "1 2");
	KUNIT_EXPECT_EQ(test, place(world, 1), 4);
}

static void a_seen_reservation_comes_again_later(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	look(world, 1);
	pass(world, RESERVE);
	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	pass(world, RETRY - 1);
	expect_served(world, "");
	pass(world, 1);
	expect_served(world, "1");
}

static void a_poll_reserves_again_once_the_delay_is_over(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	look(world, 1);
	pass(world, RESERVE + RETRY - 1);
	KUNIT_EXPECT_FALSE(test, look(world, 1));
	pass(world, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
}

static u64 time_until_offered(struct world *world, int i)
{
	u64 begin = world->now;

	while (!reservation(world, i) && world->now - begin < 100 * SEC)
		pass(world, RESERVE);
	return world->now - begin;
}

static void the_delay_doubles_up_to_a_bound(struct kunit *test)
{
	struct world *world = new_world(test, 1);
	u64 delay = RETRY;
	int i;

	look(world, 1);
	for (i = 0; i < 300; i++) {
		pass(world, RESERVE);
		KUNIT_ASSERT_FALSE(test, poll(world, 1));
		KUNIT_ASSERT_EQ(test, time_until_offered(world, 1), delay);
		KUNIT_ASSERT_TRUE(test, poll(world, 1));
		delay = min(2 * delay, RETRY_MAX);
	}
}

static void the_delay_of_a_sleeper_doubles_up_to_a_bound(struct kunit *test)
{
	struct world *world = new_world(test, 0);
	u64 delay = RETRY;
	int i;

	poll(world, 1);
	set_jobs(world, 1);
	for (i = 0; i < 300; i++) {
		pass(world, RESERVE);
		KUNIT_ASSERT_EQ(test, time_until_offered(world, 1), delay);
		delay = min(2 * delay, RETRY_MAX);
	}
}

static void clear_by_take(struct world *world)
{
	KUNIT_EXPECT_TRUE(world->test, take(world, 1));
	give(world, 1, 1);
}

static void clear_by_failed_take(struct world *world)
{
	take(world, 0);
	KUNIT_EXPECT_FALSE(world->test, take(world, 1));
	give(world, 0, 1);
}

static void clear_by_block(struct world *world)
{
	take(world, 0);
	block(world, 1);
	interrupt(world, 1);
	give(world, 0, 1);
}

static void clear_by_nothing(struct world *world)
{
	take(world, 0);
	give(world, 0, 1);
}

struct clear_case {
	const char *name;
	void (*clear)(struct world *world);
	bool cleared;
};

static const struct clear_case clears[] = {
	{ "a read", clear_by_take, true },
	{ "a read that fails", clear_by_failed_take, true },
	{ "a read that is interrupted", clear_by_block, true },
	{ "nothing", clear_by_nothing, false },
};

KUNIT_ARRAY_PARAM_DESC(clear, clears, name);

static void any_read_clears_the_delay(struct kunit *test)
{
	const struct clear_case *param = test->param_value;
	struct world *world = new_world(test, 1);

	look(world, 1);
	pass(world, RESERVE);
	param->clear(world);
	KUNIT_EXPECT_EQ(test, look(world, 1), param->cleared);
}

static void a_read_clears_how_often_it_was_delayed(struct kunit *test)
{
	struct world *world = new_world(test, 1);
	int i;

	for (i = 0; i < 5; i++) {
		look(world, 1);
		pass(world, RESERVE + RETRY_MAX);
	}
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	give(world, 1, 1);
	look(world, 1);
	pass(world, RESERVE);
	poll(world, 1);
	KUNIT_EXPECT_EQ(test, time_until_offered(world, 1), RETRY);
}

static void a_read_ends_the_delay_of_a_sleeping_sibling(struct kunit *test)
{
	struct world *world = new_world(test, 2);

	look(world, 1);
	pass(world, RESERVE);
	KUNIT_EXPECT_FALSE(test, poll(world, 1));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	expect_served(world, "1");
}

static void a_delay_stops_no_reader(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	give(world, 0, 1);
	look(world, 1);
	pass(world, RESERVE);
	take(world, 0);
	poll(world, 1);
	block(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, handed(world, 1), 1);
}

/* Ways to poll and never read. Each is done once every 10 ms. */
static void idle_looks(struct world *world, int tick)
{
	look(world, 1);
}

static void idle_sleeps(struct world *world, int tick)
{
	poll(world, 1);
}

static void idle_never_looks(struct world *world, int tick)
{
	if (!tick)
		poll(world, 1);
}

static void idle_looks_late(struct world *world, int tick)
{
	if (tick % 11 == 0)
		poll(world, 1);
}

static void idle_looks_seldom(struct world *world, int tick)
{
	if (tick % 500 == 0)
		poll(world, 1);
}

static void idle_looks_every_other_time(struct world *world, int tick)
{
	if (!world->clients[1].armed || world->clients[1].notified % 2)
		poll(world, 1);
}

struct idle_case {
	const char *name;
	void (*idle)(struct world *world, int tick);
	bool free;
};

static const struct idle_case idles[] = {
	{ "looks all the time", idle_looks, true },
	{ "sleeps and looks", idle_sleeps },
	{ "sleeps and looks, and often need not sleep", idle_sleeps, true },
	{ "sleeps and never looks", idle_never_looks },
	{ "looks too late", idle_looks_late },
	{ "looks seldom", idle_looks_seldom },
	{ "looks every other time", idle_looks_every_other_time },
};

KUNIT_ARRAY_PARAM_DESC(idle, idles, name);

/* Client 2 works with the one token; it may be free for moments. */
static void whoever_polls_and_never_reads_wastes_little(struct kunit *test)
{
	const struct idle_case *param = test->param_value;
	struct world *world = new_full_world(test, 1);
	int tick, reserved = 0;

	for (tick = 0; tick < 30000; tick++) {
		param->idle(world, tick);
		if (held(world, 0))
			give(world, 0, 1);
		if (held(world, 2))
			give(world, 2, 1);
		if (!world->clients[2].readers &&
		    !(param->free && tick % 10 == 0))
			take_or_block(world, 2);
		reserved += world->pool.reserved;
		pass(world, 10 * MS);
	}
	KUNIT_EXPECT_LT(test, reserved, 30000 / 20);
	KUNIT_EXPECT_GT(test, reserved, 0);
}

/* ---- Own returns ---- */

/* Client 0 has @jobs tokens, wants more, is awake, and client 1 waits. */
static struct world *new_make_world(struct kunit *test, u32 jobs)
{
	struct world *world = new_full_world(test, jobs);

	poll(world, 0);
	stop_polling(world, 0);
	block(world, 1);
	return world;
}

static void an_own_return_is_kept_for_whoever_stands_first(struct kunit *test)
{
	struct world *world = new_make_world(test, 1);

	give(world, 0, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, reservation(world, 0), STEVE_RESERVED_RETURNED);
	KUNIT_EXPECT_TRUE(test, take(world, 0));
}

static void an_own_return_is_kept_for_a_moment(struct kunit *test)
{
	struct world *world = new_make_world(test, 1);

	give(world, 0, 1);
	pass(world, OWN_RETURN - 1);
	expect_served(world, "");
	pass(world, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, place(world, 0), 1);
}

static void a_look_at_an_own_return_reserves_it(struct kunit *test)
{
	struct world *world = new_make_world(test, 1);

	give(world, 0, 1);
	pass(world, OWN_RETURN - 1);
	KUNIT_EXPECT_TRUE(test, poll(world, 0));
	pass(world, RESERVE - 1);
	expect_served(world, "");
	pass(world, 1);
	expect_served(world, "1");
}

static void one_own_return_is_kept(struct kunit *test)
{
	struct world *world = new_make_world(test, 3);

	block(world, 2);
	block(world, 3);
	give(world, 0, 3);
	expect_served(world, "1 2");
	KUNIT_EXPECT_EQ(test, reservation(world, 0), STEVE_RESERVED_RETURNED);
	KUNIT_EXPECT_EQ(test, available(world), 0);
}

static void an_own_return_goes_to_whoever_came_before(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	take(world, 0);
	give(world, 0, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 0);
}

static void an_own_return_is_kept_where_those_before_are_awake(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll(world, 1);
	stop_polling(world, 1);
	take(world, 2);
	take(world, 0);
	block(world, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 0), STEVE_RESERVED_RETURNED);
}

static void no_own_return_is_kept_if_nobody_else_waits(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	take(world, 0);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, available(world), 1);
}

static void no_own_return_is_kept_for_whoever_wants_nothing(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	give(world, 0, 1);
	expect_served(world, "1");
}

static void an_own_return_goes_to_a_sleeping_sibling(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	block(world, 0);
	poll(world, 1);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "0");
	give(world, 0, 1);
	expect_served(world, "1");
}

static void whoever_has_a_reservation_keeps_no_own_return(struct kunit *test)
{
	struct world *world = new_make_world(test, 2);

	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 0));
	give(world, 0, 1);
	expect_served(world, "1");
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 1);
}

static void no_own_return_is_kept_in_a_pool_that_drains(struct kunit *test)
{
	struct world *world = new_make_world(test, 3);

	set_jobs(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 0);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 0), STEVE_RESERVED_RETURNED);
}

static void fair_keeps_no_own_return_for_whoever_has_more(struct kunit *test)
{
	struct world *world = new_make_world(test, 2);

	set_policy(world, STEVE_POLICY_FAIR);
	give(world, 0, 1);
	expect_served(world, "1");
}

/* ---- Keeping ---- */

#define HABIT		(100 * MS)
#define KEPT		(HABIT + HABIT / 4)

/* Two clients do the same, @i always before @k. */
static void two_try_often(struct world *world, int i, int k)
{
	int tries = 3;

	while (tries--) {
		KUNIT_ASSERT_FALSE(world->test, take(world, i));
		KUNIT_ASSERT_FALSE(world->test, take(world, k));
		if (tries)
			pass(world, HABIT);
	}
}

/* Client 1 tries and never polls; client 2 blocks. */
static struct world *new_ninja_world(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	return world;
}

static void a_token_is_kept_for_whoever_keeps_trying(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	KUNIT_EXPECT_EQ(test, available(world), 0);
	pass(world, HABIT);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

/* Client 1 holds a token, and one is kept for it; client 0 has two and waits. */
static struct world *new_returning_ninja_world(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);
	int i;

	give(world, 0, 1);
	KUNIT_ASSERT_TRUE(test, take(world, 1));
	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	for (i = 0; i < 3; i++)
		block(world, 0);
	give(world, 0, 1);
	KUNIT_ASSERT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	return world;
}

static void an_own_return_is_kept_beside_a_kept_token(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);

	give(world, 1, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 2);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 0);
}

static void both_are_kept_for_a_moment(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);
	u64 lapsed = world->pool.counts.lapsed;

	give(world, 1, 1);
	pass(world, OWN_RETURN - 1);
	expect_served(world, "");
	pass(world, 1);
	expect_served(world, "0 0");
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, lapsed + 2);
	KUNIT_EXPECT_NE(test, place(world, 1), 0);
}

static void one_left_of_both_lapses_too(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 1);
	pass(world, OWN_RETURN);
	expect_served(world, "0");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
	KUNIT_EXPECT_EQ(test, place(world, 1), 0);
}

static void a_poll_leaves_one_of_both(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 1);
	expect_served(world, "0");
}

static void no_third_token_is_kept(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);

	give(world, 1, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 2);
	expect_served(world, "0");
}

static void what_was_paid_for_a_kept_token_is_refunded(struct kunit *test)
{
	struct world *world = new_returning_ninja_world(test);
	s64 credit = world->pool.keep_credit;
	u64 left = world->clients[1].pool.lapse - world->now;

	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, credit + (s64)left);
	take(world, 1);
	take(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, credit + (s64)left);
}

static void a_kept_token_is_not_for_a_newcomer(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 3));
	KUNIT_EXPECT_FALSE(test, look(world, 4));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

static void what_will_be_kept_is_not_readable(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, readable(world, 3), 0);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 1);
}

static void what_is_free_beyond_that_is_readable(struct kunit *test)
{
	struct world *world = new_full_world(test, 3);

	pass(world, 1000 * SEC);
	two_try_often(world, 1, 2);
	give(world, 0, 3);
	KUNIT_EXPECT_EQ(test, readable(world, 3), 1);
	KUNIT_EXPECT_EQ(test, readable(world, 1), 3);
	KUNIT_EXPECT_EQ(test, readable(world, 2), 2);
	KUNIT_EXPECT_TRUE(test, take(world, 3));
	KUNIT_EXPECT_FALSE(test, take(world, 3));
}

static void a_kept_token_may_be_taken_by_a_read_that_waits(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, take_or_block(world, 1));
}

static void a_kept_token_that_is_polled_is_reserved(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_SEEN);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.lapse,
			world->now + RESERVE);
	pass(world, RESERVE);
	expect_served(world, "2");
	KUNIT_EXPECT_EQ(test, place(world, 1), 3);
}

static void nothing_is_kept_for_whoever_came_later(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	pass(world, 1000 * SEC);
	block(world, 2);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void nothing_is_kept_before_a_come_back_was_seen(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	pass(world, 1000 * SEC);
	take(world, 1);
	pass(world, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void nothing_is_kept_for_whoever_polls(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	look(world, 1);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void nothing_is_kept_at_the_first_try_after_a_poll(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	look(world, 1);
	take(world, 1);
	block(world, 2);
	block(world, 3);
	give(world, 0, 1);
	expect_served(world, "2");
	take(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

static void a_failed_try_keeps_one_token(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	block(world, 3);
	block(world, 4);
	give(world, 0, 1);
	pass(world, KEPT);
	expect_served(world, "2");
	give(world, 0, 1);
	expect_served(world, "3");
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	give(world, 0, 1);
	expect_served(world, "");
}

static void a_try_that_was_served_keeps_nothing_later(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	block(world, 1);
	interrupt(world, 1);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void a_kept_token_that_lapses_costs_no_place(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	pass(world, KEPT);
	KUNIT_EXPECT_EQ(test, place(world, 1), 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, 1);
}

static void tokens_are_kept_in_the_order_of_the_line(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	pass(world, 1000 * SEC);
	two_try_often(world, 3, 1);
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 3), STEVE_RESERVED_KEPT);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	expect_served(world, "2");
}

static void no_more_than_a_batch_is_kept_at_once(struct kunit *test)
{
	struct world *world = new_full_world(test, 30);
	int tries, i;

	for (tries = 0; tries < 3; tries++) {
		pass(world, HABIT);
		for (i = 1; i <= BATCH + 4; i++)
			KUNIT_ASSERT_FALSE(test, take(world, i));
	}
	give(world, 0, 30);
	KUNIT_EXPECT_EQ(test, available(world), 30);
	block(world, 30);
	KUNIT_EXPECT_EQ(test, world->pool.reserved, BATCH);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	run_deferred(world);
	expect_served(world, "30");
	KUNIT_EXPECT_EQ(test, world->pool.reserved, BATCH + 4);
}

/* A client that comes back after @habit has a token kept for @span. */
struct span_case {
	const char *name;
	u64 habit;
	u64 span;
};

static const struct span_case spans[] = {
	{ "a millisecond", MS, MS + MS / 4 },
	{ "a tenth of a second", HABIT, KEPT },
	{ "ten seconds", 10 * SEC, 12500 * MS },
	{ "nearly the bound", 29 * SEC, KEEP_MAX },
};

KUNIT_ARRAY_PARAM_DESC(span, spans, name);

static void a_token_is_kept_about_as_long_as_the_habit(struct kunit *test)
{
	const struct span_case *param = test->param_value;
	struct world *world = new_full_world(test, 4);

	pass(world, 1000 * SEC);
	try_often(world, 1, 5, param->habit);
	block(world, 2);
	give(world, 0, 1);
	pass(world, param->span - 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	pass(world, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
	expect_served(world, "2");
}

static void a_habit_follows_how_a_client_comes_back(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);
	u64 span;

	pass(world, 1000 * SEC);
	try_often(world, 1, 5, HABIT);
	try_often(world, 1, 30, 4 * HABIT);
	block(world, 2);
	give(world, 0, 1);
	span = world->clients[1].pool.lapse - world->now;
	KUNIT_EXPECT_GT(test, span, 4 * HABIT);
	KUNIT_EXPECT_LE(test, span, 5 * HABIT);
}

static void a_habit_is_the_longest_of_late(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);
	u64 lapse;

	try_often(world, 1, 2, 4 * HABIT);
	pass(world, MS);
	try_often(world, 1, 2, HABIT);
	block(world, 2);
	give(world, 0, 1);
	lapse = world->clients[1].pool.lapse;
	KUNIT_EXPECT_GT(test, lapse, world->now + 4 * HABIT);
	KUNIT_EXPECT_LT(test, lapse, world->now + 5 * HABIT);
}

static void a_pause_is_no_habit(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	try_often(world, 1, 3, KEEP_MAX + 1);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void a_token_is_kept_for_the_rest_of_the_time(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	pass(world, HABIT);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	pass(world, KEPT - HABIT);
	expect_served(world, "2");
}

static void nothing_is_kept_for_whoever_is_late(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	pass(world, KEPT);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void whoever_is_late_is_in_nobodys_way(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	try_often(world, 1, 3, HABIT);
	pass(world, HABIT);
	try_often(world, 3, 3, HABIT);
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 4), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 4));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_NONE);
	KUNIT_EXPECT_EQ(test, reservation(world, 3), STEVE_RESERVED_KEPT);
}

static void a_token_is_kept_before_others_that_have_none(struct kunit *test)
{
	const struct policy_case *param = test->param_value;
	struct world *world = new_ninja_world(test);

	set_policy(world, param->policy);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

static void nothing_is_kept_for_whoever_has_as_many(struct kunit *test)
{
	const struct policy_case *param = test->param_value;
	struct world *world = new_full_world(test, 4);

	set_policy(world, param->policy);
	give(world, 0, 2);
	KUNIT_ASSERT_TRUE(test, take(world, 1));
	KUNIT_ASSERT_TRUE(test, take(world, 2));
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void fair_keeps_before_whoever_has_more(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	set_policy(world, STEVE_POLICY_FAIR);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	block(world, 2);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

/* ---- The budget of keeping ---- */

static void spend_budget(struct world *world)
{
	world->pool.keep_credit = 0;
	world->pool.keep_filled = world->now;
}

static void each_policy_begins_with_a_budget(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, KEEP_BURST);
	set_policy(world, STEVE_POLICY_FAIR);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, KEEP_MAX);
}

static void nothing_is_kept_without_a_budget(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	spend_budget(world);
	/* 4 % of 200 ms is no 125 ms. */
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void a_long_keep_is_paid_off_afterwards(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	try_often(world, 1, 3, 20 * SEC);
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit,
			(s64)(KEEP_BURST - 25 * SEC));
}

static void the_budget_does_not_grow_beyond_a_bound(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	pass(world, 365 * 86400 * SEC);
	try_often(world, 1, 3, 24 * SEC);
	block(world, 2);
	block(world, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	pass(world, KEEP_MAX);
	expect_served(world, "2");
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	give(world, 0, 1);
	expect_served(world, "3");
}

static void end_by_take(struct world *world)
{
	KUNIT_EXPECT_TRUE(world->test, take(world, 1));
}

static void end_by_look(struct world *world)
{
	KUNIT_EXPECT_TRUE(world->test, look(world, 1));
}

static void end_by_leave(struct world *world)
{
	leave(world, 1);
}

static void end_by_death(struct world *world)
{
	die(world, 1);
}

static void end_by_lapse(struct world *world)
{
	pass(world, KEPT);
}

/* How a reservation ends, what that leaves to be refunded, and if it lapsed. */
struct refund_case {
	const char *name;
	void (*end)(struct world *world);
	u64 refund;
	u64 lapsed;
};

static const struct refund_case refunds[] = {
	{ "taken", end_by_take, KEPT - 10 * MS, 0 },
	{ "polled", end_by_look, KEPT - 10 * MS, 0 },
	{ "left", end_by_leave, KEPT - 10 * MS, 1 },
	{ "died", end_by_death, KEPT - 10 * MS, 1 },
	{ "lapsed", end_by_lapse, 0, 1 },
};

KUNIT_ARRAY_PARAM_DESC(refund, refunds, name);

static void the_rest_of_a_keep_is_refunded(struct kunit *test)
{
	const struct refund_case *param = test->param_value;
	struct world *world = new_full_world(test, 1);
	u64 credit;

	pass(world, 100 * SEC);
	try_often(world, 1, 3, HABIT);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	credit = world->pool.keep_credit;
	pass(world, 10 * MS);
	param->end(world);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, credit + param->refund);
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, param->lapsed);
}

static void nothing_is_refunded_for_other_reservations(struct kunit *test)
{
	const struct refund_case *param = test->param_value;
	struct world *world = new_full_world(test, 2);
	u64 credit = world->pool.keep_credit;

	give(world, 0, 1);
	look(world, 1);
	param->end(world);
	KUNIT_EXPECT_EQ(test, world->pool.keep_credit, credit);
}

static void a_refund_goes_to_the_next(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	/* There are 150 ms to spend, and each wants 125. */
	spend_budget(world);
	pass(world, 3750 * MS - 2 * HABIT);
	two_try_often(world, 1, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 4));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	leave(world, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 4));
	KUNIT_EXPECT_EQ(test, reservation(world, 3), STEVE_RESERVED_KEPT);
}

static void the_budget_pays_once(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	spend_budget(world);
	pass(world, 1875 * MS - 2 * HABIT);
	two_try_often(world, 1, 3);
	give(world, 0, 2);
	KUNIT_EXPECT_TRUE(test, take(world, 4));
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
	KUNIT_EXPECT_EQ(test, reservation(world, 3), STEVE_RESERVED_NONE);
}

static void whoever_takes_what_is_kept_wastes_no_budget(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	int i;

	pass(world, 10 * SEC);
	try_often(world, 1, 3, HABIT);
	/* Always the moment before client 1 comes back. */
	for (i = 0; i < 100; i++) {
		pass(world, HABIT - MS);
		give(world, 0, 1);
		KUNIT_ASSERT_FALSE(test, take_or_block(world, 0));
		KUNIT_ASSERT_EQ(test, reservation(world, 1),
				STEVE_RESERVED_KEPT);
		pass(world, MS);
		KUNIT_ASSERT_TRUE(test, take(world, 1));
		give(world, 1, 1);
		KUNIT_ASSERT_EQ(test, held(world, 0), 1);
		KUNIT_ASSERT_FALSE(test, take(world, 1));
	}
}

struct budget_case {
	const char *name;
	enum steve_policy policy;
	u32 percent;
};

static const struct budget_case budgets[] = {
	{ "fifo", STEVE_POLICY_FIFO, 4 },
	{ "fair", STEVE_POLICY_FAIR, 1 },
};

KUNIT_ARRAY_PARAM_DESC(budget, budgets, name);

static void what_cannot_be_paid_for_is_readable(struct kunit *test)
{
	struct world *world = new_full_world(test, 2);

	/* There are 150 ms to spend, and each wants 125. */
	spend_budget(world);
	pass(world, 1875 * MS - 2 * HABIT);
	two_try_often(world, 1, 3);
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, readable(world, 4), 1);
	KUNIT_EXPECT_TRUE(test, take(world, 4));
}

static void the_budget_is_of_the_tokens_of_its_time(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	set_jobs(world, 0);
	spend_budget(world);
	pass(world, 1000 * SEC);
	set_jobs(world, 4);
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void the_budget_is_of_the_tokens_that_a_cap_left(struct kunit *test)
{
	const struct steve_pool_cap none = { .jobs = 0 };
	struct world *world = new_full_world(test, 4);

	cap(world, 0, &none);
	spend_budget(world);
	pass(world, 1000 * SEC);
	uncap(world, 0);
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "2");
}

static void the_budget_saved_before_a_cap_is_there_after_it(struct kunit *test)
{
	const struct steve_pool_cap none = { .jobs = 0 };
	struct world *world = new_full_world(test, 4);

	spend_budget(world);
	pass(world, 1000 * SEC);
	cap(world, 0, &none);
	uncap(world, 0);
	try_often(world, 1, 3, HABIT);
	block(world, 2);
	give(world, 0, 1);
	expect_served(world, "");
	KUNIT_EXPECT_EQ(test, reservation(world, 1), STEVE_RESERVED_KEPT);
}

/* Client 1 comes back again and again, but never in time. */
static void what_is_kept_in_vain_stays_within_the_budget(struct kunit *test)
{
	const struct budget_case *param = test->param_value;
	struct world *world = new_world(test, 2);
	u64 all, kept = 0;
	int tick;

	set_policy(world, param->policy);
	take_many(world, 2, 2);
	for (tick = 0; tick < 20000; tick++) {
		if (held(world, 2) == 2 && tick % 2)
			give(world, 2, 1);
		if (!world->clients[2].readers)
			take_or_block(world, 2);
		if (!reservation(world, 1) && !available(world) &&
		    tick % 5 == 0)
			take(world, 1);
		if (reservation(world, 1) == STEVE_RESERVED_KEPT)
			kept += min(world->clients[1].pool.lapse - world->now,
				    50 * MS);
		pass(world, 50 * MS);
	}
	all = 20000 * 50 * MS * world->pool.size;
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.held, 0);
	KUNIT_EXPECT_LE(test, kept,
			KEEP_MAX + div_u64(all, 100) * param->percent);
	KUNIT_EXPECT_GT(test, kept, div_u64(all, 200) * param->percent);
}

/* ---- The end, in every state a client can be in ---- */

/*
 * Client 0 has all of four tokens when client 1 comes; client 2 may come
 * between, and from client 10 on there may be a crowd.
 */
struct state {
	const char *name;
	void (*enter)(struct world *world);
};

static void enter_idle(struct world *world)
{
}

static void enter_holding(struct world *world)
{
	give(world, 0, 2);
	take_many(world, 1, 2);
}

static void enter_lent(struct world *world)
{
	give(world, 1, 1);
}

static void enter_lent_and_taken(struct world *world)
{
	give(world, 1, 1);
	take(world, 0);
}

static void enter_reading(struct world *world)
{
	block(world, 1);
	block(world, 2);
}

static void enter_reading_twice(struct world *world)
{
	block(world, 1);
	block(world, 1);
	block(world, 2);
}

static void enter_served_and_reading(struct world *world)
{
	enter_reading_twice(world);
	give(world, 0, 1);
}

static void enter_interrupted(struct world *world)
{
	enter_reading(world);
	interrupt(world, 1);
}

static void enter_lent_and_reading(struct world *world)
{
	enter_lent_and_taken(world);
	block(world, 1);
	block(world, 2);
}

static void enter_polling(struct world *world)
{
	poll(world, 1);
	block(world, 2);
}

static void enter_polling_and_reading(struct world *world)
{
	block(world, 1);
	enter_polling(world);
}

static void enter_awake_in_line(struct world *world)
{
	enter_polling(world);
	stop_polling(world, 1);
}

static void enter_found_awake(struct world *world)
{
	enter_awake_in_line(world);
	give(world, 0, 1);
}

static void enter_cold(struct world *world)
{
	take(world, 1);
	block(world, 2);
}

static void enter_edge_triggered(struct world *world)
{
	world->clients[1].armed = true;
	enter_cold(world);
}

static void enter_expired(struct world *world)
{
	enter_cold(world);
	pass(world, COLD);
}

static void enter_offered(struct world *world)
{
	enter_polling(world);
	give(world, 0, 1);
}

static void enter_seen(struct world *world)
{
	enter_offered(world);
	poll(world, 1);
}

static void enter_seen_while_free(struct world *world)
{
	give(world, 0, 1);
	poll(world, 1);
}

static void enter_overslept(struct world *world)
{
	enter_offered(world);
	pass(world, RESERVE);
}

static void enter_ignored(struct world *world)
{
	enter_seen(world);
	pass(world, RESERVE);
}

static void enter_delayed(struct world *world)
{
	enter_ignored(world);
	poll(world, 1);
}

static void enter_keepable(struct world *world)
{
	pass(world, 1000 * SEC);
	try_often(world, 1, 3, HABIT);
	block(world, 2);
}

static void enter_kept(struct world *world)
{
	enter_keepable(world);
	give(world, 0, 1);
}

static void enter_kept_and_seen(struct world *world)
{
	enter_kept(world);
	look(world, 1);
}

static void enter_kept_in_vain(struct world *world)
{
	enter_kept(world);
	pass(world, KEPT);
}

static void enter_returned(struct world *world)
{
	enter_holding(world);
	take(world, 1);
	block(world, 2);
	give(world, 1, 1);
}

static void enter_deferred(struct world *world)
{
	block_many(world, 10, 10 + BATCH - 1);
	enter_reading(world);
	set_jobs(world, 30);
}

static void enter_draining(struct world *world)
{
	enter_holding(world);
	block(world, 1);
	set_jobs(world, 1);
}

static const struct state states[] = {
	{ "idle", enter_idle },
	{ "holding", enter_holding },
	{ "lent", enter_lent },
	{ "lent and taken", enter_lent_and_taken },
	{ "reading", enter_reading },
	{ "reading twice", enter_reading_twice },
	{ "served and reading", enter_served_and_reading },
	{ "interrupted", enter_interrupted },
	{ "lent and reading", enter_lent_and_reading },
	{ "polling", enter_polling },
	{ "polling and reading", enter_polling_and_reading },
	{ "awake in line", enter_awake_in_line },
	{ "found awake", enter_found_awake },
	{ "cold", enter_cold },
	{ "edge triggered", enter_edge_triggered },
	{ "expired", enter_expired },
	{ "offered", enter_offered },
	{ "seen", enter_seen },
	{ "seen while free", enter_seen_while_free },
	{ "overslept", enter_overslept },
	{ "ignored", enter_ignored },
	{ "delayed", enter_delayed },
	{ "keepable", enter_keepable },
	{ "kept", enter_kept },
	{ "kept and seen", enter_kept_and_seen },
	{ "kept in vain", enter_kept_in_vain },
	{ "returned", enter_returned },
	{ "behind a deferral", enter_deferred },
	{ "draining", enter_draining },
};

KUNIT_ARRAY_PARAM_DESC(state, states, name);

static struct world *enter_state(struct kunit *test)
{
	const struct state *state = test->param_value;
	struct world *world = new_full_world(test, 4);

	state->enter(world);
	return world;
}

/* It wants nothing, nothing is put aside for it, and no timer minds it. */
static void expect_forgotten(struct world *world, int i)
{
	struct steve_pool_client *client = &world->clients[i].pool;

	KUNIT_EXPECT_EQ(world->test, client->place, 0);
	KUNIT_EXPECT_EQ(world->test, client->reservation, STEVE_RESERVED_NONE);
	KUNIT_EXPECT_EQ(world->test, client->deadline, 0);
	KUNIT_EXPECT_PTR_EQ(world->test, client->line, NULL);
}

static void death_in_any_state_returns_all(struct kunit *test)
{
	struct world *world = enter_state(test);
	u64 reclaimed = world->pool.counts.reclaimed + held(world, 1);
	u64 abandoned = world->pool.counts.abandoned +
			world->clients[1].pool.lent;

	die(world, 1);
	expect_forgotten(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), 0);
	KUNIT_EXPECT_FALSE(test, world->clients[1].pool.lent);
	KUNIT_EXPECT_EQ(test, world->pool.counts.reclaimed, reclaimed);
	KUNIT_EXPECT_EQ(test, world->pool.counts.abandoned, abandoned);
	run_deferred(world);
	all_die(world);
	expect_empty(world);
}

static void the_dead_may_leave(struct kunit *test)
{
	struct world *world = enter_state(test);
	struct steve_pool_counts counts;

	die(world, 1);
	run_deferred(world);
	counts = world->pool.counts;
	leave(world, 1);
	expect_forgotten(world, 1);
	KUNIT_EXPECT_MEMEQ(test, &world->pool.counts, &counts, sizeof(counts));
}

/* A thread that reads has the file open, so it is gone before the file is. */
static void leave_for_good(struct world *world)
{
	while (world->clients[1].readers)
		interrupt(world, 1);
	leave(world, 1);
}

static void leaving_in_any_state_keeps_tokens_only(struct kunit *test)
{
	struct world *world = enter_state(test);
	bool lent = world->clients[1].pool.lent;
	u32 before = held(world, 1);

	leave_for_good(world);
	expect_forgotten(world, 1);
	KUNIT_EXPECT_EQ(test, held(world, 1), before);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.lent, lent);
	run_deferred(world);
	all_die(world);
	expect_empty(world);
}

static void whoever_left_may_come_back(struct kunit *test)
{
	struct world *world = enter_state(test);
	int i;

	leave_for_good(world);
	set_jobs(world, 0);
	for (i = 0; i < CLIENTS; i++) {
		if (i != 1)
			die(world, i);
	}
	give(world, 1, held(world, 1));
	take_or_block(world, 1);
	set_jobs(world, 4);
	KUNIT_EXPECT_EQ(test, world->clients[1].readers, 0);
	all_die(world);
	expect_empty(world);
}

/* ---- Whatever happens ---- */

struct walk_case {
	const char *name;
	int clients;
	u32 jobs;
	bool policies;
};

static const struct walk_case walks[] = {
	{ "two clients, one token", 2, 1 },
	{ "few clients", 4, 3 },
	{ "few clients, any policy", 4, 3, true },
	{ "many clients", CLIENTS, 8 },
	{ "many clients and tokens, any policy", CLIENTS, CLIENTS, true },
};

KUNIT_ARRAY_PARAM_DESC(walk, walks, name);

#define SEEDS		8
#define STEPS		4000

static void random_settings(struct world *world, const struct walk_case *param,
			    u32 number)
{
	if (param->policies && number % 2)
		set_policy(world, number / 2 % 2);
	else if (number % 4 == 0)
		set_jobs(world, number / 4 % (param->jobs + 1));
}

static void random_step(struct world *world, const struct walk_case *param,
			struct rnd_state *random)
{
	u32 number = prandom_u32_state(random);

	if (number % 20 == 19)
		random_settings(world, param, number / 20);
	else
		random_deed(world, number / 20 % param->clients, random);
}

static void random_walk(struct world *world, const struct walk_case *param,
			u64 seed)
{
	struct rnd_state random;
	int step;

	prandom_seed_state(&random, seed);
	for (step = 0; step < STEPS; step++)
		random_step(world, param, &random);
}

static void the_account_holds_whatever_happens(struct kunit *test)
{
	const struct walk_case *param = test->param_value;
	struct world *world;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		world = new_world(test, param->jobs);
		random_walk(world, param, seed);
		all_die(world);
		expect_empty(world);
		kunit_kfree(test, world);
	}
}

static void the_quick_ways_change_nothing(struct kunit *test)
{
	const struct walk_case *param = test->param_value;
	struct world *quick = new_world(test, param->jobs);
	struct world *slow = new_world(test, param->jobs);
	int i;

	slow->slow = true;
	random_walk(quick, param, 0);
	random_walk(slow, param, 0);
	KUNIT_EXPECT_MEMEQ(test, &quick->pool.counts, &slow->pool.counts,
			   sizeof(quick->pool.counts));
	for (i = 0; i < CLIENTS; i++) {
		KUNIT_EXPECT_EQ(test, held(quick, i), held(slow, i));
		KUNIT_EXPECT_EQ(test, place(quick, i), place(slow, i));
		KUNIT_EXPECT_EQ(test, reservation(quick, i),
				reservation(slow, i));
	}
}

/* ---- All of it ---- */

static struct kunit_case token_cases[] = {
	KUNIT_CASE(a_token_is_taken_and_returned),
	KUNIT_CASE_PARAM(quick_take_is_for_the_simple_case,
			 quick_take_gen_params),
	KUNIT_CASE(quick_poll_is_for_what_is_reserved),
	KUNIT_CASE(quick_poll_is_not_for_what_is_kept),
	KUNIT_CASE(quick_give_is_for_the_simple_case),
	KUNIT_CASE_PARAM(bytes_return_tokens_then_lend_then_stray,
			 write_gen_params),
	KUNIT_CASE(a_slot_is_lent_once),
	KUNIT_CASE(a_lent_slot_comes_back_before_a_token),
	KUNIT_CASE(a_lent_slot_comes_back_to_whoever_waits_for_it),
	KUNIT_CASE(a_lent_slot_comes_back_by_a_reservation),
	KUNIT_CASE(a_loan_serves_whoever_waits),
	KUNIT_CASE(a_loan_ends_with_its_lender),
	KUNIT_CASE(a_loan_that_ended_makes_room_for_another),
	KUNIT_CASE(a_smaller_pool_has_room_for_fewer_loans),
	KUNIT_CASE(a_stray_adds_no_token),
	KUNIT_CASE(an_unknown_client_only_strays),
	KUNIT_CASE(a_smaller_pool_revokes_nothing),
	KUNIT_CASE(nothing_is_granted_until_a_smaller_pool_has_drained),
	KUNIT_CASE(a_reservation_outlives_a_smaller_pool),
	KUNIT_CASE_PARAM(a_larger_pool_serves_those_who_wait_in_order,
			 raise_gen_params),
	KUNIT_CASE(no_jobs_pause_the_pool),
	KUNIT_CASE(what_is_free_is_readable),
	KUNIT_CASE(what_is_reserved_is_readable_for_one),
	KUNIT_CASE(readable_is_never_negative),
	KUNIT_CASE(nothing_is_readable_before_ones_turn),
	KUNIT_CASE(a_cold_client_makes_nothing_unreadable),
	KUNIT_CASE(who_is_awake_in_line_makes_nothing_unreadable),
	KUNIT_CASE(what_was_not_delivered_is_free),
	KUNIT_CASE(what_was_not_delivered_serves_whoever_waits),
	KUNIT_CASE(a_slot_that_was_not_delivered_is_lent_again),
	KUNIT_CASE(a_slot_that_was_not_delivered_may_be_one_too_many),
	KUNIT_CASE(what_was_returned_meanwhile_may_be_one_too_many),
	KUNIT_CASE(what_was_returned_meanwhile_is_no_stray),
	{}
};

static struct kunit_case queue_cases[] = {
	KUNIT_CASE_PARAM(whoever_came_first_is_served_first, line_gen_params),
	KUNIT_CASE(one_return_wakes_one_client),
	KUNIT_CASE(a_client_has_one_place_for_all_its_threads),
	KUNIT_CASE(whoever_wants_more_goes_to_the_tail),
	KUNIT_CASE(whoever_asks_at_once_stands_before_whom_it_served),
	KUNIT_CASE(whoever_asks_later_stands_behind_whom_it_served),
	KUNIT_CASE(whoever_came_in_between_stands_before_both),
	KUNIT_CASE(whoever_serves_itself_keeps_its_place),
	KUNIT_CASE(a_served_poller_goes_to_the_tail),
	KUNIT_CASE(a_served_poller_that_sleeps_no_more_has_no_place),
	KUNIT_CASE(whoever_has_enough_has_no_place),
	KUNIT_CASE(a_reader_is_served_before_a_poller_of_its_client),
	KUNIT_CASE(a_try_that_fails_gets_a_place),
	KUNIT_CASE(places_do_not_wrap),
	KUNIT_CASE(a_wakeable_place_never_expires),
	KUNIT_CASE(edge_triggered_epoll_is_told_after_a_failed_try),
	KUNIT_CASE(an_interrupted_reader_keeps_its_place),
	KUNIT_CASE(the_place_of_an_interrupted_reader_expires),
	KUNIT_CASE(an_interrupted_thread_leaves_its_siblings_waiting),
	KUNIT_CASE(an_interrupted_reader_may_still_be_woken_in_poll),
	KUNIT_CASE(a_cold_client_is_passed_over),
	KUNIT_CASE(a_cold_client_is_first_when_it_is_back),
	KUNIT_CASE(a_cold_client_stops_nobody),
	KUNIT_CASE(a_poller_found_awake_turns_cold),
	KUNIT_CASE(a_poller_found_awake_may_sleep_again),
	KUNIT_CASE_PARAM(a_place_left_cold_for_long_expires,
			 expiry_gen_params),
	KUNIT_CASE(a_cold_place_lives_on_with_every_try),
	KUNIT_CASE(whoever_let_its_place_expire_goes_to_the_tail),
	KUNIT_CASE(a_newcomer_does_not_take_what_is_reserved),
	KUNIT_CASE(no_more_than_a_batch_is_woken_at_once),
	KUNIT_CASE(a_death_wakes_no_more_than_a_batch),
	KUNIT_CASE(a_full_batch_is_not_deferred_for_nothing),
	KUNIT_CASE(newcomers_stand_behind_a_deferral),
	KUNIT_CASE(whoever_stands_first_need_not_wait_for_a_deferral),
	KUNIT_CASE(a_poll_during_a_deferral_robs_no_sibling),
	KUNIT_CASE(no_more_than_a_batch_is_found_awake_at_once),
	KUNIT_CASE(a_taker_finds_no_more_than_a_batch_awake),
	KUNIT_CASE(no_more_than_a_batch_of_places_expires_at_once),
	KUNIT_CASE(the_timer_is_set_for_the_next_to_be_looked_at),
	KUNIT_CASE(a_run_with_nothing_due_does_nothing),
	KUNIT_CASE(fair_serves_whoever_has_the_fewest_tokens),
	KUNIT_CASE(fair_serves_equals_in_order),
	KUNIT_CASE(fair_counts_each_token_as_it_is_served),
	KUNIT_CASE(fair_counts_what_is_returned_while_waiting),
	KUNIT_CASE(fair_lets_a_newcomer_with_fewer_tokens_in),
	KUNIT_CASE(a_change_of_policy_holds_for_those_who_wait),
	{}
};

static struct kunit_case reservation_cases[] = {
	KUNIT_CASE(a_poll_reserves_what_is_free),
	KUNIT_CASE(a_client_has_one_reservation),
	KUNIT_CASE(a_sleeping_poller_is_offered_a_token),
	KUNIT_CASE(an_offer_is_not_lost_on_whoever_does_not_poll_again),
	KUNIT_CASE(a_reservation_is_for_one_read),
	KUNIT_CASE(looking_again_makes_a_reservation_no_longer),
	KUNIT_CASE(what_lapses_goes_to_the_next_in_line),
	KUNIT_CASE(what_lapses_is_free_if_nobody_waits),
	KUNIT_CASE(a_reservation_lasts_as_long_as_was_set),
	KUNIT_CASE(a_reservation_not_seen_costs_no_place),
	KUNIT_CASE(a_reservation_not_seen_comes_again_later),
	KUNIT_CASE(a_late_look_excuses_a_reservation_not_seen),
	KUNIT_CASE(a_late_look_is_no_excuse_twice),
	KUNIT_CASE(a_late_look_finds_what_is_free),
	KUNIT_CASE(a_late_look_finds_what_is_free_however_often),
	KUNIT_CASE(a_seen_reservation_costs_the_place),
	KUNIT_CASE(a_seen_reservation_comes_again_later),
	KUNIT_CASE(a_poll_reserves_again_once_the_delay_is_over),
	KUNIT_CASE(the_delay_doubles_up_to_a_bound),
	KUNIT_CASE(the_delay_of_a_sleeper_doubles_up_to_a_bound),
	KUNIT_CASE_PARAM(any_read_clears_the_delay, clear_gen_params),
	KUNIT_CASE(a_read_clears_how_often_it_was_delayed),
	KUNIT_CASE(a_read_ends_the_delay_of_a_sleeping_sibling),
	KUNIT_CASE(a_delay_stops_no_reader),
	KUNIT_CASE_PARAM(whoever_polls_and_never_reads_wastes_little,
			 idle_gen_params),
	{}
};

static struct kunit_case keeping_cases[] = {
	KUNIT_CASE(an_own_return_is_kept_for_whoever_stands_first),
	KUNIT_CASE(an_own_return_is_kept_for_a_moment),
	KUNIT_CASE(a_look_at_an_own_return_reserves_it),
	KUNIT_CASE(one_own_return_is_kept),
	KUNIT_CASE(an_own_return_goes_to_whoever_came_before),
	KUNIT_CASE(an_own_return_is_kept_where_those_before_are_awake),
	KUNIT_CASE(no_own_return_is_kept_if_nobody_else_waits),
	KUNIT_CASE(no_own_return_is_kept_for_whoever_wants_nothing),
	KUNIT_CASE(an_own_return_goes_to_a_sleeping_sibling),
	KUNIT_CASE(whoever_has_a_reservation_keeps_no_own_return),
	KUNIT_CASE(no_own_return_is_kept_in_a_pool_that_drains),
	KUNIT_CASE(fair_keeps_no_own_return_for_whoever_has_more),
	KUNIT_CASE(a_token_is_kept_for_whoever_keeps_trying),
	KUNIT_CASE(an_own_return_is_kept_beside_a_kept_token),
	KUNIT_CASE(both_are_kept_for_a_moment),
	KUNIT_CASE(one_left_of_both_lapses_too),
	KUNIT_CASE(a_poll_leaves_one_of_both),
	KUNIT_CASE(no_third_token_is_kept),
	KUNIT_CASE(what_was_paid_for_a_kept_token_is_refunded),
	KUNIT_CASE(a_kept_token_is_not_for_a_newcomer),
	KUNIT_CASE(what_will_be_kept_is_not_readable),
	KUNIT_CASE(what_is_free_beyond_that_is_readable),
	KUNIT_CASE(a_kept_token_may_be_taken_by_a_read_that_waits),
	KUNIT_CASE(a_kept_token_that_is_polled_is_reserved),
	KUNIT_CASE(nothing_is_kept_for_whoever_came_later),
	KUNIT_CASE(nothing_is_kept_before_a_come_back_was_seen),
	KUNIT_CASE(nothing_is_kept_for_whoever_polls),
	KUNIT_CASE(nothing_is_kept_at_the_first_try_after_a_poll),
	KUNIT_CASE(a_failed_try_keeps_one_token),
	KUNIT_CASE(a_try_that_was_served_keeps_nothing_later),
	KUNIT_CASE(a_kept_token_that_lapses_costs_no_place),
	KUNIT_CASE(tokens_are_kept_in_the_order_of_the_line),
	KUNIT_CASE(no_more_than_a_batch_is_kept_at_once),
	KUNIT_CASE_PARAM(a_token_is_kept_about_as_long_as_the_habit,
			 span_gen_params),
	KUNIT_CASE(a_habit_follows_how_a_client_comes_back),
	KUNIT_CASE(a_habit_is_the_longest_of_late),
	KUNIT_CASE(a_pause_is_no_habit),
	KUNIT_CASE(a_token_is_kept_for_the_rest_of_the_time),
	KUNIT_CASE(nothing_is_kept_for_whoever_is_late),
	KUNIT_CASE(whoever_is_late_is_in_nobodys_way),
	KUNIT_CASE_PARAM(a_token_is_kept_before_others_that_have_none,
			 policy_gen_params),
	KUNIT_CASE_PARAM(nothing_is_kept_for_whoever_has_as_many,
			 policy_gen_params),
	KUNIT_CASE(fair_keeps_before_whoever_has_more),
	KUNIT_CASE(each_policy_begins_with_a_budget),
	KUNIT_CASE(nothing_is_kept_without_a_budget),
	KUNIT_CASE(a_long_keep_is_paid_off_afterwards),
	KUNIT_CASE(the_budget_does_not_grow_beyond_a_bound),
	KUNIT_CASE_PARAM(the_rest_of_a_keep_is_refunded, refund_gen_params),
	KUNIT_CASE_PARAM(nothing_is_refunded_for_other_reservations,
			 refund_gen_params),
	KUNIT_CASE(a_refund_goes_to_the_next),
	KUNIT_CASE(the_budget_pays_once),
	KUNIT_CASE(what_cannot_be_paid_for_is_readable),
	KUNIT_CASE(the_budget_is_of_the_tokens_of_its_time),
	KUNIT_CASE(the_budget_is_of_the_tokens_that_a_cap_left),
	KUNIT_CASE(the_budget_saved_before_a_cap_is_there_after_it),
	KUNIT_CASE(whoever_takes_what_is_kept_wastes_no_budget),
	KUNIT_CASE_PARAM(what_is_kept_in_vain_stays_within_the_budget,
			 budget_gen_params),
	{}
};

static struct kunit_case end_cases[] = {
	KUNIT_CASE_PARAM(death_in_any_state_returns_all, state_gen_params),
	KUNIT_CASE_PARAM(the_dead_may_leave, state_gen_params),
	KUNIT_CASE_PARAM(leaving_in_any_state_keeps_tokens_only,
			 state_gen_params),
	KUNIT_CASE_PARAM(whoever_left_may_come_back, state_gen_params),
	KUNIT_CASE_PARAM(the_account_holds_whatever_happens, walk_gen_params),
	KUNIT_CASE_PARAM(the_quick_ways_change_nothing, walk_gen_params),
	{}
};

static struct kunit_suite token_suite = {
	.name = "steve_pool_tokens",
	.test_cases = token_cases,
};

static struct kunit_suite queue_suite = {
	.name = "steve_pool_queue",
	.test_cases = queue_cases,
};

static struct kunit_suite reservation_suite = {
	.name = "steve_pool_reservations",
	.test_cases = reservation_cases,
};

static struct kunit_suite keeping_suite = {
	.name = "steve_pool_keeping",
	.test_cases = keeping_cases,
};

static struct kunit_suite end_suite = {
	.name = "steve_pool_end",
	.test_cases = end_cases,
};

kunit_test_suites(&token_suite, &queue_suite, &reservation_suite,
		  &keeping_suite, &end_suite);
