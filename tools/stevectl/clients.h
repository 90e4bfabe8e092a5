/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is shown of clients.
 */
#ifndef STEVECTL_CLIENTS_H
#define STEVECTL_CLIENTS_H

#include <linux/steve.h>

/**
 * client_order() - compare two clients, for qsort()
 * @a: a struct steve_client_info
 * @b: another
 *
 * Those that wait come first, in the order of the queue; the others by age.
 *
 * Return: a number below or above 0.
 */
int client_order(const void *a, const void *b);

/**
 * client_wait() - tell how a client waits
 * @client: the client
 *
 * Return: a word.
 */
const char *client_wait(const struct steve_client_info *client);

/**
 * client_user() - tell whose client it is
 * @client: the client
 *
 * Return: the name of the user, or the number of one without a name, to be freed
 * by the caller; NULL if there is no memory.
 */
char *client_user(const struct steve_client_info *client);

#endif /* STEVECTL_CLIENTS_H */
