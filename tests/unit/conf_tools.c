/* SPDX-License-Identifier: ISC */
#include "conf_tools.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/flat.h"

static char directory[256];

void
place_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)umask(022);
	snprintf(directory, sizeof(directory), "%s/conf-XXXXXX",
	    tmp && *tmp == '/' ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	must_make_directory("h");
	must_write("h/echo.so", "");
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
place_end(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(directory, remove_entry, 16,
	    FTW_DEPTH | FTW_PHYS), 0);
}

const char *
place(void)
{
	return directory;
}

void
must_make_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

void
must_write(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

void
must_write_conf(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fprintf(f, "module_path = [ \"%s/h\" "
	    "];\n%s", directory,
	    text), 0);
	ck_assert_int_eq(fclose(f), 0);
}

struct config *
must_load(const char *file)
{
	struct config *config = NULL;
	struct faults faults;
	enum config_result result;

	faults_init(&faults);
	result = config_load(file, &config, &faults);
	ck_assert_msg(result == CONFIG_OK, "result %d: %s", (int)result,
	    faults.text.data ? faults.text.data : "");
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(faults.count, 0);
	faults_free(&faults);
	return config;
}

void
must_fail(const char *file, enum config_result result, const char *lines)
{
	struct config *config = NULL;
	struct faults faults;

	faults_init(&faults);
	ck_assert_int_eq(config_load(file, &config, &faults), result);
	/* Beside faults, only for looking at handlers. */
	ck_assert(config == NULL || result == CONFIG_FAULTS);
	config_free(&config);
	ck_assert_ptr_nonnull(faults.text.data);
	ck_assert_str_eq(faults.text.data, lines);
	faults_free(&faults);
}

char *
flat_of(const struct config *config)
{
	struct buf text;
	char *out, *line, *rest;

	buf_init(&text, 0);
	ck_assert_int_eq(flat_encode(&text, config), 0);
	out = calloc(1, text.len + 1);
	ck_assert_ptr_nonnull(out);
	for (line = strtok_r(text.data, "\n", &rest); line;
	    line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '@')
			continue;
		strcat(out, line);
		strcat(out, "\n");
	}
	buf_free(&text);
	return out;
}
