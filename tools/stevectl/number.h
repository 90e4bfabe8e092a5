/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STEVECTL_NUMBER_H
#define STEVECTL_NUMBER_H

#include <stdbool.h>

/**
 * parse_number() - read a number
 * @text: decimal digits and nothing else
 * @least: the lowest it may be
 * @most: the highest
 * @number: where it goes
 *
 * Return: false if @text is no number, or not in that range.
 */
bool parse_number(const char *text, unsigned int least, unsigned int most,
		  unsigned int *number);

#endif /* STEVECTL_NUMBER_H */
