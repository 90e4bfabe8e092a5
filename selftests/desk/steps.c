// SPDX-License-Identifier: GPL-2.0
/*
 * Steps: how each of them is done, and how it is written.
 */
#include <string.h>

#include "steps.h"
#include "world.h"

/**
 * enum needs - what an operation needs
 * @NOTHING: nothing
 * @NUMBER: a number
 * @PROCESS: a process
 * @PROCESS_NUMBER: a process and a number
 * @THREAD: a thread
 * @THREAD_NUMBER: a thread and a number
 */
enum needs {
	NOTHING,
	NUMBER,
	PROCESS,
	PROCESS_NUMBER,
	THREAD,
	THREAD_NUMBER,
};

/**
 * struct operation - one kind of step
 * @name: what it is called in a written history
 * @needs: what it needs
 * @run: does it; returns false if it cannot be done now, and nothing happened
 */
struct operation {
	const char *name;
	enum needs needs;
	bool (*run)(struct world *world, struct thread *thread, u64 argument);
};

static bool can_run(const struct thread *thread)
{
	return thread->state == RUNNING && !thread->process->dead;
}

/* Does any thread of the process run? */
static bool is_awake(const struct process *process)
{
	int i;

	for (i = 0; i < THREADS; i++) {
		if (can_run(&process->threads[i]))
			return true;
	}
	return false;
}

static bool run_wait(struct world *world, struct thread *thread, u64 argument)
{
	world->now += argument;
	return true;
}

static bool run_timer(struct world *world, struct thread *thread, u64 argument)
{
	return world_timer(world);
}

static bool run_work(struct world *world, struct thread *thread, u64 argument)
{
	return world_work(world);
}

static bool run_jobs(struct world *world, struct thread *thread, u64 argument)
{
	world_set_jobs(world, argument);
	return true;
}

static bool run_policy(struct world *world, struct thread *thread,
		       u64 argument)
{
	world_set_policy(world, argument ? STEVE_POLICY_FAIR :
			 STEVE_POLICY_FIFO);
	return true;
}

static bool run_share(struct world *world, struct thread *thread, u64 argument)
{
	world_set_share(world, argument);
	return true;
}

static bool run_memory(struct world *world, struct thread *thread,
		       u64 argument)
{
	if (argument > SCARCE)
		return false;
	world_set_memory(world, argument);
	return true;
}

static bool run_cap(struct world *world, struct thread *thread, u64 argument)
{
	world_cap(world, argument);
	return true;
}

static bool run_uncap(struct world *world, struct thread *thread, u64 argument)
{
	if (!world->capped)
		return false;
	world_uncap(world);
	return true;
}

static bool run_unknown(struct world *world, struct thread *thread,
			u64 argument)
{
	world_give_unknown(world, argument);
	return true;
}

static bool run_try(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_try(thread);
	return true;
}

static bool run_ask(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_asks(thread);
	return true;
}

static bool run_read(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_read(thread);
	return true;
}

static bool run_fault(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_fault(thread);
	return true;
}

static bool run_poll(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_poll(thread, true);
	return true;
}

static bool run_peek(struct world *world, struct thread *thread, u64 argument)
{
	if (!can_run(thread))
		return false;
	thread_poll(thread, false);
	return true;
}

static bool run_epwait(struct world *world, struct thread *thread,
		       u64 argument)
{
	if (!can_run(thread) || argument >= world->count ||
	    !world->processes[argument]->epoll.open)
		return false;
	thread_epoll_wait(thread, argument);
	return true;
}

static bool run_resume(struct world *world, struct thread *thread,
		       u64 argument)
{
	if (thread->state != HANDED && thread->state != POLL_WOKEN &&
	    thread->state != EPOLL_WOKEN)
		return false;
	thread_resume(thread);
	return true;
}

static bool run_signal(struct world *world, struct thread *thread,
		       u64 argument)
{
	if (thread->state == RUNNING)
		return false;
	thread_interrupt(thread);
	return true;
}

static bool run_discard(struct world *world, struct thread *thread,
			u64 argument)
{
	return thread_discard(thread);
}

static bool run_write(struct world *world, struct thread *thread, u64 argument)
{
	if (!is_awake(thread->process))
		return false;
	process_give(thread->process, argument);
	return true;
}

static bool run_epoll(struct world *world, struct thread *thread, u64 argument)
{
	if (!is_awake(thread->process) || thread->process->epoll.open ||
	    argument > ONESHOT)
		return false;
	process_epoll_add(thread->process, argument);
	return true;
}

static bool run_rearm(struct world *world, struct thread *thread, u64 argument)
{
	if (!is_awake(thread->process) || !thread->process->epoll.open)
		return false;
	process_epoll_rearm(thread->process);
	return true;
}

static bool run_unepoll(struct world *world, struct thread *thread,
			u64 argument)
{
	if (!is_awake(thread->process) || !thread->process->epoll.open)
		return false;
	process_epoll_remove(thread->process);
	return true;
}

/* A file that a thread reads or polls stays open. */
static bool run_leave(struct world *world, struct thread *thread, u64 argument)
{
	struct process *process = thread->process;
	int i;

	for (i = 0; i < THREADS; i++) {
		if (process->threads[i].state != RUNNING)
			return false;
	}
	process_leave(process);
	return true;
}

static bool run_reclaim(struct world *world, struct thread *thread,
			u64 argument)
{
	if (thread->process->dead)
		return false;
	process_reclaim(thread->process);
	return true;
}

static bool run_exit(struct world *world, struct thread *thread, u64 argument)
{
	if (thread->process->dead)
		return false;
	process_exit(thread->process);
	return true;
}

static bool run_forget(struct world *world, struct thread *thread,
		       u64 argument)
{
	if (!thread->process->dead)
		return false;
	process_forget(thread->process);
	return true;
}

static const struct operation operations[OPERATIONS] = {
	[WAIT]		= { "wait", NUMBER, run_wait },
	[TIMER]		= { "timer", NOTHING, run_timer },
	[WORK]		= { "work", NOTHING, run_work },
	[JOBS]		= { "jobs", NUMBER, run_jobs },
	[POLICY]	= { "policy", NUMBER, run_policy },
	[SHARE]		= { "share", NUMBER, run_share },
	[MEMORY]	= { "memory", NUMBER, run_memory },
	[CAP]		= { "cap", NUMBER, run_cap },
	[UNCAP]		= { "uncap", NOTHING, run_uncap },
	[UNKNOWN]	= { "unknown", NUMBER, run_unknown },
	[TRY]		= { "try", THREAD, run_try },
	[ASK]		= { "ask", THREAD, run_ask },
	[READ]		= { "read", THREAD, run_read },
	[FAULT]		= { "fault", THREAD, run_fault },
	[POLL]		= { "poll", THREAD, run_poll },
	[PEEK]		= { "peek", THREAD, run_peek },
	[EPWAIT]	= { "epwait", THREAD_NUMBER, run_epwait },
	[RESUME]	= { "resume", THREAD, run_resume },
	[SIGNAL]	= { "signal", THREAD, run_signal },
	[DISCARD]	= { "discard", THREAD, run_discard },
	[WRITE]		= { "write", PROCESS_NUMBER, run_write },
	[EPOLL]		= { "epoll", PROCESS_NUMBER, run_epoll },
	[REARM]		= { "rearm", PROCESS, run_rearm },
	[UNEPOLL]	= { "unepoll", PROCESS, run_unepoll },
	[LEAVE]		= { "leave", PROCESS, run_leave },
	[RECLAIM]	= { "reclaim", PROCESS, run_reclaim },
	[EXIT]		= { "exit", PROCESS, run_exit },
	[FORGET]	= { "forget", PROCESS, run_forget },
};

/**
 * step_do() - do a step, and have it judged
 * @world: where
 * @step: the step
 *
 * Return: whether it could be done; if not, nothing has happened.
 */
bool step_do(struct world *world, const struct step *step)
{
	struct process *process;

	if (step->process >= world->count || step->thread >= THREADS)
		return false;
	process = world->processes[step->process];
	if (!operations[step->what].run(world, &process->threads[step->thread],
					step->argument))
		return false;
	judge_step(world);
	return true;
}

/* ---- Writing and reading ---- */

/**
 * step_write() - write a step down, in a line
 * @step: the step
 * @file: where to
 */
void step_write(const struct step *step, FILE *file)
{
	const struct operation *operation = &operations[step->what];

	fputs(operation->name, file);
	if (operation->needs >= PROCESS)
		fprintf(file, " %u", step->process);
	if (operation->needs >= THREAD)
		fprintf(file, ".%u", step->thread);
	if (operation->needs == NUMBER || operation->needs == PROCESS_NUMBER ||
	    operation->needs == THREAD_NUMBER)
		fprintf(file, " %llu", (unsigned long long)step->argument);
	fputc('\n', file);
}

/**
 * step_read() - read a step
 * @step: the step
 * @line: where from
 *
 * Return: whether it could be read.
 */
bool step_read(struct step *step, const char *line)
{
	const struct operation *operation;
	unsigned int process = 0, thread = 0;
	char name[16], dot, rest;
	unsigned long long argument = 0;
	int used, want;

	*step = (struct step){ };
	if (sscanf(line, "%15s%n", name, &used) != 1)
		return false;
	for (; step->what < OPERATIONS; step->what++) {
		if (!strcmp(operations[step->what].name, name))
			break;
	}
	if (step->what == OPERATIONS)
		return false;
	operation = &operations[step->what];
	line += used;

	if (operation->needs >= THREAD) {
		if (sscanf(line, "%u%c%u%n", &process, &dot, &thread,
			   &used) != 3 || dot != '.')
			return false;
		line += used;
	} else if (operation->needs >= PROCESS) {
		if (sscanf(line, "%u%n", &process, &used) != 1)
			return false;
		line += used;
	}
	want = operation->needs == NUMBER ||
	       operation->needs == PROCESS_NUMBER ||
	       operation->needs == THREAD_NUMBER;
	if (want && sscanf(line, "%llu%n", &argument, &used) != 1)
		return false;
	line += want ? used : 0;

	step->process = process;
	step->thread = thread;
	step->argument = argument;
	return sscanf(line, " %c", &rest) != 1 && process <= U16_MAX &&
	       thread < THREADS;
}
