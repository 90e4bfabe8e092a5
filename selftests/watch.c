// SPDX-License-Identifier: GPL-2.0
/*
 * The account, watched by a thread while a test goes on; see watch.h.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

static pthread_t watcher;
static unsigned long looks, sums;
static bool stop;

/**
 * length_of() - how often a test does what it does
 * @name: of an environment variable that says so
 * @usual: what it is without
 *
 * Return: the number.
 */
unsigned long length_of(const char *name, unsigned long usual)
{
	const char *text = getenv(name);
	unsigned long length = usual;
	char *end;

	if (text) {
		length = strtoul(text, &end, 10);
		if (!length || *end)
			die("%s wants a number, not '%s'", name, text);
	}
	return length;
}

/**
 * seed_of_test() - what a test's random numbers begin with
 *
 * It is told, so that STEVE_SEED can have it again.
 *
 * Return: the seed.
 */
unsigned int seed_of_test(void)
{
	unsigned int seed = length_of("STEVE_SEED", time(NULL) ^ getpid() << 16);

	printf("# STEVE_SEED=%u\n", seed);
	fflush(stdout);
	return seed;
}

static void *watch(void *arg)
{
	do {
		pool_status();
		/* Takes long with many clients, and is in vain while tokens move. */
		if (looks++ % 16 == 0)
			sums += pool_clients_add_up();
		nap();
	} while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST));
	return arg;
}

/**
 * watch_account() - look at the account from now on, all the time
 *
 * The test fails at once when it does not add up.
 */
void watch_account(void)
{
	/* Before there is a second thread that might. */
	pool_status();
	looks = 0;
	sums = 0;
	stop = false;
	errno = pthread_create(&watcher, NULL, watch, NULL);
	if (errno)
		die("cannot start a thread");
}

/**
 * watched_account() - the end of watch_account()
 *
 * It tells how many times it was looked at, and how often what all clients have
 * was added up while no token moved.
 */
void watched_account(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	errno = pthread_join(watcher, NULL);
	if (errno)
		die("cannot wait for a thread");
	pool_check_clients();
	tell_figure("looks", "%lu at the account, %lu at what each client has",
		    looks, sums + 1);
}

/**
 * all_tokens_are_there() - take every token of an idle pool, and return it
 *
 * Return: true if there were exactly as many as there should be, and if the
 * pool is idle afterwards.
 */
bool all_tokens_are_there(void)
{
	int fd = open_steve(O_RDWR | O_NONBLOCK | O_CLOEXEC);
	unsigned int n = 0, jobs = pool_status().jobs;
	struct steve_status st;
	bool more;
	char byte;

	/* No try fails here: that would leave a place behind. */
	while (n < jobs && read(fd, &byte, 1) == 1)
		n++;
	more = another_can_take(fd);
	give_many(fd, n);
	close(fd);
	pool_check_clients();
	st = pool_status();
	if (n != jobs || more || !pool_idle()) {
		printf("# %u tokens of %u%s; then available %d, held %u, reserved %u, lent %u\n",
		       n, jobs, more ? " and more" : "", st.available, st.held,
		       st.reserved, st.lent);
		return false;
	}
	return true;
}

/**
 * tell_figure() - what was done, for the report
 * @name: what it is, in one word
 * @fmt: how many
 */
void tell_figure(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("# figure: %s ", name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* True now and then, that is after some seconds each. */
bool is_time_to_tell(void)
{
	static time_t last;
	time_t now = seconds();

	if (now - last < 10)
		return false;
	last = now;
	return true;
}
