// SPDX-License-Identifier: GPL-2.0
/*
 * usage: client JOBS
 *
 * Reads, writes, polls and asks, as a program of another word size than the
 * kernel's, for a pool of JOBS tokens that nobody else uses. Says what went
 * wrong.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/steve.h>

static struct steve_status status(int fd)
{
	struct steve_status st = {};

	if (ioctl(fd, STEVE_IOC_GET_STATUS, &st))
		err(1, "cannot read the status");
	return st;
}

int main(int argc, char **argv)
{
	unsigned int jobs = argc > 1 ? atoi(argv[1]) : 0;
	int fd = open("/dev/steve", O_RDWR | O_NONBLOCK), free = -1;
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct steve_settings set = { .mask = STEVE_SET_JOBS };
	char byte;

	if (fd < 0)
		err(1, "cannot open the device");
	if (status(fd).jobs != jobs)
		errx(1, "the pool has %u jobs", status(fd).jobs);
	if (ioctl(fd, FIONREAD, &free) || free != (int)jobs)
		errx(1, "%d tokens are free", free);
	if (poll(&pfd, 1, 0) != 1 || pfd.revents != (POLLIN | POLLOUT))
		errx(1, "poll tells %#x", pfd.revents);

	for (unsigned int i = 0; i < jobs; i++)
		if (read(fd, &byte, 1) != 1 || byte != '+')
			err(1, "cannot take token %u", i);
	if (read(fd, &byte, 1) != -1 || errno != EAGAIN)
		errx(1, "there is one token too many");
	if (status(fd).held != jobs || status(fd).available)
		errx(1, "%u tokens are held", status(fd).held);
	if (poll(&pfd, 1, 0) != 1 || pfd.revents != POLLOUT)
		errx(1, "poll tells %#x of an empty pool", pfd.revents);

	set.jobs = jobs + 1;
	if (ioctl(fd, STEVE_IOC_SET_SETTINGS, &set))
		err(1, "cannot set jobs");
	if (read(fd, &byte, 1) != 1)
		err(1, "cannot take the new token");
	set.jobs = jobs;
	if (ioctl(fd, STEVE_IOC_SET_SETTINGS, &set))
		err(1, "cannot set jobs");
	while (jobs-- + 1)
		if (write(fd, &byte, 1) != 1)
			err(1, "cannot return a token");
	return 0;
}
