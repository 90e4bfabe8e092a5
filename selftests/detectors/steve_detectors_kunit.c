// SPDX-License-Identifier: GPL-2.0
/*
 * A unit test that fails, to see that KUnit tells.
 */
#include <kunit/test.h>
#include <linux/module.h>

static void steve_fails_on_purpose(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1, 2);
}

static struct kunit_case steve_detectors_cases[] = {
	KUNIT_CASE(steve_fails_on_purpose),
	{}
};

static struct kunit_suite steve_detectors_suite = {
	.name = "steve_detectors",
	.test_cases = steve_detectors_cases,
};

kunit_test_suite(steve_detectors_suite);

MODULE_DESCRIPTION("A unit test that fails on purpose");
MODULE_AUTHOR("The steve authors");
MODULE_LICENSE("GPL");
