/* SPDX-License-Identifier: ISC */
#include "conf/lex.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "conf/file.h"
#include "conf/literal.h"
#include "conf/row.h"

/* What may come next. */
enum lex_state {
	WANT_NAME,              /* in a group: a setting, or its end */
	WANT_EQUALS,            /* after a name */
	WANT_VALUE,             /* after "name =" */
	WANT_FIRST,             /* after ( or [: a member, or the end */
	WANT_MEMBER,            /* after a comma in a list */
	AFTER_VALUE,            /* a separator, the next setting, or the end */
};

struct lex_open {
	char bracket;           /* '{' '(' '[' */
	const char *file;
	unsigned line;
	unsigned settings;
	size_t names_from;      /* this group's names in lexer.names */
};

struct lex_name {
	const char *name;       /* in the arena */
	const char *file;
	unsigned line;
	unsigned duplicates;
};

struct lex_file {
	const char *name;
	const char *begin, *at, *end;
	unsigned line;
	dev_t dev;              /* with ino: no file includes itself */
	ino_t ino;
	const struct lex_file *includer;
	unsigned depth;
};

struct lexer {
	struct source *source;
	struct faults *faults;
	struct lex_file *file;          /* the innermost */
	enum lex_state state;
	struct lex_open open[LEX_DEPTH_MAX + 1];        /* [0]: the file */
	unsigned depth;
	struct lex_name *names;         /* owned; of the groups that are open */
	size_t name_count, name_room;
	const char *key;                /* the last name, for sentences */
	size_t comma_at;                /* the last comma, in the text */
	unsigned comma_line;
	size_t bytes;                   /* read in all */
	bool was_string;                /* the last value */
	bool is_patched, is_broken;
};

/* --- what comes out --- */

/* The next token stands on a line of its own file line. */
static void
put_line(struct lexer *lx, unsigned line)
{
	struct source *s = lx->source;
	const char *file = lx->file->name;

	if (s->line_count && s->lines[s->line_count - 1].line == line &&
	    s->lines[s->line_count - 1].file == file)
		return;
	if (s->line_count == s->line_room) {
		size_t room = s->line_room ? 2 * s->line_room : 256;
		struct source_line *lines = reallocarray(s->lines, room,
		    sizeof(*lines));

		if (!lines) {
			s->text.failed = true;
			return;
		}
		s->lines = lines;
		s->line_room = room;
	}
	if (s->line_count)
		(void)buf_puts(&s->text, "\n");
	s->lines[s->line_count++] = (struct source_line){ file, line };
}

static void
put_token(struct lexer *lx, unsigned line, const char *text, size_t len)
{
	put_line(lx, line);
	(void)buf_append(&lx->source->text, text, len);
	(void)buf_puts(&lx->source->text, " ");
}

/* What follows a value stays on the value's line: libconfig takes the position
 * of a string in a list only when it has seen what comes after it. */
static void
put_mark(struct lexer *lx, char mark)
{
	char text[2] = { mark, ' ' };

	lx->comma_at = lx->source->text.len;
	(void)buf_append(&lx->source->text, text, sizeof(text));
}

/* --- faults --- */

#define lex_fault(lx, line_, ...) do {                                        \
	(lx)->is_patched = true;                                              \
	fault_add((lx)->faults, (lx)->file->name, (line_), NULL, NULL,        \
	    __VA_ARGS__);                                                     \
} while (0)

/* Nothing sensible can be read after this. */
#define lex_break(lx, line_, ...) do {                                        \
	lex_fault(lx, line_, __VA_ARGS__);                                    \
	(lx)->is_broken = true;                                               \
} while (0)

/* The reader will say it, with the listener and the key. */
#define lex_defer(lx, line_, ...) do {                                        \
	(lx)->is_patched = true;                                              \
	fault_add(&(lx)->source->deferred, (lx)->file->name, (line_), NULL,   \
	    NULL, __VA_ARGS__);                                               \
} while (0)

static char
closer_of(char bracket)
{
	return bracket == '{' ? '}' : bracket == '(' ? ')' : ']';
}

static bool
is_in_group(const struct lexer *lx)
{
	return lx->open[lx->depth].bracket == '{';
}

static const char *
key_of(const struct lexer *lx)
{
	return lx->key ? lx->key : "name";
}

/* A value that is not fit to be read. Members of an array share a type, so
 * there no string can stand for a number. */
static void
put_bad_value(struct lexer *lx, unsigned line, const char *word,
    const char *reason)
{
	struct err sentence;

	err_set(&sentence, LEX_BAD_VALUE "%.60s %s", word, reason);
	if (lx->open[lx->depth].bracket == '[') {
		lex_fault(lx, line, "%.60s %s", word, reason);
		put_token(lx, line, "0", 1);
		return;
	}
	lex_defer(lx, line, "%s: %.60s %s", key_of(lx), word, reason);
	put_line(lx, line);
	quote(&lx->source->text, sentence.text);
	(void)buf_puts(&lx->source->text, " ");
}

/* --- the grammar: one token at a time --- */

/* A value, or the start of one, comes now. False: it may not. */
static bool
admit_value(struct lexer *lx, unsigned line, bool is_string)
{
	if (lx->state == WANT_VALUE || lx->state == WANT_FIRST ||
	    lx->state == WANT_MEMBER)
		return true;
	if (lx->state == WANT_EQUALS) {
		lex_break(lx, line, "\"%s\" has no = after it; write %s = "
		    "VALUE;",
		    key_of(lx), key_of(lx));
		return false;
	}
	if (lx->state == AFTER_VALUE && !is_in_group(lx)) {
		lex_fault(lx, line, is_string && lx->was_string ?
		    "two strings side by side would be joined; put a comma "
		    "between the members of a list" :
		    "a comma is missing before this; put one between the "
		    "members of a list");
		put_mark(lx, ',');
		return true;
	}
	if (lx->state == AFTER_VALUE && is_string && lx->was_string)
		return true;
	lex_break(lx, line, "a value stands where a setting should begin; "
	    "write NAME = VALUE;");
	return false;
}

static void
take_value(struct lexer *lx, bool is_string)
{
	lx->state = AFTER_VALUE;
	lx->was_string = is_string;
}

static void
take_open(struct lexer *lx, unsigned line, char bracket)
{
	struct lex_open *open;

	if (!admit_value(lx, line, false))
		return;
	if (lx->open[lx->depth].bracket == '[') {
		lex_break(lx, line, "an array [ ] holds plain values only; "
		    "write a list ( ) for groups and lists");
		return;
	}
	if (lx->depth == LEX_DEPTH_MAX) {
		lex_break(lx, line, "brackets are nested too deep; at most %d "
		    "levels are allowed", LEX_DEPTH_MAX);
		return;
	}
	put_token(lx, line, &bracket, 1);
	open = &lx->open[++lx->depth];
	*open = (struct lex_open){ bracket, lx->file->name, line, 0,
	    lx->name_count };
	lx->state = bracket == '{' ? WANT_NAME : WANT_FIRST;
}

static void
take_close(struct lexer *lx, unsigned line, char mark)
{
	const struct lex_open *open = &lx->open[lx->depth];

	if (!lx->depth) {
		lex_break(lx, line, "%c closes nothing; remove it", mark);
		return;
	}
	if (mark != closer_of(open->bracket)) {
		lex_break(lx, line, "%c does not close the %c of %s:%u; write "
		    "%c",
		    mark, open->bracket, open->file, open->line,
		    closer_of(open->bracket));
		return;
	}
	if (lx->state == WANT_EQUALS || lx->state == WANT_VALUE) {
		lex_break(lx, line, "\"%s\" has no value; write %s = VALUE;",
		    key_of(lx), key_of(lx));
		return;
	}
	if (lx->state == WANT_MEMBER) {
		lex_fault(lx, lx->comma_line, "a comma stands before the "
		    "closing %c; remove it, the last member has none after "
		    "it", mark);
		lx->source->text.data[lx->comma_at] = ' ';
	}
	lx->name_count = open->names_from;
	lx->depth--;
	put_mark(lx, mark);
	take_value(lx, false);
}

static void
take_equals(struct lexer *lx, unsigned line, char mark)
{
	if (lx->state == WANT_EQUALS) {
		put_mark(lx, '=');
		lx->state = WANT_VALUE;
		return;
	}
	lex_break(lx, line, "%c is out of place; write NAME = VALUE;", mark);
}

static void
take_separator(struct lexer *lx, unsigned line, char mark)
{
	if (lx->state == AFTER_VALUE && is_in_group(lx)) {
		put_mark(lx, mark);
		lx->state = WANT_NAME;
	} else if (lx->state == AFTER_VALUE && mark == ',') {
		put_mark(lx, mark);
		lx->comma_line = line;
		lx->state = WANT_MEMBER;
	} else if (lx->state == AFTER_VALUE) {
		lex_fault(lx, line, "; stands between members of a list; write "
		    "a comma");
		put_mark(lx, ',');
		lx->comma_line = line;
		lx->state = WANT_MEMBER;
	} else if (lx->state == WANT_EQUALS || lx->state == WANT_VALUE) {
		lex_break(lx, line, "\"%s\" has no value; write %s = VALUE;",
		    key_of(lx), key_of(lx));
	} else {
		lex_fault(lx, line, "%c stands after nothing; remove it", mark);
	}
}

static bool
is_name(const char *text, size_t len)
{
	if (!isalpha((unsigned char)*text))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    text[i] != '-')
			return false;
	return true;
}

static struct lex_name *
find_name(const struct lexer *lx, const char *name)
{
	for (size_t i = lx->open[lx->depth].names_from; i < lx->name_count; i++)
		if (strcmp(lx->names[i].name, name) == 0)
			return &lx->names[i];
	return NULL;
}

static void
remember_name(struct lexer *lx, const char *name, unsigned line)
{
	if (lx->name_count == lx->name_room) {
		size_t room = lx->name_room ? 2 * lx->name_room : 64;
		struct lex_name *names = reallocarray(lx->names, room,
		    sizeof(*names));

		if (!names) {
			lx->source->text.failed = true;
			return;
		}
		lx->names = names;
		lx->name_room = room;
	}
	lx->names[lx->name_count++] = (struct lex_name){ name, lx->file->name,
	    line, 0 };
}

/* Stars in front: more of them for each time the name comes again. */
static void
put_duplicate(struct lexer *lx, unsigned line, struct lex_name *first)
{
	lex_defer(lx, line, "%s: is given twice in one group, first at %s:%u; "
	    "remove one", first->name, first->file, first->line);
	put_line(lx, line);
	for (unsigned n = ++first->duplicates; n; n--)
		(void)buf_puts(&lx->source->text, "*");
	(void)buf_printf(&lx->source->text, "%s ", first->name);
}

static void
take_name(struct lexer *lx, unsigned line, const char *text, size_t len)
{
	struct lex_open *open = &lx->open[lx->depth];
	struct lex_name *first;
	char *name = arena_strndup(lx->source->arena, text, len);

	if (!name) {
		lx->source->text.failed = lx->is_broken = true;
		return;
	}
	if (!is_name(text, len)) {
		lex_break(lx, line, "\"%s\" is no name of a setting; a name "
		    "begins with a letter and holds letters, digits, _ and "
		    "-", name);
		return;
	}
	if (++open->settings > LEX_SETTINGS_MAX) {
		lex_break(lx, line, "one group holds too many settings; at "
		    "most %d are allowed", LEX_SETTINGS_MAX);
		return;
	}
	lx->key = name;
	lx->state = WANT_EQUALS;
	first = find_name(lx, name);
	if (first) {
		put_duplicate(lx, line, first);
		return;
	}
	remember_name(lx, name, line);
	put_token(lx, line, text, len);
}

/* --- plain values --- */

static void
take_plain(struct lexer *lx, unsigned line, const char *text, size_t len)
{
	char *word = arena_strndup(lx->source->arena, text, len);
	const char *reason;

	if (!word) {
		lx->source->text.failed = lx->is_broken = true;
		return;
	}
	if (!admit_value(lx, line, false))
		return;
	reason = literal_judge(word);
	if (reason)
		put_bad_value(lx, line, word, reason);
	else
		put_token(lx, line, text, len);
	take_value(lx, false);
}

/* --- the text: characters to tokens --- */

static bool
at_text(const struct lex_file *f, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(f->end - f->at) >= len &&
	    memcmp(f->at, text, len) == 0;
}

static void
skip_line(struct lex_file *f)
{
	while (f->at < f->end && *f->at != '\n')
		f->at++;
}

static void
skip_comment(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	unsigned line = f->line;

	for (f->at += 2; f->at < f->end && !at_text(f, "*/"); f->at++)
		f->line += *f->at == '\n';
	if (f->at == f->end)
		lex_break(lx, line, "a comment is not closed; end it with */");
	else
		f->at += 2;
}

/* Past white space and comments; false at the end of the file. */
static bool
skip_blank(struct lexer *lx)
{
	struct lex_file *f = lx->file;

	while (f->at < f->end && !lx->is_broken) {
		if (*f->at == '#' || at_text(f, "//"))
			skip_line(f);
		else if (at_text(f, "/*"))
			skip_comment(lx);
		else if (strchr(" \t\r\n\f", *f->at) && *f->at)
			f->line += *f->at++ == '\n';
		else
			return true;
	}
	return false;
}

/* \x00 would end the string there, in silence. */
static bool
holds_nul(const char *text, size_t len)
{
	for (size_t i = 0; i + 3 < len; i++) {
		if (text[i] != '\\')
			continue;
		if ((text[i + 1] | 32) == 'x' && text[i + 2] == '0' &&
		    text[i + 3] == '0')
			return true;
		i++;
	}
	return false;
}

/* The end of the string that begins at the file's place; NULL = none on this
 * line. */
static const char *
find_quote(const struct lex_file *f)
{
	for (const char *p = f->at + 1; p < f->end && *p != '\n'; p++) {
		if (*p == '"')
			return p;
		if (*p == '\\' && p + 1 < f->end && p[1] != '\n')
			p++;
	}
	return NULL;
}

static void
lex_string(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	const char *begin = f->at, *quote = find_quote(f);
	size_t len;

	if (!quote) {
		lex_break(lx, f->line, "a string is not closed on its line; "
		    "end it with \", and write \\n for a line break in it");
		return;
	}
	if (lx->state == WANT_NAME) {
		lex_break(lx, f->line, "a string stands where a setting should "
		    "begin; write NAME = \"TEXT\";");
		return;
	}
	if (!admit_value(lx, f->line, true))
		return;
	f->at = quote + 1;
	len = (size_t)(f->at - begin);
	if (holds_nul(begin, len))
		put_bad_value(lx, f->line, "the string", "holds \\x00; no "
		    "string can hold a zero byte, remove it");
	else
		put_token(lx, f->line, begin, len);
	take_value(lx, true);
}

/* A bare run of characters. Where a value is wanted it goes on to the next
 * blank, so that an address without quotes is named whole. */
static size_t
span_word(const struct lexer *lx)
{
	const struct lex_file *f = lx->file;
	bool wants_value = lx->state != WANT_NAME && lx->state != WANT_EQUALS &&
	    (lx->state != AFTER_VALUE || !is_in_group(lx));
	const char *stop = wants_value ? " \t\r\n\f;,(){}[]\"#" :
	    " \t\r\n\f;,(){}[]\"#=:/";
	const char *p = f->at;

	while (p < f->end && *p && !strchr(stop, *p)) {
		/* 5//comment */
		if (*p == '/' && p > f->at && p + 1 < f->end &&
		    (p[1] == '/' || p[1] == '*') && p[-1] != ':')
			break;
		p++;
	}
	return (size_t)(p - f->at);
}

static void
lex_word(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	const char *text = f->at;
	size_t len = span_word(lx);

	if (!len) {
		lex_break(lx, f->line, "%.1s is out of place; remove "
		    "it", f->at);
		return;
	}
	f->at += len;
	if (lx->state == WANT_NAME || (lx->state == AFTER_VALUE &&
	    is_in_group(lx)))
		take_name(lx, f->line, text, len);
	else
		take_plain(lx, f->line, text, len);
}

static void lex_include(struct lexer *lx);

static void
lex_token(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	char c = *f->at;

	switch (c) {
	case '\0':
		lex_break(lx, f->line, "the file holds a zero byte; a "
		    "configuration file is plain text");
		return;
	case '"':
		lex_string(lx);
		return;
	case '@':
		lex_include(lx);
		return;
	case '{':
	case '(':
	case '[':
		f->at++;
		take_open(lx, f->line, c);
		return;
	case '}':
	case ')':
	case ']':
		f->at++;
		take_close(lx, f->line, c);
		return;
	case ';':
	case ',':
		f->at++;
		take_separator(lx, f->line, c);
		return;
	case '=':
	case ':':
		f->at++;
		take_equals(lx, f->line, c);
		return;
	default:
		lex_word(lx);
		return;
	}
}

static void
lex_contents(struct lexer *lx)
{
	struct lex_file *f = lx->file;

	if (at_text(f, "\xef\xbb\xbf")) {
		lex_fault(lx, 1, "the file begins with a byte order mark; save "
		    "it as UTF-8 without one");
		f->at += 3;
	}
	while (skip_blank(lx))
		lex_token(lx);
}

/* --- @include --- */

/* The file name of an include line, whose rest is skipped; NULL = malformed. */
static const char *
parse_include(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	const char *name, *end;

	if (!at_text(f, "@include"))
		return NULL;
	for (f->at += 8; f->at < f->end && (*f->at == ' ' || *f->at == '\t');)
		f->at++;
	if (f->at == f->end || *f->at != '"')
		return NULL;
	end = find_quote(f);
	if (!end || end == f->at + 1 || memchr(f->at, 0, (size_t)(end - f->at)))
		return NULL;
	name = arena_strndup(lx->source->arena, f->at + 1,
	    (size_t)(end - f->at - 1));
	f->at = end + 1;
	return name;
}

/* libconfig knows an include at the start of a line only, and so do we. */
static bool
begins_line(const struct lex_file *f)
{
	const char *p = f->at;

	while (p > f->begin && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == f->begin || p[-1] == '\n';
}

static bool
is_including(const struct lex_file *f, const struct stat *st)
{
	for (; f; f = f->includer)
		if (f->ino == st->st_ino && f->dev == st->st_dev)
			return true;
	return false;
}

static void
lex_included(struct lexer *lx, const char *path, unsigned line)
{
	struct lex_file *outer = lx->file;
	struct lex_file inner = { .name = path, .line = 1, .includer = outer,
		.depth = outer->depth + 1 };
	struct buf text;
	struct stat st;
	struct err err;

	buf_init(&text, 0);
	if (file_read(path, LEX_FILE_BYTES, &text, &st, &err)) {
		lex_fault(lx, line, "@include: %s %s", path, err.text);
	} else if (is_including(outer, &st)) {
		lex_fault(lx, line, "@include: %s includes itself; remove this "
		    "line", path);
	} else if ((lx->bytes += text.len) > LEX_TOTAL_BYTES) {
		lex_break(lx, line, "@include: the files hold more than %d "
		    "bytes in all; include less", LEX_TOTAL_BYTES);
	} else if (text.len) {
		inner.begin = inner.at = text.data;
		inner.end = text.data + text.len;
		inner.dev = st.st_dev;
		inner.ino = st.st_ino;
		lx->file = &inner;
		lex_contents(lx);
		lx->file = outer;
	}
	buf_free(&text);
}

/* Nothing but a comment may follow on the line. */
static bool
ends_line(const struct lex_file *f)
{
	const char *p = f->at;

	while (p < f->end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == f->end || *p == '\n' || *p == '#' ||
	    (*p == '/' && p + 1 < f->end && p[1] == '/');
}

static void
lex_include(struct lexer *lx)
{
	struct lex_file *f = lx->file;
	unsigned line = f->line;
	const char *name, *path;
	bool is_first = begins_line(f);

	name = parse_include(lx);
	if (!name || !is_first || !ends_line(f)) {
		lex_fault(lx, line, "@ is out of place; write @include "
		    "\"FILE\" on a line of its own");
		if (!name)
			skip_line(f);
		return;
	}
	path = *name == '/' ? name : arena_printf(lx->source->arena, "%s/%s",
	    lx->source->directory, name);
	if (!path)
		lx->source->text.failed = lx->is_broken = true;
	else if (strpbrk(name, "*?"))
		lex_fault(lx, line, "@include: \"%s\" is a pattern; one file "
		    "is included, and conf.d/*.conf is read without it", name);
	else if (f->depth == LEX_INCLUDE_MAX)
		lex_fault(lx, line, "@include: files are included too deep; at "
		    "most %d inside each other are allowed", LEX_INCLUDE_MAX);
	else
		lex_included(lx, path, line);
}

/* --- the whole --- */

static void
lex_end(struct lexer *lx)
{
	const struct lex_open *open = &lx->open[lx->depth];

	if (lx->is_broken)
		return;
	if (lx->state == WANT_EQUALS || lx->state == WANT_VALUE) {
		lex_break(lx, lx->file->line, "the file ends after \"%s\"; "
		    "write %s = VALUE;", key_of(lx), key_of(lx));
		return;
	}
	for (; lx->depth; open = &lx->open[--lx->depth]) {
		lx->is_patched = lx->is_broken = true;
		fault_add(lx->faults, open->file, open->line, NULL, NULL,
		    "%c is never closed; close it with %c", open->bracket,
		    closer_of(open->bracket));
	}
}

void
source_init(struct source *source, struct arena *arena, const char *directory)
{
	*source = (struct source){ .arena = arena, .directory = directory };
	faults_init(&source->deferred);
	buf_init(&source->text, 2 * LEX_TOTAL_BYTES + LEX_FILE_BYTES);
}

void
source_free(struct source *source)
{
	buf_free(&source->text);
	faults_free(&source->deferred);
	free(source->lines);
	source->lines = NULL;
	source->line_count = source->line_room = 0;
}

enum lex_result
source_lex(struct source *source, const char *file, const char *text,
    size_t len, const struct stat *st, struct faults *faults)
{
	struct lex_file outer = { .name = file, .begin = text, .at = text,
		.end = text + len, .line = 1, .dev = st ? st->st_dev : 0,
		.ino = st ? st->st_ino : 0 };
	struct lexer lx = { .source = source, .faults = faults, .file = &outer,
		.state = WANT_NAME, .open = { { .bracket = '{' } },
		.bytes = len };

	lex_contents(&lx);
	lex_end(&lx);
	(void)buf_puts(&source->text, "\n");
	free(lx.names);
	if (lx.is_broken || source->text.failed)
		return LEX_BROKEN;
	return lx.is_patched ? LEX_PATCHED : LEX_CLEAN;
}

void
source_tell(const struct source *source, struct faults *faults)
{
	const struct buf *text = &source->deferred.text;

	if (text->len)
		(void)buf_append(&faults->text, text->data, text->len);
	faults->count += source->deferred.count;
}

struct source_line
source_place(const struct source *source, unsigned line)
{
	if (!source->line_count)
		return (struct source_line){ "", 0 };
	if (!line || line > source->line_count)
		line = (unsigned)source->line_count;
	return source->lines[line - 1];
}
