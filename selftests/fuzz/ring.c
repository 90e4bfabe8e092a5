// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring: each thread of the fuzzer may have a ring.
 */
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define ENTRIES	8

/* What was asked for, as the completion tells. */
enum asked {
	ASKED_READ = 1,
	ASKED_OTHER,
};

/* As long-lived as what is asked for. */
static char buffer[64];

long ring_make(struct worker *worker)
{
	struct io_uring *ring;
	int ret;

	if (worker->ring)
		return NOT_NOW;
	ring = malloc(sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	ret = io_uring_queue_init(ENTRIES, ring, 0);
	if (ret) {
		free(ring);
		return ret;
	}
	worker->ring = ring;
	return 0;
}

void ring_end(struct worker *worker)
{
	if (!worker->ring)
		return;
	io_uring_queue_exit(worker->ring);
	free(worker->ring);
	worker->ring = NULL;
}

/* The ring is the parent's. */
void ring_forget(struct worker *worker)
{
	worker->ring = NULL;
}

static enum asked prepare(struct worker *worker, struct io_uring_sqe *sqe)
{
	int fd = fd_of(worker, FILE_OF_STEVE);
	char *where = chance(worker, 80) ? buffer : (char *)1;

	switch (below(worker, 6)) {
	case 0:
		io_uring_prep_write(sqe, fd, where, 1 + below(worker, 4), -1);
		return ASKED_OTHER;
	case 1:
		io_uring_prep_poll_add(sqe, fd, POLLIN);
		return ASKED_OTHER;
	case 2:
		io_uring_prep_poll_multishot(sqe, fd, POLLIN | POLLOUT);
		return ASKED_OTHER;
	case 3:
		io_uring_prep_cancel64(sqe, ASKED_READ, IORING_ASYNC_CANCEL_ALL);
		return ASKED_OTHER;
	default:
		io_uring_prep_read(sqe, fd, where, 1 + below(worker, 64), -1);
		return ASKED_READ;
	}
}

long ring_submit(struct worker *worker)
{
	struct io_uring_sqe *sqe;
	enum asked asked;

	if (!worker->ring)
		return NOT_NOW;
	sqe = io_uring_get_sqe(worker->ring);
	if (!sqe)
		return NOT_NOW;
	asked = prepare(worker, sqe);
	io_uring_sqe_set_data64(sqe, asked);
	if (chance(worker, 20))
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	return io_uring_submit(worker->ring);
}

long ring_complete(struct worker *worker)
{
	struct io_uring_cqe *cqe;
	long ret;

	if (!worker->ring || io_uring_peek_cqe(worker->ring, &cqe))
		return NOT_NOW;
	ret = cqe->res;
	if (cqe->user_data == ASKED_READ && (ret == 0 || ret > 1))
		fault(worker, "a read by io_uring gave %ld", ret);
	io_uring_cqe_seen(worker->ring, cqe);
	return ret;
}
