// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and threads of the fuzzer: how they begin, choose what to do, and
 * end.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "fuzz.h"

/* Threads of a process beside the first. */
#define THREADS_MAX	3

/* Of so many operations the one is done that has met the rarest outcome. */
#define CANDIDATES	3

static atomic_uint threads;

unsigned int below(struct worker *worker, unsigned int count)
{
	return nrand48(worker->random) % count;
}

bool chance(struct worker *worker, unsigned int percent)
{
	return below(worker, 100) < percent;
}

int outcome_of(long ret)
{
	if (ret < 0)
		return -ret;
	return ret > 1 ? GAVE_MORE : GAVE_0 + ret;
}

const char *outcome_name(int outcome)
{
	switch (outcome) {
	case GAVE_0:
		return "0";
	case GAVE_1:
		return "1";
	case GAVE_MORE:
		return "more";
	default:
		return strerrorname_np(outcome);
	}
}

bool outcome_listed(const short *list, int outcome)
{
	for (int i = 0; i < OUTCOMES_LISTED && list[i]; i++)
		if (list[i] == outcome)
			return true;
	return false;
}

/* Something went as it must not. */
void fault(struct worker *worker, const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "# wrong: %s (process %d from seed %lu, itself %lu, %u to go)\n",
		line, getpid(), worker->origin, worker->seed, worker->left);
	atomic_fetch_add(&shared->faults, 1);
}

/* How often the rarest outcome of an operation was met that it has to meet. */
static unsigned int rarity(const struct worker *worker, size_t i)
{
	const struct operation *operation = &operations[i];
	unsigned int least = UINT_MAX;

	for (int j = 0; j < OUTCOMES_LISTED && operation->must[j]; j++) {
		unsigned int seen = worker->seen[i][operation->must[j]];

		if (seen < least)
			least = seen;
	}
	return least;
}

static size_t choose(struct worker *worker)
{
	size_t best = below(worker, operations_count);

	for (int i = 1; i < CANDIDATES; i++) {
		size_t other = below(worker, operations_count);

		if (rarity(worker, other) < rarity(worker, best))
			best = other;
	}
	return best;
}

/* Has everything come out of an operation that has to? */
static bool all_met(size_t i)
{
	const short *must = operations[i].must;

	for (int j = 0; j < OUTCOMES_LISTED && must[j]; j++)
		if (!atomic_load(&shared->seen[i][must[j]]))
			return false;
	return true;
}

static void work_once(struct worker *worker)
{
	size_t i = choose(worker);
	const struct operation *operation = &operations[i];
	int outcome;
	long ret;

	if (operation->percent && all_met(i) &&
	    !chance(worker, operation->percent))
		return;
	ret = operation->run(worker);
	if (ret == NOT_NOW)
		return;
	outcome = outcome_of(ret);
	worker->seen[i][outcome]++;
	atomic_fetch_add(&shared->seen[i][outcome], 1);
	if (!outcome_listed(operation->must, outcome) &&
	    !outcome_listed(operation->may, outcome))
		fault(worker, "%s gave %s", operation->name,
		      outcome_name(outcome));
}

static void nothing(int signal)
{
}

/*
 * Signals end blocked calls again and again, so that no process sleeps for good
 * and reads are interrupted at all times.
 */
static void set_alarm(struct worker *worker, bool on)
{
	int usec = on ? 1000 + below(worker, 20000) : 0;

	setitimer(ITIMER_REAL, &(struct itimerval){
		.it_value.tv_usec = usec,
		.it_interval.tv_usec = usec,
	}, NULL);
}

/* What a process does first, after fork or exec. */
void worker_begin(struct worker *worker)
{
	struct sigaction action = { .sa_handler = nothing };

	atomic_store(&threads, 0);
	ring_forget(worker);
	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &(struct rlimit){});
	if (!worker->foreign)
		atomic_store(&shared->pids[getpid() % 256], getpid());
	set_alarm(worker, true);
}

struct worker *worker_new(const struct worker *parent, unsigned long seed)
{
	struct worker *worker = malloc(sizeof(*worker));

	if (!worker)
		die("no memory");
	if (parent)
		*worker = *parent;
	else
		*worker = (struct worker){ .origin = seed };
	worker->seed = seed;
	worker->ring = NULL;
	memcpy(worker->random, &seed, sizeof(worker->random));
	/* Seeds that are close to each other begin alike. */
	nrand48(worker->random);
	nrand48(worker->random);
	worker->left = 50 + below(worker, 400);
	return worker;
}

static void __noreturn end_process(struct worker *worker)
{
	switch (below(worker, 4)) {
	case 0:
		raise(SIGKILL);
		break;
	case 1:
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		break;
	case 2:
		/* The leader first, its threads later. */
		ring_end(worker);
		pthread_exit(NULL);
	}
	_exit(0);
}

void worker_main(struct worker *worker)
{
	while (worker->left--)
		work_once(worker);
	end_process(worker);
}

void *worker_thread(void *arg)
{
	struct worker *worker = arg;

	while (worker->left--)
		work_once(worker);
	ring_end(worker);
	free(worker);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

/* Is there no thread beside? */
bool worker_is_alone(void)
{
	return !atomic_load(&threads);
}

/* May there be one thread more? If so there is. */
bool worker_may_thread(void)
{
	if (atomic_fetch_add(&threads, 1) < THREADS_MAX)
		return true;
	atomic_fetch_sub(&threads, 1);
	return false;
}

/* Goes on in a new program, with the descriptors that are left to it. */
long worker_exec(struct worker *worker)
{
	char text[5][32], fds[256];
	char *const args[] = {
		"fuzz", "--go-on", text[0], text[1], text[2], text[3], text[4],
		fds, NULL,
	};
	long ret;

	snprintf(text[0], 32, "%u", below(worker, INT_MAX));
	snprintf(text[1], 32, "%lu", worker->origin);
	snprintf(text[2], 32, "%u", worker->left);
	snprintf(text[3], 32, "%u", worker->budget);
	snprintf(text[4], 32, "%d", worker->foreign);
	fds_list(fds, sizeof(fds));
	/* The new program has no handler at first. */
	set_alarm(worker, false);
	/* The first thread may have ended, and its program with it. */
	execv("/proc/thread-self/exe", args);
	ret = -errno;
	set_alarm(worker, true);
	return ret;
}

/* What worker_exec() began. */
void worker_resume(char **args)
{
	struct worker *worker = worker_new(NULL, strtoul(args[0], NULL, 10));

	worker->origin = strtoul(args[1], NULL, 10);
	worker->left = strtoul(args[2], NULL, 10);
	worker->budget = strtoul(args[3], NULL, 10);
	worker->foreign = strtoul(args[4], NULL, 10);
	fds_restore(args[5]);
	worker_begin(worker);
	for (size_t i = 0; i < operations_count; i++)
		if (operations[i].run == worker_exec)
			atomic_fetch_add(&shared->seen[i][GAVE_0], 1);
	worker_main(worker);
}
