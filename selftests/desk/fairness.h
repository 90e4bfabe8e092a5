/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Experiments: does a program that never polls get its share, and is the pool
 * used?
 */
#ifndef _DESK_FAIRNESS_H
#define _DESK_FAIRNESS_H

#include <stdbool.h>
#include <stddef.h>

size_t fairness_count(void);
bool fairness_run(size_t number, unsigned int lengths, char *row, size_t size);
void fairness_head(char *row, size_t size);

#endif /* _DESK_FAIRNESS_H */
