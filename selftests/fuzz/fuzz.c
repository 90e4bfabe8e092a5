// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer: starts processes that use the jobserver at random, watches the
 * account all along, and counts the tokens at the end. Prints TAP.
 *
 *   STEVE_FUZZ_SECONDS  how long (20)
 *   STEVE_FUZZ_SEED     of the first process; each one after it has the next.
 *                       A process decides by its seed and by what its calls give
 *   STEVE_FUZZ_WORKERS  processes at a time, beside their descendants (6)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "fuzz.h"

#define WORKERS_MAX	64

/* Descendants of a process that the fuzzer starts. */
#define BUDGET		7

struct shared *shared;

/**
 * struct watch - what the watcher knows
 * @fd: the device
 * @seed: of the next process
 * @group: the process group of all that is started
 * @workers: processes at a time
 * @pids: those
 * @first: the account at the beginning
 * @last: the account seen last
 * @looks: how often it was looked at
 * @wrong: looks at which it was wrong
 * @started: processes started
 */
struct watch {
	int fd;
	unsigned long seed;
	pid_t group;
	unsigned int workers;
	pid_t pids[WORKERS_MAX];
	struct steve_status first;
	struct steve_status last;
	unsigned long looks;
	unsigned long sums;	/* of what all clients have, while nothing moved */
	unsigned long wrong;
	unsigned long started;
};

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long value;
	char *end;

	if (!text || !*text)
		return otherwise;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text == '-') {
		printf("Bail out! %s=%s is not a number\n", name, text);
		exit(1);
	}
	return value;
}

static unsigned long any_seed(void)
{
	unsigned int seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		die("no random numbers");
	return seed;
}

/* ---- The watcher ---- */

static bool counts_on(const struct steve_status *before,
		      const struct steve_status *after)
{
	return after->granted >= before->granted &&
	       after->returned >= before->returned &&
	       after->reclaimed >= before->reclaimed &&
	       after->lapsed >= before->lapsed &&
	       after->loans >= before->loans &&
	       after->strays >= before->strays &&
	       after->abandoned >= before->abandoned &&
	       after->interrupted >= before->interrupted;
}

static void look(struct watch *watch)
{
	struct steve_status st = {};
	enum sum sum = SUM_UNKNOWN;

	if (ioctl(watch->fd, STEVE_IOC_GET_STATUS, &st))
		die("cannot read the status");
	if (watch->looks++ % 16 == 0)
		sum = sum_of_clients(watch->fd);
	watch->sums += sum == SUM_RIGHT;
	if (!adds_up(&st) || sum == SUM_WRONG || st.size > st.jobs ||
	    st.jobs > FUZZ_JOBS || st.lent > FUZZ_JOBS ||
	    !counts_on(&watch->last, &st)) {
		watch->wrong++;
		printf("# jobs %u, size %u, lent %u, the %luth time\n", st.jobs,
		       st.size, st.lent, watch->looks);
	}
	watch->last = st;
}

static void start_worker(struct watch *watch, unsigned int i)
{
	unsigned long seed = watch->seed++;
	struct worker *worker;
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	watch->pids[i] = pid;
	watch->started++;
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, watch->group);
	close(watch->fd);
	worker = worker_new(NULL, seed);
	worker->budget = BUDGET;
	fds_init();
	worker_begin(worker);
	worker_main(worker);
}

/* No process ends by itself as one does that cannot do its work. */
static pid_t reap_one(struct watch *watch)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
		watch->wrong++;
		printf("# process %d has aborted\n", pid);
	}
	return pid;
}

/* Starts anew what has ended. Orphans come to the watcher, too. */
static void replace_dead(struct watch *watch)
{
	pid_t pid;

	while ((pid = reap_one(watch)) > 0)
		for (unsigned int i = 0; i < watch->workers; i++)
			if (watch->pids[i] == pid)
				start_worker(watch, i);
}

/* A process that does nothing but keep the process group. */
static pid_t start_group(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		hold_forever();
	}
	setpgid(pid, pid);
	return pid;
}

static void watch_for(struct watch *watch, unsigned long length)
{
	time_t end = seconds() + length;
	time_t next = seconds();

	for (unsigned int i = 0; i < watch->workers; i++)
		start_worker(watch, i);
	while (seconds() < end) {
		look(watch);
		replace_dead(watch);
		/* Who is stopped goes on some time. */
		if (seconds() >= next) {
			kill(-watch->group, SIGCONT);
			next = seconds() + 1;
		}
		nap();
	}
}

/* Ends all that was started, whatever it is at. */
static bool end_all(struct watch *watch)
{
	time_t end = seconds() + PATIENCE;
	pid_t pid;

	do {
		kill(-watch->group, SIGKILL);
		look(watch);
		pid = reap_one(watch);
		if (!pid)
			nap();
	} while ((pid >= 0 || errno != ECHILD) && seconds() < end);
	return pid < 0;
}

/* ---- The result ---- */

static bool is_idle(struct watch *watch)
{
	look(watch);
	return !watch->last.held && !watch->last.reserved && !watch->last.lent &&
	       !watch->last.waiting && !watch->last.caps;
}

/* Each token that was granted came back, each slot that was lent too. */
static bool books_balance(const struct watch *watch)
{
	const struct steve_status *a = &watch->first, *b = &watch->last;
	__u64 granted = b->granted - a->granted;
	__u64 returned = b->returned - a->returned;
	__u64 reclaimed = b->reclaimed - a->reclaimed;
	__u64 loans = b->loans - a->loans;
	__u64 abandoned = b->abandoned - a->abandoned;

	printf("# granted %llu + abandoned %llu, returned %llu + reclaimed %llu + loans %llu\n",
	       granted, abandoned, returned, reclaimed, loans);
	return granted && granted + abandoned == returned + reclaimed + loans;
}

/* As many tokens can be taken as there are jobs. */
static bool all_can_be_taken(struct watch *watch)
{
	unsigned int n = 0;
	bool more;
	char byte;

	if (!wait_until(is_idle(watch)))
		return false;
	if (fcntl(watch->fd, F_SETFL, O_NONBLOCK))
		die("cannot set flags");
	while (n < FUZZ_JOBS && read(watch->fd, &byte, 1) == 1)
		n++;
	more = another_can_take(watch->fd);
	give_many(watch->fd, n);
	look(watch);
	printf("# %u tokens of %u%s\n", n, FUZZ_JOBS, more ? " and more" : "");
	return n == FUZZ_JOBS && !more;
}

static void show_operation(size_t i)
{
	bool first = true;

	printf("# %s:", operations[i].name);
	for (int j = 0; j < OUTCOMES; j++) {
		unsigned long n = atomic_load(&shared->seen[i][j]);

		if (!n)
			continue;
		printf("%s %s %lu", first ? "" : ",", outcome_name(j), n);
		first = false;
	}
	printf("\n");
}

static bool all_was_met(void)
{
	bool met = true;

	for (size_t i = 0; i < operations_count; i++) {
		const short *must = operations[i].must;

		show_operation(i);
		for (int j = 0; j < OUTCOMES_LISTED && must[j]; j++) {
			if (atomic_load(&shared->seen[i][must[j]]))
				continue;
			printf("# %s never gave %s\n", operations[i].name,
			       outcome_name(must[j]));
			met = false;
		}
	}
	return met;
}

/* ---- The whole ---- */

static void map_shared(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      SHARED_FD, 0);
	if (shared == MAP_FAILED)
		die("no memory");
}

static void make_shared(void)
{
	int memory = memfd_create("fuzz", 0);
	int sockets[2];

	if (memory < 0 || ftruncate(memory, sizeof(*shared)) ||
	    dup2(memory, SHARED_FD) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) ||
	    dup2(sockets[0], SEND_FD) < 0 || dup2(sockets[1], RECEIVE_FD) < 0)
		die("cannot make what all share");
	close(memory);
	close(sockets[0]);
	close(sockets[1]);
	map_shared();
}

/* Descriptors may be on their way from one process to another. */
static void close_shared(void)
{
	close(SEND_FD);
	close(RECEIVE_FD);
}

static struct steve_settings begin(struct watch *watch)
{
	struct steve_settings jobs = {
		.mask = STEVE_SET_JOBS,
		.jobs = FUZZ_JOBS,
	};
	struct steve_settings before = pool_settings();

	pool_close();
	watch->fd = open_steve(O_RDWR | O_CLOEXEC);
	watch->workers = setting("STEVE_FUZZ_WORKERS", 6);
	if (!watch->workers || watch->workers > WORKERS_MAX)
		ksft_exit_fail_msg("STEVE_FUZZ_WORKERS wants 1 to %d\n", WORKERS_MAX);
	if (ioctl(watch->fd, STEVE_IOC_SET_SETTINGS, &jobs))
		die("cannot set the jobs");
	if (ioctl(watch->fd, STEVE_IOC_GET_STATUS, &watch->first))
		die("cannot read the status");
	watch->last = watch->first;
	return before;
}

int main(int argc, char **argv)
{
	unsigned long length = setting("STEVE_FUZZ_SECONDS", 20);
	struct watch watch = { .seed = setting("STEVE_FUZZ_SEED", any_seed()) };
	struct steve_settings before, fuzzed;

	if (argc == 8 && !strcmp(argv[1], "--go-on")) {
		map_shared();
		worker_resume(argv + 2);
	}
	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root\n");
	ksft_set_plan(6);
	ksft_print_msg("%lu seconds from STEVE_FUZZ_SEED=%lu on\n", length,
		       watch.seed);
	make_shared();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	before = begin(&watch);
	watch.group = start_group();
	watch_for(&watch, length);
	ksft_test_result(end_all(&watch), "everything ends\n");
	close_shared();

	fuzzed = before;
	fuzzed.jobs = FUZZ_JOBS;
	if (ioctl(watch.fd, STEVE_IOC_SET_SETTINGS, &fuzzed))
		die("cannot restore the settings");
	ksft_test_result(all_can_be_taken(&watch), "every token is there\n");
	ksft_test_result(books_balance(&watch), "the books balance\n");
	ksft_test_result(watch.sums && !watch.wrong,
			 "the account was right at %lu looks, and %lu of what each client has\n",
			 watch.looks, watch.sums);
	ksft_test_result(!atomic_load(&shared->faults), "no call went wrong\n");
	ksft_test_result(all_was_met(), "every outcome was met\n");
	ksft_print_msg("%lu processes, and their descendants\n", watch.started);
	if (ioctl(watch.fd, STEVE_IOC_SET_SETTINGS, &before))
		die("cannot restore the settings");
	ksft_finished();
}
