// SPDX-License-Identifier: GPL-2.0
/*
 * The world in which the KUnit tests drive the pool; see kunit_world.h.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "kunit_world.h"

static struct fake_client *to_fake(struct steve_pool_client *client)
{
	return container_of(client, struct fake_client, pool);
}

static struct world *to_world(struct steve_pool *pool)
{
	return container_of(pool, struct world, pool);
}

/* ---- The order of service ---- */

/* Tokens it has, and those put aside for it; its own slot is none. */
static int used(const struct fake_client *client)
{
	return (int)(client->pool.held + client->pool.reserved) -
	       client->pool.lent;
}

static bool has_all_it_may(const struct fake_client *client)
{
	u32 most = client->world->pool.set.max_per_process;

	return most && used(client) >= (int)most;
}

/* Does it sleep where it could be told of a token, and may have one? */
static bool is_wakeable(const struct fake_client *client)
{
	if (!client->pool.place || client->pool.reservation ||
	    has_all_it_may(client))
		return false;
	return client->readers ||
	       (client->armed && client->pool.retry <= client->world->now);
}

/* Does somebody wait who is to be served before @client, which has @held tokens? */
static bool is_preceded(const struct fake_client *client, u32 held)
{
	struct world *world = client->world;
	u64 place = client->place ?: U64_MAX;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		struct fake_client *other = &world->clients[i];
		bool before = other->pool.place < place;

		if (world->pool.set.policy == STEVE_POLICY_FAIR &&
		    other->pool.held != held)
			before = other->pool.held < held;
		if (other != client && is_wakeable(other) && before)
			return true;
	}
	return false;
}

/* The pool serves @client, which had @held tokens: was it its turn? */
static void note_served(struct fake_client *client, u32 held)
{
	if (is_preceded(client, held))
		client->world->fault = "somebody was overtaken";
	client->place = client->pool.place;
}

/* It has one token more, or its slot back, and then it has none. */
static void note_granted(struct fake_client *client)
{
	note_served(client, client->pool.held ? client->pool.held - 1 : 0);
}

static void note_woken(struct fake_client *client)
{
	struct world *world = client->world;
	size_t used = strlen(world->served);

	world->woken++;
	scnprintf(world->served + used, sizeof(world->served) - used,
		  used ? " %d" : "%d", client->pool.pid);
}

/* ---- What the pool asks for ---- */

static void fake_hand(struct steve_pool_client *pool_client)
{
	struct fake_client *client = to_fake(pool_client);

	if (client->readers)
		client->readers--;
	else
		client->world->fault = "a token was handed to nobody";
	client->handed++;
	note_granted(client);
	note_woken(client);
}

static void fake_notify(struct steve_pool_client *pool_client)
{
	struct fake_client *client = to_fake(pool_client);

	if (!client->armed)
		client->world->fault = "nobody was there to be notified";
	if (client->pool.reservation != STEVE_RESERVED_OFFERED)
		client->world->fault = "a poller was woken for nothing";
	client->notified++;
	note_served(client, client->pool.held);
	note_woken(client);
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

static u32 fake_load(struct steve_pool *pool)
{
	to_world(pool)->looks++;
	return to_world(pool)->load;
}

static u64 fake_memory(struct steve_pool *pool)
{
	to_world(pool)->looks++;
	return to_world(pool)->memory;
}

static const struct steve_pool_ops fake_ops = {
	.hand = fake_hand,
	.notify = fake_notify,
	.armed = fake_armed,
	.arm = fake_arm,
	.defer = fake_defer,
	.load = fake_load,
	.memory = fake_memory,
};

/* ---- What holds after every step ---- */

static void must(struct world *world, bool holds, const char *rule)
{
	KUNIT_ASSERT_TRUE_MSG(world->test, holds, "%s, after client %d: %s",
			      rule, world->actor, world->step);
}

static void must_be(struct world *world, s64 total, s64 sum, const char *what)
{
	KUNIT_ASSERT_EQ_MSG(world->test, total, sum, "%s, after client %d: %s",
			    what, world->actor, world->step);
}

static bool is_timed(const struct world *world, u64 when)
{
	return world->armed_at && world->armed_at <= when;
}

static void check_client(struct world *world, const struct fake_client *client)
{
	const struct steve_pool_client *pool = &client->pool;

	must_be(world, pool->readers, client->readers, "readers");
	must_be(world, pool->group->held, pool->held, "held by the group");
	must(world, !pool->lent || !pool->held,
	     "nobody lends a slot and holds a token");
	must(world, pool->place || (!client->readers && !client->armed),
	     "whoever sleeps has a place");
	must_be(world, pool->debt, client->debt, "debt");
	must(world, used(client) <= client->used ||
	     !world->pool.set.max_per_process ||
	     used(client) <= (int)world->pool.set.max_per_process,
	     "nobody is granted more than one client may hold");
	must(world, world->deferred || !pool->deadline ||
	     is_timed(world, pool->deadline),
	     "the timer is set for every deadline");
}

static void check_sums(struct world *world)
{
	struct steve_pool *pool = &world->pool;
	u32 held = 0, reserved = 0, lent = 0, waiting = 0;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		struct steve_pool_client *client = &world->clients[i].pool;

		held += client->held;
		reserved += client->reserved;
		lent += client->lent;
		waiting += client->place != 0;
	}
	must_be(world, pool->held, held, "held");
	must_be(world, pool->reserved, reserved, "reserved");
	must_be(world, pool->lent, lent, "lent");
	must_be(world, pool->waiting, waiting, "waiting");
	must_be(world, (s64)pool->size + lent,
		(s64)steve_pool_available(pool) + held + reserved, "size");
}

/* What is in force is the strictest of what is set and all caps. */
static void check_limits(struct world *world)
{
	struct steve_pool *pool = &world->pool;
	u32 size = pool->set.jobs, load = pool->set.max_load, caps = 0;
	u64 memory = pool->set.min_memory;
	int i;

	for (i = 0; i < CAPS; i++) {
		struct steve_pool_cap *cap = &world->caps[i];

		if (!world->capping[i])
			continue;
		caps++;
		size = min(size, cap->jobs);
		load = min_not_zero(load, cap->max_load);
		memory = max(memory, cap->min_memory);
	}
	must_be(world, pool->capped, caps, "caps");
	must_be(world, pool->size, size, "size in force");
	must_be(world, pool->max_load, load, "load in force");
	must_be(world, pool->min_memory, memory, "memory in force");
}

/* Do load or memory hold a token back now? */
static bool is_held_back(struct world *world)
{
	const struct steve_pool *pool = &world->pool;

	if (pool->held + pool->reserved < pool->set.min_jobs)
		return false;
	return (pool->max_load && world->load > pool->max_load) ||
	       (pool->min_memory &&
		world->memory < pool->min_memory + charged(world));
}

/*
 * A token is free and somebody sleeps for one: that may be only because load or
 * memory hold it back, or did when the pool last looked; and it looks again.
 */
static void check_held_back(struct world *world)
{
	u64 recheck = world->pool.recheck;

	must(world, is_held_back(world) || (recheck && !world->looked),
	     "no token is free while somebody sleeps for one");
	must(world, recheck && recheck <= world->now + RECHECK &&
	     is_timed(world, recheck), "what is held back is looked at again");
}

static void check(struct world *world)
{
	bool wakeable = false;
	int i;

	if (world->fault)
		must(world, false, world->fault);
	must(world, world->woken <= BATCH, "no more than a batch is woken");
	for (i = 0; i < CLIENTS; i++) {
		check_client(world, &world->clients[i]);
		wakeable |= is_wakeable(&world->clients[i]);
	}
	check_sums(world);
	check_limits(world);
	if (!world->deferred && wakeable && available(world) > 0)
		check_held_back(world);
}

/* ---- Steps: what programs do, and what happens to them ---- */

static void begin(struct world *world, int i, const char *step)
{
	int k;

	world->step = step;
	world->actor = i;
	world->woken = 0;
	world->looked = false;
	for (k = 0; k < CLIENTS; k++) {
		world->clients[k].place = world->clients[k].pool.place;
		world->clients[k].used = used(&world->clients[k]);
	}
	spin_lock_irq(&world->pool.lock);
}

static void end(struct world *world)
{
	spin_unlock_irq(&world->pool.lock);
	check(world);
}

static bool try_take(struct world *world, int i)
{
	struct fake_client *client = &world->clients[i];
	bool reserved = client->pool.reservation;
	bool preceded = is_preceded(client, client->pool.held);

	/* Others may be served along with it, so this is found out before. */
	if ((world->slow ||
	     !steve_pool_take_quick(&world->pool, &client->pool)) &&
	    !steve_pool_take(&world->pool, &client->pool, world->now))
		return false;
	if (!reserved && preceded)
		world->fault = "somebody was overtaken";
	return true;
}

/* Reads, and does not wait. */
static bool take(struct world *world, int i)
{
	bool taken;

	begin(world, i, "take");
	taken = try_take(world, i);
	if (!taken)
		steve_pool_miss(&world->pool, &world->clients[i].pool,
				world->now);
	end(world);
	return taken;
}

static void take_many(struct world *world, int i, u32 count)
{
	while (count--)
		KUNIT_ASSERT_TRUE(world->test, take(world, i));
}

/* Reads, and waits if need be. */
static bool take_or_block(struct world *world, int i)
{
	bool taken;

	begin(world, i, "block");
	taken = try_take(world, i);
	if (!taken) {
		world->clients[i].readers++;
		steve_pool_block(&world->pool, &world->clients[i].pool,
				 world->now);
	}
	end(world);
	return taken;
}

static void block(struct world *world, int i)
{
	KUNIT_ASSERT_FALSE(world->test, take_or_block(world, i));
}

static void block_many(struct world *world, int first, int last)
{
	int i;

	for (i = first; i <= last; i++)
		block(world, i);
}

static void interrupt(struct world *world, int i)
{
	begin(world, i, "interrupt");
	world->clients[i].readers--;
	steve_pool_unblock(&world->pool, &world->clients[i].pool, world->now);
	end(world);
}

/* A token that was taken could not be delivered. */
static void untake(struct world *world, int i)
{
	begin(world, i, "untake");
	if (!world->clients[i].pool.held && world->clients[i].debt)
		world->clients[i].debt--;
	steve_pool_untake(&world->pool, &world->clients[i].pool, world->now);
	end(world);
}

static struct steve_pool_given give(struct world *world, int i, size_t count)
{
	struct steve_pool_given given = { .returned = 1 };
	struct fake_client *fake = &world->clients[i];
	struct steve_pool_client *client = &fake->pool;

	begin(world, i, "give");
	if (count > client->held)
		fake->debt -= min_t(size_t, fake->debt, count - client->held);
	if (count != 1 || world->slow ||
	    !steve_pool_give_quick(&world->pool, client))
		steve_pool_give(&world->pool, client, count, world->now,
				&given);
	end(world);
	return given;
}

static bool ask(struct world *world, int i)
{
	struct fake_client *client = &world->clients[i];
	bool reserved = client->pool.reservation;
	bool readable;

	readable = (!world->slow &&
		    steve_pool_poll_quick(&world->pool, &client->pool)) ||
		   steve_pool_poll(&world->pool, &client->pool, world->now);
	if (readable && !reserved)
		note_served(client, client->pool.held);
	return readable;
}

/* Polls, and does not wait. */
static bool look(struct world *world, int i)
{
	bool readable;

	begin(world, i, "look");
	readable = ask(world, i);
	end(world);
	return readable;
}

/* Polls and sleeps there; or has been woken there, looks, and sleeps on. */
static bool poll(struct world *world, int i)
{
	bool readable;

	begin(world, i, "poll");
	world->clients[i].armed = true;
	readable = ask(world, i);
	world->clients[i].armed = !readable;
	end(world);
	return readable;
}

/* Wakes up in poll for another reason. */
static void stop_polling(struct world *world, int i)
{
	begin(world, i, "stop polling");
	world->clients[i].armed = false;
	end(world);
}

static void leave(struct world *world, int i)
{
	begin(world, i, "leave");
	world->clients[i].armed = false;
	steve_pool_leave(&world->pool, &world->clients[i].pool, world->now);
	end(world);
}

static void die(struct world *world, int i)
{
	begin(world, i, "die");
	world->clients[i].debt = 0;
	world->clients[i].armed = false;
	world->clients[i].readers = 0;
	steve_pool_exit(&world->pool, &world->clients[i].pool, world->now);
	end(world);
}

static void configure(struct world *world,
		      const struct steve_pool_settings *settings)
{
	begin(world, -1, "configure");
	steve_pool_configure(&world->pool, settings, world->now);
	end(world);
}

static void set_jobs(struct world *world, u32 jobs)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.jobs = jobs;
	configure(world, &settings);
}

static void set_policy(struct world *world, enum steve_policy policy)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.policy = policy;
	configure(world, &settings);
}

static void set_reserve_ms(struct world *world, u32 reserve_ms)
{
	struct steve_pool_settings settings = world->pool.set;

	settings.reserve_ms = reserve_ms;
	configure(world, &settings);
}

static u32 reclaim(struct world *world, int i)
{
	u32 tokens;

	begin(world, i, "reclaim");
	world->clients[i].debt += world->clients[i].pool.held;
	tokens = steve_pool_reclaim(&world->pool, &world->clients[i].pool,
				    world->now);
	end(world);
	return tokens;
}

/* Cap @n comes into force, and cap @old, if that is not negative, goes. */
static int replace_cap(struct world *world, int n, int old,
		       const struct steve_pool_cap *limits)
{
	int err;

	begin(world, -1, "cap");
	world->caps[n] = *limits;
	err = steve_pool_cap(&world->pool, &world->caps[n],
			     old < 0 ? NULL : &world->caps[old], world->now);
	if (!err) {
		world->capping[n] = true;
		if (old >= 0)
			world->capping[old] = false;
	}
	end(world);
	return err;
}

static int cap(struct world *world, int n, const struct steve_pool_cap *limits)
{
	return replace_cap(world, n, -1, limits);
}

static void uncap(struct world *world, int n)
{
	begin(world, -1, "uncap");
	steve_pool_uncap(&world->pool, &world->caps[n], world->now);
	world->capping[n] = false;
	end(world);
}

static u32 readable(struct world *world, int i)
{
	u32 number;

	begin(world, i, "readable");
	number = steve_pool_readable(&world->pool, &world->clients[i].pool,
				     world->now);
	end(world);
	return number;
}

static void run(struct world *world)
{
	begin(world, -1, "run");
	steve_pool_run(&world->pool, world->now);
	world->looked = true;
	end(world);
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
	u64 then = world->now + span;

	run_deferred(world);
	while (world->armed_at && world->armed_at <= then) {
		world->now = max(world->now, world->armed_at);
		world->armed_at = 0;
		run(world);
		run_deferred(world);
	}
	world->now = then;
}

static void all_die(struct world *world)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		die(world, i);
	run_deferred(world);
}

/* Client @i tries @tries times, at its habit, and has failed just now. */
static void try_often(struct world *world, int i, int tries, u64 habit)
{
	while (--tries) {
		KUNIT_ASSERT_FALSE(world->test, take(world, i));
		pass(world, habit);
	}
	KUNIT_ASSERT_FALSE(world->test, take(world, i));
}

/* ---- Worlds, and how they look ---- */

static void new_client(struct world *world, int i)
{
	world->clients[i] = (struct fake_client){ .world = world };
	steve_pool_client_init(&world->clients[i].pool, i);
}

static struct world *new_world(struct kunit *test, u32 jobs)
{
	const struct steve_pool_settings settings = {
		.jobs = jobs,
		.policy = STEVE_POLICY_FIFO,
		.reserve_ms = RESERVE_MS,
	};
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->test = test;
	world->now = 1000 * SEC;
	world->memory = STEVE_MEMORY_MAX;
	steve_pool_init(&world->pool, &fake_ops, &settings, world->now);
	for (i = 0; i < CLIENTS; i++)
		new_client(world, i);
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

static struct world *new_fair_world(struct kunit *test, u32 jobs)
{
	struct world *world = new_world(test, jobs);

	set_policy(world, STEVE_POLICY_FAIR);
	return world;
}

static int available(const struct world *world)
{
	return steve_pool_available(&world->pool);
}

static u32 held(const struct world *world, int i)
{
	return world->clients[i].pool.held;
}

static u64 place(const struct world *world, int i)
{
	return world->clients[i].pool.place;
}

static u64 charged(struct world *world)
{
	u64 charged;

	spin_lock_irq(&world->pool.lock);
	charged = steve_pool_charged(&world->pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	return charged;
}

static u32 limits(struct world *world)
{
	u32 limits;

	spin_lock_irq(&world->pool.lock);
	limits = steve_pool_limits(&world->pool, world->now);
	spin_unlock_irq(&world->pool.lock);
	return limits;
}

static enum steve_reservation reservation(const struct world *world, int i)
{
	return world->clients[i].pool.reservation;
}

static unsigned int handed(const struct world *world, int i)
{
	return world->clients[i].handed;
}

/* These clients, and no others, were woken, in this order. */
static void expect_served(struct world *world, const char *served)
{
	KUNIT_EXPECT_STREQ(world->test, world->served, served);
	world->served[0] = '\0';
}

/* Nobody has a token, or wants one. */
static void expect_empty(struct world *world)
{
	KUNIT_EXPECT_EQ(world->test, world->pool.waiting, 0);
	KUNIT_EXPECT_EQ(world->test, world->pool.held, 0);
	KUNIT_EXPECT_EQ(world->test, world->pool.lent, 0);
	KUNIT_EXPECT_EQ(world->test, world->pool.reserved, 0);
	KUNIT_EXPECT_EQ(world->test, available(world), world->pool.size);
	KUNIT_EXPECT_TRUE(world->test,
			  RB_EMPTY_ROOT(&world->pool.deadlines.rb_root));
}

/* ---- Steps: whatever happens ---- */

static u64 random_span(struct rnd_state *random)
{
	static const u64 longest[] = {
		MS, MS, 10 * MS, 10 * MS, 150 * MS, 150 * MS, 10 * SEC,
		100 * SEC,
	};
	u32 which = prandom_u32_state(random) % ARRAY_SIZE(longest);

	return div_u64(longest[which] * (prandom_u32_state(random) % 1000),
		       1000);
}

static void reborn(struct world *world, int i)
{
	die(world, i);
	leave(world, i);
	new_client(world, i);
}

static void take_what_is_readable(struct world *world, int i)
{
	bool deferred = world->deferred;
	bool expected = readable(world, i);
	bool taken = take(world, i);

	/* Who stands in the way during a deferral may turn out to be awake. */
	must(world, taken == expected || deferred,
	     "what is readable is what a read finds");
}

/* Client @i does something, or time passes. */
static void random_deed(struct world *world, int i, struct rnd_state *random)
{
	u32 number = prandom_u32_state(random);
	bool blocked = world->clients[i].readers;

	switch (prandom_u32_state(random) % 19) {
	case 0:
		take_what_is_readable(world, i);
		break;
	case 1 ... 4:
		take(world, i);
		break;
	case 5 ... 7:
		take_or_block(world, i);
		break;
	case 8:
		if (blocked)
			interrupt(world, i);
		break;
	case 9 ... 12:
		give(world, i, 1 + number % 20 / 17);
		break;
	case 13:
		look(world, i);
		break;
	case 14 ... 15:
		poll(world, i);
		break;
	case 16:
		stop_polling(world, i);
		break;
	case 17:
		pass(world, random_span(random));
		break;
	case 18:
		if (number % 2)
			reborn(world, i);
		else if (!blocked)
			leave(world, i);
		break;
	}
}
