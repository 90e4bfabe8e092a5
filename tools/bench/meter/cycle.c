// SPDX-License-Identifier: GPL-2.0
/*
 * Take and return, again and again, with nobody in the way: the time of one
 * such cycle.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meter.h"

static const char *read_path, *write_path;
static unsigned int loops, processes, threads;
static int read_fd, write_fd;
static pthread_barrier_t *barrier;

/* When each began and ended. */
static uint64_t (*times)[2];

static void *cycle(void *arg)
{
	uint64_t *time = arg;

	for (unsigned int i = 0; i < loops / 10; i++) {
		take(read_fd);
		give(write_fd);
	}
	pthread_barrier_wait(barrier);
	time[0] = now();
	for (unsigned int i = 0; i < loops; i++) {
		take(read_fd);
		give(write_fd);
	}
	time[1] = now();
	pthread_barrier_wait(barrier);
	return NULL;
}

static void run_process(unsigned int which)
{
	pthread_t thread;

	/* As make opens it, but that a read of an emptied pipe has to wait. */
	read_fd = open_file(read_path, O_RDONLY);
	write_fd = open_file(write_path, O_WRONLY);
	if (threads == 1) {
		pin(which % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN));
		set_priority(1);
	}
	times += which * threads;
	for (unsigned int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, cycle, times[i]))
			die("pthread_create");
	cycle(times[0]);
}

static void run(char **args)
{
	pthread_barrierattr_t attr;
	uint64_t start, end;

	read_path = args[0];
	write_path = args[1];
	processes = number(args[2]);
	threads = number(args[3]);
	loops = number(args[4]);
	barrier = shared(sizeof(*barrier));
	times = shared(processes * threads * sizeof(*times));
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(barrier, &attr, processes * threads);

	for (unsigned int i = 0; i < processes; i++) {
		if (!fork_child()) {
			run_process(i);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;

	start = times[0][0];
	end = times[0][1];
	for (unsigned int i = 1; i < processes * threads; i++) {
		start = times[i][0] < start ? times[i][0] : start;
		end = times[i][1] > end ? times[i][1] : end;
	}
	printf("%f\n", (double)(end - start) / loops);
}

const struct meter cycle_meter = {
	.name = "cycle",
	.usage = "READ-PATH WRITE-PATH PROCESSES THREADS LOOPS",
	.nargs = 5,
	.run = run,
};
