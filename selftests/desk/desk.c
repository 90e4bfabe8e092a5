// SPDX-License-Identifier: GPL-2.0
/*
 * desk: the pool's own source, on a desk.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fairness.h"
#include "search.h"

/* What a check does, in less than a minute on a slow machine. */
#define CHECK_HISTORIES	3000
#define CHECK_STEPS	250
#define CHECK_LENGTHS	300

#define ROW		400

struct options {
	unsigned long seed;
	unsigned long count;
	unsigned long steps;
	unsigned long lengths;
};

static const char usage[] =
	"usage: desk histories [--seed N] [--count N] [--steps N]\n"
	"       desk replay FILE\n"
	"       desk fairness [--lengths N]\n"
	"       desk check\n";

static int find_fault(const struct options *options)
{
	if (!search(options->seed, options->count, options->steps, stdout))
		return 1;
	printf("%lu histories from %lu on: all rules are kept\n",
	       options->count, options->seed);
	return 0;
}

static int show_fairness(const struct options *options)
{
	char row[ROW];
	int failed = 0;
	size_t i;
	bool ok;

	fairness_head(row, sizeof(row));
	puts(row);
	for (i = 0; i < fairness_count(); i++) {
		ok = fairness_run(i, options->lengths, row, sizeof(row));
		printf("%s%s\n", row, ok ? "" : "  MISSED");
		fflush(stdout);
		failed += !ok;
	}
	return failed != 0;
}

static int run_check(void)
{
	char row[ROW];
	int failed;
	size_t i;
	bool ok;

	printf("TAP version 13\n1..%zu\n", 1 + fairness_count());
	ok = search(1, CHECK_HISTORIES, CHECK_STEPS, stdout);
	failed = !ok;
	printf("%sok 1 %d histories\n", ok ? "" : "not ", CHECK_HISTORIES);
	for (i = 0; i < fairness_count(); i++) {
		ok = fairness_run(i, CHECK_LENGTHS, row, sizeof(row));
		printf("%sok %zu %s\n", ok ? "" : "not ", i + 2, row);
		fflush(stdout);
		failed += !ok;
	}
	return failed != 0;
}

static unsigned long to_number(const char *name, const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value > INT_MAX) {
		fprintf(stderr, "desk: --%s wants a number up to %d, not \"%s\"\n",
			name, INT_MAX, text);
		exit(2);
	}
	return value;
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 0 },
		{ "count", required_argument, NULL, 0 },
		{ "steps", required_argument, NULL, 0 },
		{ "lengths", required_argument, NULL, 0 },
		{ }
	};
	unsigned long *values[] = {
		&options->seed, &options->count, &options->steps,
		&options->lengths,
	};
	int index, c;

	while ((c = getopt_long(argc, argv, "", names, &index)) != -1) {
		if (c) {
			fputs(usage, stderr);
			exit(2);
		}
		*values[index] = to_number(names[index].name, optarg);
	}
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = 1,
		.count = 10000,
		.steps = 300,
		.lengths = 1000,
	};
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "replay") && argc == 3)
		return !replay(argv[2]);
	if (argc > 1)
		parse(&options, argc - 1, argv + 1);
	if (!strcmp(command, "histories"))
		return find_fault(&options);
	if (!strcmp(command, "fairness"))
		return show_fairness(&options);
	if (!strcmp(command, "check") && argc == 2)
		return run_check();
	fputs(usage, stderr);
	return 2;
}
