// SPDX-License-Identifier: GPL-2.0
/*
 * The descriptors that the operations of a process use: a table that its threads
 * share, without a lock. So one may be closed while another uses it, which is
 * as it should be. Each kind has numbers of its own, so that a number which is
 * closed, or in the table of a child that was forked in the middle of all this,
 * comes to stand for nothing but another file of its kind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define SLOTS	12

/* Below the first of these are rings and pipes. */
enum {
	FIRST_EPOLL = 300,
	FIRST_FILE = 600,
};

/* What is in a slot: the descriptor and its kind, or -1. */
static atomic_int slots[SLOTS];

static int pack(int fd, char kind)
{
	return fd << 8 | kind;
}

void fds_init(void)
{
	for (int i = 0; i < SLOTS; i++)
		atomic_store(&slots[i], -1);
}

/* A descriptor of a kind, or -1. */
int fd_of(struct worker *worker, char kind)
{
	int start = below(worker, SLOTS);

	for (int i = 0; i < SLOTS; i++) {
		int slot = atomic_load(&slots[(start + i) % SLOTS]);

		if (slot >= 0 && (slot & 0xff) == kind)
			return slot >> 8;
	}
	return -1;
}

/* Gives a descriptor a number of its kind, or closes it if there is none. */
static int renumber(int fd, char kind)
{
	bool closes = fcntl(fd, F_GETFD) & FD_CLOEXEC;
	int number = fcntl(fd, closes ? F_DUPFD_CLOEXEC : F_DUPFD,
			   kind == EPOLL ? FIRST_EPOLL : FIRST_FILE);

	close(fd);
	return number;
}

/* Puts a descriptor into a slot, and closes what was there. */
void fd_keep(struct worker *worker, int fd, char kind)
{
	int number = renumber(fd, kind);
	int old = atomic_exchange(&slots[below(worker, SLOTS)],
				  number < 0 ? -1 : pack(number, kind));

	if (old >= 0)
		close(old >> 8);
}

/* Takes a descriptor out of its slot, or gives -1. */
int fd_drop(struct worker *worker)
{
	int old = atomic_exchange(&slots[below(worker, SLOTS)], -1);

	return old < 0 ? -1 : old >> 8;
}

/* The table as text, for the program that comes after this one. */
void fds_list(char *list, size_t size)
{
	size_t len = 0;

	list[0] = 0;
	for (int i = 0; i < SLOTS; i++) {
		int slot = atomic_load(&slots[i]);

		if (slot >= 0 && len + 16 < size)
			len += snprintf(list + len, size - len, "%d,", slot);
	}
}

void fds_restore(const char *list)
{
	char *end;

	fds_init();
	for (int i = 0; i < SLOTS; i++) {
		long slot = strtol(list, &end, 10);

		if (end == list)
			return;
		if (fcntl(slot >> 8, F_GETFD) >= 0)
			atomic_store(&slots[i], slot);
		list = end + 1;
	}
}
