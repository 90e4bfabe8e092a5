/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Builds: programs that use the pool as real ones do, until the time is up.
 */
#ifndef _DESK_BUILD_H
#define _DESK_BUILD_H

#include <linux/types.h>

#include "random.h"
#include "world.h"

struct build;
struct builder;

/**
 * struct habit - how a program takes and returns tokens
 * @name: of the program
 * @begin: it starts
 * @job_ended: one of its jobs ended
 * @goes_on: it does what it was about to do
 * @woken: its thread was woken
 */
struct habit {
	const char *name;
	void (*begin)(struct builder *builder);
	void (*job_ended)(struct builder *builder);
	void (*goes_on)(struct builder *builder);
	void (*woken)(struct builder *builder);
};

extern const struct habit make_habit;
extern const struct habit ninja_habit;
extern const struct habit cargo_habit;

/**
 * struct builder - a program that builds
 * @build: the build it takes part in
 * @habit: how it takes and returns tokens
 * @thread: the thread that does so
 * @wants: it has jobs to start
 * @left: how many, if there is an end of them
 * @renews: when it is done it dies, and another one with so many jobs starts; 0
 *	for one that is never done
 * @jobs: the jobs it runs, its implicit slot with them
 * @ended: those that ended and that it did not look at yet
 * @implicit: its implicit slot is in use
 * @implicit_ended: the job in there ended, and it did not look at that yet
 * @busy: it is awake, and will go on by itself
 * @may_read: it was told of a token
 */
struct builder {
	struct build *build;
	const struct habit *habit;
	struct thread *thread;
	bool wants;
	unsigned int left;
	unsigned int renews;
	unsigned int jobs;
	unsigned int ended;
	bool implicit;
	bool implicit_ended;
	bool busy;
	bool may_read;
};

/**
 * enum event_kind - what can happen to a builder
 * @BEGIN: it starts
 * @GO_ON: it goes on
 * @JOB_END: a job ends
 * @IMPLICIT_END: the job in its implicit slot ends
 * @PAUSES: it has no more jobs to start
 * @COMES: it has jobs to start again
 */
enum event_kind {
	BEGIN,
	GO_ON,
	JOB_END,
	IMPLICIT_END,
	PAUSES,
	COMES,
};

/**
 * struct event - what is going to happen
 * @at: when
 * @number: of two at the same time, the lower is the earlier
 * @builder: to whom
 * @kind: what
 */
struct event {
	u64 at;
	u64 number;
	struct builder *builder;
	enum event_kind kind;
};

/**
 * struct build - all that is built at the same time
 * @world: where
 * @builders: the programs
 * @count: their number
 * @job_ns: how long a job takes
 * @spread: by which part of that jobs differ
 * @random: chance
 * @events: what is going to happen, as a heap
 * @events_count: number of events
 * @events_room: number of events there is room for
 * @last_number: number of the event noted last
 * @work_at: when deferred work is done, 0 for never
 */
struct build {
	struct world world;
	struct builder *builders;
	unsigned int count;
	u64 job_ns;
	double spread;
	struct random random;
	struct event *events;
	size_t events_count;
	size_t events_room;
	u64 last_number;
	u64 work_at;
};

void build_init(struct build *build, u32 tokens, unsigned int builders,
		u64 job_ns, double spread);
void build_free(struct build *build);
void build_note(struct build *build, u64 delay, struct builder *builder,
		enum event_kind kind);
void build_run(struct build *build, u64 until);

void builder_go_on(struct builder *builder, u64 delay);
void builder_start_job(struct builder *builder, bool implicit);
void builder_renew(struct builder *builder);

#endif /* _DESK_BUILD_H */
