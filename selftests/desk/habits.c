// SPDX-License-Identifier: GPL-2.0
/*
 * The habits of programs, as their sources show them.
 */
#include <linux/time64.h>

#include "build.h"

#define WAKE_NS		(50 * NSEC_PER_USEC)	/* until a thread runs */
#define CALL_NS		(5 * NSEC_PER_USEC)	/* between two system calls */
#define REAP_NS		(50 * NSEC_PER_USEC)	/* a child that ended */
#define START_NS	(1 * NSEC_PER_MSEC)	/* a job */

/*
 * GNU make 4.4.1: pselect, then a read that does not block. SIGCHLD, which is
 * blocked everywhere else, ends the pselect; then it reaps, writes a token for
 * each child but its last, and comes back.
 */
static void make_reaps(struct builder *make)
{
	u64 delay = CALL_NS;

	while (make->ended) {
		if (make->jobs > 1)
			process_give(make->thread->process, 1);
		make->ended--;
		make->jobs--;
		delay += REAP_NS;
	}
	if (!make->wants) {
		if (make->renews && !make->jobs)
			builder_renew(make);
		return;
	}
	if (!make->jobs) {
		builder_start_job(make, false);
		delay += START_NS;
	}
	make->may_read = false;
	builder_go_on(make, delay);
}

static void make_goes_on(struct builder *make)
{
	struct thread *thread = make->thread;
	bool told;

	/* It was woken in pselect, by a token, by a child, or by both. */
	if (thread->state == POLLING || thread->state == POLL_WOKEN) {
		told = make->ended ? thread_interrupt(thread) :
				     thread_resume(thread);
		if (told) {
			make->may_read = true;
			builder_go_on(make, CALL_NS);
		} else if (make->ended) {
			make_reaps(make);
		}
		return;
	}
	if (make->may_read) {
		make->may_read = false;
		if (thread_try(thread)) {
			builder_start_job(make, false);
			builder_go_on(make, START_NS);
			return;
		}
	} else if (make->ended) {
		make_reaps(make);
		return;
	}
	if (!make->wants)
		return;
	if (thread_poll(thread, true)) {
		make->may_read = true;
		builder_go_on(make, CALL_NS);
	}
}

static void make_woken(struct builder *make)
{
	if (!make->busy)
		builder_go_on(make, WAKE_NS);
}

const struct habit make_habit = {
	.name = "make",
	.begin = make_reaps,
	.job_ended = make_woken,
	.goes_on = make_goes_on,
	.woken = make_woken,
};

/*
 * ninja 1.13.2, and GCC for its LTO jobs: whenever a job of its own has ended
 * it returns the token of that, and starts jobs until it finds no token.
 */
static void ninja_tries(struct builder *ninja)
{
	if (ninja->wants && !ninja->implicit) {
		builder_start_job(ninja, true);
		builder_go_on(ninja, START_NS);
	} else if (ninja->wants && thread_try(ninja->thread)) {
		builder_start_job(ninja, false);
		builder_go_on(ninja, START_NS);
	} else if (ninja->ended) {
		ninja->may_read = false;
		builder_go_on(ninja, REAP_NS);
	} else {
		ninja->may_read = false;
	}
}

static void ninja_goes_on(struct builder *ninja)
{
	if (!ninja->may_read && ninja->ended) {
		if (ninja->implicit_ended) {
			ninja->implicit_ended = false;
			ninja->implicit = false;
		} else {
			process_give(ninja->thread->process, 1);
		}
		ninja->ended--;
		ninja->jobs--;
		ninja->may_read = true;
		builder_go_on(ninja, CALL_NS);
		return;
	}
	ninja_tries(ninja);
}

static void ninja_ended(struct builder *ninja)
{
	if (!ninja->busy)
		builder_go_on(ninja, WAKE_NS);
}

static void ninja_begin(struct builder *ninja)
{
	ninja->may_read = true;
	builder_go_on(ninja, CALL_NS);
}

const struct habit ninja_habit = {
	.name = "ninja",
	.begin = ninja_begin,
	.job_ended = ninja_ended,
	.goes_on = ninja_goes_on,
};

/*
 * The helper thread of Rust's jobserver crate: blocked in read while there is
 * a job to start. Another thread returns the tokens.
 */
static void cargo_reads(struct builder *cargo)
{
	if (cargo->wants && thread_read(cargo->thread)) {
		builder_start_job(cargo, false);
		builder_go_on(cargo, START_NS);
	}
}

static void cargo_goes_on(struct builder *cargo)
{
	if (cargo->thread->state == HANDED) {
		thread_resume(cargo->thread);
		builder_start_job(cargo, false);
		builder_go_on(cargo, START_NS);
	} else if (cargo->thread->state == RUNNING) {
		cargo_reads(cargo);
	}
}

static void cargo_ended(struct builder *cargo)
{
	cargo->ended--;
	cargo->jobs--;
	if (!cargo->implicit_ended) {
		process_give(cargo->thread->process, 1);
		return;
	}
	cargo->implicit_ended = false;
	cargo->implicit = false;
	if (cargo->wants)
		builder_start_job(cargo, true);
}

static void cargo_begin(struct builder *cargo)
{
	if (!cargo->implicit)
		builder_start_job(cargo, true);
	builder_go_on(cargo, CALL_NS);
}

static void cargo_woken(struct builder *cargo)
{
	builder_go_on(cargo, WAKE_NS);
}

const struct habit cargo_habit = {
	.name = "cargo",
	.begin = cargo_begin,
	.job_ended = cargo_ended,
	.goes_on = cargo_goes_on,
	.woken = cargo_woken,
};
