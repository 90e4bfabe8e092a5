// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <errno.h>
#include <iconv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "clients.h"
#include "commands.h"
#include "proc.h"
#include "steve.h"

/* With the letters that the programs of util-linux have for them. */
enum {
	OPT_JSON = 'J',
	OPT_RAW = 'r',
	OPT_NOHEADINGS = 'n',
	OPT_OUTPUT = 'o',
};

enum column {
	COLUMN_PID,
	COLUMN_USER,
	COLUMN_HELD,
	COLUMN_WAIT,
	COLUMN_SINCE,
	COLUMN_RESERVED,
	COLUMN_LENT,
	COLUMN_COMMAND,
	DEFAULT_COLUMNS,
	/* Those that are not shown unless they are asked for. */
	COLUMN_FULL = DEFAULT_COLUMNS,
	COLUMN_DEBT,
	COLUMNS,
};

/**
 * struct column_info - how a column is shown
 * @name: its heading, and in small letters its name in JSON
 * @flags: SCOLS_FL_*
 * @json: SCOLS_JSON_*
 */
struct column_info {
	const char *name;
	int flags;
	int json;
};

static const struct column_info columns[COLUMNS] = {
	[COLUMN_PID] = { "PID", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_USER] = { "USER", 0, SCOLS_JSON_STRING },
	[COLUMN_HELD] = { "HELD", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_WAIT] = { "WAIT", 0, SCOLS_JSON_STRING },
	[COLUMN_SINCE] = { "SINCE", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_RESERVED] = { "RESERVED", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_LENT] = { "LENT", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_COMMAND] = { "COMMAND", SCOLS_FL_TRUNC, SCOLS_JSON_STRING },
	[COLUMN_FULL] = { "FULL", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COLUMN_DEBT] = { "DEBT", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
};

/**
 * struct view - what to show, and how
 * @json: as JSON
 * @raw: without alignment
 * @noheadings: without headings
 * @columns: columns to show
 * @count: number of @columns
 */
struct view {
	bool json;
	bool raw;
	bool noheadings;
	enum column columns[COLUMNS];
	size_t count;
};

/* ---- What is asked for ---- */

static bool find_column(const char *name, enum column *column)
{
	for (*column = 0; *column < COLUMNS; ++*column) {
		if (!strcasecmp(name, columns[*column].name))
			return true;
	}
	return false;
}

static void add_column(struct view *view, enum column column)
{
	view->columns[view->count++] = column;
}

static bool has_column(const struct view *view, enum column column)
{
	for (size_t i = 0; i < view->count; i++) {
		if (view->columns[i] == column)
			return true;
	}
	return false;
}

static void set_columns(const struct invocation *call, struct view *view,
			char *list)
{
	enum column column;
	char *name;

	/* A plus adds to the usual ones. */
	if (*list == '+')
		list++;
	else
		view->count = 0;
	while ((name = strsep(&list, ","))) {
		if (!find_column(name, &column))
			usage_error(call, "no column is called '%s'", name);
		if (has_column(view, column))
			usage_error(call, "column '%s' was asked for twice",
				    name);
		add_column(view, column);
	}
}

static void parse_options(struct invocation *call, struct view *view)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "raw", no_argument, NULL, OPT_RAW },
		{ "noheadings", no_argument, NULL, OPT_NOHEADINGS },
		{ "output", required_argument, NULL, OPT_OUTPUT },
		DEVICE_OPTION, HELP_OPTION, { }
	};
	int option;

	while ((option = next_option(call, options)) != -1) {
		switch (option) {
		case OPT_JSON:
			view->json = true;
			break;
		case OPT_RAW:
			view->raw = true;
			break;
		case OPT_NOHEADINGS:
			view->noheadings = true;
			break;
		case OPT_OUTPUT:
			set_columns(call, view, optarg);
			break;
		}
	}
	check_operands(call, 0);
	if (view->json && view->raw)
		usage_error(call, "--json and --raw exclude each other");
}

/* ---- The cells ---- */

static __printf(1, 2)
char *textf(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		err(EXIT_FAILURE, "cannot make the table");
	return text;
}

/* In seconds; none for a client that has no place. */
static char *since_text(const struct steve_client_info *client)
{
	unsigned long long ms = client->waited_ns / 1000000;

	if (!client->place)
		return NULL;
	return textf("%llu.%03llu", ms / 1000, ms % 1000);
}

/* What is not UTF-8 has no place in JSON. */
static void replace_invalid(char *text)
{
	iconv_t converter = iconv_open("UTF-8", "UTF-8");
	size_t left = strlen(text);

	if (converter == (iconv_t)-1)
		err(EXIT_FAILURE, "cannot make the table");
	while (left) {
		char converted[256], *end = converted;
		size_t room = sizeof(converted);

		if (iconv(converter, &text, &left, &end, &room) != (size_t)-1 ||
		    errno == E2BIG)
			continue;
		*text++ = '?';
		left--;
	}
	iconv_close(converter);
}

/* The text of a cell, NULL if there is none. */
static char *cell_text(const struct steve_client_info *client,
		       enum column column)
{
	switch (column) {
	case COLUMN_PID:
		return textf("%d", client->pid);
	case COLUMN_USER:
		return client_user(client);
	case COLUMN_HELD:
		return textf("%u", client->held);
	case COLUMN_WAIT:
		return textf("%s", client_wait(client));
	case COLUMN_SINCE:
		return since_text(client);
	case COLUMN_RESERVED:
		return textf("%u", client->reserved);
	case COLUMN_LENT:
		return textf("%u", client->lent);
	case COLUMN_COMMAND:
		return client->pid ? proc_command(client->pid) : NULL;
	case COLUMN_FULL:
		return textf("%u", client->limited);
	case COLUMN_DEBT:
		return textf("%u", client->debt);
	case COLUMNS:
		break;
	}
	return NULL;
}

/* ---- The table ---- */

static void check(int error)
{
	if (error)
		errx(EXIT_FAILURE, "cannot make the table: %s",
		     strerror(-error));
}

static struct libscols_table *new_table(const struct view *view)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		check(-ENOMEM);
	check(scols_table_set_name(table, "clients"));
	check(scols_table_enable_json(table, view->json));
	check(scols_table_enable_raw(table, view->raw));
	check(scols_table_enable_noheadings(table, view->noheadings));
	for (size_t i = 0; i < view->count; i++) {
		const struct column_info *info = &columns[view->columns[i]];
		struct libscols_column *column;

		column = scols_table_new_column(table, info->name, 0,
						info->flags);
		if (!column)
			check(-ENOMEM);
		check(scols_column_set_json_type(column, info->json));
	}
	return table;
}

static void add_line(struct libscols_table *table, const struct view *view,
		     const struct steve_client_info *client)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line)
		check(-ENOMEM);
	for (size_t i = 0; i < view->count; i++) {
		char *cell = cell_text(client, view->columns[i]);

		/* What is not there is null in JSON. */
		if (!cell && !view->json)
			cell = textf("-");
		if (cell && view->json)
			replace_invalid(cell);
		if (cell)
			check(scols_line_refer_data(line, i, cell));
	}
}

static int show_clients(struct invocation *call)
{
	struct view view = { .count = 0 };
	struct steve_client_info *clients;
	struct libscols_table *table;
	enum column column;
	size_t count;
	int err;

	for (column = 0; column < DEFAULT_COLUMNS; column++)
		add_column(&view, column);
	parse_options(call, &view);

	err = steve_get_clients(open_jobserver(call), &clients, &count);
	if (err)
		errx(EXIT_FAILURE, "cannot list the clients: %s",
		     strerror(-err));
	qsort(clients, count, sizeof(*clients), client_order);

	table = new_table(&view);
	for (size_t i = 0; i < count; i++)
		add_line(table, &view, &clients[i]);
	check(scols_print_table(table));
	scols_unref_table(table);
	free(clients);
	return EXIT_SUCCESS;
}

const struct command ps_command = {
	.name = "ps",
	.arguments = "[--json | --raw] [--noheadings] [--output COLUMN,...]",
	.summary = "Show the clients: who holds tokens and who waits",
	.help =
"One row a client, those that wait first, in the order of the queue. Without root\n"
"(CAP_SYS_RESOURCE) only your own processes are shown.\n"
"\n"
"  PID         process id; 0 if it is in another namespace\n"
"  USER        user it runs as\n"
"  HELD        tokens it has\n"
"  WAIT        how it waits for a token: blocked in read, asleep in poll, cold if\n"
"              it has a place in the queue but will come by itself, or none\n"
"  SINCE       seconds since it got its place\n"
"  RESERVED    tokens put aside for it\n"
"  LENT        implicit slots it lent\n"
"  COMMAND     its command line\n"
"\n"
"Only by --output:\n"
"\n"
"  FULL        1 if it has all the tokens that one process may hold\n"
"  DEBT        tokens taken from it by reclaim that it may yet write back\n",
	.options =
"  -J, --json      show an object with an array \"clients\", names in small letters\n"
"  -r, --raw       show columns without alignment, for programs\n"
"  -n, --noheadings\n"
"                  show no headings\n"
"  -o, --output LIST\n"
"                  show these columns, separated by commas; after a plus, these\n"
"                  beside the usual ones\n",
	.run = show_clients,
};
