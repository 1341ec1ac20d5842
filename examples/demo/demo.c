/* bufpool-demo: one contract, two processes. Runs the market feed over a Unix socket, then over TCP, for a few seconds
 * each, and exits 0 only when everything that it claims held.
 *
 *     bufpool-demo [seconds]                         both transports
 *     bufpool-demo agent ADDRESS MILLISECONDS FD     the agent's process; its account is written to FD */
#define _POSIX_C_SOURCE 200809L
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_agent(const char *address, const char *milliseconds, const char *fd) {
    demo_side side;
    const bp_err err = demo_agent_run(address, strtoull(milliseconds, NULL, 10), &side);
    if (err != BP_OK) {
        fprintf(stderr, "agent: %s\n", bp_err_text(err));
        return 1;
    }
    return write(atoi(fd), &side, sizeof side) == (ssize_t)sizeof side ? 0 : 1;
}

static int run_transport(const char *program, const char *title, const char *address, uint64_t milliseconds) {
    demo_side collector, agent;
    memset(&agent, 0, sizeof agent);
    const bp_err err = demo_collector_run(program, address, milliseconds, &collector, &agent);
    if (err != BP_OK) {
        fprintf(stderr, "%s: %s\n", title, bp_err_text(err));
        return 1;
    }
    return demo_report(title, &collector, &agent);
}

int main(int argc, char **argv) {
    char directory[] = "/tmp/bufpool-demo-XXXXXX", address[64];
    if (argc == 5 && strcmp(argv[1], "agent") == 0) return run_agent(argv[2], argv[3], argv[4]);
    const double seconds = argc == 2 ? strtod(argv[1], NULL) : 4.0;
    if (argc > 2 || !(seconds > 0 && seconds <= 3600)) {
        fprintf(stderr, "usage: %s [seconds per transport]\n", argv[0]);
        return 2;
    }
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    const uint64_t milliseconds = (uint64_t)(seconds * 1000);
    snprintf(address, sizeof address, "unix://%s/market.sock", directory);
    int broken = run_transport(argv[0], "Unix socket", address, milliseconds);
    broken += run_transport(argv[0], "TCP", "tcp://127.0.0.1:0", milliseconds);
    rmdir(directory);
    printf("%s\n", broken == 0 ? "All claims held." : "Some claims did not hold.");
    return broken == 0 ? 0 : 1;
}
