// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "makeflags.h"

#define BLANKS	" \t"
#define FIFO	"fifo:"

/**
 * struct word - a word of MAKEFLAGS
 * @blanks: number of blanks before it
 * @text: where it begins
 * @length: its length
 */
struct word {
	size_t blanks;
	const char *text;
	size_t length;
};

static size_t word_length(const char *text)
{
	size_t length = 0;

	while (text[length] && !strchr(BLANKS, text[length]))
		length += text[length] == '\\' && text[length + 1] ? 2 : 1;
	return length;
}

/*
 * Finds the next word and moves @flags behind it. Returns false, and moves
 * nothing, where the options end.
 */
static bool next_word(const char **flags, struct word *word)
{
	word->blanks = strspn(*flags, BLANKS);
	word->text = *flags + word->blanks;
	word->length = word_length(word->text);
	if (!word->length ||
	    (word->length == 2 && !strncmp(word->text, "--", 2)))
		return false;
	*flags = word->text + word->length;
	return true;
}

/* The value of an option that names a jobserver, NULL for any other word. */
static const char *named_jobserver(const struct word *word)
{
	static const char *const options[] = {
		"--jobserver-auth=",
		"--jobserver-fds=",
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		size_t length = strlen(options[i]);

		if (!strncmp(word->text, options[i], length))
			return word->text + length;
	}
	return NULL;
}

bool makeflags_can_name(const char *path)
{
	/* Only make knows quotes, and it alone takes a dollar for a variable. */
	return *path == '/' && !strpbrk(path, BLANKS "\n\\$");
}

char *makeflags_fifo(const char *flags)
{
	const char *last = NULL, *value;
	size_t length = 0;
	struct word word;

	while (next_word(&flags, &word)) {
		value = named_jobserver(&word);
		if (value) {
			last = value;
			length = (size_t)(flags - value);
		}
	}
	if (!last || strncmp(last, FIFO, strlen(FIFO)))
		return NULL;
	return strndup(last + strlen(FIFO), length - strlen(FIFO));
}

char *makeflags_name(const char *flags, const char *path)
{
	bool named = false;
	char *value = NULL;
	struct word word;
	size_t length;
	FILE *out;

	out = open_memstream(&value, &length);
	if (!out)
		return NULL;
	while (next_word(&flags, &word)) {
		if (!named_jobserver(&word)) {
			fwrite(word.text - word.blanks, 1,
			       word.blanks + word.length, out);
		} else if (!named) {
			fprintf(out, "%*s--jobserver-auth=" FIFO "%s",
				(int)word.blanks, "", path);
			named = true;
		}
	}
	if (!named)
		fprintf(out, "%s--jobserver-auth=" FIFO "%s%s",
			ftell(out) ? " " : "", path,
			*flags == '-' ? " " : "");
	fputs(flags, out);
	if (fclose(out)) {
		free(value);
		return NULL;
	}
	return value;
}
