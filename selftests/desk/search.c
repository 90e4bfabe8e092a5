// SPDX-License-Identifier: GPL-2.0
/*
 * The search for a history that breaks a rule, and the shortest form of it.
 *
 * Histories run in child processes, since a fault may well be a crash or a loop
 * without end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history.h"
#include "search.h"

#define BATCH		200	/* histories that one child runs */
#define PATIENCE	3	/* seconds for one history */
#define PATIENCE_BIG	60	/* for one of many processes */

/**
 * struct shared - what a child tells even if it crashes
 * @seed: the history it was at
 * @history: that history
 * @verdict: what came out of it
 */
struct shared {
	unsigned long seed;
	struct history history;
	struct verdict verdict;
};

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("desk: mmap");
		exit(2);
	}
	return memory;
}

/* From now on a history may take so long, in time of the processor. */
static void be_patient(bool big)
{
	struct itimerval limit = {
		.it_value.tv_sec = big ? PATIENCE_BIG : PATIENCE,
	};

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* Runs a function in a child. What that cannot tell itself, it is told of it. */
static void in_child(struct shared *shared, void (*run)(struct shared *shared))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		run(shared);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("desk: fork");
		exit(2);
	}
	if (!status)
		return;
	snprintf(shared->verdict.rule, sizeof(shared->verdict.rule), "crash");
	snprintf(shared->verdict.fault, sizeof(shared->verdict.fault), "%s",
		 WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF ?
		 "it goes on for ever" : "it crashes");
}

/* ---- The shortest form ---- */

static void run_silently(struct shared *shared)
{
	be_patient(shared->history.processes > 1000);
	history_run(&shared->history, NULL, &shared->verdict);
}

/* Is the same rule broken without @count steps from @from on? */
static bool can_do_without(struct shared *shared, size_t from, size_t count)
{
	struct history *history = &shared->history;
	struct history whole = *history;
	struct verdict verdict = shared->verdict;
	size_t rest = whole.count - from - count;
	struct step *steps = malloc(whole.count * sizeof(*steps));

	if (!steps)
		abort();
	memcpy(steps, whole.steps, whole.count * sizeof(*steps));
	memmove(whole.steps + from, whole.steps + from + count,
		rest * sizeof(*steps));
	history->count -= count;
	memset(&shared->verdict, 0, sizeof(shared->verdict));
	in_child(shared, run_silently);
	if (strcmp(shared->verdict.rule, verdict.rule)) {
		memcpy(whole.steps, steps, whole.count * sizeof(*steps));
		*history = whole;
		shared->verdict = verdict;
		free(steps);
		return false;
	}
	free(steps);
	return true;
}

static void shorten(struct shared *shared)
{
	struct history *history = &shared->history;
	size_t before, chunk, from;

	history->drain = false;
	if (!can_do_without(shared, 0, 0))
		history->drain = true;
	do {
		before = history->count;
		for (chunk = before / 2; chunk; chunk /= 2) {
			from = history->count / chunk * chunk;
			while (from >= chunk) {
				from -= chunk;
				if (from + chunk <= history->count)
					can_do_without(shared, from, chunk);
			}
		}
	} while (history->count < before);
}

/* ---- The search ---- */

static unsigned long last_seed;
static size_t steps_each;

static void run_batch(struct shared *shared)
{
	while (shared->seed <= last_seed) {
		be_patient(shared->seed % HISTORY_BIG == 0);
		history_make(&shared->history, shared->seed, steps_each,
			     &shared->verdict);
		if (shared->verdict.rule[0])
			return;
		shared->seed++;
	}
}

static void report(struct shared *shared, FILE *out)
{
	fprintf(out, "# history %lu, %s: %s\n", shared->seed,
		shared->verdict.rule, shared->verdict.fault);
	shorten(shared);
	fprintf(out, "# in short, %s: %s\n", shared->verdict.rule,
		shared->verdict.fault);
	history_write(&shared->history, out);
}

/**
 * search() - look for a history that breaks a rule
 * @seed: the first one to look at
 * @count: how many to look at
 * @steps: how long they are
 * @out: where to write the one that is found
 *
 * Return: whether all rules were kept.
 */
bool search(unsigned long seed, unsigned long count, size_t steps, FILE *out)
{
	struct shared *shared = map(sizeof(*shared));
	size_t size = steps * HISTORY_BIG_FACTOR * sizeof(struct step);
	unsigned long end = seed + count;

	steps_each = steps;
	shared->history.steps = map(size);
	while (seed < end) {
		last_seed = seed + BATCH < end ? seed + BATCH - 1 : end - 1;
		shared->seed = seed;
		in_child(shared, run_batch);
		if (shared->verdict.rule[0])
			break;
		seed = last_seed + 1;
	}
	if (seed < end)
		report(shared, out);
	munmap(shared->history.steps, size);
	munmap(shared, sizeof(*shared));
	return seed >= end;
}

/**
 * replay() - run a history that was written down, and tell what happens
 * @name: of the file
 *
 * Return: whether all rules were kept.
 */
bool replay(const char *name)
{
	struct history history;
	struct verdict verdict;
	FILE *file = fopen(name, "r");
	bool ok;

	if (!file) {
		fprintf(stderr, "desk: cannot read %s: ", name);
		perror("");
		exit(2);
	}
	ok = history_read(&history, file, name);
	fclose(file);
	if (!ok)
		exit(2);
	history_run(&history, stdout, &verdict);
	free(history.steps);
	if (verdict.rule[0])
		printf("%s: %s\n", verdict.rule, verdict.fault);
	else
		puts("all rules are kept");
	return !verdict.rule[0];
}
