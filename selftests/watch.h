/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests that go on for long: how long, the account while they do, and the
 * tokens counted afterwards.
 */
#ifndef STEVE_WATCH_H
#define STEVE_WATCH_H

#include "steve_test.h"

/* Long tests end by themselves; the harness's own time is for those that hang. */
#define LONG_TIMEOUT		7200

unsigned long length_of(const char *name, unsigned long usual);
unsigned int seed_of_test(void);

void watch_account(void);
void watched_account(void);
bool all_tokens_are_there(void);

void __printf(2, 3) tell_figure(const char *name, const char *fmt, ...);
bool is_time_to_tell(void);

#endif /* STEVE_WATCH_H */
