// SPDX-License-Identifier: GPL-2.0
/*
 * What the pool promises, and whether it keeps that.
 */
#include <stdarg.h>
#include <stdlib.h>

#include <linux/time64.h>

#include "judge.h"
#include "trace.h"
#include "world.h"

/* What keeping may waste, in percent of all token-time, and beyond that. */
#define KEEP_PERCENT_FIFO	4
#define KEEP_PERCENT_FAIR	1
#define KEEP_BURST_NS		(30LL * NSEC_PER_SEC)
#define KEEP_LONGEST_NS		(30 * NSEC_PER_SEC)

/* A client that polls and never reads keeps this much of one token. */
#define IDLE_PERCENT		5
#define IDLE_BURST		3	/* times a reservation */

/* It is passed over for so long at most. */
#define PUNISHED_NS		(30 * NSEC_PER_SEC)
#define PUNISHED_FACTOR		40	/* times a reservation, if that is more */

/* How long a client that returned a token may take to ask again. */
#define OWN_RETURN_NS		(5 * NSEC_PER_MSEC)

/* A client that does nothing for less than this loses no place. */
#define COLD_NS			(60 * NSEC_PER_SEC)

/**
 * judge_init() - begin to watch
 * @world: the world
 */
void judge_init(struct world *world)
{
	struct judge *judge = &world->judge;

	judge->touched = calloc(world->count, sizeof(*judge->touched));
	if (!judge->touched)
		abort();
	judge->counted_at = world->now;
	judge->available = steve_pool_available(&world->pool);
}

/**
 * judge_free() - end watching
 * @world: the world
 */
void judge_free(struct world *world)
{
	free(world->judge.touched);
}

/**
 * judge_fault() - a rule is broken
 * @world: the world
 * @rule: which
 * @format: how
 */
void judge_fault(struct world *world, const char *rule, const char *format, ...)
{
	struct judge *judge = &world->judge;
	va_list args;

	if (judge->rule)
		return;
	judge->rule = rule;
	va_start(args, format);
	vsnprintf(judge->fault, sizeof(judge->fault), format, args);
	va_end(args);
}

static void tell(const struct process *process, const char *what)
{
	FILE *log = process->world->judge.log;

	if (log)
		fprintf(log, "\t%s %u\n", what, process->index);
}

static u64 longest_punishment(const struct world *world)
{
	u64 scaled = PUNISHED_FACTOR * world->pool.set.reserve_ms *
		     NSEC_PER_MSEC;

	return scaled > PUNISHED_NS ? scaled : PUNISHED_NS;
}

/* ---- The turn ---- */

/**
 * judge_is_full() - has a client all the tokens that one may hold?
 * @process: the client
 *
 * Return: whether it is so.
 */
bool judge_is_full(const struct process *process)
{
	u32 most = process->world->pool.set.max_per_process;

	return most && process->client.held + process->client.reserved >=
		       most + process->client.lent;
}

/**
 * judge_is_eligible() - does a client wait, and may it have a token at once?
 * @process: the client
 *
 * Return: whether it is so.
 */
bool judge_is_eligible(const struct process *process)
{
	const struct world *world = process->world;
	const struct judged *judged = &process->judged;

	if (process->dead || process->client.reservation ||
	    judge_is_full(process) || !process_waits(process))
		return false;
	if (!judged->punished_at || !list_empty(&process->readers))
		return true;
	return !world_timer_is_due(world) && !world->work &&
	       world->now > judged->punished_at + longest_punishment(world);
}

/* Is a client with this place and as many tokens served after another? */
static bool is_behind(const struct process *other, u64 place, u32 held)
{
	const struct steve_pool_client *client = &other->client;

	if (other->world->pool.set.policy == STEVE_POLICY_FAIR &&
	    client->held != held)
		return client->held < held;
	return !place || client->place < place;
}

static struct process *who_is_ahead(const struct process *process, u64 place,
				    u32 held)
{
	struct world *world = process->world;
	unsigned int i;

	if (!judge_sees_all(world))
		return NULL;
	for (i = 0; i < world->count; i++) {
		struct process *other = world->processes[i];

		if (other != process && judge_is_eligible(other) &&
		    is_behind(other, place, held))
			return other;
	}
	return NULL;
}

/* Nobody who is eligible is overtaken. */
static void judge_turn(struct process *process, u32 held)
{
	struct process *other = who_is_ahead(process, process->judged.place,
					     held);

	if (other)
		judge_fault(process->world, "overtaken",
			    "%u is served while %u, which is awaited before it, waits",
			    process->index, other->index);
}

/* Nobody is given more than one client may hold. */
static void judge_share(struct process *process)
{
	const struct steve_pool_client *client = &process->client;
	u32 most = process->world->pool.set.max_per_process;

	if (most && client->held + client->reserved > most + client->lent)
		judge_fault(process->world, "share",
			    "%u has %u tokens and %u more reserved, of %u it may hold",
			    process->index, client->held, client->reserved,
			    most);
}

/* ---- Tracepoints ---- */

/* Counts for how long the token put aside for a client was of no use so far. */
static void count_reserved(struct process *process)
{
	struct judged *judged = &process->judged;
	struct world *world = process->world;
	u64 end = world->now < judged->lapse ? world->now : judged->lapse;

	if (end <= judged->reserved_at)
		return;
	switch (judged->reservation) {
	case STEVE_RESERVED_KEPT:
		world->judge.kept += end - judged->reserved_at;
		break;
	case STEVE_RESERVED_OFFERED:
	case STEVE_RESERVED_SEEN:
		judged->idle_reserved += end - judged->reserved_at;
		break;
	default:
		break;
	}
	judged->reserved_at = end;
}

static void reservation_ends(struct process *process)
{
	count_reserved(process);
	process->judged.reservation = STEVE_RESERVED_NONE;
	process->judged.promised = false;
}

static void reservation_begins(struct process *process)
{
	struct judged *judged = &process->judged;

	if (!judged->reservation) {
		judge_turn(process, process->client.held);
		judge_share(process);
	}
	reservation_ends(process);
	judged->reservation = process->client.reservation;
	judged->reserved_at = process->world->now;
	judged->lapse = process->client.lapse;
}

/* Is it put behind the client that served it, which has asked just before? */
static bool makes_way(const struct process *process)
{
	const struct process *asker = process->world->judge.asker;

	return asker && asker != process &&
	       asker->judged.passed_on == process->judged.place &&
	       asker->client.place == process->judged.place + 1 &&
	       process->world->now - asker->judged.passed_at <= OWN_RETURN_NS;
}

void trace_steve_enqueue(const struct steve_pool *pool,
			 const struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct judged *judged = &process->judged;

	judge_touch(process);
	tell(process, "queues");
	if (judged->place && makes_way(process)) {
		judged->moved = true;
		judged->place = client->place;
	}
	/* A grant is told after the place at the tail that follows it. */
	process->world->judge.asker = judged->place ? NULL : process;
	if (!judged->place)
		judged->place = client->place;
}

void trace_steve_grant(const struct steve_pool *pool,
		       const struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct judged *judged = &process->judged;

	judge_touch(process);
	tell(process, "has a token");
	if (!judged->reservation) {
		judge_turn(process, judged->tokens);
		judge_share(process);
	} else if (!client->reserved) {
		reservation_ends(process);
	}
	judged->place = client->place;
	judged->moved = true;
	if (client->place && process->world->judge.giver) {
		struct judged *giver = &process->world->judge.giver->judged;

		giver->passed_on = client->place;
		giver->passed_at = process->world->now;
	}
}

void trace_steve_reserve(const struct steve_pool *pool,
			 const struct steve_pool_client *client)
{
	struct process *process = to_process(client);

	judge_touch(process);
	tell(process, client->reservation == STEVE_RESERVED_SEEN ?
	     "sees a token" : "is offered a token");
	reservation_begins(process);
}

void trace_steve_keep(const struct steve_pool *pool,
		      const struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct judged *judged = &process->judged;
	struct world *world = process->world;

	judge_touch(process);
	tell(process, "is kept a token");
	reservation_begins(process);
	if (client->reservation != STEVE_RESERVED_KEPT)
		return;

	world->judge.kept_now = true;
	if (judged->tries < 2)
		judge_fault(world, "keep",
			    "a token is kept for %u, not known to come back",
			    process->index);
	if (judged->kept)
		judge_fault(world, "keep",
			    "a token is kept for %u twice for one try",
			    process->index);
	if (judged->lapse > world->now + KEEP_LONGEST_NS)
		judge_fault(world, "keep", "a token is kept for %u too long",
			    process->index);
	judged->kept = true;
}

static void judge_waste(struct process *process)
{
	const struct judged *judged = &process->judged;
	struct world *world = process->world;
	const struct judge *judge = &world->judge;
	double allowed = (world->now - judged->idle_since) *
			 (IDLE_PERCENT / 100.0) +
			 IDLE_BURST * world->pool.set.reserve_ms * 1e6;

	if (judged->idle_reserved > allowed)
		judge_fault(world, "waste",
			    "%u did not read for %.3f s, and tokens were reserved for it for %.3f s of that",
			    process->index,
			    (world->now - judged->idle_since) / 1e9,
			    judged->idle_reserved / 1e9);
	if (judge->kept > judge->budget + KEEP_BURST_NS)
		judge_fault(world, "budget",
			    "tokens were kept for %.3f s, %.3f s are allowed",
			    judge->kept / 1e9,
			    (judge->budget + KEEP_BURST_NS) / 1e9);
}

void trace_steve_lapse(const struct steve_pool *pool,
		       const struct steve_pool_client *client)
{
	struct process *process = to_process(client);
	struct judged *judged = &process->judged;
	struct world *world = process->world;
	enum steve_reservation reservation = judged->reservation;

	judge_touch(process);
	tell(process, "loses a token");
	/* Of one that has left or died. */
	if (!reservation)
		return;
	if (world->now < judged->lapse)
		judge_fault(world, "lapse", "%u loses a token too early",
			    process->index);
	reservation_ends(process);
	judge_waste(process);
	if (reservation != STEVE_RESERVED_SEEN &&
	    reservation != STEVE_RESERVED_OFFERED)
		return;
	/* To be slow once is excused. */
	if (judged->punished || reservation == STEVE_RESERVED_SEEN)
		judged->ignored = true;
	judged->punished = true;
	judged->punished_at = world->now;
	if (reservation == STEVE_RESERVED_SEEN) {
		judged->saw = true;
		judged->moved = true;
		judged->old_place = judged->place;
		judged->place = 0;
	}
}

void trace_steve_return(const struct steve_pool *pool,
			const struct steve_pool_client *client)
{
	judge_touch(to_process(client));
	tell(to_process(client), "returned tokens");
}

void trace_steve_lend(const struct steve_pool *pool,
		      const struct steve_pool_client *client)
{
	judge_touch(to_process(client));
	to_process(client)->judged.lent = true;
	tell(to_process(client), "lends");
}

void trace_steve_abandon(const struct steve_pool *pool,
			 const struct steve_pool_client *client)
{
	tell(to_process(client), "dies with its slot lent");
}

void trace_steve_pay(const struct steve_pool *pool,
		     const struct steve_pool_client *client)
{
	tell(to_process(client), "pays");
}

void trace_steve_stray(const struct steve_pool *pool,
		       const struct steve_pool_client *client)
{
	tell(to_process(client), "strays");
}

void trace_steve_reclaim(const struct steve_pool *pool,
			 const struct steve_pool_client *client, u32 tokens)
{
	tell(to_process(client), "loses its tokens");
}

void trace_steve_resize(const struct steve_pool *pool)
{
}

/* ---- What happens ---- */

/**
 * judge_time() - take note of the time
 * @world: the world
 */
void judge_time(struct world *world)
{
	struct judge *judge = &world->judge;
	double passed = world->now - judge->counted_at;
	unsigned int percent = world->pool.set.policy == STEVE_POLICY_FAIR ?
			       KEEP_PERCENT_FAIR : KEEP_PERCENT_FIFO;

	judge->budget += passed * world->pool.size * percent / 100;
	judge->held += passed * world->pool.held;
	judge->counted_at = world->now;
}

/**
 * judge_configured() - the administrator is about to change the settings
 * @world: the world
 * @settings: all of them
 */
void judge_configured(struct world *world,
		      const struct steve_pool_settings *settings)
{
	/* A policy begins with a budget of its own. */
	if (settings->policy != world->pool.set.policy)
		world->judge.budget += KEEP_BURST_NS;
}

/**
 * judge_touch() - something happens to a client
 * @process: the client
 */
void judge_touch(struct process *process)
{
	struct judge *judge = &process->world->judge;

	if (process->judged.touched)
		return;
	process->judged.touched = true;
	judge->touched[judge->touched_count++] = process;
}

/**
 * judge_may_expire() - has a client been away for long?
 * @process: the client
 *
 * A place that nobody comes back for expires, without a sound.
 *
 * Return: whether its place may have expired.
 */
bool judge_may_expire(const struct process *process)
{
	return process->world->now - process->judged.used_at >= COLD_NS &&
	       !process_waits(process);
}

static void count_tokens(struct process *process)
{
	struct judged *judged = &process->judged;
	u64 now = process->world->now;

	judged->token_time += (double)judged->tokens *
			      (now - judged->token_time_at);
	judged->token_time_at = now;
}

static void judge_use(struct process *process)
{
	struct judged *judged = &process->judged;
	u64 now = process->world->now;

	judge_touch(process);
	if (!process->client.place && judge_may_expire(process))
		judged->place = 0;
	judged->used_at = now;
	count_tokens(process);
}

static void judge_active(struct process *process)
{
	judge_use(process);
	count_reserved(process);
	process->judged.idle_since = process->world->now;
	process->judged.idle_reserved = 0;
}

/**
 * judge_tries() - a client is about to try to take a token
 * @process: the client
 */
void judge_tries(struct process *process)
{
	judge_active(process);
	process->judged.punished = false;
	process->judged.ignored = false;
	process->judged.saw = false;
	process->judged.punished_at = 0;
}

/**
 * judge_took() - a client has a token
 * @process: the client
 */
void judge_took(struct process *process)
{
	struct judged *judged = &process->judged;

	judge_active(process);
	if (judged->lent)
		judged->lent = false;
	else
		judged->tokens++;
}

/**
 * judge_failed() - a client tried and got no token
 * @process: the client
 */
void judge_failed(struct process *process)
{
	struct judged *judged = &process->judged;

	judged->asked = true;
	judged->tries++;
	judged->kept = false;
	if (judged->promised)
		judge_fault(process->world, "promise",
			    "%u was told of a token, and finds none",
			    process->index);
}

/**
 * judge_polls() - a client is about to poll
 * @process: the client
 */
void judge_polls(struct process *process)
{
	struct judged *judged = &process->judged;

	judge_use(process);
	judged->asked = true;
	judged->tries = 0;
	if (!judged->ignored)
		judged->punished_at = 0;
}

/* A token is free, it may have it, and nobody else waits for one. */
static bool nothing_is_in_its_way(const struct process *process)
{
	const struct steve_pool *pool = &process->world->pool;

	return !pool->limited && steve_pool_available(pool) > 0 &&
	       pool->waiting == !!process->client.place &&
	       list_empty(&process->readers) && !judge_is_full(process);
}

/**
 * judge_polled() - a client has polled
 * @process: the client
 * @readable: it was told of a token
 */
void judge_polled(struct process *process, bool readable)
{
	struct judged *judged = &process->judged;
	bool seen = process->client.reservation == STEVE_RESERVED_SEEN;

	tell(process, readable ? "polled: yes" : "polled: no");
	if (readable != seen)
		judge_fault(process->world, "promise",
			    "poll does not tell %u what is reserved for it",
			    process->index);
	if (!readable && !judged->saw && nothing_is_in_its_way(process))
		judge_fault(process->world, "refused",
			    "poll tells %u of no token, though one is free",
			    process->index);
	judged->promised = readable;
	if (readable)
		judged->reservation = STEVE_RESERVED_SEEN;
}

/* It is awake, with a place, and before all who stand in line, if any do. */
static bool stands_first(const struct process *process)
{
	const struct world *world = process->world;
	bool others = false;
	unsigned int i;

	if (!judge_sees_all(world) || world->work || !process->client.place ||
	    process->client.reservation || process->entries ||
	    !list_empty(&process->readers))
		return false;
	for (i = 0; i < world->count; i++) {
		const struct process *other = world->processes[i];

		if (other == process ||
		    other->client.line != &world->pool.wakeable)
			continue;
		if (is_behind(other, process->client.place,
			      process->judged.tokens))
			return false;
		others = true;
	}
	return others;
}

/**
 * judge_gives() - a client is about to write
 * @process: the client
 * @count: number of bytes
 */
void judge_gives(struct process *process, size_t count)
{
	struct judged *judged = &process->judged;
	u32 returned = count < judged->tokens ? count : judged->tokens;
	int available = steve_pool_available(&process->world->pool);

	judge_touch(process);
	count_tokens(process);
	judged->tokens -= returned;
	judged->returned = returned;
	judged->may_lend = !judged->lent;
	process->world->judge.giver = process;
	/* What else limits the pool may hold it back. */
	judged->own_return = returned && available + (int)returned > 0 &&
			     !process->world->pool.limited &&
			     stands_first(process);
}

/**
 * judge_gave() - a client has written
 * @process: the client
 * @count: number of bytes
 * @given: what became of them
 */
void judge_gave(struct process *process, size_t count,
		const struct steve_pool_given *given)
{
	struct judged *judged = &process->judged;
	size_t rest = count - judged->returned;
	u32 paid = rest < judged->debt ? rest : judged->debt;

	judged->debt -= paid;
	if (given->returned != judged->returned || given->paid != paid ||
	    given->lent > judged->may_lend ||
	    given->returned + given->paid + given->lent + given->strays !=
	    count)
		judge_fault(process->world, "given",
			    "%zu bytes of %u returned %zu tokens, not %u, lent %zu, strayed %zu",
			    count, process->index, given->returned,
			    judged->returned, given->lent, given->strays);
	if (judged->own_return && !process->client.reservation &&
	    !process->world->judge.kept_now)
		judge_fault(process->world, "own return",
			    "%u returned a token while it stood first, and that is gone",
			    process->index);
	judged->own_return = false;
	process->world->judge.giver = NULL;
	/* A stray is no sign of one that is about to ask. */
	if (given->returned || given->lent)
		judge_active(process);
}

/**
 * judge_left() - a client is about to leave the queue
 * @process: the client
 */
void judge_left(struct process *process)
{
	judge_use(process);
	reservation_ends(process);
	process->judged.moved = true;
}

/**
 * judge_died() - a client is about to die
 * @process: the client
 */
void judge_died(struct process *process)
{
	judge_left(process);
	if (process->judged.lent)
		process->world->judge.shrank = true;
	process->judged.lent = false;
	process->judged.tokens = 0;
	process->judged.debt = 0;
}

/**
 * judge_reclaimed() - the tokens of a client are about to be taken from it
 * @process: the client
 */
void judge_reclaimed(struct process *process)
{
	struct judged *judged = &process->judged;

	judge_touch(process);
	count_tokens(process);
	judged->debt += judged->tokens;
	judged->tokens = 0;
}
