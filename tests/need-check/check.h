/* SPDX-License-Identifier: ISC */
/* Found only where configure did not find the real one. */
#error "the unit tests need Check: apt-get install check, then run configure again"
