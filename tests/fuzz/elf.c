/* SPDX-License-Identifier: ISC */
/* The look at a handler's bytes: any file may be named as a handler. */
#include <stddef.h>
#include <stdint.h>

#include "handler/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	uint32_t abi;

	(void)elf_check(data, size, &abi, &err);
	return 0;
}
