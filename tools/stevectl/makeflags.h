/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The variable MAKEFLAGS, by which programs are told of a jobserver.
 *
 * It holds options of GNU make. The first word may be letters of options without
 * a dash; a backslash quotes the character after it; after a word "--" there are
 * only definitions of variables. Programs take the last --jobserver-auth, some
 * of them --jobserver-fds, its older name.
 */
#ifndef STEVECTL_MAKEFLAGS_H
#define STEVECTL_MAKEFLAGS_H

#include <stdbool.h>

/**
 * makeflags_can_name() - can a jobserver be named so?
 * @path: where it is
 *
 * Return: true if @path means the same to every program, wherever it runs.
 */
bool makeflags_can_name(const char *path);

/**
 * makeflags_fifo() - find the jobserver that is named
 * @flags: a value of MAKEFLAGS
 *
 * Return: its path, to be freed by the caller; NULL if none is named by a path,
 * or if there is no memory.
 */
char *makeflags_fifo(const char *flags);

/**
 * makeflags_name() - name a jobserver, in place of any other, beside the rest
 * @flags: a value of MAKEFLAGS
 * @path: where the jobserver is
 *
 * Return: the new value, to be freed by the caller; NULL if there is no memory.
 */
char *makeflags_name(const char *flags, const char *path);

#endif /* STEVECTL_MAKEFLAGS_H */
