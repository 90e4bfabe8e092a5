// SPDX-License-Identifier: GPL-2.0
/*
 * Histories: run, written and read.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/time64.h>

#include "history.h"
#include "world.h"

/* After this long everybody who waits has been served, if others return. */
#define DRAIN_NS		(600 * NSEC_PER_SEC)

/* ---- The end ---- */

/* All threads that were woken run, and take what they were woken for. */
static bool drain_threads(struct process *process)
{
	bool moved = false;
	int i;

	for (i = 0; i < THREADS; i++) {
		struct thread *thread = &process->threads[i];

		if (thread->state != HANDED && thread->state != POLL_WOKEN &&
		    thread->state != EPOLL_WOKEN)
			continue;
		moved = true;
		if (thread->state == HANDED) {
			thread_resume(thread);
		} else if (thread_resume(thread)) {
			thread_try(thread);
			judge_step(process->world);
		}
	}
	return moved;
}

static bool drain_process(struct process *process)
{
	bool moved = drain_threads(process);

	if (process->judged.tokens) {
		process_give(process, process->judged.tokens);
		moved = true;
	}
	judge_step(process->world);
	return moved;
}

static bool drain_round(struct world *world)
{
	bool moved = world_work(world);
	unsigned int i;

	judge_step(world);
	for (i = 0; i < world->count && !world->judge.rule; i++) {
		if (!world->processes[i]->dead &&
		    drain_process(world->processes[i]))
			moved = true;
	}
	return moved;
}

/*
 * From now on everybody returns tokens, and takes what it is told of: so
 * everybody who waits is served.
 */
static void drain(struct world *world)
{
	u64 end = world->now + DRAIN_NS;
	unsigned int i;

	world_unlimit(world);
	if (!world->pool.set.jobs)
		world_set_jobs(world, 1);
	while (!world->judge.rule && world->now < end) {
		while (!world->judge.rule && drain_round(world))
			;
		if (!world->timer)
			break;
		if (world->timer > world->now)
			world->now = world->timer;
		if (world->judge.log)
			fprintf(world->judge.log, "%.9f timer\n",
				world->now / 1e9);
		world_timer(world);
		judge_step(world);
	}
	for (i = 0; i < world->count; i++) {
		if (process_waits(world->processes[i]))
			judge_fault(world, "starved",
				    "%u waits, and is never served", i);
	}
}

static void end(struct world *world)
{
	unsigned int i;

	for (i = 0; i < world->count && !world->judge.rule; i++) {
		if (!world->processes[i]->dead)
			process_exit(world->processes[i]);
		judge_step(world);
	}
	while (world->work) {
		world_work(world);
		judge_step(world);
	}
	judge_empty(world);
}

static void judged(struct world *world, struct verdict *verdict)
{
	*verdict = (struct verdict){ };
	if (!world->judge.rule)
		return;
	snprintf(verdict->rule, sizeof(verdict->rule), "%s",
		 world->judge.rule);
	snprintf(verdict->fault, sizeof(verdict->fault), "%s",
		 world->judge.fault);
}

/* ---- Running ---- */

/**
 * history_begin() - make the world of a history
 * @world: the world
 * @history: the history
 */
void history_begin(struct world *world, const struct history *history)
{
	struct steve_pool_settings settings;

	world_init(world, history->jobs, history->processes);
	settings = world->pool.set;
	settings.reserve_ms = history->reserve_ms;
	world_configure(world, &settings);
}

/**
 * history_end() - end the world of a history
 * @world: the world
 * @history: the history
 * @verdict: what came out
 */
void history_end(struct world *world, const struct history *history,
		 struct verdict *verdict)
{
	if (history->drain && !world->judge.rule)
		drain(world);
	if (!world->judge.rule)
		end(world);
	judged(world, verdict);
	world_free(world);
}

/**
 * history_run() - replay a history
 * @history: the history
 * @log: where to write what happens, or NULL
 * @verdict: what came out
 *
 * A step that cannot be done is left out.
 */
void history_run(const struct history *history, FILE *log,
		 struct verdict *verdict)
{
	struct world world;
	size_t i;

	history_begin(&world, history);
	world.judge.log = log;
	for (i = 0; i < history->count && !world.judge.rule; i++) {
		if (log) {
			fprintf(log, "%.9f ", world.now / 1e9);
			step_write(&history->steps[i], log);
		}
		if (!step_do(&world, &history->steps[i]) && log)
			fputs("\t(cannot be done)\n", log);
	}
	history_end(&world, history, verdict);
}

/* ---- Writing and reading ---- */

/**
 * history_write() - write a history down
 * @history: the history
 * @file: where to
 */
void history_write(const struct history *history, FILE *file)
{
	size_t i;

	fprintf(file, "world %u %u %u %d\n", history->jobs,
		history->processes, history->reserve_ms,
		history->drain);
	for (i = 0; i < history->count; i++)
		step_write(&history->steps[i], file);
}

static bool read_world(struct history *history, const char *line)
{
	int drain;
	char rest;

	if (sscanf(line, "world %u %u %u %d %c", &history->jobs,
		   &history->processes, &history->reserve_ms, &drain, &rest) != 4)
		return false;
	history->drain = drain;
	return history->processes && history->processes <= U16_MAX;
}

static bool read_line(struct history *history, const char *line)
{
	struct step *steps;
	size_t count = history->count;

	if (!history->processes)
		return read_world(history, line);
	steps = realloc(history->steps, (count + 1) * sizeof(*steps));
	if (!steps)
		return false;
	history->steps = steps;
	history->count++;
	return step_read(&steps[count], line);
}

/**
 * history_read() - read a history that was written down
 * @history: the history; the caller frees @history->steps
 * @file: where from
 * @name: what to call that in an error message
 *
 * Return: whether it could be read.
 */
bool history_read(struct history *history, FILE *file, const char *name)
{
	unsigned int number = 0;
	char line[128];

	*history = (struct history){ };
	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "#\n")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		if (!read_line(history, line)) {
			fprintf(stderr, "desk: %s:%u: not a step: %s\n", name,
				number, line);
			return false;
		}
	}
	if (!history->processes)
		fprintf(stderr, "desk: %s: no line \"world\"\n", name);
	return history->processes;
}
