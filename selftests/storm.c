// SPDX-License-Identifier: GPL-2.0
/*
 * SIGKILL to clients, thousands of them, whatever they are doing: the tokens of
 * each are back when waitpid() can tell that it is dead, and none is lost or
 * there twice.
 *
 * STEVE_KILLS says how many; STEVE_SEED repeats what was chosen by chance.
 */
#include "harness.h"
#include "watch.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

enum {
	KILLS = 5000,		/* in all, if nothing else is said */
	ENOUGH = 1000,		/* to have met all that can be met */
	CROWD = 24,		/* clients that live at a time */
	ROUND = 250,		/* kills, until all are killed to count the tokens */
	JOBS = 12,		/* at most */
	STACK = 16 << 10,
	HELPERS = 2,		/* threads beside the first */
	ZOMBIES = 8,		/* kept at a time */
	FORKS = 8,		/* one in so many is a whole process */
};

/* What a client does. */
enum doing {
	STARTING,
	READING,
	POLLING,
	BETWEEN,	/* told of a token by poll, and not reading yet */
	HOLDING,
	CLOSED,		/* holding, with every file closed */
	LENDING,
	THREADS,	/* several of these in several threads */
	EXECUTING,	/* and afterwards */
	ENDING,
	DOINGS,
};

static const char * const doing_names[DOINGS] = {
	"starting", "blocked-in-read", "in-poll", "between-poll-and-read",
	"holding", "holding-with-files-closed", "lending", "as-threads",
	"in-exec-or-after", "ending",
};

/* How it is killed. */
enum manner {
	PLAIN,
	STOPPED,
	TRACED,
	TRACED_STOP,
	TRACED_EXIT,	/* and stopped by its tracer once more in its exit */
	ZOMBIE,		/* and reaped later */
	MANNERS,
};

static const char * const manner_names[MANNERS] = {
	"at-once", "when-stopped", "under-ptrace", "in-ptrace-stop",
	"with-exit-traced", "left-as-zombie",
};

/**
 * struct client - one of the crowd, in memory that it shares with the storm
 * @pid: its process
 * @doing: what it was about to do when it last told
 * @seed: of what it does
 * @fd: what it reads, blocking
 * @nonblock: what it reads else
 * @stacks: of its first thread and of its helpers
 */
struct client {
	pid_t pid;
	enum doing doing;
	unsigned int seed;
	int fd;
	int nonblock;
	char (*stacks)[STACK];
};

/**
 * struct storm - what is known of it all
 * @seed: of what is done to the clients
 * @fd: the device, for clients to inherit
 * @nonblock: another open of it, with O_NONBLOCK
 * @clients: the crowd
 * @stacks: theirs
 * @zombies: those killed and not reaped, 0 where there is none
 * @killed: how many, by what they did
 * @manners: how many, by how they were killed
 */
struct storm {
	unsigned int seed;
	int fd;
	int nonblock;
	struct client clients[CROWD];
	char stacks[CROWD][1 + HELPERS][STACK];
	pid_t zombies[ZOMBIES];
	unsigned long killed[DOINGS];
	unsigned long manners[MANNERS];
};

/* ---- What clients do ---- */

/*
 * Most clients are processes that share the storm's memory, and so the state
 * that the C library keeps for a thread: they call nothing that relies on it.
 */

static unsigned int choose(unsigned int *seed, unsigned int n)
{
	return (unsigned int)rand_r(seed) % n;
}

static void do_next(struct client *client, enum doing doing)
{
	__atomic_store_n(&client->doing, doing, __ATOMIC_RELAXED);
}

static void pass_time(struct client *client, unsigned int us)
{
	struct timespec span = { .tv_nsec = 1000 * choose(&client->seed, us) };

	syscall(SYS_nanosleep, &span, NULL);
}

static void __noreturn stay(void)
{
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static bool take_one(int fd)
{
	char byte;

	return syscall(SYS_read, fd, &byte, 1) == 1;
}

static void work_and_return(struct client *client)
{
	do_next(client, HOLDING);
	pass_time(client, 10000);
	syscall(SYS_write, client->fd, "+", 1);
}

static void read_and_work(struct client *client)
{
	do_next(client, READING);
	if (take_one(client->fd))
		work_and_return(client);
}

static void poll_once(struct client *client, int timeout)
{
	struct pollfd pfd = { .fd = client->nonblock, .events = POLLIN };
	struct timespec span = { .tv_sec = timeout };

	do_next(client, POLLING);
	syscall(SYS_ppoll, &pfd, 1, &span, NULL, 0);
}

static void poll_and_work(struct client *client)
{
	poll_once(client, 10);
	do_next(client, BETWEEN);
	if (take_one(client->nonblock))
		work_and_return(client);
}

static void poll_and_hesitate(struct client *client)
{
	poll_once(client, 10);
	do_next(client, BETWEEN);
	pass_time(client, 30000);
	if (take_one(client->nonblock))
		work_and_return(client);
}

static void wait_in_epoll(struct client *client)
{
	static const unsigned int ways[] = {
		EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT,
	};
	struct epoll_event event = { .events = ways[choose(&client->seed, 3)] };
	int epoll = syscall(SYS_epoll_create1, EPOLL_CLOEXEC);

	syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, client->nonblock, &event);
	do_next(client, POLLING);
	syscall(SYS_epoll_pwait, epoll, &event, 1, 10000, NULL, 0);
	do_next(client, BETWEEN);
	if (take_one(client->nonblock))
		work_and_return(client);
	syscall(SYS_close, epoll);
}

static void take_some(struct client *client)
{
	do_next(client, READING);
	for (unsigned int n = 1 + choose(&client->seed, 3); n; n--)
		take_one(client->fd);
	do_next(client, HOLDING);
}

static void take_and_stay(struct client *client)
{
	take_some(client);
	stay();
}

static void take_and_close(struct client *client)
{
	take_some(client);
	for (int fd = 3; fd < 64; fd++)
		syscall(SYS_close, fd);
	do_next(client, CLOSED);
	stay();
}

static void exec_again(char *times)
{
	char * const args[] = { "storm", "--exec", times, NULL };
	char * const env[] = { NULL };

	syscall(SYS_execve, "/proc/self/exe", args, env);
}

/* Once more, so that more are killed within one; then it stays. */
static void __attribute__((constructor)) go_on_by_exec(int argc, char **argv)
{
	char *times;

	if (argc != 3 || strcmp(argv[1], "--exec"))
		return;
	/* A thread that executes has none of this from the first one. */
	die_with_the_test();
	times = argv[2];
	if (--times[0] > '0')
		exec_again(times);
	hold_forever();
}

static void take_and_exec(struct client *client)
{
	char times[] = "2";

	take_some(client);
	do_next(client, EXECUTING);
	exec_again(times);
}

static void take_and_end(struct client *client)
{
	take_some(client);
	do_next(client, ENDING);
	syscall(SYS_exit_group, 0);
}

static void lend_and_stay(struct client *client)
{
	do_next(client, LENDING);
	syscall(SYS_write, client->fd, "+", 1);
	stay();
}

/* What the threads of one do; the last of it ends the others. */
static int help(void *arg)
{
	static void (*const ways[])(struct client *client) = {
		read_and_work, read_and_work, poll_and_work, poll_and_hesitate,
		wait_in_epoll, take_and_stay, take_and_exec,
	};
	/* A copy, for what it does is not told: see be_threads(). */
	struct client *client = arg, me = {
		.seed = client->seed + (uintptr_t)&me,
		.fd = client->fd,
		.nonblock = client->nonblock,
	};

	for (;;)
		ways[choose(&me.seed, ARRAY_SIZE(ways))](&me);
	return 0;
}

static void be_threads(struct client *client)
{
	do_next(client, THREADS);
	for (int i = 1; i <= HELPERS; i++)
		clone(help, client->stacks[i] + STACK,
		      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		      CLONE_SYSVSEM | CLONE_THREAD, client);
	/* The first thread may be gone before the others. */
	if (choose(&client->seed, 2))
		syscall(SYS_exit, 0);
	help(client);
}

static int live(void *arg)
{
	static void (*const ways[])(struct client *client) = {
		read_and_work, read_and_work, poll_and_work, poll_and_work,
		poll_and_hesitate, wait_in_epoll, take_and_stay, take_and_stay,
		take_and_close, take_and_exec, take_and_end, lend_and_stay,
		be_threads,
	};
	struct client *client = arg;
	unsigned int way = choose(&client->seed, ARRAY_SIZE(ways));

	die_with_the_test();
	/* Through files of its own, or through those of everybody. */
	if (choose(&client->seed, 2)) {
		client->fd = syscall(SYS_openat, -1, STEVE_DEVICE, O_RDWR);
		client->nonblock = syscall(SYS_openat, -1, STEVE_DEVICE,
					   O_RDWR | O_NONBLOCK);
	}
	for (;;)
		ways[way](client);
	return 0;
}

static void start_client(struct storm *storm, struct client *client)
{
	pid_t pid;

	client->seed = choose(&storm->seed, RAND_MAX);
	client->fd = storm->fd;
	client->nonblock = storm->nonblock;
	client->stacks = storm->stacks[client - storm->clients];
	do_next(client, STARTING);
	if (choose(&storm->seed, FORKS)) {
		pid = clone(live, client->stacks[0] + STACK, CLONE_VM | SIGCHLD,
			    client);
		if (pid < 0)
			die("cannot make a process");
	} else {
		IN_CHILD(pid)
			live(client);
	}
	client->pid = pid;
}

/* ---- What is done to them ---- */

static bool has_changed(pid_t pid, int nohang, siginfo_t *info)
{
	info->si_pid = 0;
	if (waitid(P_PID, pid, info, WEXITED | WSTOPPED | WNOWAIT | __WALL | nohang))
		die("cannot wait for process %d", pid);
	return info->si_pid;
}

/* Waits until the process is dead, or has stopped. Returns whether it is dead. */
static bool wait_for_change(pid_t pid)
{
	siginfo_t info;

	has_changed(pid, 0, &info);
	return info.si_code != CLD_STOPPED && info.si_code != CLD_TRAPPED;
}

/* Lets a process that its tracer stops in its exit go on, until it is dead. */
static void wait_for_death(pid_t pid)
{
	while (!wait_for_change(pid))
		ptrace(PTRACE_CONT, pid, NULL, 0);
}

/*
 * Waits until the tracer has stopped the process, if it ever does: its first
 * thread, the one that is traced, may end before that, and another may take its
 * place by execve().
 */
static void wait_for_trace_stop(pid_t pid)
{
	siginfo_t info;

	if (!wait_until(has_changed(pid, WNOHANG, &info) ||
			proc_state(pid, pid) == 'Z' ||
			ptrace(PTRACE_INTERRUPT, pid, NULL, 0)))
		die("process %d does not stop", pid);
}

/* An execve() by another of its threads calls off a stop that has begun. */
static void halt(pid_t pid)
{
	siginfo_t info;

	if (!wait_until(!kill(pid, SIGSTOP) &&
			has_changed(pid, WNOHANG, &info)))
		die("process %d does not stop", pid);
}

static void trace(pid_t pid, long options, bool stop)
{
	/* It may be dead already. */
	if (!ptrace(PTRACE_SEIZE, pid, NULL, options) && stop)
		wait_for_trace_stop(pid);
}

static void prepare(pid_t pid, enum manner manner)
{
	switch (manner) {
	case STOPPED:
		halt(pid);
		break;
	case TRACED:
		trace(pid, 0, false);
		break;
	case TRACED_STOP:
		trace(pid, 0, true);
		break;
	case TRACED_EXIT:
		trace(pid, PTRACE_O_TRACEEXIT, false);
		break;
	default:
		break;
	}
}

/* Its process is dead, but not reaped: so its number is nobody else's. */
static bool has_nothing(pid_t pid)
{
	struct steve_client_info row = pool_client(pid);

	return !row.held && !row.reserved && !row.lent && !row.place;
}

static void reap_zombie(pid_t *zombie)
{
	if (!*zombie)
		return;
	if (!has_nothing(*zombie))
		die("zombie %d has something", *zombie);
	reap(*zombie);
	*zombie = 0;
}

static void kill_client(struct storm *storm, struct client *client,
			enum manner manner)
{
	pid_t *zombie = &storm->zombies[choose(&storm->seed, ZOMBIES)];
	pid_t pid = client->pid;

	prepare(pid, manner);
	storm->killed[__atomic_load_n(&client->doing, __ATOMIC_RELAXED)]++;
	storm->manners[manner]++;
	kill(pid, SIGKILL);
	wait_for_death(pid);
	if (!has_nothing(pid))
		die("process %d, killed %s while %s, is dead and has something",
		    pid, manner_names[manner], doing_names[client->doing]);
	if (manner == ZOMBIE) {
		reap_zombie(zombie);
		*zombie = pid;
	} else {
		reap(pid);
	}
}

static void change_settings(struct storm *storm)
{
	const struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS,
		.jobs = 1 + choose(&storm->seed, JOBS),
		.policy = choose(&storm->seed, 2),
		.reserve_ms = STEVE_RESERVE_MS_MIN + choose(&storm->seed, 20),
	};

	if (pool_set(&set))
		die("cannot set up the pool");
}

/* A crowd, of which one after the other is killed and another takes its place. */
static void rage(struct storm *storm, unsigned long kills)
{
	for (int i = 0; i < CROWD; i++)
		start_client(storm, &storm->clients[i]);
	for (; kills > CROWD; kills--) {
		struct client *client = &storm->clients[choose(&storm->seed, CROWD)];

		kill_client(storm, client, choose(&storm->seed, MANNERS));
		start_client(storm, client);
	}
	for (int i = 0; i < CROWD; i++)
		kill_client(storm, &storm->clients[i], PLAIN);
	for (int i = 0; i < ZOMBIES; i++)
		reap_zombie(&storm->zombies[i]);
}

static void tell_storm(const struct storm *storm, unsigned long kills,
		       time_t took)
{
	tell_figure("kills", "%lu in %ld s", kills, (long)took);
	for (int i = 0; i < DOINGS; i++)
		tell_figure("kills", "%lu %s", storm->killed[i], doing_names[i]);
	for (int i = 0; i < MANNERS; i++)
		tell_figure("kills", "%lu %s", storm->manners[i], manner_names[i]);
}

/**
 * struct kill - what the test finds
 * @found: the settings found
 */
FIXTURE(kill) {
	struct steve_settings found;
};

FIXTURE_SETUP(kill)
{
	ASSERT_TRUE(wait_at_most(5, pool_idle()));
	self->found = pool_settings();
}

FIXTURE_TEARDOWN_PARENT(kill)
{
	EXPECT_TRUE(wait_until(pool_idle()));
	EXPECT_EQ(0, pool_set(&self->found));
	EXPECT_TRUE(wait_until(pool_idle()));
}

TEST_F_TIMEOUT(kill, storm, LONG_TIMEOUT)
{
	unsigned long kills = length_of("STEVE_KILLS", KILLS), done = 0;
	struct storm *storm = shared_memory(sizeof(*storm));
	time_t begin = seconds();

	storm->seed = seed_of_test();
	storm->fd = open_steve(O_RDWR);
	storm->nonblock = open_steve(O_RDWR | O_NONBLOCK);
	watch_account();
	while (done < kills) {
		unsigned long n = kills - done < ROUND ? kills - done : ROUND;

		change_settings(storm);
		rage(storm, n < CROWD ? CROWD : n);
		done += n < CROWD ? CROWD : n;
		ASSERT_TRUE(pool_idle());
		ASSERT_TRUE(all_tokens_are_there());
		if (is_time_to_tell())
			TH_LOG("%lu of %lu kills", done, kills);
	}
	watched_account();
	tell_storm(storm, done, seconds() - begin);

	/* Each state and each manner was met. */
	for (int i = 0; i < DOINGS && done >= ENOUGH; i++) {
		EXPECT_LT(0, storm->killed[i]) {
			TH_LOG("%s", doing_names[i]);
		}
	}
	for (int i = 0; i < MANNERS && done >= ENOUGH; i++) {
		EXPECT_LT(0, storm->manners[i]) {
			TH_LOG("%s", manner_names[i]);
		}
	}
}

TEST_HARNESS_MAIN
