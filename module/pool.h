/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: who gets the next token.
 *
 * A token is the right to run one job. A client is a process that takes and
 * returns tokens. A client that wants a token and cannot have one gets a place
 * in the queue: one place, however many of its threads wait. At its turn it
 * gets one token; if it wants more it goes to the tail.
 *
 * A client with a place is either
 *
 *   wakeable  blocked in read, or asleep in poll: it can be told of a token,
 *   cold      running, or waiting for something else: it has to come by itself.
 *
 * A blocked reader is handed its token. For a poller one is put aside: the
 * reservation, which only that client can take and which lapses after a while.
 * A cold client is passed over and keeps its place; where that would starve it,
 * a token is kept for it (see keep_for_one_before() and keep_own_return() in
 * pool.c). A client that has all the tokens one client may hold is set aside, with
 * its place, until it returns one.
 *
 * The pool knows no files, tasks or timers. It is told the time, in
 * nanoseconds of a clock that only moves forward, and it speaks through
 * struct steve_pool_ops.
 */
#ifndef _STEVE_POOL_H
#define _STEVE_POOL_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/steve.h>
#include <linux/types.h>

struct steve_pool;
struct steve_pool_client;

/**
 * enum steve_reservation - whether a token is put aside for a client, and how
 * @STEVE_RESERVED_NONE: no token
 * @STEVE_RESERVED_OFFERED: its pollers were woken for it, none has looked yet
 * @STEVE_RESERVED_SEEN: poll has reported it to the client
 * @STEVE_RESERVED_RETURNED: it returned the token while cold, and stood first
 * @STEVE_RESERVED_KEPT: kept for a cold client that is known to come back
 */
enum steve_reservation {
	STEVE_RESERVED_NONE,
	STEVE_RESERVED_OFFERED,
	STEVE_RESERVED_SEEN,
	STEVE_RESERVED_RETURNED,
	STEVE_RESERVED_KEPT,
};

/**
 * struct steve_pool_settings - what an administrator decides
 * @jobs: number of tokens; 0 pauses the pool
 * @policy: whose turn it is among the wakeable
 * @reserve_ms: how long a poller may take to read what was reserved for it, in
 *	milliseconds
 * @strict: a write that returns no token is to fail
 * @min_jobs: while fewer tokens than this are held or reserved, neither load nor
 *	memory hold any back
 * @max_per_process: tokens one client may hold, 0 for any number
 * @max_load: load average above which no token is granted, in hundredths; 0 for
 *	none
 * @min_memory: available memory below which no token is granted, in bytes; 0 for
 *	none
 * @job_memory: memory that a job granted a moment ago is taken to want, in bytes
 */
struct steve_pool_settings {
	u32 jobs;
	enum steve_policy policy;
	u32 reserve_ms;
	bool strict;
	u32 min_jobs;
	u32 max_per_process;
	u32 max_load;
	u64 min_memory;
	u64 job_memory;
};

/**
 * struct steve_pool_cap - lower limits beside the settings
 * @jobs: the pool has no more tokens than this
 * @max_load: like that of struct steve_pool_settings
 * @min_memory: like that of struct steve_pool_settings
 * @node: in the caps of the pool
 */
struct steve_pool_cap {
	u32 jobs;
	u32 max_load;
	u64 min_memory;
	struct list_head node;
};

/**
 * struct steve_pool_ops - what the pool asks of its surroundings
 * @hand: the client got a token for one of its blocked readers: end that read
 * @notify: a token is reserved for the client: wake its pollers
 * @armed: could notify wake anyone? May say yes in doubt, never no.
 * @arm: call steve_pool_run() at @when; replaces the time named before
 * @defer: call steve_pool_run() soon, from a context of its own
 * @load: the load average over one minute, in hundredths
 * @memory: the memory that is available, in bytes
 *
 * All are called under the pool's lock and must not sleep.
 */
struct steve_pool_ops {
	void (*hand)(struct steve_pool_client *client);
	void (*notify)(struct steve_pool_client *client);
	bool (*armed)(struct steve_pool_client *client);
	void (*arm)(struct steve_pool *pool, u64 when);
	void (*defer)(struct steve_pool *pool);
	u32 (*load)(struct steve_pool *pool);
	u64 (*memory)(struct steve_pool *pool);
};

/**
 * struct steve_pool_line - clients in the order in which they are served
 * @by_place: the order of STEVE_POLICY_FIFO
 * @by_share: the order of STEVE_POLICY_FAIR
 *
 * Both are kept at all times, so that a change of policy takes no time.
 */
struct steve_pool_line {
	struct rb_root_cached by_place;
	struct rb_root_cached by_share;
};

/**
 * struct steve_pool_group - clients that share as one under STEVE_POLICY_FAIR
 * @held: tokens its clients have
 *
 * Today every client is a group of its own.
 */
struct steve_pool_group {
	u32 held;
};

/**
 * struct steve_pool_client - what the pool knows of one client
 * @pid: names the client in traces
 * @held: tokens it has
 * @debt: tokens that were taken from it and that it may yet write back
 * @readers: threads of it that are blocked in read
 * @reservation: how tokens are put aside for it
 * @reserved: how many; more than one only by STEVE_RESERVED_RETURNED
 * @lent: it has lent its implicit slot
 * @polling: it found no token by poll and may be asleep there
 * @may_keep: a token may be kept for it once
 * @ignored: reservations that it saw and did not take since it last tried
 * @missed: reservations that it did not see since it last tried
 * @tries: failed tries since it last polled, up to 2
 * @place: its place in the queue, 0 for none; the lower is the earlier
 * @since: when it got that place
 * @lapse: when the reservation ends
 * @retry: no token is reserved for its pollers before this time
 * @expiry: when its cold place ends
 * @passed_on: the place got, once it was served, by the client that what it last
 *	returned has served
 * @passed_at: when that was
 * @missed_at: when its last try failed, 0 if it has come back since
 * @habit: how long it takes to come back after a failed try, 0 if not known
 * @group: whose share its tokens count to
 * @own_group: the group it is in today
 * @line: the line it stands in, or NULL
 * @place_node: in @line
 * @share_node: in @line
 * @deadline: when steve_pool_run() has to look at it, 0 for never
 * @deadline_node: in the pool's deadlines, if @deadline is not 0
 *
 * All of it belongs to the pool and is protected by its lock.
 */
struct steve_pool_client {
	pid_t pid;
	u32 held;
	u32 debt;
	u32 readers;
	enum steve_reservation reservation;
	u32 reserved;
	bool lent;
	bool polling;
	bool may_keep;
	u8 ignored;
	u8 missed;
	u8 tries;
	u64 place;
	u64 since;
	u64 lapse;
	u64 retry;
	u64 expiry;
	u64 passed_on;
	u64 passed_at;
	u64 missed_at;
	u64 habit;
	struct steve_pool_group *group;
	struct steve_pool_group own_group;
	struct steve_pool_line *line;
	struct rb_node place_node;
	struct rb_node share_node;
	u64 deadline;
	struct rb_node deadline_node;
};

/**
 * struct steve_pool_counts - what happened since the pool was made
 *
 * The fields are those of struct steve_status.
 */
struct steve_pool_counts {
	u64 granted;
	u64 returned;
	u64 reclaimed;
	u64 lapsed;
	u64 loans;
	u64 strays;
	u64 abandoned;
	u64 interrupted;
};

/* A job is taken to use the memory it needs itself when it is this old. */
#define STEVE_CHARGE_SECONDS	8

/**
 * struct steve_pool_charges - memory that jobs granted a moment ago will want
 * @second: the second that @grants begins with
 * @grants: tokens granted in that second, in the one before it, and so on
 */
struct steve_pool_charges {
	u64 second;
	u32 grants[STEVE_CHARGE_SECONDS];
};

/**
 * struct steve_pool - the tokens and the queue
 * @lock: protects everything here and in every struct steve_pool_client.
 *	Taken with interrupts off, everywhere: it nests inside the lock of
 *	struct pid's wait_pidfd, which nests inside siglock, which posix timers
 *	take in interrupts. Inside it are locked wait queue heads of clients and
 *	what their wake functions take, and what waking a task, setting a timer
 *	and queueing work take; nothing sleeps, prints, allocates or drops a
 *	reference to a pid.
 * @ops: the surroundings
 * @set: the settings
 * @caps: struct steve_pool_cap, STEVE_CAPS_MAX at most
 * @capped: how many those are
 * @size: number of tokens in force
 * @max_load: what is in force: the lowest of the setting and all caps
 * @min_memory: what is in force: the highest of the setting and all caps
 * @limited: there is a limit to look at before a token is granted
 * @charges: counted while @min_memory is not 0
 * @recheck: when to look again whether load or memory still hold tokens back, 0
 *	for never
 * @held: tokens that clients have
 * @reserved: tokens put aside, each for one client
 * @lent: implicit slots lent by clients
 * @waiting: clients that have a place
 * @last_place: the place given last
 * @wakeable: clients to serve
 * @keepable: cold clients for which a token may be kept
 * @full: clients that would be wakeable, had they not all they may hold
 * @deadlines: clients by deadline
 * @armed_at: when the surroundings will call steve_pool_run(), 0 for never
 * @keep_credit: token-time left for keeping, in nanoseconds; negative while one
 *	that was kept for long is paid off
 * @keep_filled: when @keep_credit was last brought up to date
 * @counts: what happened
 *
 * At any instant under @lock:
 * @size + @lent == available + @held + @reserved.
 */
struct steve_pool {
	spinlock_t lock;
	const struct steve_pool_ops *ops;
	struct steve_pool_settings set;
	struct list_head caps;
	u32 capped;
	u32 size;
	u32 max_load;
	u64 min_memory;
	bool limited;
	struct steve_pool_charges charges;
	u64 recheck;
	u32 held;
	u32 reserved;
	u32 lent;
	u32 waiting;
	u64 last_place;
	struct steve_pool_line wakeable;
	struct steve_pool_line keepable;
	struct steve_pool_line full;
	struct rb_root_cached deadlines;
	u64 armed_at;
	s64 keep_credit;
	u64 keep_filled;
	struct steve_pool_counts counts;
};

/**
 * struct steve_pool_given - what became of returned bytes
 * @returned: bytes that returned a token
 * @lent: bytes that lent the implicit slot, 0 or 1
 * @paid: bytes for tokens that had been taken from the client
 * @strays: bytes that did nothing
 */
struct steve_pool_given {
	size_t returned;
	size_t lent;
	size_t paid;
	size_t strays;
};

void steve_pool_init(struct steve_pool *pool, const struct steve_pool_ops *ops,
		     const struct steve_pool_settings *settings, u64 now);
void steve_pool_client_init(struct steve_pool_client *client, pid_t pid);

bool steve_pool_take_quick(struct steve_pool *pool,
			   struct steve_pool_client *client);
bool steve_pool_take(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now);
void steve_pool_miss(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now);
void steve_pool_block(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now);
void steve_pool_unblock(struct steve_pool *pool,
			struct steve_pool_client *client, u64 now);
void steve_pool_untake(struct steve_pool *pool,
		       struct steve_pool_client *client, u64 now);
bool steve_pool_give_quick(struct steve_pool *pool,
			   struct steve_pool_client *client);
void steve_pool_give(struct steve_pool *pool, struct steve_pool_client *client,
		     size_t count, u64 now, struct steve_pool_given *given);
bool steve_pool_poll_quick(struct steve_pool *pool,
			   struct steve_pool_client *client);
bool steve_pool_poll(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now);
u32 steve_pool_readable(struct steve_pool *pool,
			const struct steve_pool_client *client, u64 now);
void steve_pool_leave(struct steve_pool *pool, struct steve_pool_client *client,
		      u64 now);
void steve_pool_exit(struct steve_pool *pool, struct steve_pool_client *client,
		     u64 now);
u32 steve_pool_reclaim(struct steve_pool *pool,
		       struct steve_pool_client *client, u64 now);
void steve_pool_configure(struct steve_pool *pool,
			  const struct steve_pool_settings *settings, u64 now);
int steve_pool_cap(struct steve_pool *pool, struct steve_pool_cap *cap,
		   struct steve_pool_cap *old, u64 now);
void steve_pool_uncap(struct steve_pool *pool, struct steve_pool_cap *cap,
		      u64 now);
u32 steve_pool_limits(struct steve_pool *pool, u64 now);
u64 steve_pool_charged(const struct steve_pool *pool, u64 now);
void steve_pool_run(struct steve_pool *pool, u64 now);

/**
 * steve_pool_is_full() - has the client all the tokens one client may hold?
 * @pool: the pool, locked
 * @client: who
 *
 * A client that has lent its implicit slot may take that back all the same.
 *
 * Return: true if no token is granted to it before it returns one.
 */
static inline bool
steve_pool_is_full(const struct steve_pool *pool,
		   const struct steve_pool_client *client)
{
	u32 most = pool->set.max_per_process;

	return most && !client->lent &&
	       client->held + client->reserved >= most;
}

/**
 * steve_pool_available() - tokens free to take
 * @pool: the pool, locked
 *
 * Return: the number, negative after the pool was made smaller than the number
 * of tokens in use.
 */
static inline int steve_pool_available(const struct steve_pool *pool)
{
	return (int)(pool->size + pool->lent) -
	       (int)(pool->held + pool->reserved);
}

#endif /* _STEVE_POOL_H */
