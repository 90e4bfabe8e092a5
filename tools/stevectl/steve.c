// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "steve.h"

/*
 * What is written to a jobserver returns tokens, so it must not take the place
 * of a standard stream that is closed.
 */
static int above_streams(int fd)
{
	int above;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return above;
}

int steve_open(const char *path)
{
	struct steve_status status;
	int fd;

	/* For writing, too: opening some other FIFO must not block. */
	fd = above_streams(open(path, O_RDWR | O_CLOEXEC | O_NOCTTY));
	if (fd < 0)
		return -errno;
	if (steve_get_status(fd, &status)) {
		close(fd);
		return -ENOTTY;
	}
	return fd;
}

int steve_take(int fd)
{
	ssize_t count;
	char token;

	do {
		count = read(fd, &token, 1);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	return count ? 0 : -EIO;
}

int steve_get_status(int fd, struct steve_status *status)
{
	*status = (struct steve_status){ 0 };
	return ioctl(fd, STEVE_IOC_GET_STATUS, status) ? -errno : 0;
}

int steve_get_clients(int fd, struct steve_client_info **clients, size_t *count)
{
	struct steve_clients batch = { .row_size = sizeof(**clients) };
	struct steve_client_info *rows = NULL, *more;
	size_t room = 0, used = 0;
	int err;

	do {
		if (used == room) {
			room = room ? 2 * room : 64;
			more = reallocarray(rows, room, sizeof(*rows));
			if (!more) {
				err = -ENOMEM;
				goto err_free;
			}
			rows = more;
		}
		batch.rows = (uintptr_t)(rows + used);
		batch.count = (__u32)(room - used);
		if (ioctl(fd, STEVE_IOC_GET_CLIENTS, &batch)) {
			err = -errno;
			goto err_free;
		}
		used += batch.count;
	} while (batch.more);

	*clients = rows;
	*count = used;
	return 0;

err_free:
	free(rows);
	return err;
}

int steve_get_settings(int fd, struct steve_settings *settings)
{
	*settings = (struct steve_settings){ 0 };
	return ioctl(fd, STEVE_IOC_GET_SETTINGS, settings) ? -errno : 0;
}

int steve_set_settings(int fd, const struct steve_settings *settings)
{
	return ioctl(fd, STEVE_IOC_SET_SETTINGS, settings) ? -errno : 0;
}

int steve_set_cap(int fd, const struct steve_cap *cap)
{
	return ioctl(fd, STEVE_IOC_SET_CAP, cap) ? -errno : 0;
}

int steve_reclaim(int fd, pid_t pid, unsigned int *tokens)
{
	struct steve_reclaim reclaim = { .pid = pid };

	if (ioctl(fd, STEVE_IOC_RECLAIM, &reclaim))
		return -errno;
	*tokens = reclaim.tokens;
	return 0;
}
