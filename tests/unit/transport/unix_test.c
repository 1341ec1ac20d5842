#define _GNU_SOURCE
#include "tests/support/frame_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { UNIX = 1 };

/* A socket file whose owner is gone. */
static void leave_stale(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    close(fd);
}

static bp_err try_listen(bpt_rig *rig) {
    const bp_server_config config = bpt_rig_server_config(rig, UNIX);
    return bp_server_new(&config, bpt_rig_path(rig, "unix://", "socket"), &rig->server.server);
}

START_TEST(a_stale_socket_is_replaced) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    leave_stale(bpt_rig_path(&rig, "", "socket"));
    bpt_rig_start(&rig, UNIX);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(what_is_no_stale_socket_is_left_alone) {
    bpt_rig rig;
    struct stat file;
    bpt_rig_init(&rig);
    const char *path = bpt_rig_path(&rig, "", "socket");
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, "precious", 8), 8);
    close(fd);
    bpt_err(try_listen(&rig), BP_ERR_ADDRESS_IN_USE);
    path = bpt_rig_path(&rig, "", "socket");
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_eq(file.st_size, 8);
    unlink(path);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_socket_in_use_is_left_to_its_owner) {
    bpt_rig rig;
    bp_server *second = NULL;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, UNIX);
    const bp_server_config config = bpt_rig_server_config(&rig, UNIX);
    bpt_err(bp_server_new(&config, rig.address, &second), BP_ERR_ADDRESS_IN_USE);
    const bp_client_config client = bpt_rig_client_config(&rig, 1, UNIX);
    bpt_rig_connect(&rig, 1, &client);
    bpt_rig_until(&rig, rig.clients[1].opens == 1);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(the_mode_of_the_socket_is_the_one_asked_for) {
    static const uint32_t asked[] = {0, 0600, 0666, 0660};
    bpt_rig rig;
    struct stat file;
    umask(077);
    bpt_rig_init(&rig);
    bp_server_config config = bpt_rig_server_config(&rig, UNIX);
    config.unix_mode = asked[_i];
    bpt_rig_listen(&rig, &config, UNIX);
    ck_assert_int_eq(stat(bpt_rig_path(&rig, "", "socket"), &file), 0);
    ck_assert_uint_eq(file.st_mode & 07777, asked[_i] == 0 ? 0600 : asked[_i]);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_socket_that_somebody_replaced_is_not_removed) {
    char elsewhere[192];
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_rig_server_config(&rig, UNIX);
    bpt_rig_listen(&rig, &config, UNIX);
    snprintf(elsewhere, sizeof elsewhere, "%s", bpt_rig_path(&rig, "", "elsewhere"));
    const char *path = bpt_rig_path(&rig, "", "socket");
    ck_assert_int_eq(rename(path, elsewhere), 0);
    leave_stale(path);
    bp_server_free_take(&rig.server.server);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(unlink(bpt_rig_path(&rig, "", "socket")), 0);
    ck_assert_int_eq(unlink(elsewhere), 0);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_an_error_of_the_address) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_rig_server_config(&rig, UNIX);
    bpt_err(bp_server_new(&config, bpt_rig_path(&rig, "unix://", "none/socket"), &rig.server.server), BP_ERR_ADDRESS);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- names without a file ---- */

static const char *abstract(char name[64]) {
    snprintf(name, 64, "unix://@bpt-%ld", (long)getpid());
    return name;
}

START_TEST(a_name_needs_no_file) {
    bpt_rig rig;
    char name[64], seen[128];
    bp_server *second = NULL;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, UNIX);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, UNIX);
    bpt_ok(bp_server_new(&server, abstract(name), &rig.server.server));
    bpt_ok(bp_server_address(rig.server.server, seen, sizeof seen));
    ck_assert_str_eq(seen, name);
    bpt_err(bp_server_new(&server, name, &second), BP_ERR_ADDRESS_IN_USE);
    bpt_ok(bp_client_new(&client, name, &rig.clients[0].client));
    bpt_rig_until(&rig, rig.clients[0].opens == 1 && rig.server.opens == 1);
    bpt_ok(bp_conn_peer_address(rig.clients[0].conn, seen, sizeof seen));
    ck_assert_str_eq(seen, name);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* i: told by the loop like with any other address; closed, stopped and freed before it is told; tried again. */
START_TEST(a_name_that_nobody_has_is_refused) {
    bpt_rig rig;
    char name[64];
    bpt_rig_init(&rig);
    bp_client_config config = bpt_rig_client_config(&rig, 0, UNIX);
    if (_i == 3) config.reconnect_min_ms = 1;
    bpt_ok(bp_client_new(&config, abstract(name), &rig.clients[0].client));
    ck_assert_uint_eq(rig.clients[0].closes, 0);
    if (_i == 1) bp_client_stop(rig.clients[0].client);
    if (_i == 2) bp_client_free_take(&rig.clients[0].client);
    bpt_rig_until(&rig, rig.clients[0].closes == (_i == 3 ? 5 : 1));
    if (_i == 0 || _i == 3) bpt_err(rig.clients[0].why, BP_ERR_REFUSED);
    ck_assert_uint_eq(rig.clients[0].opens, 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- who is there ---- */

START_TEST(the_peer_is_known) {
    bpt_rig rig;
    char seen[128], little[8];
    bp_credentials peer;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bpt_ok(bp_conn_peer_address(rig.clients[0].conn, seen, sizeof seen));
    ck_assert_str_eq(seen, rig.address);
    bpt_err(bp_conn_peer_address(rig.clients[0].conn, little, sizeof little), BP_ERR_SPACE);
    ck_assert_str_eq(little, "");
    bpt_ok(bp_conn_peer_address(rig.server.conn, seen, sizeof seen));
    if (_i == UNIX) {
        ck_assert_str_eq(seen, "unix://");
        bpt_ok(bp_conn_peer_credentials(rig.server.conn, &peer));
        ck_assert_int_eq(peer.pid, getpid());
        ck_assert_uint_eq(peer.uid, getuid());
        ck_assert_uint_eq(peer.gid, getgid());
    } else {
        ck_assert_int_eq(strncmp(seen, "tcp://127.0.0.1:", 16), 0);
        bpt_err(bp_conn_peer_credentials(rig.server.conn, &peer), BP_ERR_ARGUMENT);
    }
    bp_conn_close(rig.server.conn, BP_OK);
    bpt_err(bp_conn_peer_address(rig.server.conn, seen, sizeof seen), BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_unix) {
    BPT_TEST(a_name_needs_no_file);
    BPT_LOOP_TEST(a_name_that_nobody_has_is_refused, 0, 4);
    BPT_LOOP_TEST(the_peer_is_known, 0, 2);

    BPT_TEST(a_stale_socket_is_replaced);
    BPT_TEST(what_is_no_stale_socket_is_left_alone);
    BPT_TEST(a_socket_in_use_is_left_to_its_owner);
    BPT_LOOP_TEST(the_mode_of_the_socket_is_the_one_asked_for, 0, 4);
    BPT_TEST(a_socket_that_somebody_replaced_is_not_removed);
    BPT_TEST(a_directory_that_is_not_there_is_an_error_of_the_address);
}
