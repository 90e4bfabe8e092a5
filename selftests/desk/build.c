// SPDX-License-Identifier: GPL-2.0
/*
 * Builds: the clock, and what happens when.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/time64.h>

#include "build.h"

/* How long it takes until deferred work is done. */
#define WORK_NS		(30 * NSEC_PER_USEC)

/* How long it takes until the next builder starts where one was done. */
#define RENEW_NS	(20 * NSEC_PER_MSEC)

/* ---- Events ---- */

static bool event_before(const struct event *a, const struct event *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->number < b->number;
}

static void swap_events(struct event *a, struct event *b)
{
	struct event event = *a;

	*a = *b;
	*b = event;
}

/**
 * build_note() - something is going to happen
 * @build: the build
 * @delay: how long from now
 * @builder: to whom
 * @kind: what
 */
void build_note(struct build *build, u64 delay, struct builder *builder,
		enum event_kind kind)
{
	size_t i = build->events_count++;
	struct event *events;

	if (i == build->events_room) {
		build->events_room = 2 * i + 64;
		build->events = realloc(build->events, build->events_room *
						       sizeof(*events));
		if (!build->events)
			abort();
	}
	events = build->events;
	events[i] = (struct event){
		.at = build->world.now + delay,
		.number = ++build->last_number,
		.builder = builder,
		.kind = kind,
	};
	for (; i && event_before(&events[i], &events[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap_events(&events[i], &events[(i - 1) / 2]);
}

static struct event next_event(struct build *build)
{
	struct event *events = build->events;
	struct event first = events[0];
	size_t count = --build->events_count;
	size_t i = 0, child;

	events[0] = events[count];
	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
		    event_before(&events[child + 1], &events[child]))
			child++;
		if (!event_before(&events[child], &events[i]))
			break;
		swap_events(&events[i], &events[child]);
		i = child;
	}
	return first;
}

/* ---- Builders ---- */

/**
 * builder_go_on() - a builder does its next step
 * @builder: who
 * @delay: after this time
 */
void builder_go_on(struct builder *builder, u64 delay)
{
	builder->busy = true;
	build_note(builder->build, delay, builder, GO_ON);
}

/**
 * builder_start_job() - a builder starts a job
 * @builder: who
 * @implicit: in its implicit slot
 */
void builder_start_job(struct builder *builder, bool implicit)
{
	struct build *build = builder->build;
	double factor = random_between(&build->random, 1 - build->spread,
				       1 + build->spread);

	if (builder->renews && !--builder->left)
		builder->wants = false;
	builder->jobs++;
	builder->implicit = builder->implicit || implicit;
	build_note(build, build->job_ns * factor, builder,
		   implicit ? IMPLICIT_END : JOB_END);
}

static void builder_init(struct builder *builder, struct process *process)
{
	process->actor = builder;
	builder->thread = &process->threads[0];
	builder->wants = true;
	builder->left = builder->renews;
}

/**
 * builder_renew() - a builder is done
 * @builder: who
 *
 * It dies, and another one starts in its place.
 */
void builder_renew(struct builder *builder)
{
	struct build *build = builder->build;
	struct process *process = builder->thread->process;
	unsigned int index = process->index;

	process_exit(process);
	judge_step(&build->world);
	process_forget(process);
	builder_init(builder, build->world.processes[index]);
	build_note(build, RENEW_NS, builder, BEGIN);
}

static void happen(const struct event *event)
{
	struct builder *builder = event->builder;

	switch (event->kind) {
	case BEGIN:
		builder->habit->begin(builder);
		break;
	case GO_ON:
		builder->busy = false;
		builder->habit->goes_on(builder);
		break;
	case IMPLICIT_END:
		builder->implicit_ended = true;
		builder->ended++;
		builder->habit->job_ended(builder);
		break;
	case JOB_END:
		builder->ended++;
		builder->habit->job_ended(builder);
		break;
	case PAUSES:
		builder->wants = false;
		break;
	case COMES:
		builder->wants = true;
		if (!builder->busy)
			builder->habit->begin(builder);
		break;
	}
}

static void woken(struct thread *thread)
{
	struct builder *builder = thread->process->actor;

	builder->habit->woken(builder);
}

/* ---- The clock ---- */

/**
 * build_run() - let it run
 * @build: the build
 * @until: up to this time
 *
 * Ends before that if the pool breaks a rule.
 */
void build_run(struct build *build, u64 until)
{
	struct world *world = &build->world;

	while (!world->judge.rule) {
		u64 next = until;
		bool event = build->events_count && build->events[0].at < next;

		if (event)
			next = build->events[0].at;
		if (build->work_at && build->work_at <= next) {
			world->now = build->work_at;
			build->work_at = 0;
			world_work(world);
		} else if (world->timer && world->timer <= next) {
			if (world->timer > world->now)
				world->now = world->timer;
			world_timer(world);
		} else if (event) {
			struct event happens = next_event(build);

			world->now = happens.at;
			happen(&happens);
		} else {
			break;
		}
		judge_step(world);
		if (world->work && !build->work_at)
			build->work_at = world->now + WORK_NS;
	}
	world->now = until;
	judge_time(world);
}

/**
 * build_init() - prepare a build
 * @build: the build
 * @tokens: number of tokens
 * @builders: number of programs
 * @job_ns: how long a job takes
 * @spread: by which part of that jobs differ
 */
void build_init(struct build *build, u32 tokens, unsigned int builders,
		u64 job_ns, double spread)
{
	unsigned int i;

	*build = (struct build){
		.count = builders,
		.job_ns = job_ns,
		.spread = spread,
	};
	random_init(&build->random, 1);
	world_init(&build->world, tokens, builders);
	build->world.woken = woken;
	build->builders = calloc(builders, sizeof(*build->builders));
	if (!build->builders)
		abort();
	for (i = 0; i < builders; i++) {
		struct process *process = build->world.processes[i];

		build->builders[i].build = build;
		builder_init(&build->builders[i], process);
	}
}

/**
 * build_free() - end a build
 * @build: the build
 */
void build_free(struct build *build)
{
	world_free(&build->world);
	free(build->builders);
	free(build->events);
}
