/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_suites.h"
#include "conf_tools.h"

static struct config *config;

static void
begin(void)
{
	place_begin();
	config = NULL;
}

static void
end(void)
{
	config_free(&config);
	place_end();
}

static const struct listener_conf *
load_one(const char *text)
{
	must_write_conf("main.conf", text);
	config = must_load("main.conf");
	return &config->listeners[0];
}

START_TEST(a_small_file_has_every_default)
{
	const struct listener_conf *a = load_one(LISTENER_A(""));

	ck_assert_uint_eq(config->listener_count, 1);
	ck_assert_str_eq(a->name, "a");
	ck_assert_str_eq(a->file, "main.conf");
	ck_assert_uint_eq(a->line, 2);
	ck_assert(a->is_enabled);
	ck_assert_int_eq(a->concurrency, CONCURRENCY_THREADED);
	ck_assert_int_eq(a->workers, 0);
	ck_assert_int_eq(a->backlog, 4096);
	ck_assert_int_eq(a->max_connections, 1024);
	ck_assert_int_eq(a->timeout_ms, 60000);
	ck_assert_int_eq(a->keepalive_s, -1);
	ck_assert_int_eq(a->mode, 0660);
	ck_assert_int_eq(a->limits.nofile, -1);
	ck_assert_int_eq(a->restart.initial_ms, 100);
	ck_assert_int_eq(a->drain_timeout_ms, 30000);
	ck_assert_ptr_null(a->options);
	ck_assert_uint_eq(a->addresses.count, 1);
	ck_assert_str_eq(a->addresses.items[0], "tcp://127.0.0.1:0");
	ck_assert(strncmp(a->handler_file, place(), strlen(place())) == 0);
	ck_assert_str_eq(a->user, "");
	ck_assert_str_eq(config->log.target, "auto");
	ck_assert(config->log.is_access_on);
}
END_TEST

START_TEST(every_notation_is_read)
{
	const struct listener_conf *a = load_one("listeners = ( { name = \"a\"; "
	    "listen = [ \"tcp://127.0.0.1:0\", \"unix:s\" ]; "
	    "handler = \"echo\";\n"
	    "timeout = 0.25; session_timeout = \"2m\"; tick = 5;\n"
	    "read_buffer = \"64K\"; keepalive = 30; mode = \"0660\";\n"
	    "nodelay = FALSE; when_full = \"reset\"; defer_accept = \"5s\";\n"
	    "limits : { nofile = 0x100; memory = \"1G\"; cpu = \"1m\" } } );");

	ck_assert_int_eq(a->timeout_ms, 250);
	ck_assert_int_eq(a->session_timeout_ms, 120000);
	ck_assert_int_eq(a->tick_ms, 5000);
	ck_assert_int_eq(a->read_buffer_bytes, 65536);
	ck_assert_int_eq(a->keepalive_s, 30);
	ck_assert_int_eq(a->mode, 0660);
	ck_assert(!a->nodelay);
	ck_assert_int_eq(a->when_full, WHEN_FULL_RESET);
	ck_assert_int_eq(a->defer_accept_s, 5);
	ck_assert_int_eq(a->limits.nofile, 256);
	ck_assert_int_eq(a->limits.memory_bytes, 1LL << 30);
	ck_assert_int_eq(a->limits.cpu_s, 60);
}
END_TEST

START_TEST(keepalive_can_be_off)
{
	ck_assert_int_eq(load_one(LISTENER_A("keepalive = "
	    "false;"))->keepalive_s,
	    0);
}
END_TEST

START_TEST(defaults_hold_where_a_listener_says_nothing)
{
	const struct listener_conf *l = load_one("defaults = { timeout = 7; "
	    "limits = { nofile = 100; core = 0; }; handler = \"echo\"; "
	    "workers = 3; };\n"
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; },\n"
	    "{ name = \"b\"; listen = \"tcp://127.0.0.1:0\"; timeout = 8; "
	    "limits = { nofile = 200; }; concurrency = \"sync\"; } );");

	ck_assert_int_eq(l[0].timeout_ms, 7000);
	ck_assert_int_eq(l[0].limits.nofile, 100);
	ck_assert_int_eq(l[0].workers, 3);
	ck_assert_int_eq(l[1].timeout_ms, 8000);
	ck_assert_int_eq(l[1].limits.nofile, 200);
	ck_assert_int_eq(l[1].limits.core_bytes, 0);
	ck_assert_int_eq(l[1].workers, 0);      /* sync has no use for it */
}
END_TEST

START_TEST(defaults_that_do_nothing_for_a_socket_are_passed_over)
{
	const struct listener_conf *l;

	must_write_conf("main.conf", "defaults = { nodelay = false; mode = "
	    "\"0600\"; backlog = 9; };\nlisteners = ( { name = \"t\"; handler "
	    "= \"echo\"; listen = \"tcp://127.0.0.1:0\"; }, { name = \"u\"; "
	    "handler = \"echo\"; listen = \"unixgram:s\"; } );\n");
	config = must_load("main.conf");
	l = config->listeners;
	ck_assert(!l[0].nodelay && l[1].nodelay);
	ck_assert_int_eq(l[0].mode, 0660);
	ck_assert_int_eq(l[1].mode, 0600);
	ck_assert_int_eq(l[0].backlog, 9);
	ck_assert_int_eq(l[1].backlog, 4096);
}
END_TEST

START_TEST(one_address_of_many_is_enough_for_a_key)
{
	must_write_conf("main.conf", "listeners = ( { name = \"a\"; handler = "
	    "\"echo\"; listen = ( \"udp://127.0.0.1:0\", \"unix:s\" ); mode = "
	    "\"0600\"; backlog = 9; freebind = true; } );\n");
	config = must_load("main.conf");
	ck_assert_int_eq(config->listeners[0].backlog, 9);
	ck_assert(config->listeners[0].freebind);
}
END_TEST

START_TEST(the_top_level_is_inherited)
{
	const struct listener_conf *l = load_one("drain_timeout = 5;\n"
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; },\n { name = \"b\"; listen = "
	    "\"tcp://127.0.0.1:0\"; handler = \"echo\"; drain_timeout = 0; } "
	    ");");

	ck_assert_int_eq(l[0].drain_timeout_ms, 5000);
	ck_assert_int_eq(l[1].drain_timeout_ms, 0);
}
END_TEST

START_TEST(a_pool_of_processes_has_four)
{
	ck_assert_int_eq(load_one(LISTENER_A("concurrency = "
	    "\"prefork\";"))->workers,
	    4);
}
END_TEST

START_TEST(a_default_pool_fits_into_max_connections)
{
	ck_assert_int_eq(load_one(LISTENER_A("concurrency = \"prefork\"; "
	    "max_connections = 2;"))->workers, 2);
}
END_TEST

START_TEST(auto_is_one_worker_for_each_processor)
{
	ck_assert_int_ge(load_one(LISTENER_A("workers = "
	    "\"auto\";"))->workers, 1);
}
END_TEST

START_TEST(a_pool_that_grows_has_spare_limits)
{
	const struct listener_conf *a = load_one(LISTENER_A(
	    "concurrency = \"prefork\"; workers = 2; max_workers = 8;"));

	ck_assert_int_eq(a->workers, 2);
	ck_assert_int_eq(a->max_workers, 8);
	ck_assert_int_ge(a->min_spare, 1);
	ck_assert_int_ge(a->max_spare, a->min_spare);
}
END_TEST

START_TEST(a_star_is_two_sockets)
{
	const struct listener_conf *a = load_one("listeners = ( { name = "
	    "\"a\"; listen = \"udp://*:7\"; handler = \"echo\"; } );");

	ck_assert_uint_eq(a->listen.count, 1);
	ck_assert_uint_eq(a->addresses.count, 2);
	ck_assert_str_eq(a->addresses.items[0], "udp://0.0.0.0:7");
	ck_assert_str_eq(a->addresses.items[1], "udp://[::]:7");
}
END_TEST

START_TEST(addresses_that_only_look_alike_do_not_overlap)
{
	(void)load_one("listeners = ( { name = \"a\"; handler = \"echo\"; "
	    "listen = (\"tcp://127.0.0.1:7\", \"udp://127.0.0.1:7\", "
	    "\"tcp://[::1]:7\", \"tcp://127.0.0.2:7\", \"tcp://127.0.0.1:8\", "
	    "\"tcp://127.0.0.1:0\", \"tcp://127.0.0.1:0\", "
	    "\"tcp://0.0.0.0:0\", \"unix:/run/a\", \"unix:/run/ab\", "
	    "\"unix:@n\", \"unixgram:@n\", \"fd:a\", \"fd:b\" ); } );");
	ck_assert_uint_eq(config->listeners[0].addresses.count, 14);
}
END_TEST

START_TEST(a_listener_that_is_off_needs_no_handler_and_no_port)
{
	const struct listener_conf *l = load_one("listeners = ( { name = "
	    "\"a\"; listen = \"tcp://127.0.0.1:7\"; handler = \"echo\"; },\n"
	    "{ name = \"b\"; enabled = false; listen = \"tcp://127.0.0.1:7\"; "
	    "handler = \"nope\"; } );");

	ck_assert(!l[1].is_enabled);
	ck_assert_uint_eq(l[1].addresses.count, 0);
	ck_assert_str_eq(l[1].handler_file, "");
}
END_TEST

START_TEST(all_listeners_may_be_off)
{
	ck_assert(!load_one(LISTENER_A("enabled = false;"))->is_enabled);
}
END_TEST

START_TEST(relative_paths_begin_at_the_main_file)
{
	char wanted[512];

	must_make_directory("sub");
	must_make_directory("sub/m");
	must_write("sub/m/x.so", "");
	must_write("sub/y.so", "");
	must_write("sub/main.conf", "module_path = [ \"m\" ];\n"
	    "address_file = \"addresses\"; log = { target = \"file:l/log\"; "
	    "};\ncontrol = { socket = \"c.sock\"; };\n"
	    "listeners = ( { name = \"a\"; listen = \"unix:s.sock\"; "
	    "handler = \"x\"; }, { name = \"b\"; listen = \"unix:@b\"; "
	    "handler = \"./y.so\"; } );");
	config = must_load("sub/main.conf");
	snprintf(wanted, sizeof(wanted), "%s/sub/m/x.so", place());
	ck_assert_str_eq(config->listeners[0].handler_file, wanted);
	snprintf(wanted, sizeof(wanted), "%s/sub/y.so", place());
	ck_assert_str_eq(config->listeners[1].handler_file, wanted);
	snprintf(wanted, sizeof(wanted), "%s/sub/addresses", place());
	ck_assert_str_eq(config->address_file, wanted);
	snprintf(wanted, sizeof(wanted), "%s/sub/c.sock", place());
	ck_assert_str_eq(config->control.socket, wanted);
	snprintf(wanted, sizeof(wanted), "file:%s/sub/l/log", place());
	ck_assert_str_eq(config->log.target, wanted);
	snprintf(wanted, sizeof(wanted), "unix:%s/sub/s.sock", place());
	ck_assert_str_eq(config->listeners[0].addresses.items[0], wanted);
}
END_TEST

START_TEST(the_first_directory_of_the_path_wins)
{
	char text[1024], wanted[512];

	must_make_directory("first");
	must_write("first/echo.so", "");
	snprintf(text, sizeof(text), "module_path = ( \"none\", \"first\", "
	    "\"h\" );\n%s", LISTENER_A(""));
	must_write("main.conf", text);
	config = must_load("main.conf");
	snprintf(wanted, sizeof(wanted), "%s/first/echo.so", place());
	ck_assert_str_eq(config->listeners[0].handler_file, wanted);
}
END_TEST

/* --- conf.d --- */

#define PART(name)                                                            \
	"listeners = ( { name = \"" name "\"; listen = "                      \
	"\"tcp://127.0.0.1:0\"; handler = \"echo\"; } );\n"

START_TEST(parts_are_read_in_the_order_of_bytes)
{
	must_make_directory("conf.d");
	must_write("conf.d/b.conf", PART("b"));
	must_write("conf.d/B.conf", PART("B"));
	must_write("conf.d/10.conf", "\n" PART("ten"));
	must_write("conf.d/9.conf", PART("nine"));
	must_write("conf.d/.hidden.conf", "nonsense");
	must_write("conf.d/x.conf.bak", "nonsense");
	(void)load_one(LISTENER_A(""));
	ck_assert_uint_eq(config->listener_count, 5);
	ck_assert_str_eq(config->listeners[1].name, "ten");
	ck_assert_str_eq(config->listeners[1].file, "conf.d/10.conf");
	ck_assert_uint_eq(config->listeners[1].line, 2);
	ck_assert_str_eq(config->listeners[2].name, "nine");
	ck_assert_str_eq(config->listeners[3].name, "B");
	ck_assert_str_eq(config->listeners[4].name, "b");
}
END_TEST

START_TEST(the_main_file_may_leave_the_listeners_to_its_parts)
{
	must_make_directory("conf.d");
	must_write("conf.d/a.conf", PART("a"));
	(void)load_one("defaults = { timeout = 9; };\n");
	ck_assert_int_eq(config->listeners[0].timeout_ms, 9000);
}
END_TEST

START_TEST(a_broken_part_hides_no_other)
{
	must_make_directory("conf.d");
	must_make_directory("conf.d/c.conf");
	must_write("conf.d/a.conf", "listeners = ( {");
	must_write("conf.d/b.conf", "timeout = 5;\n" PART("a"));
	must_write_conf("main.conf", LISTENER_A("backlog = 0;"));
	must_fail("main.conf", CONFIG_FAULTS,
	    "conf.d/a.conf:1: { is never closed; close it with }\n"
	    "conf.d/a.conf:1: ( is never closed; close it with )\n"
	    "conf.d/b.conf:1: timeout: stands in a file of conf.d; only "
	    "listeners may, move it to main.conf\n"
	    "conf.d/c.conf: is a directory; only a regular file is read\n"
	    "main.conf:3: listener \"a\": backlog: 0 is below 1; a whole "
	    "number from 1 to 1000000 connections is allowed\n"
	    "conf.d/b.conf:2: listener \"a\": name: is used twice, first at "
	    "main.conf:2; give each listener a name of its own\n");
}
END_TEST

/* --- files --- */

START_TEST(no_file_is_told_so)
{
	must_fail("none.conf", CONFIG_NO_FILE,
	    "none.conf: cannot be opened: No such file or directory\n");
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	must_fail("h", CONFIG_FAULTS,
	    "h: is a directory; only a regular file is read\n");
}
END_TEST

START_TEST(a_fifo_is_not_waited_for)
{
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	must_fail("fifo", CONFIG_FAULTS,
	    "fifo: is a FIFO; only a regular file is read\n");
}
END_TEST

START_TEST(a_large_file_is_refused)
{
	int fd = open("large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 1LL << 30), 0);
	close(fd);
	must_fail("large", CONFIG_FAULTS,
	    "large: has 1073741824 bytes; at most 1048576 are read\n");
}
END_TEST

START_TEST(a_file_that_others_can_write_is_not_for_root)
{
	if (geteuid() != 0)
		return;
	must_write_conf("main.conf", LISTENER_A(""));
	ck_assert_int_eq(chmod("main.conf", 0666), 0);
	must_fail("main.conf", CONFIG_FAULTS, "main.conf: can be written by "
	    "everybody; a daemon that runs as root uses it only after chmod "
	    "go-w\n");
	ck_assert_int_eq(chmod("main.conf", 0644), 0);
	ck_assert_int_eq(chown("main.conf", 65534, 0), 0);
	must_fail("main.conf", CONFIG_FAULTS, "main.conf: is owned by another "
	    "user than root; a daemon that runs as root uses it only after "
	    "chown root\n");
}
END_TEST

START_TEST(a_handler_that_others_can_write_is_not_for_root)
{
	char line[1024];

	if (geteuid() != 0)
		return;
	must_write_conf("main.conf", LISTENER_A(""));
	ck_assert_int_eq(chmod("h/echo.so", 0664), 0);
	snprintf(line, sizeof(line), "main.conf:2: listener \"a\": handler: "
	    "%s/h/echo.so can be written by its group; a daemon that runs as "
	    "root uses it only after chmod go-w\n", place());
	must_fail("main.conf", CONFIG_FAULTS, line);
	ck_assert_int_eq(chmod("h/echo.so", 0755), 0);
	ck_assert_int_eq(chmod("h", 0777), 0);
	snprintf(line, sizeof(line), "main.conf:2: listener \"a\": handler: "
	    "the directory of %s/h/echo.so can be written by everybody; a "
	    "daemon that runs as root uses it only after chmod "
	    "go-w\n", place());
	must_fail("main.conf", CONFIG_FAULTS, line);
	ck_assert_int_eq(chmod("h", 01777), 0);
	config = must_load("main.conf");
}
END_TEST

START_TEST(a_new_root_must_be_there)
{
	if (geteuid() != 0)
		return;
	must_write_conf("main.conf", LISTENER_A("chroot = \"/nonexistent\";"));
	must_fail("main.conf", CONFIG_FAULTS, "main.conf:3: listener \"a\": "
	    "chroot: there is no directory \"/nonexistent\"; make it, or leave "
	    "the key out\n");
	must_write_conf("main.conf", LISTENER_A("chroot = \"h\";"));
	must_fail("main.conf", CONFIG_FAULTS, "main.conf:3: listener \"a\": "
	    "chroot: \"h\" is not absolute; a path that begins with / is "
	    "allowed\n");
}
END_TEST

/* Everybody but root can only become what they are. */
START_TEST(another_user_is_for_root_only)
{
	if (geteuid() != 0)
		return;
	must_write_conf("main.conf", "listeners = ( { name = \"a\"; listen = "
	    "\"unix:s\"; handler = \"echo\";\nuser = \"daemon\"; chroot = "
	    "\"/\"; owner = \"daemon\"; group = \"daemon\"; } );");
	config = must_load("main.conf");
	ck_assert_int_eq(chmod(place(), 0755), 0);
	ck_assert_int_eq(setgid(65534), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	must_fail("main.conf", CONFIG_FAULTS,
	    "main.conf:3: listener \"a\": user: only a daemon that runs as "
	    "root can become \"daemon\"; start it as root, or leave the key "
	    "out\nmain.conf:3: listener \"a\": group: only a daemon that runs "
	    "as root can use the group \"daemon\"; start it as root, or leave "
	    "the key out\n"
	    "main.conf:3: listener \"a\": owner: only a daemon that runs as "
	    "root can become \"daemon\"; start it as root, or leave the key "
	    "out\nmain.conf:3: listener \"a\": chroot: only a daemon that runs "
	    "as root can change the root directory; start it as root, or leave "
	    "the key out\n");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setgid(0), 0);
}
END_TEST

/* --- -r --- */

static enum config_result
run(const char *address, const char *handler, const char *model, char **options,
    size_t count, struct faults *faults)
{
	faults_init(faults);
	config_free(&config);
	return config_run(address, handler, model, options, count, &config,
	    faults);
}

START_TEST(one_listener_is_served_without_a_file)
{
	char mode[] = "mode=line", number[] = "n=5", real[] = "f=1.5";
	char truth[] = "b=true", text[] = "t=007", quoted[] = "q=\"12\"";
	char empty[] = "e=", list[] = "menu=( { input = \"x\"; } )";
	char *options[] = { mode, number, real, truth, text, quoted, empty,
	    list };
	const struct value *o;
	struct faults faults;

	ck_assert_int_eq(run("tcp://127.0.0.1:0", "h/echo.so", "forking",
	    options, 8, &faults), CONFIG_OK);
	ck_assert_uint_eq(config->listener_count, 1);
	ck_assert_str_eq(config->listeners[0].name, "echo");
	ck_assert_int_eq(config->listeners[0].concurrency, CONCURRENCY_FORKING);
	o = config->listeners[0].options;
	ck_assert_str_eq(value_find(o, "mode")->string, "line");
	ck_assert_int_eq(value_find(o, "n")->integer, 5);
	ck_assert_double_eq(value_find(o, "f")->real, 1.5);
	ck_assert_int_eq(value_find(o, "b")->type, VALUE_BOOL);
	ck_assert_str_eq(value_find(o, "t")->string, "007");
	ck_assert_str_eq(value_find(o, "q")->string, "12");
	ck_assert_str_eq(value_find(o, "e")->string, "");
	ck_assert_int_eq(value_find(o, "menu")->type, VALUE_LIST);
	faults_free(&faults);
}
END_TEST

START_TEST(faults_of_the_command_line_are_told)
{
	char bad[] = "mode";
	char *options[] = { bad };
	struct faults faults;

	ck_assert_int_eq(run("tcp://127.0.0.1", "h/echo.so", "fiber", NULL, 0,
	    &faults), CONFIG_FAULTS);
	ck_assert_ptr_nonnull(strstr(faults.text.data, "command line:1: "
	    "listener \"echo\": concurrency: \"fiber\" is unknown; "));
	ck_assert_ptr_nonnull(strstr(faults.text.data, ": listen: "));
	faults_free(&faults);
	ck_assert_int_eq(run("tcp://127.0.0.1:0", "h/echo.so", NULL, options, 1,
	    &faults), CONFIG_FAULTS);
	ck_assert_str_eq(faults.text.data,
	    "command line: mode: is no option; NAME=VALUE is allowed\n");
	faults_free(&faults);
}
END_TEST

START_TEST(quotes_of_the_command_line_stay_text)
{
	char evil[] = "text=a\"; b = \"c\n\\";
	char *options[] = { evil };
	struct faults faults;

	ck_assert_int_eq(run("tcp://127.0.0.1:0", "h/echo.so", NULL, options, 1,
	    &faults), CONFIG_OK);
	ck_assert_str_eq(value_find(config->listeners[0].options,
	    "text")->string, "a\"; b = \"c\n\\");
	faults_free(&faults);
}
END_TEST

static void
add_files(TCase *tc)
{
	tcase_add_test(tc, no_file_is_told_so);
	tcase_add_test(tc, a_directory_is_no_file);
	tcase_add_test(tc, a_fifo_is_not_waited_for);
	tcase_add_test(tc, a_large_file_is_refused);
	tcase_add_test(tc, a_file_that_others_can_write_is_not_for_root);
	tcase_add_test(tc, a_handler_that_others_can_write_is_not_for_root);
	tcase_add_test(tc, a_new_root_must_be_there);
	tcase_add_test(tc, another_user_is_for_root_only);
	tcase_add_test(tc, parts_are_read_in_the_order_of_bytes);
	tcase_add_test(tc, the_main_file_may_leave_the_listeners_to_its_parts);
	tcase_add_test(tc, a_broken_part_hides_no_other);
	tcase_add_test(tc, one_listener_is_served_without_a_file);
	tcase_add_test(tc, faults_of_the_command_line_are_told);
	tcase_add_test(tc, quotes_of_the_command_line_stay_text);
}

Suite *
load_suite(void)
{
	Suite *suite = suite_create("conf load");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_small_file_has_every_default);
	tcase_add_test(tc, every_notation_is_read);
	tcase_add_test(tc, keepalive_can_be_off);
	tcase_add_test(tc, defaults_hold_where_a_listener_says_nothing);
	tcase_add_test(tc,
	    defaults_that_do_nothing_for_a_socket_are_passed_over);
	tcase_add_test(tc, one_address_of_many_is_enough_for_a_key);
	tcase_add_test(tc, the_top_level_is_inherited);
	tcase_add_test(tc, a_pool_of_processes_has_four);
	tcase_add_test(tc, a_default_pool_fits_into_max_connections);
	tcase_add_test(tc, auto_is_one_worker_for_each_processor);
	tcase_add_test(tc, a_pool_that_grows_has_spare_limits);
	tcase_add_test(tc, a_star_is_two_sockets);
	tcase_add_test(tc, addresses_that_only_look_alike_do_not_overlap);
	tcase_add_test(tc, a_listener_that_is_off_needs_no_handler_and_no_port);
	tcase_add_test(tc, all_listeners_may_be_off);
	tcase_add_test(tc, relative_paths_begin_at_the_main_file);
	tcase_add_test(tc, the_first_directory_of_the_path_wins);
	add_files(tc);
	suite_add_tcase(suite, tc);
	return suite;
}
