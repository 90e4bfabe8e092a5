// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

void notify_ready(void)
{
	static const char message[] = "READY=1";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t length;
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		*address.sun_path = 0;	/* It has no name in the file system. */
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     strlen(path));
	sendto(fd, message, strlen(message), MSG_NOSIGNAL,
	       (struct sockaddr *)&address, length);
	close(fd);
}
