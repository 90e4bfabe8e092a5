// SPDX-License-Identifier: GPL-2.0
/*
 * The pool: who gets the next token. See pool.h for the words used here.
 *
 * The order below: the lines in which clients stand, their places, tokens and
 * reservations, the limits, then the turn (who is next), then what happens to a
 * client, and last what happens to the pool.
 */
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "compat.h"
#include "pool.h"
#include "trace.h"

/* Clients looked at in one go; the death of a process is no place for more. */
#define BATCH			16

/*
 * After a reservation nobody took, none for this many times its length: a
 * client that never reads may let one lapse unseen and the next seen, and
 * keeps less than 5 % of one token out of use.
 */
#define RETRY_FACTOR		40
#define RETRY_MAX_NS		(30ULL * NSEC_PER_SEC)

/* A client that returns a token is about to ask again. */
#define OWN_RETURN_NS		(5 * NSEC_PER_MSEC)

/* No token is kept for a client longer than this. */
#define KEEP_MAX_NS		(30ULL * NSEC_PER_SEC)

/*
 * Token-time that keeping may use, in percent of all there is. With what programs
 * waste themselves, one that only tries then costs no more than 6 % of the pool.
 */
#define KEEP_PERCENT_FIFO	4
#define KEEP_PERCENT_FAIR	1

/*
 * What may be saved up of it. Under fifo tokens are kept all the time, so this
 * is little; a token that is kept for longer is paid off afterwards.
 */
#define KEEP_BURST_FIFO_NS	(4LL * NSEC_PER_SEC)
#define KEEP_BURST_FAIR_NS	(30LL * NSEC_PER_SEC)

/* A cold place lasts this many times its client's habit, and at least that. */
#define COLD_HABITS		16
#define COLD_MIN_NS		(60ULL * NSEC_PER_SEC)

/* How often to look whether load or memory still hold tokens back. */
#define RECHECK_NS		(250 * NSEC_PER_MSEC)

/* ---- The lines ---- */

static bool place_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct steve_pool_client, place_node)->place <
	       rb_entry(b, struct steve_pool_client, place_node)->place;
}

static bool share_before(struct rb_node *a, const struct rb_node *b)
{
	struct steve_pool_client *x =
		rb_entry(a, struct steve_pool_client, share_node);
	struct steve_pool_client *y =
		rb_entry(b, struct steve_pool_client, share_node);

	if (x->group->held != y->group->held)
		return x->group->held < y->group->held;
	return x->place < y->place;
}

static bool deadline_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct steve_pool_client, deadline_node)->deadline <
	       rb_entry(b, struct steve_pool_client, deadline_node)->deadline;
}

/* Is the turn of @a before that of @b, which may have no place yet? */
static bool turn_before(const struct steve_pool *pool,
			const struct steve_pool_client *a,
			const struct steve_pool_client *b)
{
	if (pool->set.policy == STEVE_POLICY_FAIR &&
	    a->group->held != b->group->held)
		return a->group->held < b->group->held;
	return !b->place || a->place < b->place;
}

static void line_leave(struct steve_pool_client *client)
{
	if (!client->line)
		return;
	rb_erase_cached(&client->place_node, &client->line->by_place);
	rb_erase_cached(&client->share_node, &client->line->by_share);
	client->line = NULL;
}

static void line_join(struct steve_pool_line *line,
		      struct steve_pool_client *client)
{
	client->line = line;
	rb_add_cached(&client->place_node, &line->by_place, place_before);
	rb_add_cached(&client->share_node, &line->by_share, share_before);
}

static struct steve_pool_client *line_entry(const struct steve_pool *pool,
					    struct rb_node *node)
{
	if (pool->set.policy == STEVE_POLICY_FAIR)
		return rb_entry_safe(node, struct steve_pool_client,
				     share_node);
	return rb_entry_safe(node, struct steve_pool_client, place_node);
}

static struct steve_pool_client *line_first(const struct steve_pool *pool,
					    struct steve_pool_line *line)
{
	bool fair = pool->set.policy == STEVE_POLICY_FAIR;

	return line_entry(pool, rb_first_cached(fair ? &line->by_share :
						       &line->by_place));
}

static struct steve_pool_client *line_next(const struct steve_pool *pool,
					   struct steve_pool_client *client)
{
	bool fair = pool->set.policy == STEVE_POLICY_FAIR;

	return line_entry(pool, rb_next(fair ? &client->share_node :
					       &client->place_node));
}

static struct steve_pool_client *first_deadline(struct steve_pool *pool)
{
	struct rb_node *node = rb_first_cached(&pool->deadlines);

	return rb_entry_safe(node, struct steve_pool_client, deadline_node);
}

static void arm_for(struct steve_pool *pool, u64 when)
{
	if (pool->armed_at && pool->armed_at <= when)
		return;
	pool->armed_at = when;
	pool->ops->arm(pool, when);
}

static void set_deadline(struct steve_pool *pool,
			 struct steve_pool_client *client, u64 deadline)
{
	if (client->deadline == deadline)
		return;
	if (client->deadline)
		rb_erase_cached(&client->deadline_node, &pool->deadlines);
	client->deadline = deadline;
	if (!deadline)
		return;
	rb_add_cached(&client->deadline_node, &pool->deadlines,
		      deadline_before);
	arm_for(pool, deadline);
}

/* ---- Places ---- */

static bool is_asleep(const struct steve_pool *pool,
		      struct steve_pool_client *client)
{
	return client->readers ||
	       (client->polling && pool->ops->armed(client));
}

/*
 * Puts a client where it belongs after anything about it has changed: into the
 * line of the wakeable, of those set aside, of those a token may be kept for, or
 * into none; and notes when to look at it again.
 */
static void settle(struct steve_pool *pool, struct steve_pool_client *client,
		   u64 now)
{
	bool full = steve_pool_is_full(pool, client);
	struct steve_pool_line *line = NULL;
	u64 deadline = 0;

	if (client->reservation) {
		deadline = client->lapse;
	} else if (!client->place) {
		/* Wants nothing. */
	} else if (client->readers ||
		   (client->polling && client->retry <= now)) {
		line = full ? &pool->full : &pool->wakeable;
	} else if (client->polling) {
		deadline = client->retry;
	} else {
		deadline = client->expiry;
		if (client->may_keep && !full)
			line = &pool->keepable;
	}

	if (client->line != line) {
		line_leave(client);
		if (line)
			line_join(line, client);
	}
	set_deadline(pool, client, deadline);
}

static void drop_place(struct steve_pool *pool,
		       struct steve_pool_client *client)
{
	if (!client->place)
		return;
	line_leave(client);
	client->place = 0;
	pool->waiting--;
}

static void give_place(struct steve_pool *pool,
		       struct steve_pool_client *client, u64 now)
{
	if (client->place)
		return;
	client->place = ++pool->last_place;
	client->since = now;
	pool->waiting++;
	trace_steve_enqueue(pool, client);
}

/* From now on the client has to come by itself. */
static void turn_cold(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now)
{
	client->polling = false;
	client->expiry = now + max_t(u64, COLD_MIN_NS,
				     COLD_HABITS * client->habit);
	settle(pool, client, now);
}

static void sleep_or_cool(struct steve_pool *pool,
			  struct steve_pool_client *client, u64 now)
{
	if (is_asleep(pool, client))
		settle(pool, client, now);
	else
		turn_cold(pool, client, now);
}

/*
 * @client asks for a token. If the one it has just returned served another that
 * waits on with further threads, that went to the tail before @client could ask
 * again, and would gain a turn by it each time. So it goes behind @client,
 * unless others have come in between.
 */
static void ask_for_place(struct steve_pool *pool,
			  struct steve_pool_client *client, u64 now)
{
	struct steve_pool_client *served;
	struct rb_node *last;

	if (client->place)
		return;
	if (client->passed_on != pool->last_place ||
	    now - client->passed_at > OWN_RETURN_NS) {
		give_place(pool, client, now);
		return;
	}

	give_place(pool, client, now);
	last = rb_last(&pool->wakeable.by_place.rb_root);
	served = rb_entry_safe(last, struct steve_pool_client, place_node);
	if (!served || served->place != client->passed_on)
		return;
	line_leave(served);
	drop_place(pool, served);
	give_place(pool, served, now);
	settle(pool, served, now);
}

/* ---- Tokens and reservations ---- */

static void hold(struct steve_pool *pool, struct steve_pool_client *client,
		 u32 count)
{
	client->held += count;
	client->group->held += count;
	pool->held += count;
}

static void unhold(struct steve_pool *pool, struct steve_pool_client *client,
		   u32 count)
{
	client->held -= count;
	client->group->held -= count;
	pool->held -= count;
}

static s64 keep_burst(const struct steve_pool *pool)
{
	return pool->set.policy == STEVE_POLICY_FAIR ? KEEP_BURST_FAIR_NS :
						       KEEP_BURST_FIFO_NS;
}

static void add_keep_credit(struct steve_pool *pool, s64 credit)
{
	pool->keep_credit = min(keep_burst(pool), pool->keep_credit + credit);
}

static void fill_keep_credit(struct steve_pool *pool, u64 now)
{
	u32 percent = pool->set.policy == STEVE_POLICY_FAIR ? KEEP_PERCENT_FAIR :
							  KEEP_PERCENT_FIFO;
	u64 passed = min_t(u64, now - pool->keep_filled,
			   100 * KEEP_MAX_NS / KEEP_PERCENT_FAIR);

	add_keep_credit(pool, div_u64(passed * pool->size, 100) * percent);
	pool->keep_filled = now;
}

static void reserve(struct steve_pool *pool, struct steve_pool_client *client,
		    enum steve_reservation reservation, u64 span, u64 now)
{
	client->reservation = reservation;
	client->reserved++;
	client->lapse = now + span;
	pool->reserved++;
	settle(pool, client, now);
	if (reservation == STEVE_RESERVED_RETURNED ||
	    reservation == STEVE_RESERVED_KEPT)
		trace_steve_keep(pool, client);
	else
		trace_steve_reserve(pool, client);
}

static u64 reserve_span(const struct steve_pool *pool)
{
	return (u64)pool->set.reserve_ms * NSEC_PER_MSEC;
}

/* Keeping is paid for in advance. */
static void refund(struct steve_pool *pool, struct steve_pool_client *client,
		   u64 now)
{
	if (client->reservation == STEVE_RESERVED_KEPT && client->lapse > now)
		add_keep_credit(pool, client->lapse - now);
}

/* Of what is reserved, for one token. The caller settles the client. */
static void unreserve(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now)
{
	refund(pool, client, now);
	pool->reserved--;
	if (!--client->reserved)
		client->reservation = STEVE_RESERVED_NONE;
}

static void unreserve_all(struct steve_pool *pool,
			  struct steve_pool_client *client, u64 now)
{
	while (client->reserved)
		unreserve(pool, client, now);
}

/* Second 0 of the charges is now. */
static void age_charges(struct steve_pool_charges *charges, u64 now)
{
	u64 second = div_u64(now, NSEC_PER_SEC);
	u64 passed = min_t(u64, second - charges->second, STEVE_CHARGE_SECONDS);

	memmove(&charges->grants[passed], &charges->grants[0],
		(STEVE_CHARGE_SECONDS - passed) * sizeof(charges->grants[0]));
	memset(&charges->grants[0], 0, passed * sizeof(charges->grants[0]));
	charges->second = second;
}

/* A job begins, and will want memory. */
static void charge(struct steve_pool *pool, u64 now)
{
	if (!pool->min_memory)
		return;
	age_charges(&pool->charges, now);
	pool->charges.grants[0]++;
}

/*
 * The client has one token more, or its own slot back, and with that it had
 * its turn. If more of it waits, it waits at the tail.
 */
static void grant(struct steve_pool *pool, struct steve_pool_client *client,
		  u64 now)
{
	line_leave(client);
	if (client->lent) {
		client->lent = false;
		pool->lent--;
	} else {
		hold(pool, client, 1);
	}
	pool->counts.granted++;
	charge(pool, now);
	drop_place(pool, client);
	client->polling = client->polling && pool->ops->armed(client);
	if (client->readers || client->polling)
		give_place(pool, client, now);
	settle(pool, client, now);
	trace_steve_grant(pool, client);
}

/* ---- The limits ---- */

/**
 * steve_pool_charged() - memory that jobs granted a moment ago will want
 * @pool: the pool, locked
 * @now: the time
 *
 * A job uses memory only some time after its grant, and many are granted within
 * a millisecond. So each is charged what a job is taken to need, less and less
 * until it is as old as STEVE_CHARGE_SECONDS; but no more jobs than can be left
 * of those granted. What is reserved is for jobs that are still to begin.
 *
 * Return: the memory in bytes.
 */
u64 steve_pool_charged(const struct steve_pool *pool, u64 now)
{
	struct steve_pool_charges charges = pool->charges;
	u64 parts = (u64)pool->reserved * STEVE_CHARGE_SECONDS;
	u32 left = pool->held;
	int i;

	lockdep_assert_held(&pool->lock);

	if (!pool->min_memory)
		return 0;
	age_charges(&charges, now);
	for (i = 0; i < STEVE_CHARGE_SECONDS; i++) {
		u32 jobs = min(left, charges.grants[i]);

		left -= jobs;
		parts += (u64)jobs * (STEVE_CHARGE_SECONDS - i);
	}
	/* At most 2^20 parts of 2^43 bytes. */
	return parts * div_u64(pool->set.job_memory, STEVE_CHARGE_SECONDS);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_charged);

static bool load_is_high(struct steve_pool *pool)
{
	return pool->max_load && pool->ops->load(pool) > pool->max_load;
}

/*
 * How much memory is there beyond what is to be left and what jobs just begun
 * will want, if some is to be left? Returns false if there is not even that.
 */
static bool spare_memory(struct steve_pool *pool, u64 now, u64 *spare)
{
	u64 memory, wanted;

	*spare = 0;
	if (!pool->min_memory)
		return true;
	memory = pool->ops->memory(pool);
	wanted = pool->min_memory + steve_pool_charged(pool, now);
	if (memory < wanted)
		return false;
	*spare = memory - wanted;
	return true;
}

/* Which of load and memory would hold a token back beyond @min_jobs? */
static u32 throttles(struct steve_pool *pool, u64 now)
{
	u32 limits = 0;
	u64 spare;

	if (load_is_high(pool))
		limits |= STEVE_LIMIT_LOAD;
	if (!spare_memory(pool, now, &spare))
		limits |= STEVE_LIMIT_MEMORY;
	return limits;
}

/* Tokens that neither load nor memory hold back. */
static u32 jobs_to_sustain(const struct steve_pool *pool)
{
	u32 used = pool->held + pool->reserved;

	return pool->set.min_jobs > used ? pool->set.min_jobs - used : 0;
}

/* Jobs that load and memory would let begin, one after the other. */
static u32 affordable(struct steve_pool *pool, u64 now)
{
	u64 job = round_down(pool->set.job_memory, STEVE_CHARGE_SECONDS);
	u64 spare;

	if (load_is_high(pool) || !spare_memory(pool, now, &spare))
		return 0;
	if (!pool->min_memory || !job)
		return U32_MAX;
	return min_t(u64, U32_MAX, div64_u64(spare, job) + 1);
}

/**
 * steve_pool_limits() - what holds tokens back?
 * @pool: the pool, locked
 * @now: the time
 *
 * Return: STEVE_LIMIT_* bits, 0 if a token can be granted.
 */
u32 steve_pool_limits(struct steve_pool *pool, u64 now)
{
	u32 limits = 0;

	lockdep_assert_held(&pool->lock);

	if (steve_pool_available(pool) <= 0)
		limits = pool->size < pool->set.jobs ? STEVE_LIMIT_CAP :
						       STEVE_LIMIT_JOBS;
	if (!jobs_to_sustain(pool))
		limits |= throttles(pool, now);
	return limits;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_limits);

/*
 * Is a token free, and may it be granted? Nobody tells when load or memory no
 * longer forbid it, so that is looked at again.
 */
static bool may_grant(struct steve_pool *pool, u64 now)
{
	if (steve_pool_available(pool) <= 0)
		return false;
	if (!pool->limited || jobs_to_sustain(pool) || !throttles(pool, now))
		return true;
	if (!pool->recheck) {
		pool->recheck = now + RECHECK_NS;
		arm_for(pool, pool->recheck);
	}
	return false;
}

/*
 * Those set aside that may hold more by now, since the limit was raised, are
 * served before anybody else. Returns false if there are more of them.
 */
static bool release_full(struct steve_pool *pool, u64 now)
{
	unsigned int steps = BATCH;
	struct rb_node *node;

	/* The first is the one with the fewest tokens. */
	while ((node = rb_first_cached(&pool->full.by_share))) {
		struct steve_pool_client *client =
			rb_entry(node, struct steve_pool_client, share_node);

		if (steve_pool_is_full(pool, client))
			break;
		if (!steps--) {
			pool->ops->defer(pool);
			return false;
		}
		settle(pool, client, now);
	}
	return true;
}

/* ---- The turn ---- */

/* How long it may still take until the client is back; 0 if it is late. */
static u64 keep_span(const struct steve_pool_client *client, u64 now)
{
	u64 back = client->missed_at + client->habit + client->habit / 4;

	return back > now ? min_t(u64, KEEP_MAX_NS, back - now) : 0;
}

/* What has to be saved up to keep a token. */
static s64 keep_price(const struct steve_pool *pool, s64 span)
{
	return min(span, keep_burst(pool));
}

/* Is a token kept for @cold rather than given to @client? */
static bool keeps_before(const struct steve_pool *pool,
			 const struct steve_pool_client *cold,
			 const struct steve_pool_client *client)
{
	/* One that has as many is not starved. */
	if (cold->group->held && cold->group->held >= client->group->held)
		return false;
	return cold != client && turn_before(pool, cold, client);
}

/*
 * A program that only ever tries, and never polls, is cold whenever a token
 * comes free, and would starve among others that sleep. So if one that is
 * known to come back stands before @client, the token is kept for it: once for
 * each failed try, about as long as it is used to take, and only while the
 * token-time that all keeping wastes stays a small part of the pool's.
 */
static bool keep_for_one_before(struct steve_pool *pool,
				struct steve_pool_client *client, u64 now)
{
	struct steve_pool_client *cold = line_first(pool, &pool->keepable);
	u64 span;

	if (!cold || !keeps_before(pool, cold, client))
		return false;
	/* The few tokens that load and memory leave are for those who are there. */
	if (pool->limited && throttles(pool, now))
		return false;
	span = keep_span(cold, now);
	fill_keep_credit(pool, now);
	if (pool->keep_credit < keep_price(pool, span))
		return false;
	pool->keep_credit -= span;
	cold->may_keep = false;
	if (span)
		reserve(pool, cold, STEVE_RESERVED_KEPT, span, now);
	else
		settle(pool, cold, now);
	return true;
}

/*
 * Deals out what is free, one client at a time. A client that stands in the
 * line of the wakeable but was found awake turns cold; it will come back, or
 * its place expires.
 */
static void dispatch(struct steve_pool *pool, u64 now)
{
	unsigned int steps = BATCH;
	struct steve_pool_client *client;

	if (!release_full(pool, now))
		return;
	while ((client = line_first(pool, &pool->wakeable)) &&
	       may_grant(pool, now)) {
		if (!steps--) {
			pool->ops->defer(pool);
			return;
		}
		if (!is_asleep(pool, client)) {
			turn_cold(pool, client, now);
		} else if (steve_pool_is_full(pool, client)) {
			settle(pool, client, now);
		} else if (keep_for_one_before(pool, client, now)) {
			continue;
		} else if (client->readers) {
			client->readers--;
			grant(pool, client, now);
			pool->ops->hand(client);
		} else {
			reserve(pool, client, STEVE_RESERVED_OFFERED,
				reserve_span(pool), now);
			pool->ops->notify(client);
		}
	}
}

/*
 * Is a token free for @client, which is awake, without overtaking anybody? If
 * so, the caller has to grant or reserve it.
 */
static bool may_take(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now)
{
	unsigned int steps = BATCH;
	struct steve_pool_client *first;

	if (steve_pool_is_full(pool, client) || !release_full(pool, now))
		return false;
	while (may_grant(pool, now)) {
		if (!steps--) {
			pool->ops->defer(pool);
			return false;
		}
		first = line_first(pool, &pool->wakeable);
		if (first && first != client &&
		    turn_before(pool, first, client)) {
			if (!is_asleep(pool, first))
				turn_cold(pool, first, now);
			else if (steve_pool_is_full(pool, first))
				settle(pool, first, now);
			else
				/* Its turn comes after a deferral. */
				return false;
		} else if (!keep_for_one_before(pool, client, now)) {
			return true;
		}
	}
	return false;
}

/*
 * GNU make polls, is ended there by SIGCHLD, reaps, returns the token and polls
 * again: it is cold whenever it returns one. So if it is next in turn, that
 * token is kept for the moment that takes; else the blocked readers would have
 * all of its turns. The same for one that only tries, and for which one is kept
 * already: as it was away, others had many turns since, and it had none.
 */
static void keep_own_return(struct steve_pool *pool,
			    struct steve_pool_client *client, u64 now)
{
	if (is_asleep(pool, client))
		return;
	if (client->reservation && client->reservation != STEVE_RESERVED_KEPT)
		return;
	turn_cold(pool, client, now);
	if (!line_first(pool, &pool->wakeable) || !may_take(pool, client, now))
		return;
	refund(pool, client, now);
	reserve(pool, client, STEVE_RESERVED_RETURNED, OWN_RETURN_NS, now);
}

static u64 retry_span(const struct steve_pool *pool, unsigned int times)
{
	u64 first = RETRY_FACTOR * reserve_span(pool);

	return clamp_t(u64, first << min(times - 1, 8U), first,
		       max_t(u64, first, RETRY_MAX_NS));
}

/* What was put aside for a client is not taken any more. */
static void end_reservations(struct steve_pool *pool,
			     struct steve_pool_client *client, u64 now)
{
	while (client->reserved) {
		unreserve(pool, client, now);
		pool->counts.lapsed++;
		trace_steve_lapse(pool, client);
	}
}

/* The token put aside for a client was not taken in time. */
static void lapse(struct steve_pool *pool, struct steve_pool_client *client,
		  u64 now)
{
	enum steve_reservation reservation = client->reservation;

	end_reservations(pool, client, now);
	switch (reservation) {
	case STEVE_RESERVED_SEEN:
		/* It polls without reading. */
		client->ignored += client->ignored < U8_MAX;
		client->retry = now + retry_span(pool, client->ignored);
		if (client->place) {
			drop_place(pool, client);
			give_place(pool, client, now);
		}
		break;
	case STEVE_RESERVED_OFFERED:
		/*
		 * It did not get to run, or nobody waits on the epoll instance
		 * that was woken. No fault of its own, so it keeps its place.
		 */
		client->missed += client->missed < U8_MAX;
		client->retry = max(client->retry,
				    now + retry_span(pool, client->missed));
		break;
	default:
		break;
	}
	sleep_or_cool(pool, client, now);
}

/* ---- What happens to a client ---- */

/* A client that tries is no idle poller, and shows how long it was away. */
static void note_try(struct steve_pool_client *client, u64 now)
{
	client->ignored = 0;
	client->missed = 0;
	client->retry = 0;
	client->may_keep = false;
	if (client->missed_at) {
		u64 away = now - client->missed_at;

		/*
		 * Tries come in bunches, since jobs end in bunches: what counts
		 * is the longest interval between them. A pause is none.
		 */
		if (away <= KEEP_MAX_NS)
			client->habit = max(away, client->habit -
					    min(client->habit, away / 8));
		client->missed_at = 0;
	}
}

/* Takes the token that the client was told of, if nobody else waits. */
static noinline bool take_told(struct steve_pool *pool,
			       struct steve_pool_client *client)
{
	if (client->reservation != STEVE_RESERVED_SEEN ||
	    pool->waiting > !!client->place || is_asleep(pool, client))
		return false;

	/* Where nobody is left who waits, nothing looks at the time. */
	client->polling = false;
	note_try(client, 0);
	unreserve(pool, client, 0);
	grant(pool, client, 0);
	return true;
}

/**
 * steve_pool_take_quick() - take a token if nobody else waits
 * @pool: the pool, locked
 * @client: who takes it
 *
 * The common cases of steve_pool_take(), which need no clock.
 *
 * Return: true if the token is taken; false says nothing.
 */
bool steve_pool_take_quick(struct steve_pool *pool,
			   struct steve_pool_client *client)
{
	lockdep_assert_held(&pool->lock);

	if (pool->limited || client->lent || client->missed_at)
		return false;
	if (client->reservation)
		return take_told(pool, client);
	if (pool->waiting || client->ignored || client->missed ||
	    steve_pool_available(pool) <= 0)
		return false;

	hold(pool, client, 1);
	pool->counts.granted++;
	trace_steve_grant(pool, client);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_take_quick);

/**
 * steve_pool_take() - take a token if it is the client's turn
 * @pool: the pool, locked
 * @client: who takes it
 * @now: the time
 *
 * A client that has lent its implicit slot takes that back. If this fails, the
 * caller says what it does about it: steve_pool_miss() or steve_pool_block(),
 * under the same hold of the lock.
 *
 * Return: true if the token is taken.
 */
bool steve_pool_take(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now)
{
	lockdep_assert_held(&pool->lock);

	note_try(client, now);
	if (client->reservation)
		unreserve(pool, client, now);
	else if (!may_take(pool, client, now))
		return false;
	grant(pool, client, now);
	/* A try may have made its own sleeping pollers eligible again. */
	dispatch(pool, now);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_take);

/**
 * steve_pool_miss() - the client got no token and goes on without
 * @pool: the pool, locked
 * @client: who tried
 * @now: the time
 *
 * What follows a steve_pool_take() that failed, if the caller does not wait:
 * the client has a place now.
 */
void steve_pool_miss(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now)
{
	lockdep_assert_held(&pool->lock);

	client->missed_at = now;
	client->tries += client->tries < 2;
	client->may_keep = client->tries > 1 && client->habit;
	ask_for_place(pool, client, now);
	/* Edge-triggered epoll sleeps without asking again. */
	client->polling = pool->ops->armed(client);
	sleep_or_cool(pool, client, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_miss);

/**
 * steve_pool_block() - a thread of the client waits in read
 * @pool: the pool, locked
 * @client: who waits
 * @now: the time
 *
 * What follows a steve_pool_take() that failed, if the caller waits. The wait
 * ends by the hand operation, or by steve_pool_unblock().
 */
void steve_pool_block(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now)
{
	lockdep_assert_held(&pool->lock);

	client->readers++;
	ask_for_place(pool, client, now);
	settle(pool, client, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_block);

/**
 * steve_pool_unblock() - a thread of the client no longer waits in read
 * @pool: the pool, locked
 * @client: who waited
 * @now: the time
 *
 * For a read that ends on a signal. The place stays.
 */
void steve_pool_unblock(struct steve_pool *pool,
			struct steve_pool_client *client, u64 now)
{
	lockdep_assert_held(&pool->lock);

	client->readers--;
	pool->counts.interrupted++;
	sleep_or_cool(pool, client, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_unblock);

/**
 * steve_pool_untake() - a token that was taken could not be delivered
 * @pool: the pool, locked
 * @client: who took it
 * @now: the time
 *
 * It is back in the pool. Or it has been taken from the client already; then the
 * client owes one less. What was taken may also have been the client's own slot,
 * or another thread has returned it meanwhile; then the slot is lent, unless as
 * many are lent as may be.
 */
void steve_pool_untake(struct steve_pool *pool,
		       struct steve_pool_client *client, u64 now)
{
	lockdep_assert_held(&pool->lock);

	line_leave(client);
	if (client->held) {
		unhold(pool, client, 1);
		pool->counts.returned++;
		trace_steve_return(pool, client);
	} else if (client->debt) {
		client->debt--;
	} else if (!client->lent && pool->lent < pool->set.jobs) {
		client->lent = true;
		pool->lent++;
		pool->counts.loans++;
		trace_steve_lend(pool, client);
	}
	sleep_or_cool(pool, client, now);
	dispatch(pool, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_untake);

/**
 * steve_pool_give_quick() - return one token if nobody waits
 * @pool: the pool, locked
 * @client: who returns it
 *
 * The common case of steve_pool_give(), which needs no clock.
 *
 * Return: true if the token is returned; false says nothing.
 */
bool steve_pool_give_quick(struct steve_pool *pool,
			   struct steve_pool_client *client)
{
	lockdep_assert_held(&pool->lock);

	if (pool->waiting || !client->held)
		return false;

	unhold(pool, client, 1);
	pool->counts.returned++;
	trace_steve_return(pool, client);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_give_quick);

/**
 * steve_pool_give() - return tokens
 * @pool: the pool, locked
 * @client: who returns them, or NULL if it is not known
 * @count: number of bytes written
 * @now: the time
 * @given: what became of them
 *
 * What is more than the client holds is for tokens that were taken from it, if
 * there are such. A client that has none of either may lend its implicit slot.
 * What is more than that is a stray.
 */
void steve_pool_give(struct steve_pool *pool, struct steve_pool_client *client,
		     size_t count, u64 now, struct steve_pool_given *given)
{
	u64 last_place;

	lockdep_assert_held(&pool->lock);

	*given = (struct steve_pool_given){ .strays = count };
	pool->counts.strays += count;
	if (!client)
		return;

	line_leave(client);
	given->returned = min_t(size_t, count, client->held);
	unhold(pool, client, given->returned);
	count -= given->returned;
	if (given->returned)
		trace_steve_return(pool, client);

	given->paid = min_t(size_t, count, client->debt);
	client->debt -= given->paid;
	count -= given->paid;
	if (given->paid)
		trace_steve_pay(pool, client);

	if (count && !client->lent && pool->lent < pool->set.jobs) {
		client->lent = true;
		pool->lent++;
		given->lent = 1;
		count--;
		trace_steve_lend(pool, client);
	}

	given->strays = count;
	if (count)
		trace_steve_stray(pool, client);
	pool->counts.returned += given->returned;
	pool->counts.loans += given->lent;
	pool->counts.strays -= given->returned + given->paid + given->lent;
	if (client->place) {
		settle(pool, client, now);
		if (given->returned || given->lent)
			keep_own_return(pool, client, now);
	}

	last_place = pool->last_place;
	dispatch(pool, now);
	if (pool->last_place != last_place) {
		client->passed_on = pool->last_place;
		client->passed_at = now;
	}
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_give);

/* A client that polls is not one that only ever tries. */
static void note_poll(struct steve_pool_client *client)
{
	client->tries = 0;
	client->may_keep = false;
	/*
	 * It was slow to wake up. That it is to be woken again at once is excused
	 * once, until it tries.
	 */
	if (client->missed == 1 && !client->ignored)
		client->retry = 0;
}

/**
 * steve_pool_poll_quick() - is a token reserved for the client, which polls?
 * @pool: the pool, locked
 * @client: who asks
 *
 * The case of steve_pool_poll() of whoever has just been woken, which needs no
 * clock.
 *
 * Return: true if it is; false says nothing.
 */
bool steve_pool_poll_quick(struct steve_pool *pool,
			   struct steve_pool_client *client)
{
	lockdep_assert_held(&pool->lock);

	if (client->reservation != STEVE_RESERVED_OFFERED &&
	    client->reservation != STEVE_RESERVED_SEEN)
		return false;

	note_poll(client);
	client->reservation = STEVE_RESERVED_SEEN;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_poll_quick);

/**
 * steve_pool_poll() - could the client take a token now?
 * @pool: the pool, locked
 * @client: who asks
 * @now: the time
 *
 * If so, a token is reserved for it. If not, it has a place now and is taken to
 * go to sleep where the notify operation finds it.
 *
 * Return: true if it could.
 */
bool steve_pool_poll(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now)
{
	lockdep_assert_held(&pool->lock);

	if (steve_pool_poll_quick(pool, client))
		return true;

	note_poll(client);
	if (client->reservation) {
		unreserve_all(pool, client, now);
		reserve(pool, client, STEVE_RESERVED_SEEN, reserve_span(pool),
			now);
		dispatch(pool, now);
		return true;
	}

	/*
	 * What is free while its own readers wait is about to be theirs. One that
	 * was slow to wake up is here now; a delay bars one that polls and does
	 * not read.
	 */
	if (!client->readers && (client->retry <= now || !client->ignored) &&
	    may_take(pool, client, now)) {
		reserve(pool, client, STEVE_RESERVED_SEEN, reserve_span(pool),
			now);
		return true;
	}
	client->polling = true;
	ask_for_place(pool, client, now);
	settle(pool, client, now);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_poll);

/* Would a try of @client find somebody before it who is to be served first? */
static bool is_preceded(struct steve_pool *pool,
			const struct steve_pool_client *client)
{
	struct steve_pool_client *first = line_first(pool, &pool->wakeable);
	unsigned int steps = BATCH;

	while (first && first != client && turn_before(pool, first, client)) {
		if (!steps-- || (is_asleep(pool, first) &&
				 !steve_pool_is_full(pool, first)))
			return true;
		first = line_next(pool, first);
	}
	return false;
}

/* What is free once all is kept that a try of @client would find kept. */
static u32 free_beyond_keeping(struct steve_pool *pool,
			       const struct steve_pool_client *client, u64 now)
{
	struct steve_pool_client *cold = line_first(pool, &pool->keepable);
	unsigned int steps = BATCH;
	int available = steve_pool_available(pool);
	u32 freely = affordable(pool, now);
	s64 credit, span;

	if (available <= 0)
		return 0;
	available = min_t(u32, available, max(freely, jobs_to_sustain(pool)));
	fill_keep_credit(pool, now);
	credit = pool->keep_credit;
	while (available && freely && cold &&
	       keeps_before(pool, cold, client)) {
		span = keep_span(cold, now);
		if (credit < keep_price(pool, span))
			break;
		if (!--steps)
			return 0;
		credit -= span;
		/* For one that is late nothing is kept. */
		available -= span > 0;
		freely -= span > 0;
		cold = line_next(pool, cold);
	}
	return available;
}

/**
 * steve_pool_readable() - how many tokens could the client take now?
 * @pool: the pool, locked
 * @client: who asks
 * @now: the time
 *
 * Return: the number.
 */
u32 steve_pool_readable(struct steve_pool *pool,
			const struct steve_pool_client *client, u64 now)
{
	u32 used = client->held + client->reserved;
	u32 most = pool->set.max_per_process;
	u32 readable;

	lockdep_assert_held(&pool->lock);

	if (steve_pool_is_full(pool, client) || is_preceded(pool, client))
		return client->reserved;
	readable = free_beyond_keeping(pool, client, now);
	if (most)
		readable = min(readable, most - used + client->lent);
	return client->reserved + readable;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_readable);

static void forget_wish(struct steve_pool *pool,
			struct steve_pool_client *client, u64 now)
{
	end_reservations(pool, client, now);
	drop_place(pool, client);
	client->polling = false;
	client->may_keep = false;
	settle(pool, client, now);
}

/**
 * steve_pool_leave() - the client has no way left to take a token
 * @pool: the pool, locked
 * @client: who
 * @now: the time
 *
 * For the close of the last file through which it read or polled. It loses its
 * place and reservation, not the tokens it holds.
 */
void steve_pool_leave(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now)
{
	lockdep_assert_held(&pool->lock);

	forget_wish(pool, client, now);
	dispatch(pool, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_leave);

/**
 * steve_pool_exit() - the client is dead
 * @pool: the pool, locked
 * @client: who
 * @now: the time
 *
 * Its tokens are back in the pool. Nothing but steve_pool_leave() may be called
 * for it afterwards, or steve_pool_reclaim(), which then finds none.
 */
void steve_pool_exit(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now)
{
	u32 held = client->held;

	lockdep_assert_held(&pool->lock);

	client->readers = 0;
	forget_wish(pool, client, now);
	unhold(pool, client, held);
	client->debt = 0;
	pool->counts.reclaimed += held;
	if (client->lent) {
		client->lent = false;
		pool->lent--;
		pool->counts.abandoned++;
		trace_steve_abandon(pool, client);
	}
	if (held)
		trace_steve_reclaim(pool, client, held);
	dispatch(pool, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_exit);

/**
 * steve_pool_reclaim() - take from a client all the tokens it holds
 * @pool: the pool, locked
 * @client: who
 * @now: the time
 *
 * It does not know of it, so as many bytes as it held are no strays when it
 * writes them.
 *
 * Return: the number of tokens.
 */
u32 steve_pool_reclaim(struct steve_pool *pool,
		       struct steve_pool_client *client, u64 now)
{
	u32 held = client->held;

	lockdep_assert_held(&pool->lock);

	if (!held)
		return 0;
	line_leave(client);
	unhold(pool, client, held);
	client->debt += held;
	pool->counts.reclaimed += held;
	trace_steve_reclaim(pool, client, held);
	settle(pool, client, now);
	dispatch(pool, now);
	return held;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_reclaim);

/* ---- What happens to the pool ---- */

/* Settings or caps are others now: finds out what is in force. */
static void limit(struct steve_pool *pool)
{
	struct steve_pool_cap *cap;
	u32 size = pool->set.jobs;

	pool->max_load = pool->set.max_load;
	pool->min_memory = pool->set.min_memory;
	list_for_each_entry(cap, &pool->caps, node) {
		size = min(size, cap->jobs);
		pool->max_load = min_not_zero(pool->max_load, cap->max_load);
		pool->min_memory = max(pool->min_memory, cap->min_memory);
	}
	pool->limited = pool->max_load || pool->min_memory ||
			pool->set.max_per_process;
	if (pool->size != size) {
		pool->size = size;
		trace_steve_resize(pool);
	}
}

/**
 * steve_pool_configure() - change the settings
 * @pool: the pool, locked
 * @settings: all of them
 * @now: the time
 *
 * Takes no token away: where there are more in use than jobs, as many vanish as
 * they come back. A reservation that exists lasts as long as it was to last.
 */
void steve_pool_configure(struct steve_pool *pool,
			  const struct steve_pool_settings *settings, u64 now)
{
	bool other_policy = settings->policy != pool->set.policy;

	lockdep_assert_held(&pool->lock);

	/* What has passed was under the old ones. */
	fill_keep_credit(pool, now);
	pool->set = *settings;
	if (other_policy)
		pool->keep_credit = keep_burst(pool);
	limit(pool);
	dispatch(pool, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_configure);

/**
 * steve_pool_cap() - lower the limits, beside the settings
 * @pool: the pool, locked
 * @cap: the limits; it stays with the pool until it is replaced, or until
 *	steve_pool_uncap()
 * @old: the cap that it replaces, or NULL
 * @now: the time
 *
 * Return: 0, or -ENOSPC if there are STEVE_CAPS_MAX caps already.
 */
int steve_pool_cap(struct steve_pool *pool, struct steve_pool_cap *cap,
		   struct steve_pool_cap *old, u64 now)
{
	lockdep_assert_held(&pool->lock);

	if (!old && pool->capped == STEVE_CAPS_MAX)
		return -ENOSPC;
	fill_keep_credit(pool, now);
	if (old) {
		list_replace(&old->node, &cap->node);
	} else {
		list_add(&cap->node, &pool->caps);
		pool->capped++;
	}
	limit(pool);
	dispatch(pool, now);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_cap);

/**
 * steve_pool_uncap() - what a cap limited is not limited by it any more
 * @pool: the pool, locked
 * @cap: what steve_pool_cap() was given
 * @now: the time
 */
void steve_pool_uncap(struct steve_pool *pool, struct steve_pool_cap *cap,
		      u64 now)
{
	lockdep_assert_held(&pool->lock);

	fill_keep_credit(pool, now);
	pool->capped--;
	list_del(&cap->node);
	limit(pool);
	dispatch(pool, now);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_uncap);

static void expire(struct steve_pool *pool, struct steve_pool_client *client,
		   u64 now)
{
	if (client->reservation)
		lapse(pool, client, now);
	else if (!client->polling)
		drop_place(pool, client);
	settle(pool, client, now);
}

/**
 * steve_pool_run() - do what is due
 * @pool: the pool, locked
 * @now: the time
 *
 * What the arm and defer operations ask for. Does a bounded amount of work and
 * asks again if there is more.
 */
void steve_pool_run(struct steve_pool *pool, u64 now)
{
	unsigned int steps = BATCH;
	struct steve_pool_client *client;
	u64 next;

	lockdep_assert_held(&pool->lock);

	if (pool->recheck <= now)
		pool->recheck = 0;
	while ((client = first_deadline(pool)) && client->deadline <= now) {
		if (!steps--) {
			pool->ops->defer(pool);
			break;
		}
		expire(pool, client, now);
	}
	dispatch(pool, now);

	client = first_deadline(pool);
	next = min_not_zero(client ? client->deadline : 0, pool->recheck);
	pool->armed_at = next;
	if (next > now)
		pool->ops->arm(pool, next);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_run);

/**
 * steve_pool_init() - make a pool
 * @pool: the pool
 * @ops: its surroundings
 * @settings: what it begins with
 * @now: the time
 */
void steve_pool_init(struct steve_pool *pool, const struct steve_pool_ops *ops,
		     const struct steve_pool_settings *settings, u64 now)
{
	*pool = (struct steve_pool){
		.ops = ops,
		.set = *settings,
		.caps = LIST_HEAD_INIT(pool->caps),
		.size = settings->jobs,
		.wakeable.by_place = RB_ROOT_CACHED,
		.wakeable.by_share = RB_ROOT_CACHED,
		.keepable.by_place = RB_ROOT_CACHED,
		.keepable.by_share = RB_ROOT_CACHED,
		.full.by_place = RB_ROOT_CACHED,
		.full.by_share = RB_ROOT_CACHED,
		.deadlines = RB_ROOT_CACHED,
		.keep_filled = now,
	};
	pool->keep_credit = keep_burst(pool);
	spin_lock_init(&pool->lock);
	limit(pool);
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_init);

/**
 * steve_pool_client_init() - make a client
 * @client: the client
 * @pid: what traces call it
 */
void steve_pool_client_init(struct steve_pool_client *client, pid_t pid)
{
	*client = (struct steve_pool_client){
		.pid = pid,
		.group = &client->own_group,
	};
}
EXPORT_SYMBOL_IF_KUNIT(steve_pool_client_init);
