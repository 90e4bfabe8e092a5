// SPDX-License-Identifier: GPL-2.0
/*
 * Whose turn it is, however a client waits: tokens go round among those that
 * can be woken in the order in which they asked, and whoever only ever tries
 * loses nothing by it.
 */
#include "harness.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#define TRACEFS	"/sys/kernel/tracing"
#define TRACE	TRACEFS "/instances/steve-order"

#define BIT(n)	(1U << (n))

/* How a client waits for a token: all but the last can be woken. */
enum kind { READ, SELECT, POLL, LEVEL, EDGE, URING, TRY, KINDS };

enum {
	OF_EACH_KIND = 3,
	CLIENTS_MAX = OF_EACH_KIND * KINDS,
	TURNS = 20,		/* that each client has before a test ends */
	HABIT = 3,		/* seconds between the tries of one that only tries */
	DIARY = 100000,		/* turns that can be written down */
	THREADS = 100,		/* of a client that has many */
};

/* ---- Clients of every kind ---- */

/**
 * struct asker - a thread that wants tokens
 * @kind: how it waits
 * @fd: what it reads, with O_NONBLOCK unless @kind is READ
 * @epoll: an epoll instance with @fd in it, for LEVEL and EDGE
 */
struct asker {
	enum kind kind;
	int fd;
	int epoll;
};

static void wait_in_select(struct asker *asker)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(asker->fd, &set);
	if (select(asker->fd + 1, &set, NULL, NULL, NULL) != 1)
		die("select does not tell of a token");
}

static void wait_in_poll(struct asker *asker)
{
	struct pollfd pfd = { .fd = asker->fd, .events = POLLIN };

	if (poll(&pfd, 1, -1) != 1 || pfd.revents != POLLIN)
		die("poll does not tell of a token");
}

static void wait_in_epoll(struct asker *asker)
{
	struct epoll_event event;

	if (epoll_wait(asker->epoll, &event, 1, -1) != 1)
		die("epoll does not tell of a token");
}

#ifdef HAVE_LIBURING
static struct io_uring ring;

static bool uring_usable(void)
{
	struct io_uring probe;

	if (io_uring_queue_init(1, &probe, 0))
		return false;
	io_uring_queue_exit(&probe);
	return true;
}

static void open_ring(void)
{
	if (io_uring_queue_init(1, &ring, 0))
		die("cannot open a ring");
}

static void wait_in_ring(struct asker *asker)
{
	struct io_uring_cqe *cqe;

	io_uring_prep_poll_add(io_uring_get_sqe(&ring), asker->fd, POLLIN);
	if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe))
		die("cannot poll with io_uring");
	if (cqe->res != POLLIN)
		die("io_uring does not tell of a token");
	io_uring_cqe_seen(&ring, cqe);
}
#else
static bool uring_usable(void)
{
	return false;
}

static void open_ring(void)
{
}

static void wait_in_ring(struct asker *asker)
{
	die("built without liburing, cannot poll file %d", asker->fd);
}
#endif

static void do_something_else(struct asker *asker)
{
	(void)asker;
	usleep(20000);
}

static void (*const wait_as[KINDS])(struct asker *asker) = {
	[SELECT] = wait_in_select,
	[POLL] = wait_in_poll,
	[LEVEL] = wait_in_epoll,
	[EDGE] = wait_in_epoll,
	[URING] = wait_in_ring,
	[TRY] = do_something_else,
};

static void open_epoll(struct asker *asker)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (asker->kind == EDGE)
		event.events |= EPOLLET;
	asker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(asker->epoll, EPOLL_CTL_ADD, asker->fd, &event))
		die("cannot use epoll");
}

static struct asker open_asker(enum kind kind)
{
	struct asker asker = { .kind = kind };

	asker.fd = open_steve(O_RDWR | (kind == READ ? 0 : O_NONBLOCK));
	if (kind == LEVEL || kind == EDGE)
		open_epoll(&asker);
	if (kind == URING)
		open_ring();
	return asker;
}

static bool try_once(int fd)
{
	char byte;
	ssize_t ret = read(fd, &byte, 1);

	if (ret != 1 && !fails(ret, EAGAIN))
		die("a try gave %zd", ret);
	return ret == 1;
}

/* Edge-triggered epoll tells only of what comes after a try that failed. */
static void get_token(struct asker *asker)
{
	bool tries_first = asker->kind == EDGE || asker->kind == TRY;

	if (asker->kind == READ) {
		take(asker->fd);
		return;
	}
	if (tries_first && try_once(asker->fd))
		return;
	do
		wait_as[asker->kind](asker);
	while (!try_once(asker->fd));
}

/* ---- Settings ---- */

/* A big pool earns all the token-time that keeping may use at once. */
static void earn_keeping(void)
{
	if (pool_set_jobs(STEVE_JOBS_MAX))
		die("cannot make the pool big");
	usleep(20000);
}

/* Reservations that outlast the test: who is slow to run keeps its turn. */
static struct steve_settings prepare_pool(struct __test_metadata *_metadata)
{
	struct steve_settings set = {
		.mask = STEVE_SET_JOBS | STEVE_SET_POLICY | STEVE_SET_RESERVE_MS,
		.policy = STEVE_POLICY_FIFO,
		.reserve_ms = STEVE_RESERVE_MS_MAX,
	};
	struct steve_settings found = pool_settings();

	ASSERT_TRUE(wait_at_most(5, pool_idle())) {
		TH_LOG("the pool is in use");
	}
	earn_keeping();
	ASSERT_EQ(0, pool_set(&set));
	return found;
}

static void restore_pool(struct __test_metadata *_metadata,
			 const struct steve_settings *found)
{
	EXPECT_EQ(0, pool_set(found));
	EXPECT_TRUE(wait_until(pool_idle()));
}

/* ---- Many of them ---- */

/**
 * struct diary - what the clients write down, in memory that all share
 * @length: number of turns
 * @turn: whose turn it was
 * @turns: how many turns each client has had
 */
struct diary {
	int length;
	int turn[DIARY];
	int turns[CLIENTS_MAX];
};

/**
 * struct party - clients of some kinds
 * @clients: how many there are
 * @pid: their processes, in the order in which they have come
 * @kind: their kinds
 * @diary: what they write down
 */
struct party {
	int clients;
	pid_t pid[CLIENTS_MAX];
	enum kind kind[CLIENTS_MAX];
	struct diary *diary;
};

static struct party make_party(unsigned int kinds)
{
	struct party party = {};

	party.diary = shared_memory(sizeof(*party.diary));
	for (int i = 0; i < OF_EACH_KIND; i++)
		for (int kind = 0; kind < KINDS; kind++)
			if (kinds & BIT(kind))
				party.kind[party.clients++] = kind;
	return party;
}

/**
 * struct player - one thread of a client
 * @me: the number of the client
 * @diary: where it writes down its turns
 * @asker: how it waits
 * @play: what it does with a token, until it has returned it
 */
struct player {
	int me;
	struct diary *diary;
	struct asker asker;
	void (*play)(struct player *player);
};

static void write_down(struct player *player)
{
	struct diary *diary = player->diary;
	int n = __atomic_fetch_add(&diary->length, 1, __ATOMIC_SEQ_CST);

	if (n >= DIARY)
		die("the diary is full");
	diary->turn[n] = player->me;
	__atomic_fetch_add(&diary->turns[player->me], 1, __ATOMIC_SEQ_CST);
}

static void __noreturn play(struct player *player)
{
	for (;;) {
		get_token(&player->asker);
		player->play(player);
	}
}

static void *play_in_thread(void *player)
{
	play(player);
}

static void __noreturn play_in_threads(struct player *player, int threads)
{
	pthread_t thread;

	while (--threads)
		if (pthread_create(&thread, NULL, play_in_thread, player))
			die("cannot start a thread");
	play(player);
}

/* How many threads of the process are asleep? */
static int count_asleep(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die("cannot list the threads of %d", pid);
	while ((entry = readdir(dir)))
		n += proc_state(pid, atoi(entry->d_name)) == 'S';
	closedir(dir);
	return n;
}

/* One after another, so that their order is known. The pool is paused. */
static void start_clients(struct party *party, int threads,
			  void (*to_play)(struct player *player))
{
	for (int i = 0; i < party->clients; i++) {
		/* The first of its kind, which can sleep with all its threads? */
		bool many = i < party->clients / OF_EACH_KIND &&
			    party->kind[i] != TRY;
		pid_t pid;

		IN_CHILD(pid) {
			struct player player = {
				.me = i,
				.diary = party->diary,
				.asker = open_asker(party->kind[i]),
				.play = to_play,
			};

			play_in_threads(&player, many ? threads : 1);
		}
		party->pid[i] = pid;
		if (!wait_until(pool_status().waiting == (unsigned int)i + 1))
			die("client %d does not wait", i);
		if (many && !wait_until(count_asleep(party->pid[i]) == threads))
			die("not all threads of client %d wait", i);
	}
}

static void end_clients(const struct party *party)
{
	for (int i = 0; i < party->clients; i++)
		kill_and_reap(party->pid[i]);
}

static bool all_had_their_turns(const struct party *party)
{
	for (int i = 0; i < party->clients; i++)
		if (__atomic_load_n(&party->diary->turns[i],
				    __ATOMIC_SEQ_CST) < TURNS)
			return false;
	return true;
}

/* ---- They take turns ---- */

/* The first client of each kind that can be woken has so many threads. */
FIXTURE_VARIANT(mixture) {
	unsigned int kinds;
	int threads;
};

FIXTURE(mixture) {
	struct party party;
	struct steve_settings found;
};

FIXTURE_VARIANT_ADD(mixture, read_select) { BIT(READ) | BIT(SELECT), 1 };
FIXTURE_VARIANT_ADD(mixture, read_poll) { BIT(READ) | BIT(POLL), 1 };
FIXTURE_VARIANT_ADD(mixture, read_level) { BIT(READ) | BIT(LEVEL), 1 };
FIXTURE_VARIANT_ADD(mixture, read_edge) { BIT(READ) | BIT(EDGE), 1 };
FIXTURE_VARIANT_ADD(mixture, read_uring) { BIT(READ) | BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, read_try) { BIT(READ) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, select_poll) { BIT(SELECT) | BIT(POLL), 1 };
FIXTURE_VARIANT_ADD(mixture, select_level) { BIT(SELECT) | BIT(LEVEL), 1 };
FIXTURE_VARIANT_ADD(mixture, select_edge) { BIT(SELECT) | BIT(EDGE), 1 };
FIXTURE_VARIANT_ADD(mixture, select_uring) { BIT(SELECT) | BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, select_try) { BIT(SELECT) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, poll_level) { BIT(POLL) | BIT(LEVEL), 1 };
FIXTURE_VARIANT_ADD(mixture, poll_edge) { BIT(POLL) | BIT(EDGE), 1 };
FIXTURE_VARIANT_ADD(mixture, poll_uring) { BIT(POLL) | BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, poll_try) { BIT(POLL) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, level_edge) { BIT(LEVEL) | BIT(EDGE), 1 };
FIXTURE_VARIANT_ADD(mixture, level_uring) { BIT(LEVEL) | BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, level_try) { BIT(LEVEL) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, edge_uring) { BIT(EDGE) | BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, edge_try) { BIT(EDGE) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, uring_try) { BIT(URING) | BIT(TRY), 1 };
FIXTURE_VARIANT_ADD(mixture, all_but_uring) { (BIT(KINDS) - 1) & ~BIT(URING), 1 };
FIXTURE_VARIANT_ADD(mixture, all) { BIT(KINDS) - 1, 1 };
FIXTURE_VARIANT_ADD(mixture, read_in_threads) { BIT(READ), THREADS };
FIXTURE_VARIANT_ADD(mixture, poll_in_threads) { BIT(POLL), THREADS };
FIXTURE_VARIANT_ADD(mixture, both_in_threads) { BIT(READ) | BIT(POLL), THREADS };

FIXTURE_SETUP(mixture)
{
	if (variant->kinds & BIT(URING) && !uring_usable())
		SKIP(return, "no io_uring here");
	self->party = make_party(variant->kinds);
	self->found = prepare_pool(_metadata);
}

FIXTURE_TEARDOWN_PARENT(mixture)
{
	if (self->found.mask)
		restore_pool(_metadata, &self->found);
}

/* Pauses the pool, so that nobody is served until all have asked again. */
static void play_one_turn(struct player *player)
{
	write_down(player);
	if (pool_set_jobs(0))
		die("cannot pause the pool");
	give(player->asker.fd);
}

/* Are all clients waiting, after the last one to be served has asked again? */
static bool all_wait(const struct party *party)
{
	struct steve_status st = pool_status();

	return !st.size && !st.held && !st.reserved &&
	       st.waiting == (unsigned int)party->clients;
}

static void let_all_have_turns(const struct party *party)
{
	while (!all_had_their_turns(party)) {
		if (!wait_until(all_wait(party)))
			die("not all ask again");
		if (party->diary->length > 10 * TURNS * party->clients)
			die("somebody starves");
		if (pool_set_jobs(1))
			die("cannot go on");
	}
	if (!wait_until(all_wait(party)))
		die("not all ask again");
}

/*
 * Those that can be woken follow each other in the order in which they came,
 * again and again. That of those that only try cannot be as strict, since it
 * depends on when they try; but they too come once a round at most. That they
 * do come is what ends the test.
 */
TEST_F(mixture, tokens_go_round)
{
	struct party *party = &self->party;
	int waking[CLIENTS_MAX], last[CLIENTS_MAX];
	int n = 0, next = 0;

	for (int i = 0; i < party->clients; i++) {
		last[i] = -party->clients;
		if (party->kind[i] != TRY)
			waking[n++] = i;
	}
	start_clients(party, variant->threads, play_one_turn);
	let_all_have_turns(party);
	end_clients(party);

	for (int i = 0; i < party->diary->length; i++) {
		int who = party->diary->turn[i];

		if (party->kind[who] != TRY) {
			ASSERT_EQ(waking[next % n], who);
			next++;
		} else {
			ASSERT_LE(n, next - last[who]);
			last[who] = next;
		}
	}
}

/* ---- Clients of some kinds take tokens as fast as they can ---- */

static void trace_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die("cannot set %s", path);
	close(fd);
}

static void trace_begin(void)
{
	/* An instance with names of processes would trace the scheduler. */
	trace_set(TRACEFS "/options/record-cmd", "0");
	if (mkdir(TRACE, 0700))
		die("cannot make " TRACE);
	trace_set(TRACEFS "/options/record-cmd", "1");
	/* A clock that puts events of all processors in their order. */
	trace_set(TRACE "/trace_clock", "counter");
	trace_set(TRACE "/buffer_size_kb", "8192");
	trace_set(TRACE "/events/steve/enable", "1");
}

/**
 * struct event - one step in the life of a token, as the trace tells it
 * @name: what happened
 * @pid: to which client, 0 for none
 */
struct event {
	char name[32];
	pid_t pid;
};

/* Understands a line of the trace; false if it is a comment. */
static bool event_read(struct event *event, char *line)
{
	unsigned long kept, all;
	char *text = strstr(line, ": steve_");

	if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu",
		   &kept, &all) == 2 && kept != all)
		die("the trace is not whole");
	if (line[0] == '#' || line[0] == '\n')
		return false;
	if (!text || sscanf(text, ": %31[^:]:", event->name) != 1)
		die("cannot understand %s", line);
	text = strstr(text, ": pid=");
	event->pid = text ? atoi(text + strlen(": pid=")) : 0;
	return true;
}

/**
 * struct waiter - what the trace has told of a client
 * @pid: the client; 0 if it only tries, and so may come when it wants
 * @asked: when it asked for the token that it waits for, 0 if it does not wait
 * @asked_before: the same before its last event
 * @reserved: a token is reserved for it
 */
struct waiter {
	pid_t pid;
	int asked;
	int asked_before;
	bool reserved;
};

/* Has somebody waited longer than since @asked, and no token yet? */
static bool overtakes(const struct waiter *waiter, int n, int asked)
{
	for (int i = 0; i < n; i++)
		if (waiter[i].pid && waiter[i].asked && !waiter[i].reserved &&
		    (!asked || waiter[i].asked < asked))
			return true;
	return false;
}

/*
 * Takes note of what happened to the waiter @who of @n, in event number @now.
 * Returns false if it was served before another that had waited longer. Who
 * waits on, after it was granted a token, is told of just before the grant.
 */
static bool note(struct waiter *waiter, int n, struct waiter *who, int now,
		 const struct event *event, const struct event *last)
{
	bool waits_on = last->pid == who->pid &&
			!strcmp(last->name, "steve_enqueue");
	int asked = who->asked;
	bool served;

	if (!strcmp(event->name, "steve_enqueue")) {
		who->asked_before = asked;
		who->asked = now;
	} else if (!strcmp(event->name, "steve_reserve")) {
		served = !overtakes(waiter, n, asked);
		who->reserved = true;
		return served;
	} else if (!strcmp(event->name, "steve_grant")) {
		served = who->reserved ||
			 !overtakes(waiter, n, waits_on ? who->asked_before : asked);
		who->asked = waits_on ? asked : 0;
		who->reserved = false;
		return served;
	} else if (!strcmp(event->name, "steve_lapse")) {
		die("a reservation lapsed");
	}
	return true;
}

/*
 * How many were served before another that had waited longer? There are at
 * least so many @events.
 */
static int count_overtakers(struct waiter *waiter, int n, int events)
{
	FILE *trace = fopen(TRACE "/trace", "r");
	struct event event, last = {};
	char *line = NULL;
	size_t size = 0;
	int now = 0, bad = 0;

	if (!trace)
		die("cannot read the trace");
	while (getline(&line, &size, trace) > 0) {
		if (!event_read(&event, line))
			continue;
		now++;
		for (int i = 0; event.pid && i < n; i++)
			if (waiter[i].pid == event.pid &&
			    !note(waiter, n, &waiter[i], now, &event, &last)) {
				printf("# overtakes another: %s", line);
				bad++;
			}
		last = event;
	}
	fclose(trace);
	free(line);
	if (now < events)
		die("the trace has only %d events", now);
	return bad;
}

FIXTURE_VARIANT(crowd) {
	int threads;
};

FIXTURE(crowd) {
	struct party party;
	struct steve_settings found;
};

FIXTURE_VARIANT_ADD(crowd, one_thread_each) { .threads = 1 };
FIXTURE_VARIANT_ADD(crowd, many_threads) { .threads = THREADS };

FIXTURE_SETUP(crowd)
{
	unsigned int kinds = BIT(KINDS) - 1;

	/* What a ring waits for, it waits for once. */
	if (!uring_usable() || variant->threads > 1)
		kinds &= ~BIT(URING);
	self->party = make_party(kinds);
	self->found = prepare_pool(_metadata);
}

FIXTURE_TEARDOWN_PARENT(crowd)
{
	rmdir(TRACE);
	restore_pool(_metadata, &self->found);
}

static void play_as_it_likes(struct player *player)
{
	write_down(player);
	nap();
	give(player->asker.fd);
}

/*
 * The trace tells when each client asked, and when it was served: handed a
 * token, or told of one. Those that only try may be served at any time.
 */
TEST_F(crowd, nobody_overtakes)
{
	struct party *party = &self->party;
	struct waiter waiter[CLIENTS_MAX] = {};

	trace_begin();
	start_clients(party, variant->threads, play_as_it_likes);
	ASSERT_EQ(0, pool_set_jobs(TEST_JOBS));
	ASSERT_TRUE(wait_at_most(4 * PATIENCE, all_had_their_turns(party)));
	trace_set(TRACE "/tracing_on", "0");
	end_clients(party);

	for (int i = 0; i < party->clients; i++)
		if (party->kind[i] != TRY)
			waiter[i].pid = party->pid[i];
	/* Each turn is asked for, granted and ended. */
	EXPECT_EQ(0, count_overtakers(waiter, party->clients,
				      3 * TURNS * party->clients));
}

/* The first client has many threads, the others have one. */
FIXTURE(threads) {
	struct party party;
	struct steve_settings found;
};

FIXTURE_SETUP(threads)
{
	self->party = make_party(BIT(READ));
	self->found = prepare_pool(_metadata);
}

FIXTURE_TEARDOWN_PARENT(threads)
{
	restore_pool(_metadata, &self->found);
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The turns of one client between two of another's: the median. */
static int turns_between(const struct diary *diary, int who, int other)
{
	static int turns[DIARY];
	int n = -1, had = 0;

	for (int i = 0; i < diary->length; i++) {
		if (diary->turn[i] == who) {
			had++;
		} else if (diary->turn[i] == other) {
			/* What came before its first turn does not count. */
			if (n >= 0)
				turns[n] = had;
			n++;
			had = 0;
		}
	}
	qsort(turns, n, sizeof(turns[0]), compare_numbers);
	return turns[n / 2];
}

/*
 * Who has one thread asks again only once it has returned its token, and finds
 * that the others' further threads have asked long before.
 */
TEST_F(threads, count_as_one_client)
{
	struct party *party = &self->party;

	start_clients(party, THREADS, play_as_it_likes);
	ASSERT_EQ(0, pool_set_jobs(1));
	ASSERT_TRUE(wait_until(all_had_their_turns(party)));
	end_clients(party);

	/*
	 * Who is held up between two turns by a busy machine misses some. As many
	 * clients the threads would have THREADS turns between two of the others'.
	 */
	for (int i = 0; i < party->clients; i++)
		for (int j = 0; j < party->clients; j++)
			if (i != j)
				EXPECT_GE(THREADS / 10,
					  turns_between(party->diary, i, j));
}

/* ---- Those that only try ---- */

FIXTURE_VARIANT(trier) {
	enum kind later;
};

/**
 * struct obedient - a client that tries when it is told to
 * @pid: its process
 * @tell: where it is told to try, by one byte
 * @answer: where it tells if it has got a token
 */
struct obedient {
	pid_t pid;
	int tell;
	int answer;
};

/**
 * struct trier - what a test finds: a pool of one token, which the test holds
 * @fd: the device
 * @client: a client that tries
 * @found: the settings found
 */
FIXTURE(trier) {
	int fd;
	struct obedient client;
	struct steve_settings found;
};

FIXTURE_VARIANT_ADD(trier, before_read) { .later = READ };
FIXTURE_VARIANT_ADD(trier, before_select) { .later = SELECT };
FIXTURE_VARIANT_ADD(trier, before_poll) { .later = POLL };
FIXTURE_VARIANT_ADD(trier, before_level) { .later = LEVEL };
FIXTURE_VARIANT_ADD(trier, before_edge) { .later = EDGE };
FIXTURE_VARIANT_ADD(trier, before_uring) { .later = URING };

static void __noreturn try_when_told(int told, int answer)
{
	int fd = open_steve(O_RDWR | O_NONBLOCK);
	bool got;
	char byte;

	while (read(told, &byte, 1) == 1) {
		got = try_once(fd);
		if (write(answer, &got, sizeof(got)) != sizeof(got))
			break;
	}
	_exit(0);
}

static struct obedient start_trier(void)
{
	int tell[2], answer[2];
	pid_t pid;

	if (pipe(tell) || pipe(answer))
		die("no pipe");
	IN_CHILD(pid)
		try_when_told(tell[0], answer[1]);
	return (struct obedient){ pid, tell[1], answer[0] };
}

/* Lets it try; has it got a token? */
static bool tries(const struct obedient *client)
{
	bool got;

	if (write(client->tell, "", 1) != 1 ||
	    read(client->answer, &got, sizeof(got)) != sizeof(got))
		die("the client does not try");
	return got;
}

FIXTURE_SETUP(trier)
{
	if (variant->later == URING && !uring_usable())
		SKIP(return, "no io_uring here");
	self->found = prepare_pool(_metadata);
	self->fd = open_steve(O_RDWR);
	ASSERT_EQ(0, pool_set_jobs(1));
	take(self->fd);
	self->client = start_trier();
}

FIXTURE_TEARDOWN_PARENT(trier)
{
	if (self->found.mask)
		restore_pool(_metadata, &self->found);
}

/* A client that waits, behind all others, and keeps the token when it gets it. */
static pid_t start_asker(enum kind kind)
{
	unsigned int waiting = pool_status().waiting;
	pid_t pid;

	IN_CHILD(pid) {
		struct asker asker = open_asker(kind);

		get_token(&asker);
		hold_forever();
	}
	if (!wait_until(pool_status().waiting == waiting + 1))
		die("client %d does not wait", pid);
	return pid;
}

/* Nothing is known of how soon it tries again, so nothing is kept for it. */
TEST_F(trier, keeps_its_place_when_it_is_passed_over)
{
	const struct obedient *client = &self->client;
	__u64 place;
	pid_t pid;

	ASSERT_FALSE(tries(client));
	place = pool_client(client->pid).place;
	pid = start_asker(variant->later);
	give(self->fd);
	EXPECT_TRUE(wait_until(pool_client(pid).held == 1));
	EXPECT_FALSE(tries(client));
	EXPECT_EQ(place, pool_client(client->pid).place);
	EXPECT_EQ(STEVE_WAIT_COLD, pool_client(client->pid).wait);
	kill_and_reap(pid);
}

/**
 * struct turn - what happened when it was the turn of a client that only tries
 * @later: a client that came later and waits
 * @got: it got the token when it tried
 * @kept: before that, the token was reserved for it
 * @late: that took so long that it says nothing
 */
struct turn {
	pid_t later;
	bool got;
	bool kept;
	bool late;
};

/* It is known to try every HABIT seconds, and before that the token comes. */
static struct turn let_its_turn_come(int fd, const struct obedient *client,
				     enum kind kind)
{
	struct turn turn = {};
	time_t start;

	if (tries(client))
		die("there was a token");
	sleep(HABIT);
	start = seconds();
	if (tries(client))
		die("there was a token");
	turn.later = start_asker(kind);
	give(fd);
	turn.kept = pool_client(client->pid).reserved;
	turn.got = tries(client);
	turn.late = seconds() - start >= HABIT;
	return turn;
}

TEST_F(trier, is_served_before_later_comers_at_its_turn)
{
	struct obedient *client = &self->client;
	struct turn turn;

	for (;;) {
		turn = let_its_turn_come(self->fd, client, variant->later);
		if (!turn.late)
			break;
		kill_and_reap(turn.later);
		kill_and_reap(client->pid);
		/* It may have been kept in vain, and that was paid for. */
		earn_keeping();
		ASSERT_EQ(0, pool_set_jobs(1));
		take(self->fd);
		*client = start_trier();
	}
	EXPECT_TRUE(turn.kept);
	EXPECT_TRUE(turn.got);
	EXPECT_EQ(0, pool_client(turn.later).held);
	EXPECT_EQ(1, pool_status().waiting);
	kill_and_reap(client->pid);
	EXPECT_TRUE(wait_until(pool_client(turn.later).held == 1));
	kill_and_reap(turn.later);
}

TEST_HARNESS_MAIN
