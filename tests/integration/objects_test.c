#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* examples/objects as it is built, used as people do: files, pipes, mistakes, ^C, no room, and a server that dies. */
#include "tests/support/store_rig.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 16, TEXT_MAX = 4096, SIZE = 300000 };

/* A server with a directory of objects, and one of the client's: it runs in there. */
typedef struct place {
    char path[BPT_STORE_PATH], program[4200], address[128];
    pid_t server;
} place;

static const char *path_of(const place *in, const char *name) {
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", in->path, name);
    return path;
}

static void redirect(int to, const char *path, int flags) {
    const int fd = open(path, flags, 0600);
    if (fd < 0 || dup2(fd, to) != to) _exit(126);
}

/* The program with these arguments, in the client's directory: its words are in ../out and ../err. from: what it reads;
 * -1: nothing. */
static pid_t start(const place *in, int from, rlim_t file_max, const char *const *args) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0) return child;
    const struct rlimit limit = {.rlim_cur = file_max, .rlim_max = file_max};
    if (chdir(path_of(in, "mine")) != 0) _exit(126);
    if (from < 0) redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    else if (dup2(from, STDIN_FILENO) != STDIN_FILENO) _exit(126);
    redirect(STDOUT_FILENO, path_of(in, "out"), O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, path_of(in, "err"), O_WRONLY | O_CREAT | O_TRUNC);
    (void)signal(SIGXFSZ, SIG_IGN); /* no room is an error, not the end */
    if (file_max != RLIM_INFINITY && setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
    (void)execv(in->program, (char *const *)(uintptr_t)args);
    _exit(127);
}

/* "put a b" with the address behind its first word; words are cut at '|'. */
static const char *const *words_of(const place *in, const char *line) {
    static char copy[1024];
    static const char *args[ARGS_MAX + 4];
    size_t count = 0;
    (void)snprintf(copy, sizeof copy, "%s", line);
    args[count++] = in->program;
    for (char *word = copy; word != NULL && count < ARGS_MAX;) {
        args[count++] = strsep(&word, "|");
        if (count != 2 || args[1][0] == '-') continue;
        args[count++] = "-a";
        args[count++] = in->address;
    }
    args[count] = NULL;
    return args;
}

static pid_t begin(const place *in, int from, const char *line) {
    return start(in, from, RLIM_INFINITY, words_of(in, line));
}

/* The exit status; -1: it was killed. */
static int end_of(pid_t child) {
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(const place *in, const char *line) { return end_of(begin(in, -1, line)); }

static const char *read_text(const place *in, const char *name) {
    static char text[TEXT_MAX];
    FILE *file = fopen(path_of(in, name), "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void must(const place *in, const char *line) {
    const int status = run(in, line);
    ck_assert_msg(status == 0, "%s: %d, %s", line, status, read_text(in, "err"));
    ck_assert_str_eq(read_text(in, "err"), "");
}

/* Liveness only: there is a limit of the whole test's. */
static void wait_a_little(void) { (void)poll(NULL, 0, 2); }

static void serve(place *in) {
    in->server = begin(in, -1, "serve|../store");
    while (strstr(read_text(in, "out"), " at ") == NULL) {
        ck_assert_int_eq(waitpid(in->server, NULL, WNOHANG), 0);
        wait_a_little();
    }
}

static void open_place(place *in) {
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(length, 0);
    self[length] = '\0';
    (void)snprintf(in->program, sizeof in->program, "%s/objects", dirname(self));
    bpt_store_directory(in->path);
    (void)snprintf(in->address, sizeof in->address, "unix://%s/socket", in->path);
    ck_assert_int_eq(mkdir(path_of(in, "store"), 0700) | mkdir(path_of(in, "mine"), 0700), 0);
    ck_assert_int_eq(close(open(path_of(in, "out"), O_WRONLY | O_CREAT, 0600)), 0);
    serve(in);
}

static void close_place(place *in) {
    ck_assert_int_eq(kill(in->server, SIGTERM), 0);
    ck_assert_int_eq(end_of(in->server), 0);
    bpt_remove_tree(in->path);
}

static void write_file(const place *in, const char *name, size_t size, uint32_t seed) {
    uint8_t *bytes = malloc(size + 1);
    FILE *file = fopen(path_of(in, name), "w");
    ck_assert(bytes != NULL && file != NULL);
    bpt_fill(bytes, size, seed, 0);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    free(bytes);
}

/* The file has size bytes of the seed's sequence from offset on. */
static void check_file(const place *in, const char *name, size_t size, uint32_t seed, uint64_t offset) {
    uint8_t *bytes = malloc(size + 1), *found = malloc(size + 1);
    FILE *file = fopen(path_of(in, name), "r");
    ck_assert_msg(file != NULL && bytes != NULL && found != NULL, "%s", name);
    bpt_fill(bytes, size, seed, offset);
    ck_assert_uint_eq(fread(found, 1, size + 1, file), size);
    ck_assert_int_eq(memcmp(found, bytes, size), 0);
    (void)fclose(file);
    free(bytes);
    free(found);
}

static bool is_there(const place *in, const char *name) { return access(path_of(in, name), F_OK) == 0; }

/* ---- files and pipes ---- */

START_TEST(files_are_put_listed_and_got) {
    place in;
    open_place(&in);
    write_file(&in, "mine/a file", SIZE, 1);
    write_file(&in, "mine/empty", 0, 1);
    ck_assert_int_eq(mkdir(path_of(&in, "mine/dir"), 0700), 0);
    must(&in, "put|a file");
    must(&in, "put|-p|4K|-n|16|a file|deep/er/name");
    must(&in, "put|empty");
    must(&in, "ls");
    ck_assert_str_eq(read_text(&in, "out"),
                     "        300000  a file\n        300000  deep/er/name\n             0  empty\n");
    must(&in, "ls|deep");
    ck_assert_str_eq(read_text(&in, "out"), "        300000  deep/er/name\n");
    must(&in, "ls|none");
    ck_assert_str_eq(read_text(&in, "out"), "");
    must(&in, "get|deep/er/name"); /* the last segment of its name */
    check_file(&in, "mine/name", SIZE, 1, 0);
    must(&in, "get|a file|dir");
    check_file(&in, "mine/dir/a file", SIZE, 1, 0);
    must(&in, "get|-p|8K|a file|empty"); /* what is there is replaced */
    check_file(&in, "mine/empty", SIZE, 1, 0);
    must(&in, "get|empty|dir/../other");
    check_file(&in, "mine/other", 0, 1, 0);
    must(&in, "get|-r|4095+4099|a file|range");
    check_file(&in, "mine/range", 4099, 1, 4095);
    must(&in, "get|-r|292K|a file|-");
    check_file(&in, "out", SIZE - 292 * 1024, 1, 292 * 1024);
    ck_assert(!is_there(&in, "mine/.bufpool") && !is_there(&in, "mine/dir/.bufpool"));
    close_place(&in);
}
END_TEST

START_TEST(streams_are_put_and_got) {
    int pipes[2];
    place in;
    open_place(&in);
    write_file(&in, "mine/a", SIZE, 2);
    const int file = open(path_of(&in, "mine/a"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(end_of(begin(&in, file, "put|-p|64K|-")), 0); /* a file that is redirected */
    must(&in, "get|stdin|-");
    check_file(&in, "out", SIZE, 2, 0);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t put = begin(&in, pipes[0], "put|-|piped");
    for (uint64_t at = 0; at < SIZE; at += 1000) {
        uint8_t bytes[1000];
        bpt_fill(bytes, sizeof bytes, 3, at);
        bpt_must(write(pipes[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    }
    (void)close(pipes[1]);
    ck_assert_int_eq(end_of(put), 0);
    check_file(&in, "store/piped", SIZE, 3, 0);
    (void)close(pipes[0]);
    (void)close(file);
    close_place(&in);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *line, *says;
    int status;
} mistakes[] = {
    {"put|none", "objects: none: No such file or directory\n", 1},
    {"put|dir", "objects: dir: Is a directory\n", 1},
    {"put|/dev/null", "objects: /dev/null: not a regular file", 1},
    {"put|a|../up", "objects: ../up: the name cannot be an object's\n", 1},
    {"put|a|", "objects: : the name cannot be an object's\n", 1},
    {"put|-p|2M|a", "objects: a: the part size cannot be used", 1},
    {"put|-t|xyz|a", "objects: xyz: no TOKEN of a put\n", 1},
    {"put|-t|00112233445566778899aabbccddeeff|a", "objects: a: there is no such object, file or directory\n", 1},
    {"get|none", "objects: none: there is no such object, file or directory\n", 1},
    {"get|none|-", "objects: none: there is no such object, file or directory\n", 1},
    {"get|here|no/where", "objects: no/where: No such file or directory\n", 1},
    {"get|here|a/b", "objects: a/b: Not a directory\n", 1},
    {"get|-r|5+9|here", "objects: here: the range is not in the object\n", 1},
    {"get|-t|00112233445566778899aabbccddeeff|here", "no TOKEN@VERSION of a get\n", 1},
    {"get|-t|00112233445566778899aabbccddeeff@1|here", "objects: here: the object has changed meanwhile\n", 1},
    {"put", "objects: put: an operand is missing\n", 2},
    {"ls|a|b", "objects: ls: too many operands\n", 2},
    {"put|a|b|c", "objects: put: too many operands\n", 2},
    {"put|-x|a", "objects: put: there is no option -x\n", 2},
    {"put|-p", "objects: put: nothing stands behind -p\n", 2},
    {"put|-p|4095|a", "objects: put: what stands behind -p cannot be\n", 2},
    {"put|-p|99999999999999999999|a", "objects: put: what stands behind -p cannot be\n", 2},
    {"put|-n|65|a", "objects: put: what stands behind -n cannot be\n", 2},
    {"put|-m|1M|a", "objects: put: the memory of -m holds no two parts\n", 2},
    {"get|-r|1+0|here", "objects: get: what stands behind -r cannot be\n", 2},
    {"get|-w|1x|here", "objects: get: what stands behind -w cannot be\n", 2},
    {"frob", "usage: objects serve", 2},
    {"serve|../none", "objects: ../none: there is no such object, file or directory\n", 1},
    {"serve|../store", "the address is in use\n", 1},
};

/* Told by name, and nothing is left of it. */
START_TEST(mistakes_are_told) {
    place in;
    open_place(&in);
    write_file(&in, "mine/a", 10, 1);
    write_file(&in, "store/here", 10, 1);
    ck_assert_int_eq(mkdir(path_of(&in, "mine/dir"), 0700), 0);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const int status = run(&in, mistakes[i].line);
        const char *const said = read_text(&in, "err");
        ck_assert_msg(status == mistakes[i].status, "%s: %d, %s", mistakes[i].line, status, said);
        ck_assert_msg(strstr(said, mistakes[i].says) != NULL, "%s: %s", mistakes[i].line, said);
        ck_assert_msg(strstr(said, "to go on") == NULL, "%s: %s", mistakes[i].line, said);
    }
    ck_assert(!is_there(&in, "mine/here") && !is_there(&in, "mine/none") && !is_there(&in, "mine/.bufpool"));
    ck_assert(!is_there(&in, "up") && !is_there(&in, "store/a"));
    close_place(&in);
}
END_TEST

START_TEST(help_is_no_mistake) {
    place in;
    open_place(&in);
    must(&in, "--help");
    ck_assert_ptr_nonnull(strstr(read_text(&in, "out"), "usage: objects serve"));
    close_place(&in);
}
END_TEST

/* ---- what is broken off, and goes on ---- */

/* The token that was told, behind "-t ". */
static const char *told_token(const place *in) {
    static char token[128];
    const char *const said = read_text(in, "err"), *at = strstr(said, "to go on with it: -t ");
    ck_assert_msg(at != NULL, "%s", said);
    ck_assert_int_eq(sscanf(at, "to go on with it: -t %127s", token), 1);
    return token;
}

static void run_on(const place *in, const char *before, const char *behind) {
    char line[256];
    (void)snprintf(line, sizeof line, "%s|-t|%s|%s", before, told_token(in), behind);
    must(in, line);
}

/* Writes bytes of the sequence until the server's directory has a first part of them. */
static void write_a_part(const place *in, int to, uint32_t seed, uint64_t *at) {
    char pattern[256];
    (void)snprintf(pattern, sizeof pattern, "%s", path_of(in, "store/.bufpool"));
    for (off_t largest = 0; largest == 0; wait_a_little()) {
        uint8_t bytes[1000];
        struct stat file;
        bpt_fill(bytes, sizeof bytes, seed, *at);
        if (*at < SIZE / 3 && write(to, bytes, sizeof bytes) == (ssize_t)sizeof bytes) *at += sizeof bytes;
        DIR *names = opendir(pattern);
        for (const struct dirent *entry; names != NULL && (entry = readdir(names)) != NULL;) {
            if (strstr(entry->d_name, ".part") == NULL || fstatat(dirfd(names), entry->d_name, &file, 0) != 0) continue;
            if (file.st_size > largest) largest = file.st_size;
        }
        if (names != NULL) (void)closedir(names);
    }
}

static void write_rest(int to, uint32_t seed, uint64_t at) {
    for (; at < SIZE; at += 1000) {
        uint8_t bytes[1000];
        bpt_fill(bytes, sizeof bytes, seed, at);
        bpt_must(write(to, bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    }
}

/* All of seed 4 once more, with the token: what is there is not sent again. */
static void put_whole_on(const place *in) {
    char line[256];
    unsigned long parts_out = 0;
    write_file(in, "mine/whole", SIZE, 4);
    const int whole = open(path_of(in, "mine/whole"), O_RDONLY | O_CLOEXEC);
    (void)snprintf(line, sizeof line, "put|-v|-p|4K|-t|%s|-|a", told_token(in));
    ck_assert_int_eq(end_of(begin(in, whole, line)), 0);
    const char *const told = strstr(read_text(in, "err"), "objects: parts in 0 out ");
    ck_assert_ptr_nonnull(told);
    ck_assert_int_eq(sscanf(told, "objects: parts in 0 out %lu,", &parts_out), 1);
    ck_assert_uint_lt(parts_out, (SIZE + 4095) / 4096);
    check_file(in, "store/a", SIZE, 4, 0);
    (void)close(whole);
}

/* It told its token at once. */
START_TEST(a_put_that_is_killed_goes_on) {
    int pipes[2];
    uint64_t at = 0;
    place in;
    open_place(&in);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t put = begin(&in, pipes[0], "put|-v|-p|4K|-|a");
    write_a_part(&in, pipes[1], 4, &at);
    ck_assert_int_eq(kill(put, SIGKILL), 0);
    ck_assert_int_eq(end_of(put), -1);
    put_whole_on(&in);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    close_place(&in);
}
END_TEST

/* Also while it waits for standard input. */
START_TEST(a_put_that_is_interrupted_goes_on) {
    int pipes[2];
    uint64_t at = 0;
    place in;
    open_place(&in);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t put = begin(&in, pipes[0], "put|-p|4K|-|a");
    write_a_part(&in, pipes[1], 4, &at);
    ck_assert_int_eq(kill(put, _i == 0 ? SIGINT : SIGTERM), 0);
    ck_assert_int_eq(end_of(put), 130);
    ck_assert_ptr_nonnull(strstr(read_text(&in, "err"), "objects: a: interrupted\n"));
    ck_assert(!is_there(&in, "store/a"));
    put_whole_on(&in);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    close_place(&in);
}
END_TEST

START_TEST(a_get_without_room_goes_on) {
    place in;
    open_place(&in);
    write_file(&in, "store/a", SIZE, 5);
    write_file(&in, "mine/copy", 10, 6);
    const pid_t get = start(&in, -1, SIZE / 2, words_of(&in, "get|-p|16K|a|copy"));
    ck_assert_int_eq(end_of(get), 1);
    check_file(&in, "mine/copy", 10, 6, 0); /* still the old one */
    ck_assert(is_there(&in, "mine/.bufpool"));
    run_on(&in, "get|-p|16K", "a|copy");
    check_file(&in, "mine/copy", SIZE, 5, 0);
    ck_assert(!is_there(&in, "mine/.bufpool"));
    close_place(&in);
}
END_TEST

START_TEST(a_server_that_is_killed_and_comes_back_is_gone_on_with) {
    int pipes[2];
    uint64_t at = 0;
    place in;
    open_place(&in);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t put = begin(&in, pipes[0], "put|-p|4K|-|a");
    write_a_part(&in, pipes[1], 7, &at);
    ck_assert_int_eq(kill(in.server, SIGKILL), 0);
    ck_assert_int_eq(end_of(in.server), -1);
    serve(&in);
    write_rest(pipes[1], 7, at);
    (void)close(pipes[1]);
    ck_assert_int_eq(end_of(put), 0);
    check_file(&in, "store/a", SIZE, 7, 0);
    (void)close(pipes[0]);
    close_place(&in);
}
END_TEST

START_TEST(without_a_server_the_reason_is_told) {
    place in;
    open_place(&in);
    ck_assert_int_eq(kill(in.server, SIGTERM), 0);
    ck_assert_int_eq(end_of(in.server), 0);
    ck_assert_int_eq(run(&in, "ls|-w|1"), 1);
    const char *const said = read_text(&in, "err");
    ck_assert_msg(strstr(said, in.address) != NULL && strstr(said, "timed out") == NULL, "%s", said);
    bpt_remove_tree(in.path);
}
END_TEST

BPT_SUITE(integration_objects) {
    BPT_TIMEOUT(240);
    BPT_TEST(files_are_put_listed_and_got);
    BPT_TEST(streams_are_put_and_got);
    BPT_TEST(mistakes_are_told);
    BPT_TEST(help_is_no_mistake);
    BPT_LOOP_TEST(a_put_that_is_interrupted_goes_on, 0, 2);
    BPT_TEST(a_put_that_is_killed_goes_on);
    BPT_TEST(a_get_without_room_goes_on);
    BPT_TEST(a_server_that_is_killed_and_comes_back_is_gone_on_with);
    BPT_TEST(without_a_server_the_reason_is_told);
}
