// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "clock.h"
#include "screen.h"

/* Where it is not a terminal, or one that does not know its size. */
#define DEFAULT_WIDTH	80
#define DEFAULT_HEIGHT	24

#define CSI		"\033["
#define SHOW_OTHER	CSI "?1049h" CSI "?25l"
#define SHOW_FIRST	CSI "?25h" CSI "?1049l"
#define HOME		CSI "H"
#define CLEAR_LINE	CSI "2K"
#define CLEAR_BELOW	CSI "J"

/* ---- The terminal ---- */

static int write_all(const char *text, size_t length)
{
	ssize_t count;

	while (length) {
		count = write(STDOUT_FILENO, text, length);
		if (count < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		text += count;
		length -= (size_t)count;
	}
	return 0;
}

static void find_size(struct screen *screen)
{
	struct winsize size = { .ws_row = 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	screen->width = size.ws_col ? size.ws_col : DEFAULT_WIDTH;
	screen->height = size.ws_row ? size.ws_row : DEFAULT_HEIGHT;
}

/* Keys come one by one, and are not shown; those that make signals still do. */
static void set_keys(const struct screen *screen)
{
	struct termios set = screen->found;

	if (!screen->keys)
		return;
	set.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	set.c_cc[VMIN] = 1;
	set.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &set);
}

static int take_terminal(struct screen *screen)
{
	set_keys(screen);
	find_size(screen);
	return write_all(SHOW_OTHER, strlen(SHOW_OTHER));
}

static void leave_terminal(struct screen *screen)
{
	write_all(SHOW_FIRST, strlen(SHOW_FIRST));
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &screen->found);
}

static int catch_signals(struct screen *screen)
{
	static const int numbers[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH,
	};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&mask, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL))
		return -errno;
	screen->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	return screen->signals < 0 ? -errno : 0;
}

int screen_open(struct screen *screen)
{
	int err;

	*screen = (struct screen){
		.terminal = isatty(STDOUT_FILENO),
		.width = DEFAULT_WIDTH,
		.signals = -1,
	};
	if (!screen->terminal)
		return 0;
	screen->keys = !tcgetattr(STDIN_FILENO, &screen->found);
	err = catch_signals(screen);
	return err ? err : take_terminal(screen);
}

void screen_close(struct screen *screen)
{
	if (!screen->terminal)
		return;
	leave_terminal(screen);
	close(screen->signals);
}

/* ---- Drawing ---- */

int screen_begin(struct screen *screen)
{
	screen->picture = open_memstream(&screen->text, &screen->length);
	if (!screen->picture)
		return -errno;
	screen->lines = 0;
	screen->left = 0;
	if (screen->terminal)
		fputs(HOME, screen->picture);
	else if (screen->used)
		putc('\n', screen->picture);
	screen->used = true;
	return 0;
}

int screen_end(struct screen *screen)
{
	int err;

	fputs(screen->terminal ? CLEAR_BELOW : "\n", screen->picture);
	if (fclose(screen->picture))
		return -ENOMEM;
	err = write_all(screen->text, screen->length);
	free(screen->text);
	return err;
}

int screen_left(const struct screen *screen)
{
	return screen->height ? screen->height - screen->lines : INT_MAX;
}

void screen_line(struct screen *screen)
{
	if (screen_left(screen) <= 0) {
		screen->left = 0;
		return;
	}
	if (screen->lines)
		fputs(screen->terminal ? "\r\n" : "\n", screen->picture);
	/* Before, since a cursor behind the last column stands on it. */
	if (screen->terminal)
		fputs(CLEAR_LINE, screen->picture);
	screen->lines++;
	screen->left = screen->width;
}

static void set_colour(struct screen *screen, enum colour colour)
{
	if (screen->terminal && colour)
		fprintf(screen->picture, CSI "%dm", colour);
}

static void end_colour(struct screen *screen, enum colour colour)
{
	if (screen->terminal && colour)
		fputs(CSI "m", screen->picture);
}

/* One character of a text; returns its bytes. */
static size_t draw_character(struct screen *screen, const char *text,
			     mbstate_t *state)
{
	size_t length, rest = strlen(text);
	wchar_t character;
	int columns;

	length = mbrtowc(&character, text, rest, state);
	if (length > rest) {
		*state = (mbstate_t){ 0 };
		character = 0;
		length = 1;
	}
	columns = iswprint((wint_t)character) ? wcwidth(character) : -1;
	if (columns < 0) {
		screen->left--;
		putc('?', screen->picture);
	} else if (columns <= screen->left) {
		screen->left -= columns;
		fwrite(text, 1, length, screen->picture);
	} else {
		screen->left = 0;
	}
	return length;
}

void screen_text(struct screen *screen, enum colour colour, const char *text)
{
	mbstate_t state = { 0 };

	set_colour(screen, colour);
	while (*text && screen->left > 0)
		text += draw_character(screen, text, &state);
	end_colour(screen, colour);
}

void screen_fill(struct screen *screen, enum colour colour, char character,
		 int count)
{
	if (count > screen->left)
		count = screen->left;
	if (count <= 0)
		return;
	set_colour(screen, colour);
	screen->left -= count;
	while (count--)
		putc(character, screen->picture);
	end_colour(screen, colour);
}

/* ---- Waiting ---- */

/* Stops, as who does not wait for the signal, and goes on afterwards. */
static enum screen_event stop(struct screen *screen)
{
	sigset_t mask;

	leave_terminal(screen);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return take_terminal(screen) ? SCREEN_QUIT : SCREEN_CHANGED;
}

static enum screen_event take_signal(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_QUIT;
	switch (info.ssi_signo) {
	case SIGTSTP:
		return stop(screen);
	case SIGCONT:
		return take_terminal(screen) ? SCREEN_QUIT : SCREEN_CHANGED;
	case SIGWINCH:
		find_size(screen);
		return SCREEN_CHANGED;
	default:
		return SCREEN_QUIT;
	}
}

static enum screen_event take_key(void)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q')
		return SCREEN_QUIT;
	return SCREEN_TIME;
}

enum screen_event screen_wait(struct screen *screen, int ms)
{
	struct pollfd files[] = {
		{ .fd = screen->signals, .events = POLLIN },
		{ .fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	long long until = now_ms() + ms;
	int count;

	do {
		count = poll(files, 2, (int)(until - now_ms()));
		if (files[0].revents)
			return take_signal(screen);
		if (files[1].revents)
			return take_key();
	} while (count && now_ms() < until);
	return SCREEN_TIME;
}
