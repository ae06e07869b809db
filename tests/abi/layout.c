/* SPDX-License-Identifier: ISC */
/*
 * The layout of ABI 1.0, field by field, on machines with pointers of eight
 * bytes. A handler that was compiled once must load for ever: when this file
 * does not compile, a field has moved. New fields go to the end, get a line
 * here, and raise SS_ABI_MINOR. Compiled as C and as C++.
 */
#include <socketserver.h>

#ifdef __cplusplus
#define IS(what, claim) static_assert(claim, what)
#else
#define IS(what, claim) _Static_assert(claim, what)
#endif
#define AT(type, field, place) \
	IS(#type "." #field " has moved", \
	    offsetof(struct type, field) == (place))
#define SIZE(type, size) \
	IS(#type " has another size", sizeof(struct type) == (size))

IS("the ABI is 1.0", SS_ABI == 0x10000);
IS("the kinds have their bits", SS_STREAM == 1 && SS_DATAGRAM == 2 &&
    SS_THREADS == 4 && SS_FIBERS == 8 && SS_NEEDS_FD == 16 &&
    SS_READS_FIRST == 32);
IS("the levels have their numbers", SS_LOG_DEBUG == 0 && SS_LOG_INFO == 1 &&
    SS_LOG_NOTICE == 2 && SS_LOG_WARNING == 3 && SS_LOG_ERROR == 4);
IS("the option types have their numbers", SS_OPTION_TYPE_END == 0 &&
    SS_OPTION_TYPE_STRING == 1 && SS_OPTION_TYPE_INT == 2 &&
    SS_OPTION_TYPE_BOOL == 3 && SS_OPTION_TYPE_SECONDS == 4 &&
    SS_OPTION_TYPE_CHOICE == 5 && SS_OPTION_TYPE_GROUPS == 6);

AT(ss_note, type, 8);
AT(ss_note, name, 12);
AT(ss_note, abi, 28);
SIZE(ss_note, 32);

#if UINTPTR_MAX == UINT64_MAX
AT(ss_option, type, 0);
AT(ss_option, name, 8);
AT(ss_option, help, 16);
AT(ss_option, string, 24);
AT(ss_option, choices, 32);
AT(ss_option, integer, 40);
AT(ss_option, integer_min, 48);
AT(ss_option, integer_max, 56);
AT(ss_option, seconds, 64);
AT(ss_option, seconds_min, 72);
AT(ss_option, seconds_max, 80);
AT(ss_option, table, 88);
SIZE(ss_option, 96);

AT(ss_request, api, 0);
AT(ss_request, data, 8);
SIZE(ss_request, 16);
AT(ss_service, api, 0);
AT(ss_service, data, 8);
SIZE(ss_service, 16);
AT(ss_group, api, 0);
SIZE(ss_group, 8);

AT(ss_api, abi, 0);
AT(ss_api, size, 4);
AT(ss_api, read, 8);
AT(ss_api, read_line, 16);
AT(ss_api, write, 24);
AT(ss_api, vprintf, 32);
AT(ss_api, flush, 40);
AT(ss_api, end_write, 48);
AT(ss_api, peer, 56);
AT(ss_api, local, 64);
AT(ss_api, peer_address, 72);
AT(ss_api, worker, 80);
AT(ss_api, id, 88);
AT(ss_api, service_of, 96);
AT(ss_api, set_timeout, 104);
AT(ss_api, sleep, 112);
AT(ss_api, draining, 120);
AT(ss_api, fd, 128);
AT(ss_api, vlog, 136);
AT(ss_api, service_vlog, 144);
AT(ss_api, option_string, 152);
AT(ss_api, option_int, 160);
AT(ss_api, option_bool, 168);
AT(ss_api, option_seconds, 176);
AT(ss_api, option_groups, 184);
AT(ss_api, option_group, 192);
AT(ss_api, group_string, 200);
AT(ss_api, group_int, 208);
AT(ss_api, group_bool, 216);
AT(ss_api, group_seconds, 224);
AT(ss_api, is_datagram, 232);
SIZE(ss_api, 240);

AT(ss_handler, abi, 0);
AT(ss_handler, size, 4);
AT(ss_handler, name, 8);
AT(ss_handler, version, 16);
AT(ss_handler, summary, 24);
AT(ss_handler, kinds, 32);
AT(ss_handler, options, 40);
AT(ss_handler, open, 48);
AT(ss_handler, close, 56);
AT(ss_handler, verify, 64);
AT(ss_handler, setup, 72);
AT(ss_handler, handle, 80);
AT(ss_handler, finish, 88);
AT(ss_handler, error, 96);
AT(ss_handler, tick, 104);
SIZE(ss_handler, 112);
#endif
