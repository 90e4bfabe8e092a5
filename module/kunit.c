// SPDX-License-Identifier: GPL-2.0
/*
 * The KUnit tests, as one unit: what happens in their world has short names, such
 * as die() and poll(), which the kernel has, too.
 */
#include <linux/module.h>

#include "kunit_world.c"
#include "pool_kunit.c"
#include "limits_kunit.c"

MODULE_DESCRIPTION("KUnit tests of the pool of steve");
MODULE_LICENSE("GPL");
/* What MODULE_IMPORT_NS() expands to; its argument changed its form in 6.13. */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
