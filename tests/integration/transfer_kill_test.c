#define _GNU_SOURCE
/* A client and a server of objects, either of which is killed at any point (the fourth acceptance): whoever was
 * killed is started again, until the object is there. What the two say passes through this process, which has no threads
 * and kills at a byte of its choice. SEED=n repeats a run's choices, though not the kernel's.
 *
 * Under the name is the old object or the new one, whole; a part that was done is never sent again; what is left of
 * killed processes is what nobody was given a token of, and is swept. */
#include "tests/support/descriptors.h"
#include "tests/support/pool_support.h"
#include "tests/support/store_rig.h"
#include "tests/support/transfer_lives.h"
#include "tests/support/transfer_world.h"
#include "transfer/generated/bpi_transfer.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 100, PARTS_MAX = 96 };

/* What is known of the object that is under way, from what its processes told and from what passed. */
typedef struct knowledge {
    bool has_token, has_version, is_over; /* as the client told */
    bp_token token;
    uint64_t version;
    uint64_t done;           /* bytes, as the client told */
    bool is_done[PARTS_MAX]; /* put: the server said so; get: it passed to the client */
    bool may_be_there;       /* a put's commit, or a get's last part, went to who makes it seen */
    bool is_there;           /* that one said so */
    uint64_t there_version;
    /* of this connection */
    bool is_under_way[PARTS_MAX]; /* put: it was sent; get: it was asked for */
    unsigned asked, kept;         /* get: parts asked for; that the file had before */
    bool is_at_end;               /* all parts are there, and what makes the object seen is under way */
} knowledge;

typedef enum victim { CLIENT = 1, SERVER = 2, BOTH = CLIENT | SERVER } victim;

typedef struct scene {
    bool is_get;
    char directory[BPT_STORE_PATH], listen[BPT_RELAY_ADDRESS], server_address[BPT_RELAY_ADDRESS];
    bpt_relay relay;
    bpt_life server, client;
    uint64_t random;
    unsigned long kills;
    unsigned begun, finished; /* puts, or gets: what was begun without a token, and what came to its end */
    bpt_errand errand;
    uint64_t part_count;
    uint8_t *bytes, *old; /* old: of the object before; NULL: there was none */
    uint64_t old_size;
    /* the point of the next kill */
    victim victim;
    bool is_end_wanted; /* when the object is about to be seen; else at a limit of the relay */
    knowledge known;
} scene;

static scene s;

static uint32_t below(uint32_t bound) { return bpt_random(&s.random) % bound; }

static const char *path_of(const char *name) {
    static char paths[4][BPT_LIFE_PATH];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, BPT_LIFE_PATH, "%s/%s", s.directory, name);
    return path;
}

/* Where puts or gets are made of parts. */
static const char *work_directory(void) { return path_of(s.is_get ? ".bufpool" : "objects/.bufpool"); }

/* ---- what is told ---- */

static void check_loss(bp_err err) {
    if (err == BP_ERR_LOST || err == BP_ERR_END || err == BP_ERR_RESET)
        bpt_must(s.server.process == 0 && !s.errand.comes_back);
    else
        ck_abort_msg("the client ended with %s", bp_err_name(err));
}

static void learn(const bpt_report *report) {
    knowledge *k = &s.known;
    bpt_must(!k->is_over);
    switch (report->news) {
    case BPT_HAS_TOKEN:
        bpt_must(!k->has_token || memcmp(&k->token, &report->token, sizeof k->token) == 0);
        k->token = report->token;
        k->has_token = true;
        break;
    case BPT_HAS_FOUND:
        bpt_must(!k->has_version || k->version == report->version);
        k->version = report->version;
        k->has_version = true;
        break;
    case BPT_HAS_MOVED:
        bpt_must(report->done >= k->done);
        k->done = report->done;
        break;
    case BPT_IS_DONE:
        k->is_over = report->err == BP_OK;
        if (k->is_over && s.is_get) k->is_there = true;
        if (k->is_over && !s.is_get) bpt_must(k->is_there && report->version == k->there_version);
        if (report->err == BP_ERR_NOT_FOUND && s.is_get && k->may_be_there)
            k->is_over = k->is_there = true; /* it was committed, and nothing is kept of that: judge looks */
        else if (!k->is_over)
            check_loss(report->err);
        break;
    }
}

/* True: the client has ended. */
static bool take_news(void) {
    bpt_report report;
    bool has_ended;
    while (bpt_life_report(&s.client, &report, &has_ended)) learn(&report);
    return has_ended;
}

/* ---- what passes ---- */

static bool is_all_done(void) {
    for (uint64_t part = 0; part < s.part_count; part++) {
        if (!s.known.is_done[part]) return false;
    }
    return true;
}

static void begin_connection(void) {
    knowledge *k = &s.known;
    take_news();
    memset(k->is_under_way, 0, sizeof k->is_under_way);
    k->asked = 0;
    k->kept = (unsigned)((k->done + s.errand.part_size - 1) / s.errand.part_size);
    k->is_at_end = false;
}

static void saw_put_open(const uint8_t *value, uint32_t length) {
    bpi_transfer_put_open open;
    bpt_ok(bpi_transfer_put_open_decode(value, length, &open));
    begin_connection();
    if (s.known.has_token)
        bpt_must(memcmp(open.token, s.known.token.bytes, sizeof open.token) == 0);
    else
        s.known = (knowledge){0}; /* another put */
    if (!s.known.has_token) s.begun++;
}

/* What was done is there, and so is all else that it says. */
static void saw_put_opened(const uint8_t *value, uint32_t length) {
    bpi_transfer_put_opened opened;
    knowledge *k = &s.known;
    bpt_ok(bpi_transfer_put_opened_decode(value, length, &opened));
    if (opened.is_committed) {
        bpt_must(k->may_be_there && opened.version != 0);
        bpt_must(!k->is_there || opened.version == k->there_version);
        k->is_there = true;
        k->there_version = opened.version;
        return;
    }
    bpt_must(!k->is_there);
    for (uint64_t part = 0; part < s.part_count; part++) {
        const bool is_in = part < opened.first || (part - opened.first < 64 && (opened.have >> (part - opened.first) & 1));
        bpt_must(is_in || !k->is_done[part]);
        k->is_done[part] = is_in;
    }
}

static void saw_put_part(uint64_t part) {
    bpt_must(part < s.part_count && !s.known.is_done[part] && !s.known.is_under_way[part]);
    s.known.is_under_way[part] = true;
}

static void saw_part_done(const uint8_t *value, uint32_t length) {
    bpi_transfer_part_done done;
    bpt_ok(bpi_transfer_part_done_decode(value, length, &done));
    bpt_must(done.part < s.part_count && s.known.is_under_way[done.part] && !s.known.is_done[done.part]);
    s.known.is_done[done.part] = true;
}

static void saw_commit(void) {
    bpt_must(is_all_done() && !s.known.is_there);
    s.known.may_be_there = s.known.is_at_end = true;
}

static void saw_committed(const uint8_t *value, uint32_t length) {
    bpi_transfer_committed committed;
    bpt_ok(bpi_transfer_committed_decode(value, length, &committed));
    bpt_must(s.known.is_at_end && !s.known.is_there);
    s.known.is_there = true;
    s.known.there_version = committed.version;
}

static void saw_get_open(const uint8_t *value, uint32_t length) {
    bpi_transfer_get_open open;
    bpt_ok(bpi_transfer_get_open_decode(value, length, &open));
    begin_connection();
    if (s.known.has_token) bpt_must(open.version == s.known.version);
}

/* Parts that the client told of it has, and it does not ask for them again. */
static void saw_want(const uint8_t *value, uint32_t length) {
    bpi_transfer_part_want want;
    knowledge *k = &s.known;
    bpt_ok(bpi_transfer_part_want_decode(value, length, &want));
    bpt_must(want.part < s.part_count && !k->is_under_way[want.part]);
    k->is_under_way[want.part] = true;
    k->asked++;
    bpt_must(k->asked + k->kept <= s.part_count);
}

static void saw_got_part(uint64_t part) {
    bpt_must(part < s.part_count && s.known.is_under_way[part]);
    s.known.is_done[part] = true;
}

static void look_at_get_end(void) {
    s.known.is_at_end = is_all_done();
    s.known.may_be_there = s.known.may_be_there || s.known.is_at_end;
}

static void saw_part(bpt_direction to, const uint8_t *value, uint32_t length) {
    bpi_transfer_part_view part;
    bpt_must((to == BPT_TO_CLIENT) == s.is_get);
    bpt_ok(bpi_transfer_part_view_init(value, length, &part));
    if (s.is_get)
        saw_got_part(bpi_transfer_part_get_part(&part));
    else
        saw_put_part(bpi_transfer_part_get_part(&part));
    if (s.is_get) look_at_get_end();
}

/* Whose token still has a hold is asked to come again: the server may have taken it late. */
static void saw_failed(const uint8_t *value, uint32_t length) {
    bpi_transfer_failed failed;
    bpt_ok(bpi_transfer_failed_decode(value, length, &failed));
    bpt_err((bp_err)failed.error, BP_ERR_BUSY);
}

static void look_at(bpt_direction to, uint16_t type, const uint8_t *value, uint32_t length) {
    switch (type) {
    case BPI_TRANSFER_PUT_OPEN_TYPE: saw_put_open(value, length); break;
    case BPI_TRANSFER_PUT_OPENED_TYPE: saw_put_opened(value, length); break;
    case BPI_TRANSFER_PART_TYPE: saw_part(to, value, length); break;
    case BPI_TRANSFER_PART_DONE_TYPE: saw_part_done(value, length); break;
    case BPI_TRANSFER_PUT_COMMIT_TYPE: saw_commit(); break;
    case BPI_TRANSFER_COMMITTED_TYPE: saw_committed(value, length); break;
    case BPI_TRANSFER_GET_OPEN_TYPE: saw_get_open(value, length); break;
    case BPI_TRANSFER_GET_OPENED_TYPE: look_at_get_end(); break;
    case BPI_TRANSFER_PART_WANT_TYPE: saw_want(value, length); break;
    case BPI_TRANSFER_FAILED_TYPE: saw_failed(value, length); break;
    default: break;
    }
}

/* ---- lives ---- */

static void start_server(void) {
    bpt_life_of_server(&s.server, &s.relay, path_of("objects"), s.listen);
    bpt_life_address(&s.server, s.server_address);
}

static void start_client(void) {
    s.errand.token = s.known.has_token ? s.known.token : (bp_token){{0}};
    s.errand.version = s.known.has_token ? s.known.version : 0;
    if (!s.known.has_token) s.known.has_version = false;
    if (s.is_get && !s.known.has_token) s.begun++;
    s.errand.comes_back = below(2) == 0;
    bpt_life_of_client(&s.client, &s.relay, &s.errand);
}

static bool is_held(void) {
    struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET}; /* users of the store have one of these */
    const int fd = open(path_of("objects/.bufpool/lock"), O_RDWR);
    if (fd < 0) return false;
    bpt_must(fcntl(fd, F_GETLK, &all) == 0);
    close(fd);
    return all.l_type != F_UNLCK;
}

static void nap(long microseconds) {
    const struct timespec time = {.tv_nsec = microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

/* Nothing of the client's is left but what it said; the server lets go of its put. */
static void bury_client(void) {
    bpt_relay_lose_client(&s.relay);
    while (!take_news()) {}
    while (s.server.process != 0 && is_held()) nap(100);
}

static void end_client(void) {
    bury_client();
    bpt_life_end(&s.client);
}

static void kill_client(void) {
    bpt_life_kill(&s.client);
    bury_client();
    bpt_life_close(&s.client);
}

static void await_end(void) {
    struct pollfd news = {.fd = s.client.news, .events = POLLIN};
    while (!take_news()) bpt_must(poll(&news, 1, -1) == 1);
    end_client();
}

static void kill_server(void) {
    bpt_life_kill(&s.server);
    bpt_life_close(&s.server);
    bpt_relay_lose_server(&s.relay);
}

/* ---- points ---- */

/* Bytes that a life says in that direction, about. */
static uint64_t bytes_to_come(bpt_direction to) {
    const bool has_parts = (to == BPT_TO_CLIENT) == s.is_get;
    uint64_t count = 0;
    for (uint64_t part = 0; part < s.part_count; part++) count += !s.known.is_done[part];
    return 200 + count * (has_parts ? s.errand.part_size + 30 : 22);
}

static void choose_point(unsigned long kills) {
    static const victim victims[] = {CLIENT, CLIENT, CLIENT, SERVER, SERVER, SERVER, BOTH};
    const bpt_direction to = below(2) == 0 ? BPT_TO_SERVER : BPT_TO_CLIENT;
    s.relay.ways[BPT_TO_SERVER].limit = s.relay.ways[BPT_TO_CLIENT].limit = UINT64_MAX;
    s.is_end_wanted = s.known.is_at_end = false;
    s.victim = victims[below(7)];
    if (s.kills >= kills) return;
    s.is_end_wanted = below(4) == 0;
    if (!s.is_end_wanted) s.relay.ways[to].limit = below((uint32_t)bytes_to_come(to));
}

static bool is_at_point(void) {
    if (!s.relay.is_open) return false;
    if (s.is_end_wanted) return s.known.is_at_end && bpt_relay_is_idle(&s.relay);
    return bpt_relay_is_at_limit(&s.relay, BPT_TO_SERVER) || bpt_relay_is_at_limit(&s.relay, BPT_TO_CLIENT);
}

/* False: the client has ended before. */
static bool go_to_point(void) {
    while (!take_news()) {
        if (is_at_point()) return true;
        bpt_relay_turn(&s.relay, s.server_address, s.client.news);
    }
    return false;
}

/* The other one does not know it at once. A client that does not come back ends when its server does; one that is to
 * die, too, must not have come back before. */
static void strike(void) {
    if (below(2) == 0) nap((long)below(400));
    if (s.victim == BOTH) ck_assert_int_eq(kill(s.client.process, SIGKILL), 0);
    if ((s.victim & SERVER) != 0) kill_server();
    if ((s.victim & CLIENT) != 0)
        kill_client();
    else if (!s.errand.comes_back)
        await_end();
    s.kills++;
}

/* ---- objects ---- */

static const char *target(void) { return path_of(s.is_get ? "copy" : "objects/a"); }

/* Who was not killed may go on meanwhile: from the old one to the new. */
static void judge(void) {
    const bool is_old = s.old == NULL ? !bpt_file_exists(target()) : bpt_file_is(target(), s.old, s.old_size);
    const bool is_new = bpt_file_is(target(), s.bytes, s.errand.size);
    bpt_must(is_new || is_old);
    bpt_must(is_old || s.known.may_be_there);
    bpt_must(is_new || !s.known.is_there);
}

/* Of a whole part, and of less and more; more than a window of parts; and large ones. */
static void choose_object(uint32_t number) {
    static const struct {
        uint32_t part_size, size;
    } objects[] = {{4096, 90 * 4096 - 77}, {65536, 12 * 65536}, {4096, 0},        {4096, 20 * 4096 + 1},
                   {8192, 17 * 8192},      {4096, 4096},        {16384, 100001},  {4096, 1}};
    static const uint32_t in_flight[] = {4, 64, 1, 16, 7};
    const uint32_t ix = number % (sizeof objects / sizeof objects[0]);
    s.errand = (bpt_errand){.address = s.relay.address,
                            .is_get = s.is_get,
                            .source = (bpt_source)(number % BPT_SOURCES),
                            .name = "a",
                            .size = objects[ix].size,
                            .part_size = objects[ix].part_size,
                            .parts_in_flight = in_flight[number % 5]};
    s.part_count = (s.errand.size + s.errand.part_size - 1) / s.errand.part_size;
    bpt_must(s.part_count <= PARTS_MAX);
    s.bytes = bpt_bytes_new(number + 1, s.errand.size);
    s.errand.bytes = s.bytes;
}

static void prepare_object(uint32_t number) {
    static char path[BPT_LIFE_PATH];
    s.known = (knowledge){0};
    choose_object(number);
    (void)snprintf(path, sizeof path, "%s", path_of(s.is_get ? "copy" : "source"));
    s.errand.path = path;
    bpt_file_write(path_of(s.is_get ? "objects/a" : "source"), s.bytes, s.errand.size);
}

/* What has a token is whole, and under its name. */
static void finish_object(void) {
    char text[BP_TOKEN_TEXT_SIZE], path[BPT_LIFE_PATH + sizeof text + 8];
    bp_token_format(&s.known.token, text);
    (void)snprintf(path, sizeof path, "%s/%s.part", work_directory(), text);
    ck_assert(s.known.has_token && s.known.is_there && !bpt_file_exists(path));
    s.finished++;
    free(s.old);
    s.old = s.bytes;
    s.old_size = s.errand.size;
}

static void live_through(unsigned long kills) {
    while (!s.known.is_over) {
        if (s.server.process == 0) start_server();
        if (s.client.process == 0) start_client();
        choose_point(kills);
        if (go_to_point())
            strike();
        else
            end_client();
        judge();
    }
    if (s.client.process != 0) end_client();
}

/* ---- all of it ---- */

static void set_up(int way) {
    memset(&s, 0, sizeof s);
    s.is_get = way / 2 != 0;
    s.random = bpt_seed((uint64_t)time(NULL)) + (uint64_t)way;
    fprintf(stderr, "SEED=%llu\n", (unsigned long long)(s.random - (uint64_t)way));
    s.random = s.random * UINT64_C(6364136223846793005) + 1;
    bpt_store_directory(s.directory);
    ck_assert_int_eq(mkdir(path_of("objects"), 0700), 0);
    bpt_relay_init(&s.relay, way % 2 == 0 ? NULL : path_of("relay"));
    s.relay.on_frame = look_at;
    (void)snprintf(s.listen, sizeof s.listen, way % 2 == 0 ? "tcp://127.0.0.1:0" : "unix://%s", path_of("socket"));
}

/* Files in work, but for the locks; each is made two days old. */
static unsigned count_work(const char *ending) {
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 172800}, {.tv_sec = time(NULL) - 172800}};
    unsigned count = 0;
    DIR *directory = opendir(work_directory());
    if (directory == NULL) return 0; /* who needs it no more takes it away */
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0) continue;
        ck_assert_int_eq(utimensat(dirfd(directory), entry->d_name, old, 0), 0);
        count += length > strlen(ending) && strcmp(entry->d_name + length - strlen(ending), ending) == 0;
    }
    closedir(directory);
    return count;
}

/* What nobody has a token of is all that is left, and goes when its time has come. */
static void check_work(void) {
    bp_store *store = NULL;
    ck_assert_uint_le(count_work(".part"), s.begun - s.finished);
    bpt_ok(bp_dir_store_new(path_of(s.is_get ? "." : "objects"), NULL, &store));
    bp_store_release_take(&store);
    ck_assert_uint_eq(count_work(""), 0);
}

static void end_server(void) {
    ck_assert_int_eq(kill(s.server.process, SIGTERM), 0);
    bpt_life_end(&s.server);
}

/* _i: puts and gets, over TCP and a Unix socket. */
START_TEST(whoever_is_killed_goes_on) {
    const unsigned long kills = bpt_scaled(KILLS) + 2;
    const int descriptors = bpt_descriptor_count();
    set_up(_i);
    for (uint32_t number = 0; s.kills < kills || s.server.process == 0; number++) {
        prepare_object(number);
        live_through(kills);
        finish_object();
    }
    end_server();
    bpt_relay_fini(&s.relay);
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    check_work();
    free(s.old);
    bpt_remove_tree(s.directory);
}
END_TEST

BPT_SUITE(integration_transfer_kill) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(whoever_is_killed_goes_on, 0, 4);
}
