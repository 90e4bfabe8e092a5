/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of the jobserver, for the subcommands. They print nothing and never
 * exit: each returns 0 or more, or a negative error number.
 */
#ifndef STEVECTL_STEVE_H
#define STEVECTL_STEVE_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/steve.h>

#define STEVE_DEVICE	"/dev/steve"
#define STEVE_FIFO	"/run/steve/fifo"

/**
 * steve_open() - open a jobserver
 * @path: the device, or the FIFO of stevefs
 *
 * Return: a descriptor for reading and writing, -ENOTTY if @path is something
 * else, or another negative error number.
 */
int steve_open(const char *path);

/**
 * steve_take() - take a token, or wait for one
 * @fd: the jobserver
 *
 * The token belongs to the calling process.
 *
 * Return: 0, or a negative error number.
 */
int steve_take(int fd);

/**
 * steve_get_status() - read the account of the pool
 * @fd: the jobserver
 * @status: where it goes
 *
 * Return: 0, or a negative error number.
 */
int steve_get_status(int fd, struct steve_status *status);

/**
 * steve_get_clients() - list the clients that the caller may see
 * @fd: the jobserver
 * @clients: where their array goes, to be freed by the caller
 * @count: where their number goes
 *
 * Return: 0, or a negative error number.
 */
int steve_get_clients(int fd, struct steve_client_info **clients,
		      size_t *count);

/**
 * steve_get_settings() - read the settings of the pool
 * @fd: the jobserver
 * @settings: where they go; the mask tells which there are
 *
 * Return: 0, or a negative error number.
 */
int steve_get_settings(int fd, struct steve_settings *settings);

/**
 * steve_set_settings() - change settings of the pool, all or none
 * @fd: the jobserver
 * @settings: those that the mask names
 *
 * Return: 0, or a negative error number.
 */
int steve_set_settings(int fd, const struct steve_settings *settings);

/**
 * steve_set_cap() - cap the pool for as long as the descriptor is open
 * @fd: the jobserver
 * @cap: the cap
 *
 * Return: 0, or a negative error number.
 */
int steve_set_cap(int fd, const struct steve_cap *cap);

/**
 * steve_reclaim() - take the tokens of a client into the pool
 * @fd: the jobserver
 * @pid: the client
 * @tokens: where their number goes
 *
 * Return: 0, or a negative error number.
 */
int steve_reclaim(int fd, pid_t pid, unsigned int *tokens);

#endif /* STEVECTL_STEVE_H */
