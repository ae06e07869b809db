/* SPDX-License-Identifier: ISC */
/*
 * The hash is FNV-1a of 64 bits. It tells builds apart; it is no proof against
 * somebody who may write the file, who needs no second file with the same hash.
 */
#include "conf/digest.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/elf_note.h"
#include "base/fd.h"

#define BLOCK_BYTES 65536
#define FNV_BEGIN 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

static uint64_t
hash_more(uint64_t hash, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * FNV_PRIME;
	return hash;
}

static void
put_hex(char *out, const unsigned char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

/* Linkers put notes right behind the program headers: in the first block. */
static void
find_build_id(struct digest *digest, const unsigned char *block, size_t len)
{
	size_t id_len = 0;
	const unsigned char *id = elf_note_find(block, len, ELF_NOTE_GNU,
	    NT_GNU_BUILD_ID, &id_len);

	if (id && id_len <= (BUILD_ID_SIZE - 1) / 2)
		put_hex(digest->build_id, id, id_len);
}

static ssize_t
read_block(int fd, unsigned char *block, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, block + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int
digest_fd(int fd, size_t max, struct digest *digest)
{
	unsigned char block[BLOCK_BYTES];
	uint64_t hash = FNV_BEGIN, size = 0;
	ssize_t n;

	while ((n = read_block(fd, block, sizeof(block))) > 0) {
		if (size == 0)
			find_build_id(digest, block, (size_t)n);
		hash = hash_more(hash, block, (size_t)n);
		size += (size_t)n;
		if (size > max)
			return -EFBIG;
	}
	(void)snprintf(digest->text, sizeof(digest->text), "%" PRIu64 "-%016"
	    PRIx64, size, hash);
	return (int)n;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
int
digest_file(const char *path, size_t max, struct digest *digest)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : 0;
	struct stat st;

	*digest = (struct digest){ .text = "" };
	if (!r && fstat(fd, &st) < 0)
		r = -errno;
	if (!r && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (!r)
		r = digest_fd(fd, max, digest);
	if (r)
		*digest = (struct digest){ .text = "" };
	fd_close(&fd);
	return r;
}
