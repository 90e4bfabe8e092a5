/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the measurements share. Each is a program of its own kind run with its
 * arguments, and prints numbers on one line; what a jobserver is, is said by
 * the paths of the files it is read and written through.
 */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/* A measurement: its name, its arguments for people, and how many they are. */
struct meter {
	const char *name;
	const char *usage;
	int nargs;
	void (*run)(char **args);
};

extern const struct meter cycle_meter, handoff_meter, crowd_meter,
			  reclaim_meter, forks_meter, clients_meter;

noreturn void die(const char *what);
uint64_t now(void);
unsigned int number(const char *text);
uint64_t median(uint64_t *values, size_t count);
void *shared(size_t size);

int open_file(const char *path, int flags);
void take(int fd);
void give(int fd);
void take_by_poll(int fd);

void pin(unsigned int cpu);
void set_priority(int priority);
pid_t fork_child(void);
void end_children(void);
void wait_asleep(pid_t pid);
unsigned int sleeps(pid_t pid);

#endif /* METER_H */
