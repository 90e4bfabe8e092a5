// SPDX-License-Identifier: GPL-2.0
/*
 * Experiments: does a program that never polls get its share, and is the pool
 * used?
 */
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/time64.h>

#include "build.h"
#include "fairness.h"

#define SUB_JOBS	10	/* of a sub-make */
#define SPREAD		0.02	/* by which part of their length jobs differ */
#define LATE		5	/* job lengths after which a late ninja starts */
#define PAUSE		20	/* job lengths for which a ninja pauses */
#define FIRST		1.3	/* job lengths until its first jobs have ended */
#define CROWD_LENGTHS	20	/* job lengths that a crowd builds */

/**
 * enum plan - when a ninja wants jobs
 * @ALWAYS: all the time
 * @COMES_LATE: from some time after the others have started
 * @STOPS: in the first half
 * @COMES_BACK: all the time, but for a pause
 */
enum plan {
	ALWAYS,
	COMES_LATE,
	STOPS,
	COMES_BACK,
};

/**
 * struct mix - who builds
 * @name: what it is called
 * @tokens: number of tokens
 * @makes: number of them
 * @ninjas: number of them
 * @cargos: number of them
 * @sub_makes: the makes have few jobs, and others follow them
 * @plan: when the ninjas want jobs
 */
struct mix {
	const char *name;
	u32 tokens;
	unsigned int makes;
	unsigned int ninjas;
	unsigned int cargos;
	bool sub_makes;
	enum plan plan;
};

static const struct mix mixes[] = {
	{ "1 make, 1 ninja", 8, 1, 1, 0, false, ALWAYS },
	{ "3 makes, 1 ninja", 8, 3, 1, 0, false, ALWAYS },
	{ "7 makes, 1 ninja", 8, 7, 1, 0, false, ALWAYS },
	{ "4 makes, 4 ninjas", 8, 4, 4, 0, false, ALWAYS },
	{ "1 make, 1 ninja, 2 cargos", 8, 1, 1, 2, false, ALWAYS },
	{ "36 sub-makes, 1 ninja", 8, 36, 1, 0, true, ALWAYS },
	{ "3 makes, 1 late ninja", 8, 3, 1, 0, false, COMES_LATE },
	{ "3 makes, 1 ninja stops", 8, 3, 1, 0, false, STOPS },
	{ "3 makes, 1 ninja pauses", 8, 3, 1, 0, false, COMES_BACK },
	{ "5000 makes, 2000 ninjas, 3000 cargos", 4096, 5000, 2000, 3000, false,
	  ALWAYS },
};

static const double lengths_of_jobs[] = { 0.2, 2, 20 };

/**
 * struct goal - what is to be reached
 * @policy: under this policy
 * @name: of the policy
 * @share: part of its fair share of token-time that a ninja gets
 * @utilisation: part of all token-time that is used
 */
struct goal {
	enum steve_policy policy;
	const char *name;
	double share;
	double utilisation;
};

static const struct goal goals[] = {
	{ STEVE_POLICY_FIFO, "fifo", 0.45, 0.94 },
	{ STEVE_POLICY_FAIR, "fair", 0.9, 0.985 },
};

/**
 * struct count - token-time up to some moment
 * @at: the moment
 * @ninjas: of the ninjas
 * @all: of all
 * @kept: that keeping used
 */
struct count {
	u64 at;
	double ninjas;
	double all;
	double kept;
};

static bool is_crowd(const struct mix *mix)
{
	return mix->tokens > 64;
}

static struct count count_now(const struct build *build, const struct mix *mix)
{
	const struct world *world = &build->world;
	struct count count = {
		.at = world->now,
		.all = world->judge.held,
		.kept = world->judge.kept,
	};
	unsigned int i;

	for (i = mix->makes; i < mix->makes + mix->ninjas; i++) {
		const struct judged *judged = &world->processes[i]->judged;

		count.ninjas += judged->token_time + (double)judged->tokens *
				(world->now - judged->token_time_at);
	}
	return count;
}

static double share(const struct build *build, const struct mix *mix,
		    const struct count *from, const struct count *to)
{
	double fair = (to->all - from->all) * mix->ninjas / build->count;

	return (to->ninjas - from->ninjas) / fair;
}

static double part(const struct mix *mix, double token_time,
		   const struct count *from, const struct count *to)
{
	return token_time / ((double)(to->at - from->at) * mix->tokens);
}

static void prepare(struct build *build, const struct mix *mix, u64 total)
{
	u64 job = build->job_ns;
	unsigned int i;

	for (i = 0; i < build->count; i++) {
		struct builder *builder = &build->builders[i];
		u64 start = random_below(&build->random, 50 * NSEC_PER_MSEC);

		if (i < mix->makes) {
			builder->habit = &make_habit;
			builder->renews = mix->sub_makes ? SUB_JOBS : 0;
			builder->left = builder->renews;
		} else if (i >= mix->makes + mix->ninjas) {
			builder->habit = &cargo_habit;
		} else {
			builder->habit = &ninja_habit;
			if (mix->plan == COMES_LATE)
				start += LATE * job;
			if (mix->plan == STOPS)
				build_note(build, total / 2, builder, PAUSES);
			if (mix->plan == COMES_BACK) {
				build_note(build, total / 3, builder, PAUSES);
				build_note(build, total / 3 + PAUSE * job,
					   builder, COMES);
			}
		}
		build_note(build, start, builder, BEGIN);
	}
}

/**
 * struct result - what came out
 * @share: part of its fair share of token-time that a ninja got
 * @utilisation: part of all token-time that was used
 * @kept: part of it that keeping used
 */
struct result {
	double share;
	double utilisation;
	double kept;
};

/*
 * The share is that of the time when ninja wanted jobs and its first ones had
 * ended, the utilisation that of all the time after the first jobs.
 */
static struct result measure(struct build *build, const struct mix *mix,
			     u64 total)
{
	u64 start = build->world.now;
	u64 first = FIRST * build->job_ns;
	struct count begun, from, to, end;

	build_run(build, start + first);
	begun = count_now(build, mix);
	if (mix->plan == COMES_LATE)
		build_run(build, start + first + LATE * build->job_ns);
	if (mix->plan == COMES_BACK)
		build_run(build, start + first + total / 3 +
				 PAUSE * build->job_ns);
	from = count_now(build, mix);
	build_run(build, start + (mix->plan == STOPS ? total / 2 : total));
	to = count_now(build, mix);
	build_run(build, start + total);
	end = count_now(build, mix);

	return (struct result){
		.share = share(build, mix, &from, &to),
		.utilisation = part(mix, end.all - begun.all, &begun, &end),
		.kept = part(mix, end.kept - begun.kept, &begun, &end),
	};
}

/**
 * fairness_count() - how many experiments there are
 *
 * Return: the number.
 */
size_t fairness_count(void)
{
	return ARRAY_SIZE(goals) * ARRAY_SIZE(mixes) *
	       ARRAY_SIZE(lengths_of_jobs);
}

/**
 * fairness_head() - what the columns are
 * @row: where to write it
 * @size: how much room there is
 */
void fairness_head(char *row, size_t size)
{
	snprintf(row, size, "%-4s  %-36s  %6s  %6s  %6s  %6s", "", "builds",
		 "jobs", "share", "used", "kept");
}

/**
 * fairness_run() - do an experiment
 * @number: which
 * @lengths: how many times as long as a job it lasts
 * @row: where to write what came out
 * @size: how much room there is
 *
 * Return: whether the goals are reached and no rule is broken.
 */
bool fairness_run(size_t number, unsigned int lengths, char *row, size_t size)
{
	size_t per_policy = fairness_count() / ARRAY_SIZE(goals);
	const struct goal *goal = &goals[number / per_policy];
	const struct mix *mix = &mixes[number % per_policy /
				       ARRAY_SIZE(lengths_of_jobs)];
	double job = lengths_of_jobs[number % ARRAY_SIZE(lengths_of_jobs)];
	struct result result;
	struct build build;
	int used;
	u64 total;
	bool ok;

	if (is_crowd(mix) && lengths > CROWD_LENGTHS)
		lengths = CROWD_LENGTHS;
	build_init(&build, mix->tokens,
		   mix->makes + mix->ninjas + mix->cargos,
		   job * NSEC_PER_SEC, SPREAD);
	total = lengths * build.job_ns;
	world_set_policy(&build.world, goal->policy);
	prepare(&build, mix, total);
	result = measure(&build, mix, total);

	/* In a crowd nobody is served often enough to be fair to. */
	ok = (is_crowd(mix) || result.share >= goal->share) &&
	     result.utilisation >= goal->utilisation && !build.world.judge.rule;
	used = snprintf(row, size, "%-4s  %-36s  %4.1f s  %6.3f  %5.2f%%  %5.2f%%",
			goal->name, mix->name, job, result.share,
			100 * result.utilisation, 100 * result.kept);
	if (build.world.judge.rule && used < (int)size)
		snprintf(row + used, size - used, " %s: %s",
			 build.world.judge.rule, build.world.judge.fault);
	build_free(&build);
	return ok;
}
