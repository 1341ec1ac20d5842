/* bar.c: "logs/today [######------]  52 %   812 MiB/s   0:03" */
#define _GNU_SOURCE
#include "objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 32, EVERY_NS = 100000000 };

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void print_rate(double bytes_per_second) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    unsigned i = 0;
    while (bytes_per_second >= 1000 && i < 3) bytes_per_second /= 1024, i++;
    fprintf(stderr, "%6.*f %s/s", bytes_per_second < 10 ? 1 : 0, bytes_per_second, units[i]);
}

static void print(const progress_bar *bar, const bp_progress *progress, uint64_t now) {
    static const char full[] = "################################", empty[] = "--------------------------------";
    const double seconds = (double)(now - bar->began_ns) / 1e9;
    const double rate = seconds > 0 ? (double)(progress->done - bar->first) / seconds : 0;
    fputc('\r', stderr);
    print_text(stderr, bar->name);
    fputc(' ', stderr);
    if (progress->size != BP_SIZE_UNKNOWN) {
        const double part = progress->size == 0 ? 1 : (double)progress->done / (double)progress->size;
        const int marks = (int)(part * WIDTH);
        fprintf(stderr, "[%.*s%.*s] %3.0f %% ", marks, full, WIDTH - marks, empty, part * 100);
    } else {
        fprintf(stderr, "%" PRIu64 " bytes ", progress->done);
    }
    if (!progress->is_connected) {
        fputs("  no connection", stderr);
    } else {
        print_rate(rate);
        if (progress->size != BP_SIZE_UNKNOWN && rate > 0) {
            const uint64_t left = (uint64_t)((double)(progress->size - progress->done) / rate);
            fprintf(stderr, " %3" PRIu64 ":%02" PRIu64, left / 60, left % 60);
        }
    }
    fputs("\033[K", stderr);
}

void bar_show(progress_bar *bar, const bp_progress *progress) {
    const uint64_t now = now_ns();
    if (!isatty(STDERR_FILENO)) return;
    if (bar->began_ns == 0) {
        bar->began_ns = now;
        bar->first = progress->done;
    }
    if (now - bar->shown_ns < EVERY_NS && progress->done != progress->size) return;
    bar->shown_ns = now;
    bar->is_shown = true;
    print(bar, progress, now);
}

void bar_end(progress_bar *bar) {
    if (bar->is_shown) fputc('\n', stderr);
    bar->is_shown = false;
}
