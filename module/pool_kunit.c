// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the pool, which they drive with a clock and surroundings of
 * their own.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "pool.h"

#define MS		((u64)NSEC_PER_MSEC)
#define CROWD		40

/* A client, and what the pool has asked for it. */
struct fake_client {
	struct steve_pool_client pool;
	bool armed;
	unsigned int handed;
	unsigned int notified;
};

struct world {
	struct steve_pool pool;
	struct fake_client clients[CROWD];
	struct kunit *test;
	u64 now;
	u64 armed_at;
	bool deferred;
};

static struct fake_client *to_fake(struct steve_pool_client *client)
{
	return container_of(client, struct fake_client, pool);
}

static struct world *to_world(struct steve_pool *pool)
{
	return container_of(pool, struct world, pool);
}

static void fake_hand(struct steve_pool_client *client)
{
	to_fake(client)->handed++;
}

static void fake_notify(struct steve_pool_client *client)
{
	to_fake(client)->notified++;
}

static bool fake_armed(struct steve_pool_client *client)
{
	return to_fake(client)->armed;
}

static void fake_arm(struct steve_pool *pool, u64 when)
{
	to_world(pool)->armed_at = when;
}

static void fake_defer(struct steve_pool *pool)
{
	to_world(pool)->deferred = true;
}

static const struct steve_pool_ops fake_ops = {
	.hand = fake_hand,
	.notify = fake_notify,
	.armed = fake_armed,
	.arm = fake_arm,
	.defer = fake_defer,
};

/* ---- The account, after every step ---- */

static bool wakeable_waits(struct fake_client *client, u64 now)
{
	struct steve_pool_client *pool = &client->pool;

	if (!pool->place || pool->reservation)
		return false;
	return pool->readers ||
	       (pool->polling && client->armed && pool->retry <= now);
}

static void check_account(struct world *world)
{
	struct steve_pool *pool = &world->pool;
	u32 held = 0, reserved = 0, lent = 0, waiting = 0;
	bool wakeable = false;
	int i;

	for (i = 0; i < CROWD; i++) {
		struct steve_pool_client *client = &world->clients[i].pool;

		held += client->held;
		reserved += client->reservation != STEVE_RESERVED_NONE;
		lent += client->lent;
		waiting += client->place != 0;
		wakeable |= wakeable_waits(&world->clients[i], world->now);
	}
	KUNIT_ASSERT_EQ(world->test, pool->held, held);
	KUNIT_ASSERT_EQ(world->test, pool->reserved, reserved);
	KUNIT_ASSERT_EQ(world->test, pool->lent, lent);
	KUNIT_ASSERT_EQ(world->test, pool->waiting, waiting);
	KUNIT_ASSERT_EQ(world->test, (int)(pool->size + pool->lent),
			steve_pool_available(pool) + (int)(held + reserved));
	if (!world->deferred && steve_pool_available(pool) > 0)
		KUNIT_ASSERT_FALSE(world->test, wakeable);
}

/* ---- Steps: what a program can do ---- */

static bool take(struct world *world, int i)
{
	struct steve_pool_client *client = &world->clients[i].pool;
	bool taken;

	spin_lock_irq(&world->pool.lock);
	taken = steve_pool_take_quick(&world->pool, client) ||
		steve_pool_take(&world->pool, client, world->now);
	if (!taken)
		steve_pool_miss(&world->pool, client, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
	return taken;
}

/* As read does. Returns whether the client has its token. */
static bool take_or_block(struct world *world, int i)
{
	struct steve_pool_client *client = &world->clients[i].pool;
	bool taken;

	spin_lock_irq(&world->pool.lock);
	taken = steve_pool_take(&world->pool, client, world->now);
	if (!taken)
		steve_pool_block(&world->pool, client, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
	return taken;
}

static void block(struct world *world, int i)
{
	KUNIT_ASSERT_FALSE(world->test, take_or_block(world, i));
}

static void interrupt(struct world *world, int i)
{
	spin_lock_irq(&world->pool.lock);
	steve_pool_unblock(&world->pool, &world->clients[i].pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
}

static struct steve_pool_given give(struct world *world, int i, size_t count)
{
	struct steve_pool_given given = { .returned = 1 };

	spin_lock_irq(&world->pool.lock);
	if (count != 1 ||
	    !steve_pool_give_quick(&world->pool, &world->clients[i].pool))
		steve_pool_give(&world->pool, &world->clients[i].pool, count,
				world->now, &given);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
	return given;
}

static bool look(struct world *world, int i)
{
	bool readable;

	spin_lock_irq(&world->pool.lock);
	readable = steve_pool_poll(&world->pool, &world->clients[i].pool,
				   world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
	return readable;
}

/* Polls, and sleeps there unless a token is there. */
static bool poll_and_sleep(struct world *world, int i)
{
	world->clients[i].armed = true;
	world->clients[i].armed = !look(world, i);
	return !world->clients[i].armed;
}

/* Wakes up in poll, and looks. */
static bool wake_and_look(struct world *world, int i)
{
	world->clients[i].armed = false;
	return look(world, i);
}

static void leave(struct world *world, int i)
{
	world->clients[i].armed = false;
	spin_lock_irq(&world->pool.lock);
	steve_pool_leave(&world->pool, &world->clients[i].pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
}

static void die(struct world *world, int i)
{
	world->clients[i].armed = false;
	spin_lock_irq(&world->pool.lock);
	steve_pool_exit(&world->pool, &world->clients[i].pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
}

static void set_jobs(struct world *world, u32 jobs)
{
	spin_lock_irq(&world->pool.lock);
	steve_pool_set_jobs(&world->pool, jobs, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
}

static void run(struct world *world)
{
	spin_lock_irq(&world->pool.lock);
	steve_pool_run(&world->pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
}

static void run_deferred(struct world *world)
{
	while (world->deferred) {
		world->deferred = false;
		run(world);
	}
}

/* Lets time pass; the timer fires when it was asked to. */
static void pass(struct world *world, u64 span)
{
	u64 end = world->now + span;

	while (world->armed_at && world->armed_at <= end) {
		world->now = max(world->now, world->armed_at);
		world->armed_at = 0;
		run(world);
		run_deferred(world);
	}
	world->now = end;
}

static struct world *new_world(struct kunit *test, u32 jobs)
{
	struct world *world = test->priv;
	int i;

	world->test = test;
	world->now = 1000 * NSEC_PER_SEC;
	steve_pool_init(&world->pool, &fake_ops, jobs, world->now);
	for (i = 0; i < CROWD; i++)
		steve_pool_client_init(&world->clients[i].pool, i);
	return world;
}

/* Client 0 has taken all there is. */
static struct world *new_full_world(struct kunit *test, u32 jobs)
{
	struct world *world = new_world(test, jobs);
	u32 i;

	for (i = 0; i < jobs; i++)
		KUNIT_ASSERT_TRUE(test, take(world, 0));
	return world;
}

static u32 held_by(struct world *world, int i)
{
	return world->clients[i].pool.held;
}

static bool has_reservation(struct world *world, int i)
{
	return world->clients[i].pool.reservation != STEVE_RESERVED_NONE;
}

/* ---- Tokens ---- */

static void a_token_is_taken_and_returned(struct kunit *test)
{
	struct world *world = new_world(test, 2);

	KUNIT_EXPECT_TRUE(test, take(world, 0));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, give(world, 0, 1).returned, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	KUNIT_EXPECT_EQ(test, world->pool.counts.granted, 3);
	KUNIT_EXPECT_EQ(test, world->pool.counts.returned, 1);
}

static void many_tokens_are_returned_at_once(struct kunit *test)
{
	struct world *world = new_full_world(test, 5);

	KUNIT_EXPECT_EQ(test, give(world, 0, 4).returned, 4);
	KUNIT_EXPECT_EQ(test, held_by(world, 0), 1);
	KUNIT_EXPECT_EQ(test, steve_pool_available(&world->pool), 4);
}

static void a_slot_is_lent_once_and_taken_back(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	struct steve_pool_given given = give(world, 1, 3);

	KUNIT_EXPECT_EQ(test, given.lent, 1);
	KUNIT_EXPECT_EQ(test, given.strays, 2);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, 2);
	KUNIT_EXPECT_EQ(test, give(world, 1, 1).strays, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, held_by(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
}

static void loans_never_exceed_the_jobs(struct kunit *test)
{
	struct world *world = new_world(test, 3);
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, give(world, i, 1).lent, i < 3);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 3);
}

static void a_loan_ends_with_its_lender(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	give(world, 1, 1);
	KUNIT_EXPECT_TRUE(test, take(world, 0));
	KUNIT_EXPECT_TRUE(test, take(world, 0));
	die(world, 1);
	KUNIT_EXPECT_EQ(test, steve_pool_available(&world->pool), -1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.abandoned, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
}

static void an_unknown_client_only_strays(struct kunit *test)
{
	struct world *world = new_world(test, 1);
	struct steve_pool_given given;

	spin_lock_irq(&world->pool.lock);
	steve_pool_give(&world->pool, NULL, 7, world->now, &given);
	spin_unlock_irq(&world->pool.lock);
	check_account(world);
	KUNIT_EXPECT_EQ(test, given.strays, 7);
	KUNIT_EXPECT_EQ(test, world->pool.counts.strays, 7);
}

static void a_smaller_pool_revokes_nothing(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);

	block(world, 1);
	set_jobs(world, 2);
	KUNIT_EXPECT_EQ(test, steve_pool_available(&world->pool), -2);
	KUNIT_EXPECT_EQ(test, held_by(world, 0), 4);
	give(world, 0, 2);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 0);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 1);
}

static void a_larger_pool_serves_in_order(struct kunit *test)
{
	struct world *world = new_world(test, 0);
	int i;

	for (i = 1; i <= 5; i++)
		block(world, i);
	set_jobs(world, 3);
	for (i = 1; i <= 5; i++)
		KUNIT_EXPECT_EQ(test, world->clients[i].handed, i <= 3);
}

/* ---- The queue ---- */

static void readers_and_pollers_stand_in_one_line(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	KUNIT_EXPECT_FALSE(test, poll_and_sleep(world, 2));
	block(world, 3);

	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 1), 1);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].notified, 1);
	KUNIT_EXPECT_EQ(test, world->clients[3].handed, 0);
	KUNIT_EXPECT_FALSE(test, take(world, 0));
	KUNIT_EXPECT_TRUE(test, wake_and_look(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 2));
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 3), 1);
}

static void a_client_has_one_place_for_all_its_threads(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	block(world, 1);
	block(world, 1);
	block(world, 2);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 2);

	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 1);
	give(world, 1, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 1);
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 2);
}

static void nobody_overtakes_a_waiter(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, poll_and_sleep(world, 1));
	give(world, 0, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 0));
	KUNIT_EXPECT_FALSE(test, look(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void a_cold_client_is_passed_over_and_keeps_its_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	u64 place;

	block(world, 1);
	place = world->clients[1].pool.place;
	interrupt(world, 1);
	KUNIT_EXPECT_EQ(test, world->pool.counts.interrupted, 1);
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 2), 1);

	block(world, 3);
	block(world, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.place, place);
	give(world, 2, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 1), 1);
}

static void a_poller_found_awake_turns_cold(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll_and_sleep(world, 1);
	block(world, 2);
	world->clients[1].armed = false;
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 0);
	KUNIT_EXPECT_EQ(test, held_by(world, 2), 1);
	KUNIT_EXPECT_NE(test, world->clients[1].pool.place, 0);
}

static void a_cold_place_expires(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, take(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 1);
	pass(world, 59 * NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 1);
	pass(world, 2 * NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, world->pool.waiting, 0);
}

static void edge_triggered_epoll_is_woken_after_a_failed_try(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	world->clients[1].armed = true;
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].notified, 1);
}

static void a_batch_is_sixteen_and_newcomers_stay_behind(struct kunit *test)
{
	struct world *world = new_world(test, 0);
	int i, handed = 0;

	for (i = 1; i <= 30; i++)
		block(world, i);
	spin_lock_irq(&world->pool.lock);
	steve_pool_set_jobs(&world->pool, 30, world->now);
	spin_unlock_irq(&world->pool.lock);
	for (i = 1; i <= 30; i++)
		handed += world->clients[i].handed;
	KUNIT_EXPECT_EQ(test, handed, 16);
	KUNIT_EXPECT_TRUE(test, world->deferred);
	KUNIT_EXPECT_FALSE(test, take(world, 31));
	run_deferred(world);
	for (i = 1; i <= 30; i++)
		KUNIT_EXPECT_EQ(test, world->clients[i].handed, 1);
}

static void fair_serves_the_one_with_the_fewest_tokens(struct kunit *test)
{
	struct world *world = new_world(test, 4);

	world->pool.policy = STEVE_POLICY_FAIR;
	take(world, 1);
	take(world, 1);
	take(world, 2);
	take(world, 0);
	block(world, 1);
	block(world, 2);
	block(world, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[3].handed, 1);
	give(world, 3, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 1);
	give(world, 2, 2);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 1);
}

/* ---- Reservations ---- */

static void a_poll_reserves_what_is_free(struct kunit *test)
{
	struct world *world = new_world(test, 1);

	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_TRUE(test, look(world, 1));
	KUNIT_EXPECT_EQ(test, world->pool.reserved, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 2));
	KUNIT_EXPECT_TRUE(test, take(world, 1));
}

static void an_unseen_reservation_costs_no_place(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);
	u64 place;

	poll_and_sleep(world, 1);
	block(world, 2);
	place = world->clients[1].pool.place;
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, has_reservation(world, 1));

	pass(world, world->pool.reserve_ns);
	KUNIT_EXPECT_EQ(test, world->pool.counts.lapsed, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 2), 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].pool.place, place);

	/* It wakes up late, and is first again. */
	KUNIT_EXPECT_FALSE(test, wake_and_look(world, 1));
	block(world, 3);
	poll_and_sleep(world, 1);
	give(world, 2, 1);
	KUNIT_EXPECT_TRUE(test, has_reservation(world, 1));
}

static void a_seen_reservation_costs_the_turn(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll_and_sleep(world, 1);
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, wake_and_look(world, 1));
	pass(world, world->pool.reserve_ns);
	KUNIT_EXPECT_EQ(test, held_by(world, 2), 1);

	/* It polls on without reading: nothing for a while. */
	poll_and_sleep(world, 1);
	give(world, 2, 1);
	KUNIT_EXPECT_FALSE(test, has_reservation(world, 1));
	pass(world, 40 * world->pool.reserve_ns);
	KUNIT_EXPECT_TRUE(test, has_reservation(world, 1));
}

static void a_try_clears_the_delay(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	poll_and_sleep(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, wake_and_look(world, 1));
	pass(world, world->pool.reserve_ns);
	KUNIT_EXPECT_TRUE(test, take(world, 0));
	KUNIT_EXPECT_FALSE(test, take(world, 1));
	poll_and_sleep(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_TRUE(test, has_reservation(world, 1));
}

static void an_idle_poller_wastes_little(struct kunit *test)
{
	struct world *world = new_world(test, 1);
	u64 wasted = 0;
	int i;

	for (i = 0; i < 100000; i++) {
		if (look(world, 1))
			wasted += 10 * MS;
		pass(world, 10 * MS);
	}
	KUNIT_EXPECT_LE(test, wasted, 100000ULL * 10 * MS / 20);
	KUNIT_EXPECT_GT(test, wasted, 0);
}

/* ---- Keeping ---- */

static void an_own_return_is_kept_for_whoever_is_first(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, take(world, 0));
	block(world, 1);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 0);
	KUNIT_EXPECT_TRUE(test, look(world, 0));
	KUNIT_EXPECT_TRUE(test, take(world, 0));
}

static void an_own_return_goes_on_if_it_is_not_taken(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, take(world, 0));
	block(world, 1);
	give(world, 0, 1);
	pass(world, 5 * MS);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 1);
	KUNIT_EXPECT_NE(test, world->clients[0].pool.place, 0);
}

static void an_own_return_goes_to_whoever_came_before(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	block(world, 1);
	KUNIT_EXPECT_FALSE(test, take(world, 0));
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[1].handed, 1);
}

/* A client that tries every 100 ms and never polls, while another blocks. */
static struct world *new_ninja_world(struct kunit *test)
{
	struct world *world = new_full_world(test, 4);
	int i;

	for (i = 0; i < 50; i++) {
		KUNIT_ASSERT_FALSE(test, take(world, 1));
		pass(world, 100 * MS);
	}
	KUNIT_ASSERT_FALSE(test, take(world, 1));
	block(world, 2);
	return world;
}

static void a_token_is_kept_for_a_client_that_comes_back(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 0);
	KUNIT_EXPECT_TRUE(test, has_reservation(world, 1));
	pass(world, 100 * MS);
	KUNIT_EXPECT_TRUE(test, take(world, 1));
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 1);
}

static void a_kept_token_lapses_and_is_kept_once_a_try(struct kunit *test)
{
	struct world *world = new_ninja_world(test);

	give(world, 0, 1);
	pass(world, 200 * MS);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 1);
	block(world, 3);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[3].handed, 1);
}

static void nothing_is_kept_before_a_come_back_was_seen(struct kunit *test)
{
	struct world *world = new_full_world(test, 1);

	KUNIT_EXPECT_FALSE(test, take(world, 1));
	block(world, 2);
	give(world, 0, 1);
	KUNIT_EXPECT_EQ(test, world->clients[2].handed, 1);
}

static void keeping_stays_within_its_budget(struct kunit *test)
{
	struct world *world = new_ninja_world(test);
	u64 begin = world->now, kept = 0;
	int i;

	/* Client 1 tries often, and returns at once what it gets. */
	give(world, 0, 1);
	for (i = 0; i < 2000; i++) {
		if (held_by(world, 2)) {
			give(world, 2, 1);
			take_or_block(world, 2);
		}
		if (world->clients[1].pool.reservation == STEVE_RESERVED_KEPT)
			kept += 50 * MS;
		pass(world, 50 * MS);
		if (i % 4 == 0 && take(world, 1))
			give(world, 1, 1);
	}
	KUNIT_EXPECT_GT(test, kept, 0);
	KUNIT_EXPECT_LE(test, kept, (world->now - begin) * 4 * 5 / 100 +
			30 * NSEC_PER_SEC);
}

/* ---- The end, in every state a client can be in ---- */

struct state {
	const char *name;
	void (*enter)(struct world *world, int i);
};

static void state_idle(struct world *world, int i)
{
}

static void state_holding(struct world *world, int i)
{
	give(world, 0, 1);
	take(world, i);
}

static void state_reading(struct world *world, int i)
{
	block(world, i);
	interrupt(world, i);
	block(world, i);
	/* The thread is gone before its process can be. */
	interrupt(world, i);
}

static void state_polling(struct world *world, int i)
{
	poll_and_sleep(world, i);
}

static void state_cold(struct world *world, int i)
{
	take(world, i);
}

static void state_offered(struct world *world, int i)
{
	poll_and_sleep(world, i);
	give(world, 0, 1);
}

static void state_seen(struct world *world, int i)
{
	state_offered(world, i);
	wake_and_look(world, i);
}

static void state_delayed(struct world *world, int i)
{
	state_seen(world, i);
	pass(world, world->pool.reserve_ns);
	poll_and_sleep(world, i);
	take(world, 0);
}

static void state_kept(struct world *world, int i)
{
	int n;

	for (n = 0; n < 50; n++) {
		take(world, i);
		pass(world, 10 * MS);
	}
	take(world, i);
	block(world, 5);
	give(world, 0, 1);
}

static void state_returned(struct world *world, int i)
{
	state_holding(world, i);
	take(world, i);
	block(world, 5);
	give(world, i, 1);
}

static void state_lent(struct world *world, int i)
{
	give(world, i, 1);
}

static const struct state states[] = {
	{ "idle", state_idle },
	{ "holding", state_holding },
	{ "reading", state_reading },
	{ "polling", state_polling },
	{ "cold", state_cold },
	{ "offered", state_offered },
	{ "seen", state_seen },
	{ "delayed", state_delayed },
	{ "kept", state_kept },
	{ "returned", state_returned },
	{ "lent", state_lent },
};

KUNIT_ARRAY_PARAM_DESC(state, states, name);

/* All that is left is the others': nothing waits, and the rest is free. */
static void expect_clean(struct world *world, int i)
{
	struct steve_pool_client *client = &world->clients[i].pool;

	KUNIT_EXPECT_EQ(world->test, client->place, 0);
	KUNIT_EXPECT_EQ(world->test, client->deadline, 0);
	KUNIT_EXPECT_PTR_EQ(world->test, client->line, NULL);
	KUNIT_EXPECT_FALSE(world->test, has_reservation(world, i));
}

static void death_in_any_state_returns_all(struct kunit *test)
{
	const struct state *state = test->param_value;
	struct world *world = new_full_world(test, 4);

	state->enter(world, 1);
	die(world, 1);
	expect_clean(world, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 1), 0);
	KUNIT_EXPECT_EQ(test, world->pool.lent, 0);
	die(world, 0);
	die(world, 5);
	KUNIT_EXPECT_EQ(test, steve_pool_available(&world->pool), 4);
}

static void leaving_in_any_state_keeps_tokens_only(struct kunit *test)
{
	const struct state *state = test->param_value;
	struct world *world = new_full_world(test, 4);
	u32 held;

	state->enter(world, 1);
	held = held_by(world, 1);
	leave(world, 1);
	expect_clean(world, 1);
	KUNIT_EXPECT_EQ(test, held_by(world, 1), held);
	die(world, 1);
	die(world, 0);
	die(world, 5);
	KUNIT_EXPECT_EQ(test, steve_pool_available(&world->pool), 4);
}

static int pool_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct world), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(a_token_is_taken_and_returned),
	KUNIT_CASE(many_tokens_are_returned_at_once),
	KUNIT_CASE(a_slot_is_lent_once_and_taken_back),
	KUNIT_CASE(loans_never_exceed_the_jobs),
	KUNIT_CASE(a_loan_ends_with_its_lender),
	KUNIT_CASE(an_unknown_client_only_strays),
	KUNIT_CASE(a_smaller_pool_revokes_nothing),
	KUNIT_CASE(a_larger_pool_serves_in_order),
	KUNIT_CASE(readers_and_pollers_stand_in_one_line),
	KUNIT_CASE(a_client_has_one_place_for_all_its_threads),
	KUNIT_CASE(nobody_overtakes_a_waiter),
	KUNIT_CASE(a_cold_client_is_passed_over_and_keeps_its_place),
	KUNIT_CASE(a_poller_found_awake_turns_cold),
	KUNIT_CASE(a_cold_place_expires),
	KUNIT_CASE(edge_triggered_epoll_is_woken_after_a_failed_try),
	KUNIT_CASE(a_batch_is_sixteen_and_newcomers_stay_behind),
	KUNIT_CASE(fair_serves_the_one_with_the_fewest_tokens),
	KUNIT_CASE(a_poll_reserves_what_is_free),
	KUNIT_CASE(an_unseen_reservation_costs_no_place),
	KUNIT_CASE(a_seen_reservation_costs_the_turn),
	KUNIT_CASE(a_try_clears_the_delay),
	KUNIT_CASE(an_idle_poller_wastes_little),
	KUNIT_CASE(an_own_return_is_kept_for_whoever_is_first),
	KUNIT_CASE(an_own_return_goes_on_if_it_is_not_taken),
	KUNIT_CASE(an_own_return_goes_to_whoever_came_before),
	KUNIT_CASE(a_token_is_kept_for_a_client_that_comes_back),
	KUNIT_CASE(a_kept_token_lapses_and_is_kept_once_a_try),
	KUNIT_CASE(nothing_is_kept_before_a_come_back_was_seen),
	KUNIT_CASE(keeping_stays_within_its_budget),
	KUNIT_CASE_PARAM(death_in_any_state_returns_all, state_gen_params),
	KUNIT_CASE_PARAM(leaving_in_any_state_keeps_tokens_only,
			 state_gen_params),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "steve_pool",
	.init = pool_test_init,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_DESCRIPTION("KUnit tests of the pool of steve");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
