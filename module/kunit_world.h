/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world in which the KUnit tests drive the pool: its clock moves when it is
 * told to, its clients have as many threads and pollers as they say, and load
 * and memory are what they are set to. The rules that hold at all times are
 * looked at after every step.
 */
#ifndef _STEVE_KUNIT_WORLD_H
#define _STEVE_KUNIT_WORLD_H

#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/prandom.h>
#include <linux/time64.h>

#include "pool.h"

#define MS		((u64)NSEC_PER_MSEC)
#define SEC		((u64)NSEC_PER_SEC)

/* What the pool is known to do; see pool.c for the reasons. */
#define BATCH		16
#define RESERVE_MS	100
#define RESERVE		(RESERVE_MS * MS)
#define RETRY		(40 * RESERVE)
#define RETRY_MAX	(30 * SEC)
#define OWN_RETURN	(5 * MS)
#define KEEP_MAX	(30 * SEC)
#define KEEP_BURST	(4 * SEC)
#define COLD		(60 * SEC)
#define COLD_HABITS	16
#define RECHECK		(250 * MS)

#define CLIENTS		40
#define CAPS		(STEVE_CAPS_MAX + 1)

struct world;

/**
 * struct fake_client - a client, and what surrounds it
 * @pool: what the pool knows of it
 * @world: where it lives
 * @readers: threads of it that wait in read
 * @armed: it sleeps in poll
 * @handed: reads that the pool has ended
 * @notified: how often the pool has woken its pollers
 * @place: its place before this step, or since it was served in this step
 * @used: tokens it had before this step, or that were put aside for it
 * @debt: tokens that were taken from it and that it did not write back
 */
struct fake_client {
	struct steve_pool_client pool;
	struct world *world;
	u32 readers;
	bool armed;
	unsigned int handed;
	unsigned int notified;
	u64 place;
	int used;
	u32 debt;
};

/**
 * struct world - a pool and its surroundings
 * @pool: the pool
 * @clients: those who use it; client 0 often has taken all there is
 * @test: the test it is for
 * @now: the time
 * @armed_at: when the timer fires, 0 for never
 * @deferred: deferred work is pending
 * @slow: do not take the quick ways
 * @step: what was done last
 * @actor: who did it
 * @woken: clients that the pool has woken in this step
 * @fault: what the pool did wrong in this step
 * @served: clients that the pool has woken since this was last looked at
 * @load: the load average
 * @memory: the memory that is available
 * @looks: how often the pool has looked at either
 * @looked: in this step it has looked whether they still hold tokens back
 * @caps: for use as caps
 * @capping: which of them are in force
 */
struct world {
	struct steve_pool pool;
	struct fake_client clients[CLIENTS];
	struct kunit *test;
	u64 now;
	u64 armed_at;
	bool deferred;
	bool slow;
	const char *step;
	int actor;
	unsigned int woken;
	const char *fault;
	char served[128];
	u32 load;
	u64 memory;
	unsigned int looks;
	bool looked;
	struct steve_pool_cap caps[CAPS];
	bool capping[CAPS];
};

/* For tests of what holds under each of them. */
static const struct policy_case {
	const char *name;
	enum steve_policy policy;
} policies[] = {
	{ "fifo", STEVE_POLICY_FIFO },
	{ "fair", STEVE_POLICY_FAIR },
};

KUNIT_ARRAY_PARAM_DESC(policy, policies, name);

/* Worlds. */
static struct world *new_world(struct kunit *test, u32 jobs);
static struct world *new_fair_world(struct kunit *test, u32 jobs);
static struct world *new_full_world(struct kunit *test, u32 jobs);
static void new_client(struct world *world, int i);
static void expect_empty(struct world *world);

/* What holds: to be told of whatever else does. */
static void must(struct world *world, bool holds, const char *rule);

/* A step of its own: what the pool does comes in between. */
static void begin(struct world *world, int i, const char *step);
static void end(struct world *world);

/* Steps: what client @i does. */
static bool take(struct world *world, int i);
static void take_many(struct world *world, int i, u32 count);
static bool take_or_block(struct world *world, int i);
static void block(struct world *world, int i);
static void block_many(struct world *world, int first, int last);
static void try_often(struct world *world, int i, int tries, u64 habit);
static void interrupt(struct world *world, int i);
static void untake(struct world *world, int i);
static struct steve_pool_given give(struct world *world, int i, size_t count);
static bool look(struct world *world, int i);
static bool poll(struct world *world, int i);
static void stop_polling(struct world *world, int i);
static u32 readable(struct world *world, int i);
static void leave(struct world *world, int i);
static void die(struct world *world, int i);
static void reborn(struct world *world, int i);
static void all_die(struct world *world);
static void random_deed(struct world *world, int i, struct rnd_state *random);

/* Steps: what an administrator does. */
static void configure(struct world *world,
		      const struct steve_pool_settings *settings);
static void set_jobs(struct world *world, u32 jobs);
static void set_policy(struct world *world, enum steve_policy policy);
static void set_reserve_ms(struct world *world, u32 reserve_ms);
static u32 reclaim(struct world *world, int i);
static int cap(struct world *world, int n, const struct steve_pool_cap *limits);
static int replace_cap(struct world *world, int n, int old,
		       const struct steve_pool_cap *limits);
static void uncap(struct world *world, int n);

/* Steps: time. */
static void run(struct world *world);
static void run_deferred(struct world *world);
static void pass(struct world *world, u64 span);

/* How it looks. */
static int available(const struct world *world);
static u32 held(const struct world *world, int i);
static u64 place(const struct world *world, int i);
static enum steve_reservation reservation(const struct world *world, int i);
static u64 charged(struct world *world);
static u32 limits(struct world *world);
static unsigned int handed(const struct world *world, int i);
static void expect_served(struct world *world, const char *served);

#endif /* _STEVE_KUNIT_WORLD_H */
