/*
 * Loaded into a server by LD_PRELOAD: its wall clock is wrong by as many microseconds as the file
 * named by LEASEHOLD_CLOCK_SHIFT holds (8 bytes, signed, of this machine's order), which may change
 * at any time. Clocks that only go forward are left alone.
 *
 *     cc -shared -fPIC -O2 -o clock_shift.so clock_shift.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *shift;

__attribute__((constructor)) static void open_shift(void) {
    const char *path = getenv("LEASEHOLD_CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) {
        perror("LEASEHOLD_CLOCK_SHIFT");
        abort();
    }
    close(file);
    shift = map;
}

static void shifted(struct timespec *now) {
    syscall(SYS_clock_gettime, CLOCK_REALTIME, now);
    /* Others may have been loaded before us, and ask for the time already. */
    int64_t by = shift ? __atomic_load_n(shift, __ATOMIC_RELAXED) : 0;
    int64_t ns = now->tv_nsec + (by % 1000000) * 1000;
    now->tv_sec += by / 1000000;
    if (ns < 0) {
        ns += 1000000000;
        now->tv_sec -= 1;
    } else if (ns >= 1000000000) {
        ns -= 1000000000;
        now->tv_sec += 1;
    }
    now->tv_nsec = ns;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return syscall(SYS_clock_gettime, clock, now);
    shifted(now);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    shifted(&exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec exact;
    shifted(&exact);
    if (to)
        *to = exact.tv_sec;
    return exact.tv_sec;
}
