// SPDX-License-Identifier: GPL-2.0
/*
 * The cap that stevectl govern moves: down at once, up slowly, and no swing. Here
 * a machine is simulated that can bear so many jobs and reports pressure when more
 * run. It needs no steve.
 */
#include <stdlib.h>

#include "../tools/stevectl/governor.c"
#include "harness.h"

/* How often the machine changes, the governor looks, and pressure is told. */
enum { TICK_MS = 100, LOOK_MS = 500, WINDOW_MS = 500 };

enum { JOBS_MAX = 64, NO_JOB = -1 };

/**
 * struct machine - what runs, and what it can bear
 * @governor: the governor
 * @now: the time
 * @ends: when each job ends, NO_JOB for none
 * @job_ms: how long a job runs
 * @bears: how many jobs there can be without pressure
 * @lag_ms: how long after too many of them began there is pressure
 * @since: since when there have been too many, NO_JOB if there are not
 * @told: when pressure was told last
 * @lowest: the lowest cap so far
 * @falls: how often the cap was lowered
 * @pressed_ms: how long too many jobs ran
 */
struct machine {
	struct governor governor;
	long long now;
	long long ends[JOBS_MAX];
	long long job_ms;
	unsigned int bears;
	long long lag_ms;
	long long since;
	long long told;
	unsigned int lowest;
	unsigned int falls;
	long long pressed_ms;
};

static void start_machine(struct machine *machine, unsigned int min,
			  unsigned int max, unsigned int bears,
			  long long job_ms)
{
	*machine = (struct machine){
		.job_ms = job_ms, .bears = bears, .since = NO_JOB,
		.lowest = max,
	};
	governor_init(&machine->governor, min, max);
	for (int i = 0; i < JOBS_MAX; i++)
		machine->ends[i] = NO_JOB;
}

static unsigned int count_jobs(const struct machine *machine)
{
	unsigned int count = 0;

	for (int i = 0; i < JOBS_MAX; i++)
		count += machine->ends[i] != NO_JOB;
	return count;
}

/* Jobs end, and as many begin as the cap has room for. */
static void run_jobs(struct machine *machine)
{
	unsigned int used;

	for (int i = 0; i < JOBS_MAX; i++) {
		if (machine->ends[i] <= machine->now)
			machine->ends[i] = NO_JOB;
	}
	used = count_jobs(machine);
	for (int i = 0; i < JOBS_MAX && used < machine->governor.cap; i++) {
		if (machine->ends[i] != NO_JOB)
			continue;
		machine->ends[i] = machine->now + machine->job_ms;
		used++;
	}
}

/* Is it time to tell of pressure? */
static bool is_pressed(struct machine *machine)
{
	if (count_jobs(machine) <= machine->bears) {
		machine->since = NO_JOB;
		return false;
	}
	machine->pressed_ms += TICK_MS;
	if (machine->since == NO_JOB)
		machine->since = machine->now;
	if (machine->now - machine->since < machine->lag_ms ||
	    machine->now - machine->told < WINDOW_MS)
		return false;
	machine->told = machine->now;
	return true;
}

static void tick(struct machine *machine)
{
	struct governor *governor = &machine->governor;
	unsigned int cap = governor->cap;

	machine->now += TICK_MS;
	run_jobs(machine);
	if (is_pressed(machine))
		governor_press(governor, machine->now, count_jobs(machine));
	else if (machine->now % LOOK_MS == 0)
		governor_rest(governor, machine->now);
	if (governor->cap < cap)
		machine->falls++;
	if (governor->cap < machine->lowest)
		machine->lowest = governor->cap;
}

static void run_for(struct machine *machine, long long seconds)
{
	long long until = machine->now + 1000 * seconds;

	while (machine->now < until)
		tick(machine);
}

/* Begins to count anew. */
static void forget(struct machine *machine)
{
	machine->falls = 0;
	machine->pressed_ms = 0;
	machine->lowest = machine->governor.cap;
}

TEST(without_pressure_the_cap_stays)
{
	struct machine machine;

	start_machine(&machine, 1, 8, 8, 2000);
	run_for(&machine, 600);
	EXPECT_EQ(8, machine.governor.cap);
	EXPECT_EQ(0, machine.falls);
}

TEST(pressure_halves_what_is_in_use)
{
	struct governor governor;

	governor_init(&governor, 1, 16);
	EXPECT_TRUE(governor_press(&governor, 1000, 12));
	EXPECT_EQ(6, governor.cap);
	governor_init(&governor, 1, 16);
	EXPECT_TRUE(governor_press(&governor, 1000, 40));
	EXPECT_EQ(8, governor.cap);
	governor_init(&governor, 3, 16);
	EXPECT_TRUE(governor_press(&governor, 1000, 0));
	EXPECT_EQ(3, governor.cap);
	EXPECT_FALSE(governor_press(&governor, 9000, 3));
}

/* Long jobs go on to press, which tells nothing of the cap. */
TEST(it_goes_down_again_only_when_it_had_effect)
{
	struct machine machine;

	start_machine(&machine, 1, 8, 4, 60000);
	run_for(&machine, 50);
	EXPECT_EQ(4, machine.governor.cap);
	EXPECT_EQ(1, machine.falls);
	run_for(&machine, 30);
	EXPECT_GE(5, count_jobs(&machine));
	EXPECT_LE(4, machine.lowest);
}

/* Others press for a while, however few jobs there are. */
TEST(it_comes_back_after_pressure_from_others)
{
	unsigned int cap;
	struct machine machine;

	start_machine(&machine, 1, 8, 8, 1000);
	run_for(&machine, 10);
	machine.bears = 0;
	run_for(&machine, 1);
	EXPECT_GE(4, machine.governor.cap);
	run_for(&machine, 20);
	EXPECT_EQ(1, machine.governor.cap);

	machine.bears = 8;
	forget(&machine);
	cap = machine.governor.cap;
	for (int second = 0; second < 40; second++) {
		run_for(&machine, 1);
		EXPECT_GE(cap + 1, machine.governor.cap);
		cap = machine.governor.cap;
	}
	EXPECT_EQ(8, cap);
	EXPECT_EQ(0, machine.falls);
}

/* Five jobs are borne and six are not: five run, and six are seldom tried. */
TEST(it_settles_below_the_edge)
{
	struct machine machine;

	start_machine(&machine, 1, 8, 5, 2000);
	run_for(&machine, 240);
	forget(&machine);
	run_for(&machine, 600);
	TH_LOG("%u falls, the lowest cap was %u, too many jobs for %lld of 600 s",
	       machine.falls, machine.lowest, machine.pressed_ms / 1000);
	EXPECT_GE(11, machine.falls);
	EXPECT_LE(5, machine.lowest);
	EXPECT_GT(30000, machine.pressed_ms);
	EXPECT_LE(5, count_jobs(&machine));
}

/* The same where it takes ten seconds until too many jobs are felt. */
TEST(it_settles_though_pressure_comes_late)
{
	struct machine machine;
	unsigned int before;

	start_machine(&machine, 1, 8, 5, 2000);
	machine.lag_ms = 10000;
	run_for(&machine, 300);
	before = machine.falls;
	run_for(&machine, 300);
	forget(&machine);
	run_for(&machine, 600);
	TH_LOG("%u falls in the first 300 s, %u in the last 600 s, the lowest cap was %u",
	       before, machine.falls, machine.lowest);
	EXPECT_GT(2 * before, machine.falls);
	EXPECT_GE(11, machine.falls);
	EXPECT_LE(4, machine.lowest);
}

/* A wide range is crossed in a few steps. */
TEST(it_comes_back_soon_with_many_jobs)
{
	struct machine machine;

	start_machine(&machine, 1, 64, 64, 1000);
	run_for(&machine, 5);
	machine.bears = 0;
	run_for(&machine, 20);
	EXPECT_EQ(1, machine.governor.cap);
	machine.bears = 64;
	run_for(&machine, 40);
	EXPECT_EQ(64, machine.governor.cap);
}

TEST(it_follows_the_highest)
{
	struct governor governor;

	governor_init(&governor, 1, 8);
	EXPECT_TRUE(governor_set_max(&governor, 12));
	EXPECT_EQ(12, governor.cap);
	EXPECT_FALSE(governor_set_max(&governor, 12));
	EXPECT_TRUE(governor_set_max(&governor, 4));
	EXPECT_EQ(4, governor.cap);
	EXPECT_TRUE(governor_press(&governor, 1000, 4));
	EXPECT_EQ(2, governor.cap);
	EXPECT_FALSE(governor_set_max(&governor, 9));
	EXPECT_TRUE(governor_set_max(&governor, 0));
	EXPECT_EQ(1, governor.cap);
}

TEST(it_keeps_its_bounds_whatever_comes)
{
	struct governor governor;
	unsigned int max = 20;
	long long now = 0;

	srand(1);
	governor_init(&governor, 3, max);
	for (int i = 0; i < 200000; i++) {
		now += rand() % 3000;
		if (rand() % 50 == 0) {
			max = rand() % 40;
			governor_set_max(&governor, max);
		}
		if (rand() % 4 == 0)
			governor_press(&governor, now, rand() % 50);
		else
			governor_rest(&governor, now);
		ASSERT_LE(3, governor.cap);
		ASSERT_GE(max < 3 ? 3 : max, governor.cap);
	}
}

TEST_HARNESS_MAIN
