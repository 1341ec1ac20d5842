#define _POSIX_C_SOURCE 200809L
#include "machine.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

size_t demo_read_file(const char *path, void *out, size_t size) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    size_t have = 0;
    while (have < size) {
        const ssize_t n = read(fd, (char *)out + have, size - have);
        if (n <= 0) break;
        have += (size_t)n;
    }
    close(fd);
    return have;
}

/* A small file as a string. */
static size_t read_text(const char *path, char *out, size_t size) {
    const size_t length = demo_read_file(path, out, size - 1);
    out[length] = '\0';
    return length;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The number behind a label, as in "MemTotal:  123 kB"; 0 when the label is not there. */
static uint64_t number_after(const char *text, const char *label) {
    const char *at = strstr(text, label);
    return at == NULL ? 0 : strtoull(at + strlen(label), NULL, 10);
}

static void read_cpu(market_host_sample *out) {
    char text[4096];
    unsigned long long user = 0, nice = 0, system = 0, idle = 0, wait = 0;
    read_text("/proc/stat", text, sizeof text);
    if (sscanf(text, "cpu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait) < 4) return;
    out->cpu_busy = user + nice + system;
    out->cpu_idle = idle + wait;
}

void demo_read_host(market_host_sample *out) {
    char text[8192];
    *out = (market_host_sample)MARKET_HOST_SAMPLE_INIT;
    out->timestamp = now_ns();
    read_cpu(out);
    read_text("/proc/meminfo", text, sizeof text);
    out->memory_total = number_after(text, "MemTotal:") * 1024;
    out->memory_available = number_after(text, "MemAvailable:") * 1024;
    read_text("/proc/uptime", text, sizeof text);
    out->uptime = (uint64_t)(strtod(text, NULL) * 1000.0);
    read_text("/proc/loadavg", text, sizeof text);
    char *at = text;
    for (int i = 0; i < 3; i++) out->load[i] = strtof(at, &at);
}

bool demo_processes_init(demo_processes *walk) {
    walk->proc = opendir("/proc");
    return walk->proc != NULL;
}

void demo_processes_fini(demo_processes *walk) {
    if (walk->proc != NULL) closedir(walk->proc);
    walk->proc = NULL;
}

void demo_processes_rewind(demo_processes *walk) { rewinddir(walk->proc); }

/* Bytes that are not printable ASCII become spaces: a command line may hold anything. */
static size_t clean(char *text, size_t length) {
    while (length > 0 && text[length - 1] == '\0') length--;
    for (size_t i = 0; i < length; i++) {
        if (!isprint((unsigned char)text[i])) text[i] = ' ';
    }
    text[length] = '\0';
    return length;
}

/* The fields of /proc/PID/stat; the name is in parentheses and may hold spaces and parentheses. */
static bool read_stat(const char *pid, market_process_sample *out) {
    char path[64], text[1024];
    unsigned parent = 0;
    unsigned long long user = 0, system = 0, threads = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    if (read_text(path, text, sizeof text) == 0) return false;
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open) return false;
    if (sscanf(close + 1, " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d %*u %*u %llu",
               &parent, &user, &system, &threads, &resident) != 5) {
        return false;
    }
    *close = '\0';
    out->state = (uint8_t)close[2];
    out->parent = parent;
    out->threads = (uint32_t)threads;
    out->cpu_time = user + system;
    out->resident = resident * (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(out->name, sizeof out->name, "%s", open + 1);
    out->name_length = (uint8_t)clean(out->name, strlen(out->name));
    return true;
}

static void read_extras(const char *pid, market_process_sample *out) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.16s/cmdline", pid);
    size_t length = demo_read_file(path, out->command, sizeof out->command - 1);
    length = clean(out->command, length);
    out->command_length = (uint16_t)length;
    out->has_command = length > 0;
    snprintf(path, sizeof path, "/proc/%.16s/io", pid);
    out->has_read_bytes = read_text(path, text, sizeof text) > 0;
    out->read_bytes = number_after(text, "read_bytes:");
}

bool demo_processes_next(demo_processes *walk, market_process_sample *out) {
    const struct dirent *entry;
    while ((entry = readdir(walk->proc)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        *out = (market_process_sample)MARKET_PROCESS_SAMPLE_INIT;
        out->timestamp = now_ns();
        out->pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (!read_stat(entry->d_name, out)) continue;
        read_extras(entry->d_name, out);
        return true;
    }
    return false;
}
