/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A display that is drawn again and again: the whole of a terminal, or one text
 * after the other where there is none.
 */
#ifndef STEVECTL_SCREEN_H
#define STEVECTL_SCREEN_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

/* Colours of what is drawn, by their number in ANSI escape codes. */
enum colour {
	COLOUR_NONE = 0,
	COLOUR_BOLD = 1,
	COLOUR_RED = 31,
	COLOUR_GREEN = 32,
	COLOUR_YELLOW = 33,
	COLOUR_BLUE = 34,
};

/**
 * struct screen - a display
 * @terminal: it is a terminal, which can be cleared
 * @used: something was shown
 * @keys: there are keys to read
 * @width: columns
 * @height: lines; 0 for any number of them
 * @found: how the keys were set
 * @signals: a signalfd, if it is a terminal
 * @picture: what is drawn at present
 * @text: where that goes
 * @length: the length of that
 * @lines: lines drawn so far
 * @left: columns left in the line
 */
struct screen {
	bool terminal;
	bool used;
	bool keys;
	int width;
	int height;
	struct termios found;
	int signals;
	FILE *picture;
	char *text;
	size_t length;
	int lines;
	int left;
};

/* Why waiting ended. */
enum screen_event {
	SCREEN_TIME,		/* the time is over, or somebody is impatient */
	SCREEN_CHANGED,		/* it has to be drawn again */
	SCREEN_QUIT,
};

/**
 * screen_open() - take over standard output
 * @screen: the screen
 *
 * Return: 0, or a negative error number.
 */
int screen_open(struct screen *screen);

/**
 * screen_close() - leave a terminal as it was found
 * @screen: the screen
 */
void screen_close(struct screen *screen);

/**
 * screen_begin() - begin a new picture
 * @screen: the screen
 *
 * Return: 0, or a negative error number.
 */
int screen_begin(struct screen *screen);

/**
 * screen_end() - show the picture
 * @screen: the screen
 *
 * Return: 0, or a negative error number.
 */
int screen_end(struct screen *screen);

/**
 * screen_left() - how many lines there are left
 * @screen: the screen
 *
 * Return: their number, INT_MAX where there is no end of them.
 */
int screen_left(const struct screen *screen);

/**
 * screen_line() - begin a new line; all but the first call end the one before
 * @screen: the screen
 *
 * What is drawn beyond the last line or the last column is not shown.
 */
void screen_line(struct screen *screen);

/**
 * screen_text() - draw a text
 * @screen: the screen
 * @colour: in this colour
 * @text: any text; what cannot be shown is shown as a question mark
 */
void screen_text(struct screen *screen, enum colour colour, const char *text);

/**
 * screen_fill() - draw the same character some times
 * @screen: the screen
 * @colour: in this colour
 * @character: an ASCII character
 * @count: how often
 */
void screen_fill(struct screen *screen, enum colour colour, char character,
		 int count);

/**
 * screen_wait() - wait
 * @screen: the screen
 * @ms: milliseconds
 *
 * Return: what happened.
 */
enum screen_event screen_wait(struct screen *screen, int ms);

#endif /* STEVECTL_SCREEN_H */
