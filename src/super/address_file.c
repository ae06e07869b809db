/* SPDX-License-Identifier: ISC */
/* The file that says where each listener is to be reached. */
#include "super/address_file.h"

#include <errno.h>

#include "base/buf.h"
#include "base/fd.h"
#include "super/listener.h"

static void
address_file_listener(struct buf *buf, const struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->sockets.count; i++)
		if (bound_list_is_first(&listener->sockets, i))
			(void)buf_printf(buf, "%s %s\n", listener->name,
			    listener->sockets.items[i]->endpoint.address);
}

int
address_file_write(const char *path, struct listener *const *listeners,
    size_t count, struct err *err)
{
	struct buf buf;
	size_t i;
	int r;

	buf_init(&buf, 0);
	for (i = 0; i < count; i++)
		address_file_listener(&buf, listeners[i]);
	if (buf.failed)
		r = err_errno(err, ENOMEM, "address file %s", path);
	else
		r = fd_replace_file(path, buf.data != NULL ? buf.data : "",
		    buf.len, 0640, err);
	buf_free(&buf);
	return r;
}
