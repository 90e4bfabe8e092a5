/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps: what can happen in a world, by name.
 */
#ifndef _DESK_STEPS_H
#define _DESK_STEPS_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

struct world;

/**
 * enum what - what happens
 * @WAIT: time passes: nanoseconds
 * @TIMER: the timer fires, if it is due
 * @WORK: deferred work is done, if there is any
 * @JOBS: the number of tokens is changed: to this number
 * @POLICY: the policy is changed: 0 to fifo, 1 to fair
 * @SHARE: what one process may hold is changed: to this number, 0 for any
 * @MEMORY: memory is limited: 0 not, 1 and short, 2 and scarce
 * @CAP: the pool is capped: at this number
 * @UNCAP: it is no more
 * @UNKNOWN: a process for which there was no memory writes: bytes
 * @TRY: a thread reads without waiting
 * @ASK: a thread asks how many tokens there are, and then does the same
 * @READ: a thread reads
 * @FAULT: a thread reads without waiting, to where nothing can be written
 * @POLL: a thread polls, and waits
 * @PEEK: a thread polls, and does not wait
 * @EPWAIT: a thread waits for an epoll instance: of this process
 * @RESUME: a thread that was woken runs
 * @SIGNAL: a signal or a time-out ends what a thread waits for
 * @DISCARD: a thread is killed when it has been handed a token
 * @WRITE: a process writes: bytes
 * @EPOLL: a process makes an epoll instance: 0 level, 1 edge, 2 one-shot
 * @REARM: a process arms its epoll instance again
 * @UNEPOLL: a process closes its epoll instance
 * @LEAVE: a process closes the device
 * @RECLAIM: the tokens of a process are taken from it
 * @EXIT: a process dies
 * @FORGET: a dead process is forgotten, and another takes its place
 * @OPERATIONS: the number of all these
 */
enum what {
	WAIT, TIMER, WORK, JOBS, POLICY, SHARE, MEMORY, CAP, UNCAP, UNKNOWN,
	TRY, ASK, READ, FAULT, POLL, PEEK, EPWAIT, RESUME, SIGNAL, DISCARD,
	WRITE, EPOLL, REARM, UNEPOLL, LEAVE, RECLAIM, EXIT,
	FORGET,
	OPERATIONS,
};

/**
 * struct step - something that happens
 * @what: what
 * @thread: which thread of the process, if it happens to a thread
 * @process: which process, if it happens to a process
 * @argument: a number, if there is one to it
 */
struct step {
	u8 what;
	u8 thread;
	u16 process;
	u64 argument;
};

bool step_do(struct world *world, const struct step *step);
void step_write(const struct step *step, FILE *file);
bool step_read(struct step *step, const char *line);

#endif /* _DESK_STEPS_H */
