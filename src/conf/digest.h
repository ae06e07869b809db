/* SPDX-License-Identifier: ISC */
#ifndef CONF_DIGEST_H
#define CONF_DIGEST_H

#include <stddef.h>

/*
 * What a handler's file holds, in few words: by these a reload sees that it was
 * written anew, and a crash report says which build it was. Reads the whole
 * file; called in the reading child.
 */
#define DIGEST_SIZE 40          /* "SIZE-HASH" */
#define BUILD_ID_SIZE 129       /* of at most 64 bytes, as hex */

struct digest {
	char text[DIGEST_SIZE];
	char build_id[BUILD_ID_SIZE];   /* "" = the linker made none */
};

/* 0; or -errno (-EFBIG: more than max bytes) and both texts are "". */
int digest_file(const char *path, size_t max, struct digest *digest);

#endif
