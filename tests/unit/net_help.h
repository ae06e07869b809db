/* SPDX-License-Identifier: ISC */
#ifndef UNIT_NET_HELP_H
#define UNIT_NET_HELP_H

#include <check.h>
#include <stddef.h>

#include "net/transport.h"

/* What the tests of src/net share. Every must_ ends the test on failure. */

Suite *apply_suite(void);
Suite *inherit_suite(void);
Suite *tcp_suite(void);
Suite *transport_suite(void);
Suite *udp_suite(void);
Suite *unix_suite(void);

/* A test case whose hanging test ends after some seconds. */
TCase *net_case(Suite *suite, const char *name);

/* A listener's configuration with the defaults that matter here. */
struct listener_conf net_conf(void);
struct endpoint must_open(const char *address,
    const struct listener_conf *conf);
/* endpoint_open() fails; its sentence has all of the words. */
int must_refuse(const char *address, const struct listener_conf *conf,
    const char *word, const char *word2);
/* The text of an address in the directory of this test: "unix:/tmp/.../NAME" */
const char *scratch(const char *scheme, const char *name);
/* An abstract name that no other test has. */
const char *abstract(const char *scheme);
const char *scratch_path(const char *name);
void scratch_make(void);
void scratch_remove(void);

/* A socket of the client, bound to nothing, connected to the endpoint. */
int must_dial(const struct endpoint *ep);
void must_send(int fd, const char *text);
void must_receive(int fd, const char *text);
int option_of(int fd, int level, int name);

/* An arrival with room for max bytes, as the service prepares it. */
struct arrival room_for(char *data, size_t size);
const char *text_of(const struct sockaddr_storage *sa, socklen_t len);

#endif
