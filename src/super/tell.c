/* SPDX-License-Identifier: ISC */
/* Errors of the supervisor, on their way to people. */
#include "super/tell.h"

#include <stdio.h>

#include "base/log.h"
#include "super/super.h"

/* A line for the person who started the daemon, who may not see its log. The
 * text may be a handler's: no control byte reaches a terminal. */
void
super_tell_starter(const struct super *super, const char *listener,
    const char *text)
{
	int fd = super->daemonize.terminal >= 0 ? super->daemonize.terminal : 2;
	char clean[sizeof(struct err)];
	size_t i;

	(void)snprintf(clean, sizeof(clean), "%s", text);
	for (i = 0; clean[i] != '\0'; i++)
		if ((unsigned char)clean[i] < ' ' || clean[i] == 0x7f)
			clean[i] = '?';
	if (listener != NULL)
		(void)dprintf(fd, "socketserverd: listener \"%s\": %s\n",
		    listener, clean);
	else
		(void)dprintf(fd, "socketserverd: %s\n", clean);
}

void
super_complain(const struct super *super, const char *listener,
    const char *text)
{
	struct log_fields fields = { .listener = listener };

	log_write(LOG_LEVEL_ERROR, &fields, "%s", text);
	if (super->phase == SUPER_STARTING && !super->log_is_stderr)
		super_tell_starter(super, listener, text);
}

enum exit_code
super_fail(const struct super *super, const struct err *err)
{
	super_complain(super, NULL, err->text);
	return EXIT_SYSTEM;
}
