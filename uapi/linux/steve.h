/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * steve: a system-wide jobserver.
 *
 * The device hands out job tokens. A program that reads takes one token, a
 * program that writes returns as many as it wrote bytes, as in GNU make's
 * jobserver protocol:
 *
 *   read()   gives exactly one byte, '+', and with it one token. It blocks
 *            until the token is there; with O_NONBLOCK it fails with EAGAIN.
 *   write()  returns one token for each byte, whatever the bytes are.
 *   poll()   reports EPOLLIN when this process could take a token now, and
 *            EPOLLOUT always.
 *   FIONREAD gives the number of tokens this process could take now.
 *
 * A client is a process, that is a thread group. A token belongs to the client
 * that read it and is back in the pool when that client is dead.
 *
 * The calls below work on any open descriptor of the device or of the FIFO of
 * stevefs. The structures grow at their end: the size a program was built with
 * is part of the call's number, fields that one side does not know are zero,
 * and a non-zero field that the module does not know is refused with E2BIG.
 *
 * Errors of every call:
 *   EFAULT  bad pointer
 *   EINVAL  unknown flag, non-zero reserved field, or a structure smaller than
 *           the first version of it
 *   E2BIG   non-zero field beyond what this module knows
 *   ENOTTY  no such call
 * A call that fails has changed nothing, but for STEVE_IOC_RECLAIM.
 */
#ifndef _UAPI_LINUX_STEVE_H
#define _UAPI_LINUX_STEVE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The most tokens a pool can have. */
#define STEVE_JOBS_MAX		65535

/* How long a reservation can be made to last, in milliseconds. */
#define STEVE_RESERVE_MS_MIN	1
#define STEVE_RESERVE_MS_MAX	60000

/* The most a load average can be limited to, in hundredths. */
#define STEVE_LOAD_MAX		1000000

/* The most memory a limit can ask for, in bytes: 64 TiB. */
#define STEVE_MEMORY_MAX	(1ULL << 46)

/* The most caps there can be at a time. */
#define STEVE_CAPS_MAX		64

/**
 * enum steve_policy - whose turn it is among those that can be woken
 * @STEVE_POLICY_FIFO: the client that has waited longest. Fair in turns: each
 *	client gets as many tokens as any other.
 * @STEVE_POLICY_FAIR: the client that has the fewest tokens, and among equals
 *	the one that has waited longest. Fair in token-time: each client has as
 *	many tokens as any other at any time.
 */
enum steve_policy {
	STEVE_POLICY_FIFO,
	STEVE_POLICY_FAIR,
};

/*
 * Bits of struct steve_status.limits: what keeps tokens from those who wait, or
 * would wait.
 */
#define STEVE_LIMIT_JOBS	(1U << 0)	/* all are in use */
#define STEVE_LIMIT_CAP		(1U << 1)	/* all that a cap leaves are in use */
#define STEVE_LIMIT_LOAD	(1U << 2)	/* the load average is too high */
#define STEVE_LIMIT_MEMORY	(1U << 3)	/* memory is short */

/**
 * struct steve_status - the account of the pool, read at one instant
 * @flags: in: must be 0
 * @jobs: configured number of tokens, 0 to STEVE_JOBS_MAX; 0 pauses the pool
 * @size: number of tokens in force: @jobs or the lowest cap, if that is lower
 * @available: tokens free to take; negative after the pool was made smaller
 *	than the number of tokens in use
 * @held: tokens that clients have
 * @reserved: tokens put aside, each for one client that is about to read it
 * @lent: implicit slots that clients lent to the pool
 * @clients: clients known: those that have used the device and still live
 * @waiting: clients that have a place in the queue
 * @granted: tokens taken since the module was loaded
 * @returned: tokens given back by a write
 * @reclaimed: tokens that came back because their client died, or were taken from
 *	it by STEVE_IOC_RECLAIM
 * @lapsed: reservations that ended unread
 * @loans: implicit slots lent
 * @strays: bytes written that returned no token
 * @abandoned: loans that ended because the lender died
 * @interrupted: blocked reads that ended on a signal
 * @limits: STEVE_LIMIT_* bits: what holds tokens back at this instant
 * @caps: number of caps in force
 * @max_load: load average above which no token is granted, in hundredths: the
 *	lowest of the setting and all caps; 0 for none
 * @load: load average over one minute at this instant, in hundredths
 * @min_memory: available memory below which no token is granted, in bytes: the
 *	highest of the setting and all caps; 0 for none
 * @memory: memory available at this instant, in bytes
 * @charged: what of it is taken to be wanted by jobs granted a moment ago, in
 *	bytes
 *
 * It always holds that @size + @lent == @available + @held + @reserved.
 * Counters count since load and wrap at 2^64.
 */
struct steve_status {
	__aligned_u64 flags;
	__u32 jobs;
	__u32 size;
	__s32 available;
	__u32 held;
	__u32 reserved;
	__u32 lent;
	__u32 clients;
	__u32 waiting;
	__aligned_u64 granted;
	__aligned_u64 returned;
	__aligned_u64 reclaimed;
	__aligned_u64 lapsed;
	__aligned_u64 loans;
	__aligned_u64 strays;
	__aligned_u64 abandoned;
	__aligned_u64 interrupted;
	__u32 limits;
	__u32 caps;
	__u32 max_load;
	__u32 load;
	__aligned_u64 min_memory;
	__aligned_u64 memory;
	__aligned_u64 charged;
};

/* Bits of struct steve_settings.mask: which fields count. */
#define STEVE_SET_JOBS		(1ULL << 0)
#define STEVE_SET_POLICY	(1ULL << 1)
#define STEVE_SET_RESERVE_MS	(1ULL << 2)
#define STEVE_SET_STRICT	(1ULL << 3)
#define STEVE_SET_MIN_JOBS	(1ULL << 4)
#define STEVE_SET_MAX_PER_PROCESS (1ULL << 5)
#define STEVE_SET_MAX_LOAD	(1ULL << 6)
#define STEVE_SET_MIN_MEMORY	(1ULL << 7)
#define STEVE_SET_JOB_MEMORY	(1ULL << 8)

/**
 * struct steve_settings - what an administrator can set
 * @mask: STEVE_SET_* bits. STEVE_IOC_SET_SETTINGS changes the fields named
 *	here, all or none; STEVE_IOC_GET_SETTINGS wants 0 and gives the bits of
 *	all fields it filled in. The bit of a field that the caller's structure
 *	is too short for is unknown.
 * @jobs: number of tokens, 0 to STEVE_JOBS_MAX
 * @policy: one of enum steve_policy
 * @reserve_ms: how long a token is put aside for a poller that was told of it,
 *	in milliseconds, STEVE_RESERVE_MS_MIN to STEVE_RESERVE_MS_MAX
 * @strict: 1 to refuse a write that returns no token with ENOSPC, 0 to accept it
 * @min_jobs: as long as fewer tokens than this are held or reserved, neither
 *	load nor memory hold any back; 0 to STEVE_JOBS_MAX
 * @max_per_process: tokens one client may hold, 1 to STEVE_JOBS_MAX; 0 for no
 *	limit
 * @max_load: no token is granted while the load average over one minute is
 *	above this, in hundredths, 1 to STEVE_LOAD_MAX; 0 for no limit
 * @reserved: must be 0
 * @min_memory: no token is granted unless this much memory is available, in
 *	bytes, 1 to STEVE_MEMORY_MAX; 0 for no limit
 * @job_memory: what a job is taken to need, in bytes, 0 to STEVE_MEMORY_MAX. It
 *	counts as used from the grant of the token on, and less and less over
 *	the seconds in which the job comes to use memory itself.
 */
struct steve_settings {
	__aligned_u64 mask;
	__u32 jobs;
	__u32 policy;
	__u32 reserve_ms;
	__u32 strict;
	__u32 min_jobs;
	__u32 max_per_process;
	__u32 max_load;
	__u32 reserved;
	__aligned_u64 min_memory;
	__aligned_u64 job_memory;
};

/**
 * struct steve_cap - a lower limit for as long as a file is open
 * @flags: must be 0
 * @jobs: the pool has no more tokens than this, 0 to STEVE_JOBS_MAX
 * @max_load: like that of struct steve_settings
 * @min_memory: like that of struct steve_settings
 */
struct steve_cap {
	__aligned_u64 flags;
	__u32 jobs;
	__u32 max_load;
	__aligned_u64 min_memory;
};

/**
 * struct steve_reclaim - take the tokens of one client
 * @flags: must be 0
 * @pid: in: its process id as the caller sees it
 * @tokens: in: must be 0; out: tokens taken from it
 */
struct steve_reclaim {
	__aligned_u64 flags;
	__s32 pid;
	__u32 tokens;
};

/* struct steve_client_info.wait: how a client waits for a token. */
#define STEVE_WAIT_NONE		0	/* has no place in the queue */
#define STEVE_WAIT_READ		1	/* blocked in read */
#define STEVE_WAIT_POLL		2	/* asleep in poll, select, epoll, io_uring */
#define STEVE_WAIT_COLD		3	/* has a place, but nothing to wake */

/**
 * struct steve_client_info - one client, as STEVE_IOC_GET_CLIENTS tells it
 * @id: number of the client, 1 or more, which no other client has while it
 *	lives
 * @pid: its process id as the caller sees it, 0 if it is in another namespace
 * @uid: its user id as the caller sees it
 * @held: tokens it has
 * @reserved: tokens put aside for it
 * @lent: implicit slots it lent, 0 or 1
 * @wait: STEVE_WAIT_*
 * @place: its place in the queue, 0 for none; the lower is the earlier
 * @waited_ns: how long it has had that place, in nanoseconds; 0 for none
 * @limited: 1 if it has all the tokens one client may hold, and gets none
 * @debt: tokens that were taken from it and that it may yet write back
 */
struct steve_client_info {
	__aligned_u64 id;
	__s32 pid;
	__u32 uid;
	__u32 held;
	__u32 reserved;
	__u32 lent;
	__u32 wait;
	__aligned_u64 place;
	__aligned_u64 waited_ns;
	__u32 limited;
	__u32 debt;
};

/**
 * struct steve_clients - one batch of clients
 * @flags: must be 0
 * @cursor: in: 0 to begin, then what the last call left here;
 *	out: where the next call goes on
 * @rows: address of an array of struct steve_client_info
 * @count: in: number of rows there is room for, 1 or more;
 *	out: number of rows filled in. Fewer than asked, 0 too, do not mean the
 *	end.
 * @row_size: sizeof(struct steve_client_info) as the caller knows it
 * @more: out: 1 if the next call may find more, 0 at the end
 * @reserved: must be 0
 *
 * Clients of other users are left out, unless the caller has CAP_SYS_RESOURCE
 * in the initial user namespace.
 */
struct steve_clients {
	__aligned_u64 flags;
	__aligned_u64 cursor;
	__aligned_u64 rows;
	__u32 count;
	__u32 row_size;
	__u32 more;
	__u32 reserved;
};

#define STEVE_IOC_MAGIC		0xBC

/* Reads the account. Anyone who has the device open. */
#define STEVE_IOC_GET_STATUS	_IOWR(STEVE_IOC_MAGIC, 0x00, struct steve_status)

/* Reads the settings. Anyone who has the device open. */
#define STEVE_IOC_GET_SETTINGS	_IOWR(STEVE_IOC_MAGIC, 0x01, struct steve_settings)

/*
 * Changes settings. The caller, and whoever opened the descriptor, need
 * CAP_SYS_RESOURCE in the initial user namespace, else EPERM. A value out of
 * its range: ERANGE.
 */
#define STEVE_IOC_SET_SETTINGS	_IOW(STEVE_IOC_MAGIC, 0x02, struct steve_settings)

/* Lists clients, a batch a call. */
#define STEVE_IOC_GET_CLIENTS	_IOWR(STEVE_IOC_MAGIC, 0x03, struct steve_clients)

/*
 * Caps the pool, or changes what the cap of this file is. It lasts until the file
 * is closed, so have no copies of the descriptor: open it with O_CLOEXEC. Where
 * there are several caps, for each limit the strictest counts; what is set does
 * not change. The caller, and whoever opened the descriptor, need
 * CAP_SYS_RESOURCE in the initial user namespace, else EPERM. A value out of its
 * range: ERANGE. STEVE_CAPS_MAX caps there are already: ENOSPC. No memory: ENOMEM.
 */
#define STEVE_IOC_SET_CAP	_IOW(STEVE_IOC_MAGIC, 0x04, struct steve_cap)

/*
 * Takes all tokens of a client into the pool, for one that is stopped or hangs.
 * What it writes later for them is accepted and does nothing. Permissions as
 * for STEVE_IOC_SET_SETTINGS. No client with that process id: ESRCH. Where the
 * argument stops being writable while the call runs: EFAULT, and the tokens are
 * in the pool all the same.
 */
#define STEVE_IOC_RECLAIM	_IOWR(STEVE_IOC_MAGIC, 0x05, struct steve_reclaim)

#endif /* _UAPI_LINUX_STEVE_H */
