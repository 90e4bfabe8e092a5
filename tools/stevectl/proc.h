/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc tells of processes.
 */
#ifndef STEVECTL_PROC_H
#define STEVECTL_PROC_H

#include <sys/types.h>

/**
 * proc_parent() - find the parent of a process
 * @pid: the process
 *
 * Return: its process id, 0 if there is none or none to be seen.
 */
pid_t proc_parent(pid_t pid);

/**
 * proc_command() - find out what a process runs
 * @pid: the process
 *
 * Return: its command line, or its name in brackets if it has none, to be freed
 * by the caller; NULL if there is no such process or no memory.
 */
char *proc_command(pid_t pid);

#endif /* STEVECTL_PROC_H */
