/* Stands in for the C library's fdatasync, in a process that is started with LD_PRELOAD.
 *
 * PRELOAD_FAIL_WHEN names a file: while it exists, fdatasync fails with EIO.
 * PRELOAD_DELAY_MS is a number: fdatasync takes that much longer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *fail_when = getenv("PRELOAD_FAIL_WHEN");
    if (fail_when != NULL && access(fail_when, F_OK) == 0) {
        errno = EIO;
        return -1;
    }

    const char *delay = getenv("PRELOAD_DELAY_MS");
    if (delay != NULL) {
        long ms = atol(delay);
        struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
        while (nanosleep(&pause, &pause) == -1 && errno == EINTR)
            ;
    }

    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return real(fd);
}
