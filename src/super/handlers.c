/* SPDX-License-Identifier: ISC */
/* The list of handlers (-L): found here, loaded and described by a probe. */
#include "super/handlers.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "super/probe.h"

#define DEFAULT_MODULE_PATH PKGLIBDIR "/handlers"
#define FILES_MAX 1024
#define COLUMNS 4       /* name, version, kinds, summary; then the file */

struct files {
	const char *items[FILES_MAX + 1];       /* ends with NULL */
	size_t count;
	struct arena arena;             /* owned: the names */
};

static int
is_handler(const struct dirent *entry)
{
	return fnmatch("*.so", entry->d_name, FNM_PERIOD) == 0;
}

static void
files_add(struct files *files, const char *directory)
{
	struct dirent **entries;
	int i, count = scandir(directory, &entries, is_handler, alphasort);

	if (count < 0) {
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
		return;
	}
	for (i = 0; i < count; i++) {
		const char *path = arena_printf(&files->arena, "%s/%s",
		    directory, entries[i]->d_name);

		if (path != NULL && files->count < FILES_MAX)
			files->items[files->count++] = path;
		free(entries[i]);
	}
	free(entries);
}

static void
files_find(struct files *files, const struct config *config)
{
	size_t i;

	files->count = 0;
	arena_init(&files->arena, 4096);
	if (config == NULL || config->module_path.count == 0)
		files_add(files, DEFAULT_MODULE_PATH);
	else
		for (i = 0; i < config->module_path.count; i++)
			files_add(files, config->module_path.items[i]);
	files->items[files->count] = NULL;
}

static void
split(char *line, const char *columns[COLUMNS])
{
	int i;

	for (i = 0; i < COLUMNS; i++) {
		columns[i] = line;
		line += strcspn(line, "\t");
		if (*line == '\t')
			*line++ = '\0';
	}
}

static void
print_lines(char *text)
{
	const char *columns[COLUMNS];
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		split(line, columns);
		printf("%-12s %-8s %-48s %s\n", columns[0], columns[1],
		    columns[2], columns[3]);
	}
}

enum exit_code
handlers_list(const struct program *program, const struct config *config)
{
	struct err err = { "" };
	struct files files;
	struct buf report;
	int code;

	files_find(&files, config);
	code = probe_describe(program, files.items, &report, &err);
	if (report.data != NULL)
		print_lines(report.data);
	if (err.text[0] != '\0')
		fprintf(stderr, "socketserverd: %s\n", err.text);
	buf_free(&report);
	arena_free(&files.arena);
	return (enum exit_code)code;
}
