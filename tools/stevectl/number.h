/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers as people write them. Each parser takes the whole text or refuses it,
 * and leaves the number as it was when it does.
 */
#ifndef STEVECTL_NUMBER_H
#define STEVECTL_NUMBER_H

#include <stdbool.h>

/* What stands for "no limit", and is stored as 0. */
#define NO_LIMIT	"none"

/* What a load and a size can be, for people. */
#define LOAD_VALUES	"a load from 0.01 to 10000, such as 8.5"
#define SIZE_VALUES	"bytes, up to 64T, such as 512M or 2G"

/* Room for the text of any size. */
#define SIZE_TEXT	24

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

/**
 * parse_hundredths() - read a number with up to two decimals
 * @text: decimal digits, and perhaps a point and one or two more
 * @least: the lowest it may be, in hundredths
 * @most: the highest
 * @number: where it goes, in hundredths
 *
 * Return: false if @text is no such number, or not in that range.
 */
bool parse_hundredths(const char *text, unsigned int least, unsigned int most,
		      unsigned int *number);

/**
 * parse_size() - read a number of bytes
 * @text: decimal digits, and perhaps one of K, M, G and T, for 1024 bytes and
 *	so on
 * @least: the lowest it may be
 * @most: the highest
 * @size: where it goes
 *
 * Return: false if @text is no size, or not in that range.
 */
bool parse_size(const char *text, unsigned long long least,
		unsigned long long most, unsigned long long *size);

/**
 * exact_size() - write a number of bytes as parse_size() reads it
 * @size: the number
 * @text: where it goes
 *
 * Return: @text.
 */
const char *exact_size(unsigned long long size, char text[SIZE_TEXT]);

/**
 * rough_size() - write a number of bytes for people
 * @size: the number
 * @text: where it goes, with up to four digits
 *
 * Return: @text.
 */
const char *rough_size(unsigned long long size, char text[SIZE_TEXT]);

#endif /* STEVECTL_NUMBER_H */
