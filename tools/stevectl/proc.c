// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

static FILE *open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

pid_t proc_parent(pid_t pid)
{
	FILE *file = open_file(pid, "stat");
	const char *rest;
	char stat[512];
	size_t length;
	int parent;

	if (!file)
		return 0;
	length = fread(stat, 1, sizeof(stat) - 1, file);
	stat[length] = 0;
	fclose(file);

	/* The name, in parentheses, may have any character in it. */
	rest = strrchr(stat, ')');
	if (!rest || sscanf(rest, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* The arguments that are not empty, with a blank between them. */
static char *command_line(pid_t pid)
{
	FILE *file = open_file(pid, "cmdline"), *out;
	char *line = NULL, *argument = NULL;
	size_t length, room = 0;

	if (!file)
		return NULL;
	out = open_memstream(&line, &length);
	if (!out) {
		fclose(file);
		return NULL;
	}
	while (getdelim(&argument, &room, 0, file) > 0) {
		if (*argument)
			fprintf(out, "%s%s", ftell(out) ? " " : "", argument);
	}
	free(argument);
	fclose(file);
	fclose(out);
	return line;
}

static char *name_in_brackets(pid_t pid)
{
	FILE *file = open_file(pid, "comm");
	char name[64], *command;

	if (!file)
		return NULL;
	if (!fgets(name, sizeof(name), file))
		*name = 0;
	fclose(file);
	name[strcspn(name, "\n")] = 0;
	return asprintf(&command, "[%s]", name) < 0 ? NULL : command;
}

char *proc_command(pid_t pid)
{
	char *line = command_line(pid);

	if (line && *line)
		return line;
	free(line);
	return name_in_brackets(pid);
}
