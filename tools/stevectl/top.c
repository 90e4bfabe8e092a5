// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "commands.h"
#include "limits.h"
#include "number.h"
#include "proc.h"
#include "screen.h"
#include "steve.h"

/* Narrower terminals show neither users nor bars. */
#define WIDTH_USERS	64
#define WIDTH_BARS	52

/* The longest bar of a client. */
#define BAR_MAX		40

#define INTERVAL_MAX	360000	/* in hundredths of a second */

enum {
	OPT_INTERVAL = OPT_OWN,
	OPT_COUNT,
};

/**
 * struct options - what is asked for
 * @interval_ms: milliseconds between two pictures
 * @count: number of pictures; 0 for no end of them
 */
struct options {
	int interval_ms;
	unsigned int count;
};

/**
 * struct row - a client that is shown
 * @client: the client
 * @turn: its number in the queue, 0 if it does not wait
 */
struct row {
	struct steve_client_info client;
	unsigned int turn;
};

/**
 * struct view - what is shown at a time
 * @status: the account of the pool
 * @rows: the clients: first those that have tokens, then others that wait
 * @holders: number of those that have tokens
 * @waiters: number of others that wait
 * @others: number of clients that are in no row
 * @most: the most tokens that one has
 * @longest: the longest that one has waited
 * @bar: columns of the bar of a client, 0 for none
 * @users: users are shown
 */
struct view {
	struct steve_status status;
	struct row *rows;
	size_t holders;
	size_t waiters;
	size_t others;
	__u32 most;
	__u64 longest;
	int bar;
	bool users;
};

/* ---- What is asked for ---- */

static void parse_options(struct invocation *call, struct options *asked)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, OPT_INTERVAL },
		{ "count", required_argument, NULL, OPT_COUNT },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	unsigned int hundredths;
	int option;

	while ((option = next_option(call, options)) != -1) {
		switch (option) {
		case OPT_INTERVAL:
			if (!parse_hundredths(optarg, 10, INTERVAL_MAX,
					      &hundredths))
				errx(EXIT_FAILURE,
				     "--interval cannot be '%s'; give seconds from 0.1 to 3600",
				     optarg);
			asked->interval_ms = 10 * (int)hundredths;
			break;
		case OPT_COUNT:
			if (!parse_number(optarg, 1, UINT_MAX, &asked->count))
				errx(EXIT_FAILURE,
				     "--count cannot be '%s'; give a number from 1 on",
				     optarg);
			break;
		}
	}
	check_operands(call, 0);
}

/* ---- What there is to show ---- */

static bool has_tokens(const struct steve_client_info *client)
{
	return client->held || client->reserved;
}

/* Whoever has the most comes first; the others as they wait. */
static int compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	__u32 mine = one->client.held + one->client.reserved;
	__u32 theirs = other->client.held + other->client.reserved;

	if (mine != theirs)
		return mine > theirs ? -1 : 1;
	return client_order(&one->client, &other->client);
}

static void add_row(struct view *view, const struct steve_client_info *client,
		    unsigned int turn)
{
	__u32 tokens = client->held + client->reserved;

	if (!tokens && !turn) {
		view->others++;
		return;
	}
	view->rows[view->holders + view->waiters] = (struct row){
		.client = *client, .turn = turn,
	};
	if (has_tokens(client))
		view->holders++;
	else
		view->waiters++;
	if (tokens > view->most)
		view->most = tokens;
	if (client->waited_ns > view->longest)
		view->longest = client->waited_ns;
}

/* Returns 0, or a negative error number. */
static int read_view(int fd, struct view *view)
{
	struct steve_client_info *clients;
	unsigned int turn = 0;
	size_t count;
	int error;

	*view = (struct view){ .most = 1 };
	error = steve_get_status(fd, &view->status);
	if (!error)
		error = steve_get_clients(fd, &clients, &count);
	if (error)
		return error;

	qsort(clients, count, sizeof(*clients), client_order);
	view->rows = calloc(count + 1, sizeof(*view->rows));
	for (size_t i = 0; view->rows && i < count; i++)
		add_row(view, &clients[i], clients[i].place ? ++turn : 0);
	free(clients);
	if (!view->rows)
		return -ENOMEM;
	qsort(view->rows, view->holders + view->waiters, sizeof(*view->rows),
	      compare);
	return 0;
}

/* ---- The pool ---- */

static __printf(3, 4)
void draw(struct screen *screen, enum colour colour, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	screen_text(screen, colour, text);
}

static void draw_numbers(struct screen *screen, const struct view *view)
{
	const struct steve_status *status = &view->status;

	screen_line(screen);
	draw(screen, COLOUR_BOLD, "%u of %u tokens held", status->held,
	     status->size);
	if (status->reserved)
		draw(screen, COLOUR_NONE, ", %u reserved", status->reserved);
	draw(screen, COLOUR_NONE, ", %u waiting", status->waiting);
	if (status->lent)
		draw(screen, COLOUR_NONE, ", %u lent", status->lent);
	if (status->size != status->jobs)
		draw(screen, COLOUR_NONE, ", %u jobs set", status->jobs);
	if (status->caps)
		draw(screen, COLOUR_NONE, ", %u cap%s", status->caps,
		     status->caps == 1 ? "" : "s");
}

/* How many of @cells show @part of @whole; something is never nothing. */
static int share(__u64 part, __u64 whole, int cells)
{
	__u64 count;

	if (!part || cells <= 0)
		return 0;
	count = part * (__u64)cells / whole;
	return count ? (int)count : 1;
}

/* Draws tokens @from to @to of @whole into a bar; returns the cells left of it. */
static int draw_part(struct screen *screen, enum colour colour, char character,
		     __u32 from, __u32 to, __u32 whole, int left)
{
	__u64 cells = (__u64)screen->width - 2;
	int count = (int)(to * cells / whole - from * cells / whole);

	if (!count && to > from)
		count = 1;	/* Something is never nothing. */
	if (count > left)
		count = left;
	screen_fill(screen, colour, character, count);
	return left - count;
}

/* Held, held beyond what the pool has now, reserved, free. */
static void draw_pool(struct screen *screen, const struct view *view)
{
	const struct steve_status *status = &view->status;
	__u32 used = status->held + status->reserved;
	__u32 most = status->size + status->lent;
	__u32 whole = used > most ? used : most;
	__u32 good = status->held < most ? status->held : most;
	int left = screen->width - 2;

	screen_line(screen);
	if (!whole || left < 1)
		return;
	screen_text(screen, COLOUR_NONE, "[");
	left = draw_part(screen, COLOUR_GREEN, '#', 0, good, whole, left);
	left = draw_part(screen, COLOUR_RED, '!', good, status->held, whole,
			 left);
	left = draw_part(screen, COLOUR_YELLOW, '+', status->held, used, whole,
			 left);
	screen_fill(screen, COLOUR_NONE, '.', left);
	screen_text(screen, COLOUR_NONE, "]");
}

static void draw_limits(struct screen *screen, const struct view *view)
{
	char *sentence = limits_sentence(&view->status);
	bool short_of = view->status.limits &
			(STEVE_LIMIT_LOAD | STEVE_LIMIT_MEMORY);

	screen_line(screen);
	screen_text(screen, short_of ? COLOUR_RED : COLOUR_NONE,
		    sentence ? sentence : "");
	free(sentence);
}

/* ---- The clients ---- */

static void draw_since(struct screen *screen, __u64 ns)
{
	unsigned long long s = ns / 1000000000;

	if (s < 100)
		draw(screen, COLOUR_NONE, " %5llu.%llus", s,
		     ns / 100000000 % 10);
	else if (s < 3600)
		draw(screen, COLOUR_NONE, " %4llum%02llus", s / 60, s % 60);
	else
		draw(screen, COLOUR_NONE, " %4lluh%02llum", s / 3600,
		     s / 60 % 60);
}

/* Tokens, or how long somebody without any waits, beside the longest wait. */
static void draw_bar(struct screen *screen, const struct view *view,
		     const struct steve_client_info *client)
{
	int held, reserved = 0, waits = 0;
	int cells = view->bar;
	int one = cells;

	if ((int)view->most < cells)
		one = (int)view->most;	/* A cell is a token. */
	held = share(client->held, view->most, one);
	if (has_tokens(client))
		reserved = share(client->reserved, view->most, one);
	else if (view->longest)
		waits = share(client->waited_ns, view->longest, cells);

	screen_text(screen, COLOUR_NONE, " ");
	screen_fill(screen, COLOUR_GREEN, '#', held);
	screen_fill(screen, COLOUR_YELLOW, '+', reserved);
	screen_fill(screen, COLOUR_BLUE, '-', waits);
	screen_fill(screen, COLOUR_NONE, ' ', cells - held - reserved - waits);
}

static void draw_command(struct screen *screen, pid_t pid)
{
	char *command = pid ? proc_command(pid) : NULL;

	draw(screen, COLOUR_NONE, " ");
	screen_text(screen, COLOUR_NONE, command ? command : "-");
	free(command);
}

static void draw_client(struct screen *screen, const struct view *view,
			const struct row *row)
{
	const struct steve_client_info *client = &row->client;
	char *user;

	screen_line(screen);
	draw(screen, COLOUR_NONE, "%7d", client->pid);
	if (view->users) {
		user = client_user(client);
		draw(screen, COLOUR_NONE, " %-10.10s", user ? user : "?");
		free(user);
	}
	draw(screen, COLOUR_NONE, " %5u", client->held);
	if (row->turn) {
		draw(screen, COLOUR_NONE, " %-4s %5u", client_wait(client),
		     row->turn);
		draw_since(screen, client->waited_ns);
	} else {
		draw(screen, COLOUR_NONE, " %-4s %5s %8s",
		     client->limited ? "full" : "", "", "");
	}
	if (view->bar)
		draw_bar(screen, view, client);
	draw_command(screen, client->pid);
}

static void draw_headings(struct screen *screen, const struct view *view)
{
	screen_line(screen);
	screen_line(screen);
	draw(screen, COLOUR_BOLD, "%7s", "PID");
	if (view->users)
		draw(screen, COLOUR_BOLD, " %-10s", "USER");
	draw(screen, COLOUR_BOLD, " %5s %-4s %5s %8s", "HELD", "WAIT", "TURN",
	     "SINCE");
	if (view->bar)
		draw(screen, COLOUR_BOLD, " %-*.*s", view->bar, view->bar,
		     "# HELD + RESERVED - WAIT");
	draw(screen, COLOUR_BOLD, " COMMAND");
}

/* Draws rows into so many lines; the last tells of those that found no room. */
static void draw_rows(struct screen *screen, const struct view *view,
		      const struct row *rows, size_t count, size_t lines,
		      const char *what)
{
	size_t shown = count <= lines ? count : lines ? lines - 1 : 0;

	for (size_t i = 0; i < shown; i++)
		draw_client(screen, view, &rows[i]);
	if (shown == count || !lines)
		return;
	screen_line(screen);
	draw(screen, COLOUR_NONE, "%7s %zu more that %s", "", count - shown,
	     what);
}

static void draw_clients(struct screen *screen, const struct view *view)
{
	int left = screen_left(screen) - (view->others ? 1 : 0);
	size_t lines = left > 0 ? (size_t)left : 0;
	size_t first = view->holders;

	/* Where there is no room for all, each kind has at least half of it. */
	if (first + view->waiters > lines && first > lines / 2) {
		first = lines / 2;
		if (view->waiters < lines - first)
			first = lines - view->waiters;
	}
	draw_rows(screen, view, view->rows, view->holders, first,
		  "hold tokens");
	draw_rows(screen, view, view->rows + view->holders, view->waiters,
		  lines - first, "wait");
	if (!view->others)
		return;
	screen_line(screen);
	draw(screen, COLOUR_NONE, "%7s %zu%s that neither hold%s nor wait%s", "",
	     view->others, (view->holders + view->waiters) ? " more" : "",
	     view->others == 1 ? "s" : "", view->others == 1 ? "s" : "");
}

/* Returns 0, or a negative error number. */
static int show_view(struct screen *screen, struct view *view)
{
	int error = screen_begin(screen);

	if (error)
		return error;
	view->users = screen->width >= WIDTH_USERS;
	view->bar = screen->width >= WIDTH_BARS ? screen->width / 4 : 0;
	if (view->bar > BAR_MAX)
		view->bar = BAR_MAX;

	draw_numbers(screen, view);
	draw_pool(screen, view);
	draw_limits(screen, view);
	if (view->holders + view->waiters)
		draw_headings(screen, view);
	draw_clients(screen, view);
	return screen_end(screen);
}

/* ---- The whole ---- */

/* Returns 0, or a negative error number and what could not be done. */
static int show_pictures(int fd, struct screen *screen,
			 const struct options *asked, const char **what)
{
	enum screen_event event = SCREEN_TIME;
	unsigned int shown = 0;
	struct view view;
	int error;

	while (event != SCREEN_QUIT) {
		*what = "read the account of the pool";
		error = read_view(fd, &view);
		if (!error) {
			*what = "write";
			error = show_view(screen, &view);
		}
		free(view.rows);
		if (error)
			return error;
		if (event == SCREEN_TIME && ++shown == asked->count)
			break;
		event = screen_wait(screen, asked->interval_ms);
	}
	return 0;
}

static int top(struct invocation *call)
{
	struct options asked = { .interval_ms = 1000 };
	const char *what = "use the terminal";
	struct screen screen;
	int fd, error;

	parse_options(call, &asked);
	fd = open_jobserver(call);
	error = screen_open(&screen);
	if (!screen.terminal && !asked.count)
		asked.count = 1;
	if (!error)
		error = show_pictures(fd, &screen, &asked, &what);
	screen_close(&screen);
	if (error)
		errx(EXIT_FAILURE, "cannot %s: %s", what, strerror(-error));
	return EXIT_SUCCESS;
}

const struct command top_command = {
	.name = "top",
	.arguments = "[--interval SECONDS] [--count N]",
	.summary = "Show the pool and its clients live, as bars",
	.help =
"Ends by q. Where standard output is no terminal, it is shown once, or N times.\n"
"\n"
"The bar of the pool: # held, ! held beyond what the pool has now, + reserved,\n"
". free. Clients that have tokens come first; then those that wait, in the order\n"
"of the queue:\n"
"\n"
"  PID         process id; 0 if it is in another namespace\n"
"  USER        user it runs as\n"
"  HELD        tokens it has\n"
"  WAIT        how it waits: read, poll or cold, see stevectl ps; full if it has\n"
"              all that one process may hold\n"
"  TURN        its number in the queue\n"
"  SINCE       how long it has had its place\n"
"  # + -       its tokens, held and reserved; if it has none, how long it waits,\n"
"              beside the one that has waited longest\n"
"  COMMAND     its command line\n",
	.options =
"  --interval SECONDS\n"
"                  from one picture to the next, 0.1 to 3600 (1)\n"
"  --count N       end after N pictures\n",
	.run = top,
};
