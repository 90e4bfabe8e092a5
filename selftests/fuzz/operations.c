// SPDX-License-Identifier: GPL-2.0
/*
 * What the fuzzer does with the jobserver's files, and what may come of it.
 */
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fuzz.h"

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* A file of the jobserver. */
static int a_file(struct worker *worker)
{
	return fd_of(worker, FILE_OF_STEVE);
}

static int anything(struct worker *worker)
{
	return fd_of(worker, chance(worker, 80) ? FILE_OF_STEVE : EPOLL);
}

/* An address at which nothing can be read or written. */
static void *nowhere(struct worker *worker)
{
	static void *bad;

	if (!bad)
		bad = bad_memory();
	switch (below(worker, 5)) {
	case 0:
		return NULL;
	case 1:
		return (void *)0xffff888000000000;
	case 2:
		return (void *)0x8000000000000000;
	case 3:
		return (void *)-1;
	default:
		return bad;
	}
}

static bool is_privileged(const struct worker *worker)
{
	return !geteuid() && !worker->foreign;
}

/* ---- Opening, closing, passing on ---- */

static long open_file(struct worker *worker)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR };
	int flags = modes[below(worker, ARRAY_SIZE(modes))];
	int fd;

	if (chance(worker, 40))
		flags |= O_NONBLOCK;
	if (chance(worker, 30))
		flags |= O_CLOEXEC;
	fd = open(chance(worker, 50) ? STEVE_DEVICE : STEVE_FIFO, flags);
	if (fd < 0)
		return -errno;
	fd_keep(worker, fd, FILE_OF_STEVE);
	return 0;
}

static long close_file(struct worker *worker)
{
	int fd = fd_drop(worker);

	return fd < 0 ? NOT_NOW : result(close(fd));
}

static long duplicate(struct worker *worker)
{
	int fd = dup(a_file(worker));

	if (fd < 0)
		return -errno;
	fd_keep(worker, fd, FILE_OF_STEVE);
	return 0;
}

/* A message with a descriptor, whose kind is what it says. */
struct passage {
	char kind;
	struct iovec iov;
	struct msghdr msg;
	union {
		char control[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	};
};

static void prepare(struct passage *passage)
{
	memset(passage, 0, sizeof(*passage));
	passage->iov.iov_base = &passage->kind;
	passage->iov.iov_len = 1;
	passage->msg.msg_iov = &passage->iov;
	passage->msg.msg_iovlen = 1;
	passage->msg.msg_control = passage->control;
	passage->msg.msg_controllen = sizeof(passage->control);
}

static long send_file(struct worker *worker)
{
	struct passage passage;
	struct cmsghdr *header;
	int fd;

	prepare(&passage);
	passage.kind = chance(worker, 80) ? FILE_OF_STEVE : EPOLL;
	fd = fd_of(worker, passage.kind);
	if (fd < 0)
		return NOT_NOW;
	header = CMSG_FIRSTHDR(&passage.msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return result(sendmsg(SEND_FD, &passage.msg, MSG_DONTWAIT));
}

static long receive_file(struct worker *worker)
{
	struct passage passage;
	int fd;

	prepare(&passage);
	if (recvmsg(RECEIVE_FD, &passage.msg, MSG_DONTWAIT) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&passage.msg))
		return 0;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&passage.msg)), sizeof(fd));
	fd_keep(worker, fd, passage.kind);
	return 1;
}

static long set_flags(struct worker *worker)
{
	int flags = 0;

	if (chance(worker, 50))
		flags |= O_NONBLOCK;
	if (chance(worker, 20))
		flags |= O_APPEND;
	if (chance(worker, 10))
		flags |= O_DIRECT;
	return result(fcntl(a_file(worker), F_SETFL, flags));
}

/* ---- Taking ---- */

static long check_byte(struct worker *worker, ssize_t ret, char byte)
{
	if (ret == 1 && byte != '+')
		fault(worker, "a read gave the byte %#x", byte);
	return result(ret);
}

static long take_one(struct worker *worker)
{
	char bytes[64] = "";
	ssize_t ret = read(a_file(worker), bytes, 1 + below(worker, 64));

	return check_byte(worker, ret, bytes[0]);
}

static long take_nowait(struct worker *worker)
{
	char first[1] = "", second[8];
	struct iovec iov[] = { { first, sizeof(first) }, { second, sizeof(second) } };
	ssize_t ret = preadv2(a_file(worker), iov, 1 + below(worker, 2), -1,
			      RWF_NOWAIT);

	return check_byte(worker, ret, first[0]);
}

static long take_nothing(struct worker *worker)
{
	return result(read(a_file(worker), nowhere(worker), 0));
}

static long take_badly(struct worker *worker)
{
	return result(read(a_file(worker), nowhere(worker), 1 + below(worker, 8)));
}

static long take_at(struct worker *worker)
{
	char byte;

	return result(pread(a_file(worker), &byte, 1, below(worker, 2)));
}

/* ---- Giving ---- */

static long give_one(struct worker *worker)
{
	return result(write(a_file(worker), "+", 1));
}

static long give_several(struct worker *worker)
{
	static char bytes[9];
	struct iovec iov[] = { { bytes, 1 }, { bytes, 1 + below(worker, 8) } };

	if (chance(worker, 50))
		return result(writev(a_file(worker), iov, 2));
	return result(write(a_file(worker), bytes, 2 + below(worker, 7)));
}

static long give_nothing(struct worker *worker)
{
	return result(write(a_file(worker), nowhere(worker), 0));
}

static long give_badly(struct worker *worker)
{
	return result(write(a_file(worker), nowhere(worker), 1 + below(worker, 8)));
}

/* A buffer that ends before the bytes do. */
static long give_in_part(struct worker *worker)
{
	static char *end;

	if (!end)
		end = end_of_memory();
	return result(write(a_file(worker), end - 1 - below(worker, 2), 8));
}

/* ---- What a jobserver cannot do ---- */

static long seek(struct worker *worker)
{
	return result(lseek(a_file(worker), 0, SEEK_SET));
}

static long map(struct worker *worker)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, page, PROT_READ, MAP_SHARED, a_file(worker), 0);

	if (mem == MAP_FAILED)
		return -errno;
	munmap(mem, page);
	return 0;
}

static long move_bytes(struct worker *worker)
{
	int pipes[2];
	long ret;

	if (chance(worker, 50))
		return result(sendfile(a_file(worker), a_file(worker), NULL, 1));
	if (pipe2(pipes, O_NONBLOCK | O_CLOEXEC))
		return NOT_NOW;
	if (chance(worker, 50) || write(pipes[1], "+", 1) != 1)
		ret = splice(a_file(worker), NULL, pipes[1], NULL, 1,
			     SPLICE_F_NONBLOCK);
	else
		ret = splice(pipes[0], NULL, a_file(worker), NULL, 1,
			     SPLICE_F_NONBLOCK);
	ret = result(ret);
	close(pipes[0]);
	close(pipes[1]);
	return ret;
}

static long call_unknown(struct worker *worker)
{
	unsigned long nr = 6 + below(worker, 250);
	unsigned long call = _IOC(below(worker, 4), STEVE_IOC_MAGIC, nr,
				  below(worker, 256));

	return result(ioctl(a_file(worker), call, nowhere(worker)));
}

/* ---- Looking at the pool ---- */

static long count_tokens(struct worker *worker)
{
	int n = 0;

	if (chance(worker, 20))
		return result(ioctl(a_file(worker), FIONREAD, nowhere(worker)));
	if (ioctl(a_file(worker), FIONREAD, &n))
		return -errno;
	if (n < 0)
		fault(worker, "%d tokens could be taken", n);
	return 0;
}

static long get_status(struct worker *worker)
{
	struct steve_status st = { .flags = chance(worker, 20) };
	unsigned long call = STEVE_IOC_GET_STATUS;

	if (chance(worker, 10))
		call = _IOWR(STEVE_IOC_MAGIC, 0x00, __u64);
	if (chance(worker, 10))
		return result(ioctl(a_file(worker), call, nowhere(worker)));
	if (ioctl(a_file(worker), call, &st))
		return -errno;
	if (!adds_up(&st))
		fault(worker, "the account does not add up");
	return 0;
}

static long get_settings(struct worker *worker)
{
	struct steve_settings set = { .mask = chance(worker, 20) };

	if (chance(worker, 20))
		return result(ioctl(a_file(worker), STEVE_IOC_GET_SETTINGS,
				    nowhere(worker)));
	return result(ioctl(a_file(worker), STEVE_IOC_GET_SETTINGS, &set));
}

/* Nobody is shown whom the caller must not see. */
static void check_rows(struct worker *worker, uid_t uid,
		       const struct steve_client_info *rows, unsigned int n)
{
	if (is_privileged(worker) || geteuid() != uid)
		return;
	for (unsigned int i = 0; i < n; i++)
		if (rows[i].uid != uid)
			fault(worker, "user %u is shown a client of user %u",
			      uid, rows[i].uid);
}

static long get_clients(struct worker *worker)
{
	uid_t uid = geteuid();
	/* Also for rows that are longer than they need to be. */
	struct steve_client_info rows[2 * 8];
	struct steve_clients batch = {
		.flags = chance(worker, 5),
		.cursor = chance(worker, 50) ? 0 : below(worker, 1000),
		.rows = (uintptr_t)rows,
		.count = below(worker, 9),
		.row_size = sizeof(rows[0]),
	};

	if (chance(worker, 10))
		batch.row_size = below(worker, 64);
	if (chance(worker, 20))
		batch.rows = (uintptr_t)nowhere(worker);
	if (ioctl(a_file(worker), STEVE_IOC_GET_CLIENTS, &batch))
		return -errno;
	if (batch.rows == (uintptr_t)rows && batch.row_size == sizeof(rows[0]))
		check_rows(worker, uid, rows, batch.count);
	return 0;
}

/* ---- Changing it ---- */

/* A call that only an administrator may make, for which nobody else may get 0. */
static long administer(struct worker *worker, unsigned long call, void *arg)
{
	bool privileged = is_privileged(worker);

	if (chance(worker, 10))
		arg = nowhere(worker);
	if (ioctl(a_file(worker), call, arg))
		return -errno;
	if (!privileged)
		fault(worker, "call %#lx is done without privilege", call);
	return 0;
}

static long set_settings(struct worker *worker)
{
	struct steve_settings set = {
		.mask = below(worker, STEVE_SET_JOB_MEMORY << 1),
		.jobs = chance(worker, 95) ? 1 + below(worker, FUZZ_JOBS) : 0,
		.policy = below(worker, 2),
		.reserve_ms = 1 + below(worker, 50),
		.strict = below(worker, 2),
		.min_jobs = below(worker, 4),
		.max_per_process = below(worker, 5),
		.max_load = chance(worker, 90) ? 0 : 1 + below(worker, 1000),
		.min_memory = chance(worker, 90) ? 0 : 1 << below(worker, 30),
		.job_memory = below(worker, 1 << 20),
	};

	switch (below(worker, 8)) {
	case 0:
		set.mask |= STEVE_SET_JOBS;
		set.jobs = STEVE_JOBS_MAX + 1 + below(worker, 1000);
		break;
	case 1:
		set.mask |= 1ULL << (9 + below(worker, 55));
		break;
	case 2:
		set.reserved = 1;
	}
	return administer(worker, STEVE_IOC_SET_SETTINGS, &set);
}

static long set_cap(struct worker *worker)
{
	struct steve_cap cap = {
		.flags = chance(worker, 10),
		.jobs = chance(worker, 95) ? 1 + below(worker, FUZZ_JOBS) : 0,
	};

	if (chance(worker, 10))
		cap.max_load = STEVE_LOAD_MAX + 1;
	return administer(worker, STEVE_IOC_SET_CAP, &cap);
}

static long reclaim(struct worker *worker)
{
	int pid = atomic_load(&shared->pids[below(worker, 256)]);
	struct steve_reclaim arg = {
		.pid = pid ? pid : INT_MAX,
		.tokens = chance(worker, 10),
	};

	return administer(worker, STEVE_IOC_RECLAIM, &arg);
}

/* ---- Polling ---- */

static long poll_some(struct worker *worker)
{
	static const short events[] = {
		POLLIN, POLLOUT, POLLPRI, POLLIN | POLLOUT, POLLIN | POLLPRI,
		POLLIN, POLLIN, 0,
	};
	struct pollfd pfds[4];
	nfds_t n = 1 + below(worker, 4);
	int ret;

	for (nfds_t i = 0; i < n; i++) {
		pfds[i].fd = anything(worker);
		pfds[i].events = events[below(worker, ARRAY_SIZE(events))];
	}
	ret = poll(pfds, n, below(worker, 10));
	for (nfds_t i = 0; ret > 0 && i < n; i++)
		if (pfds[i].revents & (POLLERR | POLLHUP | POLLPRI))
			fault(worker, "poll gave the events %#x",
			      pfds[i].revents);
	return result(ret);
}

static long select_one(struct worker *worker)
{
	struct timeval timeout = { .tv_usec = below(worker, 5000) };
	int fd = anything(worker);
	fd_set in, out;

	if (fd < 0)
		return NOT_NOW;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	if (chance(worker, 30))
		FD_SET(fd, &out);
	return result(select(fd + 1, &in, &out, NULL, &timeout));
}

static long make_epoll(struct worker *worker)
{
	int fd = epoll_create1(chance(worker, 50) ? EPOLL_CLOEXEC : 0);

	if (fd < 0)
		return -errno;
	fd_keep(worker, fd, EPOLL);
	return 0;
}

static long change_epoll(struct worker *worker)
{
	static const int changes[] = {
		EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL,
	};
	int epoll = fd_of(worker, EPOLL);
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll < 0)
		return NOT_NOW;
	if (chance(worker, 20))
		event.events = EPOLLOUT;
	if (chance(worker, 40))
		event.events |= EPOLLET;
	if (chance(worker, 20))
		event.events |= EPOLLONESHOT;
	if (chance(worker, 10))
		event.events |= EPOLLEXCLUSIVE;
	return result(epoll_ctl(epoll, changes[below(worker, ARRAY_SIZE(changes))],
				anything(worker), &event));
}

static long wait_epoll(struct worker *worker)
{
	int epoll = fd_of(worker, EPOLL);
	struct epoll_event events[4];

	if (epoll < 0)
		return NOT_NOW;
	return result(epoll_wait(epoll, events, 1 + below(worker, 4),
				 below(worker, 10)));
}

/* ---- Processes and threads ---- */

static long fork_process(struct worker *worker)
{
	unsigned long seed = below(worker, INT_MAX);
	unsigned int share;
	pid_t pid;

	if (!worker->budget)
		return NOT_NOW;
	share = (worker->budget - 1) / 2;
	pid = fork();
	if (pid < 0)
		return -errno;
	worker->budget -= share + 1;
	if (pid)
		return 0;
	worker = worker_new(worker, seed);
	worker->budget = share;
	worker->is_thread = false;
	worker_begin(worker);
	worker_main(worker);
}

static long start_thread(struct worker *worker)
{
	struct worker *new;
	pthread_t thread;
	int err;

	if (!worker_may_thread())
		return NOT_NOW;
	new = worker_new(worker, below(worker, INT_MAX));
	new->is_thread = true;
	new->left /= 2;
	new->budget = worker->budget / 2;
	worker->budget -= new->budget;
	err = pthread_create(&thread, NULL, worker_thread, new);
	if (err) {
		free(new);
		return -err;
	}
	pthread_detach(thread);
	return 0;
}

static long reap_child(struct worker *worker)
{
	pid_t pid = waitpid(-1, NULL, WNOHANG);

	return pid > 0 ? 1 : result(pid);
}

static long send_signal(struct worker *worker)
{
	static const int signals[] = {
		SIGKILL, SIGSTOP, SIGCONT, SIGCONT, SIGCONT, SIGUSR1, SIGALRM,
	};
	pid_t pid = atomic_load(&shared->pids[below(worker, 256)]);

	/* The number may be another process's by now. */
	if (worker->foreign || !pid || getpgid(pid) != getpgrp())
		return NOT_NOW;
	return result(kill(pid, signals[below(worker, ARRAY_SIZE(signals))]));
}

static long drop_privileges(struct worker *worker)
{
	if (!is_privileged(worker))
		return NOT_NOW;
	if (setresgid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return result(setresuid(NOBODY, NOBODY, NOBODY));
}

/* The parent is told how it went. */
static void __noreturn be_foreign(struct worker *worker, unsigned long seed,
				  int told)
{
	char err = 0;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS))
		err = errno;
	if (write(told, &err, 1) != 1 || err)
		_exit(0);
	close(told);
	pid = fork();
	if (pid) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	worker = worker_new(worker, seed);
	worker->budget = 1;
	worker->foreign = true;
	worker->is_thread = false;
	worker_begin(worker);
	worker_main(worker);
}

static long enter_namespace(struct worker *worker)
{
	unsigned long seed = below(worker, INT_MAX);
	int pipes[2];
	ssize_t len;
	char err;
	pid_t pid;

	if (worker->budget < 3 || worker->foreign || pipe2(pipes, O_CLOEXEC))
		return NOT_NOW;
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		be_foreign(worker, seed, pipes[1]);
	}
	close(pipes[1]);
	do {
		len = read(pipes[0], &err, 1);
	} while (len < 0 && errno == EINTR);
	close(pipes[0]);
	if (pid < 0 || len != 1)
		return NOT_NOW;
	worker->budget -= 3;
	return -err;
}

static long mount_stevefs(struct worker *worker)
{
	if (is_privileged(worker))
		return NOT_NOW;
	return result(mount("none", "/tmp", "stevefs", 0, NULL));
}

/*
 * A descriptor may be closed by another thread at any time: EBADF. Addresses
 * that no program can have are refused by the kernel even where no byte is to be
 * moved: EFAULT.
 */
const struct operation operations[] = {
	{ "open", open_file, { GAVE_0, EACCES } },
	{ "close", close_file, { GAVE_0 }, { EBADF } },
	{ "dup", duplicate, { GAVE_0 }, { EBADF } },
	{ "send", send_file, { GAVE_1 },
	  { EAGAIN, EBADF, ETOOMANYREFS } },
	{ "receive", receive_file, { GAVE_1 }, { GAVE_0, EAGAIN } },
	{ "flags", set_flags, { GAVE_0, EINVAL }, { EBADF } },

	{ "read", take_one, { GAVE_1, EAGAIN, EINTR }, { EBADF } },
	{ "read nowait", take_nowait, { GAVE_1, EAGAIN }, { EBADF } },
	{ "read nothing", take_nothing, { GAVE_0 }, { EFAULT, EBADF } },
	{ "read badly", take_badly, { EFAULT, EAGAIN }, { EINTR, EBADF } },
	{ "read at", take_at, { ESPIPE }, { EBADF } },

	{ "write", give_one, { GAVE_1 }, { ENOSPC, EBADF } },
	{ "write several", give_several, { GAVE_MORE },
	  { GAVE_1, ENOSPC, EBADF } },
	{ "write nothing", give_nothing, { GAVE_0 }, { EFAULT, EBADF } },
	{ "write badly", give_badly, { EFAULT }, { EBADF } },
	{ "write in part", give_in_part, { GAVE_1, GAVE_MORE },
	  { ENOSPC, EBADF } },

	{ "seek", seek, { ESPIPE }, { EBADF } },
	{ "map", map, { ENODEV }, { EACCES, EBADF } },
	{ "splice", move_bytes, { EINVAL }, { EBADF } },
	{ "unknown call", call_unknown, { ENOTTY }, { EBADF } },

	{ "FIONREAD", count_tokens, { GAVE_0, EFAULT }, { EBADF } },
	{ "status", get_status, { GAVE_0, EFAULT, EINVAL }, { EBADF } },
	{ "settings", get_settings, { GAVE_0, EFAULT, EINVAL }, { EBADF } },
	{ "clients", get_clients, { GAVE_0, EFAULT, EINVAL },
	  { EINTR, EBADF } },
	{ "set", set_settings, { GAVE_0, EPERM, ERANGE, EINVAL, EFAULT },
	  { EBADF } },
	{ "cap", set_cap, { GAVE_0, EPERM, ERANGE, EINVAL, EFAULT },
	  { ENOSPC, EBADF } },
	{ "reclaim", reclaim, { GAVE_0, EPERM, ESRCH, EINVAL, EFAULT },
	  { EBADF } },

	{ "poll", poll_some, { GAVE_0, GAVE_1 }, { GAVE_MORE, EINTR } },
	{ "select", select_one, { GAVE_0, GAVE_1 },
	  { GAVE_MORE, EINTR, EBADF } },
	{ "epoll", make_epoll, { GAVE_0 } },
	{ "epoll change", change_epoll, { GAVE_0, EEXIST, ENOENT },
	  { EBADF, EINVAL, ELOOP } },
	{ "epoll wait", wait_epoll, { GAVE_0, GAVE_1 },
	  { GAVE_MORE, EINTR, EBADF } },

	{ "fork", fork_process, { GAVE_0 }, { EAGAIN } },
	{ "thread", start_thread, { GAVE_0 }, { EAGAIN } },
	/* That it was done is seen where the new program begins. */
	{ "exec", worker_exec, { GAVE_0 }, { EACCES, EAGAIN }, .percent = 10 },
	{ "reap", reap_child, { GAVE_1 }, { GAVE_0, ECHILD } },
	{ "signal", send_signal, { GAVE_0 }, { EPERM, ESRCH } },
	{ "drop privileges", drop_privileges, { GAVE_0 }, .percent = 3 },
	{ "namespace", enter_namespace, { GAVE_0 },
	  { EPERM, EAGAIN, ENOSPC, EUSERS }, .percent = 10 },
	{ "mount", mount_stevefs, { EPERM } },
#ifdef HAVE_LIBURING
	{ "ring", ring_make, { GAVE_0 }, { ENOMEM, EPERM } },
	{ "ring submit", ring_submit, { GAVE_1 },
	  { GAVE_0, GAVE_MORE, EAGAIN, EBUSY, EINTR } },
	{ "ring complete", ring_complete,
	  { GAVE_1, GAVE_MORE, EFAULT },
	  { GAVE_0, ECANCELED, EAGAIN, EINTR, EBADF, ENOENT, EALREADY, ENOSPC } },
#endif
};

const size_t operations_count = ARRAY_SIZE(operations);

static_assert(ARRAY_SIZE(operations) <= OPERATIONS_MAX,
	      "OPERATIONS_MAX is too small");
