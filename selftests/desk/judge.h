/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The judge watches the pool from outside: what it was asked, what it answered
 * and what its tracepoints say; and finds fault where these do not agree with
 * what the pool promises.
 */
#ifndef _DESK_JUDGE_H
#define _DESK_JUDGE_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/compiler.h>
#include <linux/types.h>

#include "pool.h"

struct process;
struct world;

/**
 * struct account - what one client, or all, have of the pool
 * @held: tokens
 * @reserved: tokens put aside
 * @lent: implicit slots lent
 * @waiting: places in the queue
 */
struct account {
	u32 held;
	u32 reserved;
	u32 lent;
	u32 waiting;
};

/**
 * struct judged - what is known of a client apart from the pool
 * @tokens: tokens it got and did not return
 * @lent: it lent its implicit slot
 * @debt: tokens that were taken from it and that it did not write back
 * @returned: tokens that the bytes it writes return
 * @may_lend: and its implicit slot
 * @account: what was last counted for it
 * @place: its place in the queue
 * @touched: something happened to it in this step
 * @asked: it found no token in this step
 * @moved: something happened in this step for which it may lose its place
 * @old_place: the place it is to lose in this step, 0 for none
 * @passed_on: the place that whoever it served by a return got for what waits on
 * @passed_at: when that was
 * @own_return: the token it returns in this step is to be kept for it
 * @used_at: when it last did anything
 * @reservation: how a token is put aside for it
 * @reserved_at: when that was made, or last counted
 * @lapse: when that ends
 * @promised: poll told it of that token
 * @punished: it lost a reservation and did not try since
 * @ignored: it had seen that, or it was not the first: polling is no excuse
 * @saw: it had seen that
 * @punished_at: when it lost that, and may be passed over; 0 if excused
 * @tries: failed tries in a row, without a poll among them
 * @kept: a token was kept for it since the last try
 * @idle_since: when it last took or returned a token, or tried to
 * @idle_reserved: how long tokens were reserved for it since then
 * @token_time: token-time that it had
 * @token_time_at: up to then
 */
struct judged {
	u32 tokens;
	bool lent;
	u32 debt;
	u32 returned;
	bool may_lend;
	struct account account;
	u64 place;
	bool touched;
	bool asked;
	bool moved;
	u64 old_place;
	u64 passed_on;
	u64 passed_at;
	bool own_return;
	u64 used_at;
	enum steve_reservation reservation;
	u64 reserved_at;
	u64 lapse;
	bool promised;
	bool punished;
	bool ignored;
	bool saw;
	u64 punished_at;
	unsigned int tries;
	bool kept;
	u64 idle_since;
	u64 idle_reserved;
	double token_time;
	u64 token_time_at;
};

/**
 * struct judge - the judge
 * @log: where to write what happens, or NULL
 * @rule: the rule that was broken, NULL for none; the first one counts
 * @fault: how it was broken
 * @touched: clients something happened to in this step
 * @touched_count: their number
 * @account: the sum over all clients
 * @available: tokens free after the last step
 * @shrank: something happened in this step after which fewer may be free than 0
 * @kept_now: a token was kept for a cold client in this step
 * @giver: who returns tokens in this step, or NULL
 * @asker: who got the last place in this step, by asking for a token, or NULL
 * @until_all: steps to go until all clients are looked at, not just some
 * @budget: token-time that keeping may have used
 * @kept: token-time that it used
 * @held: token-time that all clients had
 * @counted_at: up to then
 */
struct judge {
	FILE *log;
	const char *rule;
	char fault[200];
	struct process **touched;
	unsigned int touched_count;
	struct account account;
	int available;
	bool shrank;
	bool kept_now;
	struct process *giver;
	struct process *asker;
	unsigned int until_all;
	double budget;
	double kept;
	double held;
	u64 counted_at;
};

void judge_init(struct world *world);
void judge_free(struct world *world);

/* What happens: before it, */
void judge_time(struct world *world);
void judge_configured(struct world *world,
		      const struct steve_pool_settings *settings);
void judge_touch(struct process *process);
void judge_tries(struct process *process);
void judge_polls(struct process *process);
void judge_gives(struct process *process, size_t count);
void judge_left(struct process *process);
void judge_died(struct process *process);
void judge_reclaimed(struct process *process);

/* and after it. */
void judge_took(struct process *process);
void judge_failed(struct process *process);
void judge_polled(struct process *process, bool readable);
void judge_gave(struct process *process, size_t count,
		const struct steve_pool_given *given);

/* What is known of a client. */
bool judge_is_full(const struct process *process);
bool judge_is_eligible(const struct process *process);
bool judge_may_expire(const struct process *process);

/* Looks at everything after a step, and at the end. */
bool judge_sees_all(const struct world *world);
void judge_step(struct world *world);
void judge_empty(struct world *world);

__printf(3, 4)
void judge_fault(struct world *world, const char *rule, const char *format,
		 ...);

#endif /* _DESK_JUDGE_H */
