// SPDX-License-Identifier: GPL-2.0
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "clients.h"

int client_order(const void *a, const void *b)
{
	const struct steve_client_info *one = a, *other = b;

	if (!one->place != !other->place)
		return one->place ? -1 : 1;
	if (one->place != other->place)
		return one->place < other->place ? -1 : 1;
	return (one->id > other->id) - (one->id < other->id);
}

const char *client_wait(const struct steve_client_info *client)
{
	static const char *const names[] = {
		[STEVE_WAIT_NONE] = "none",
		[STEVE_WAIT_READ] = "read",
		[STEVE_WAIT_POLL] = "poll",
		[STEVE_WAIT_COLD] = "cold",
	};

	return client->wait < sizeof(names) / sizeof(*names) ?
		names[client->wait] : "other";
}

char *client_user(const struct steve_client_info *client)
{
	const struct passwd *user = getpwuid(client->uid);
	char *number;

	if (user)
		return strdup(user->pw_name);
	return asprintf(&number, "%u", client->uid) < 0 ? NULL : number;
}
