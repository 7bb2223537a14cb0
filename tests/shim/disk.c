//! A disk that fails: stands before the C library's calls that change files under one folder, counts them over all
//! threads, and fails some of them, in a row. It can also let them wait, or kill the process before the first of them.
//!
//! SHIM_UNDER  the folder, as an absolute path
//! SHIM_LOG    a file; it begins with three numbers of 8 bytes, the count of calls, the first that fails (0: none) and the
//!             last; a test may write the two while the program runs. The name of the call that failed follows
//! SHIM_ERRNO  what it fails with, EIO where left out
//! SHIM_LATE   the first that fails waits so many milliseconds before it does; calls meanwhile do not fail
//! SHIM_PAUSE  it does not fail, but waits so many milliseconds first
//! SHIM_KILL   it does not fail, but the process dies (SIGKILL)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct log {
    _Atomic unsigned long count, first, last;
    char failed[232];
};

static const char *under;
static struct log *seen;
static unsigned long late_ms, pause_ms;
static int error_number = EIO, kills;

static unsigned long number(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

// A file that many processes may have open: the count outlives the one that is killed.
__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIM_LOG");
    const char *folder = getenv("SHIM_UNDER");
    if (!path || !folder) return;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct log)) != 0) abort();
    seen = mmap(NULL, sizeof(struct log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED) abort();
    close(fd);
    late_ms = number("SHIM_LATE", 0);
    pause_ms = number("SHIM_PAUSE", 0);
    kills = getenv("SHIM_KILL") != NULL;
    error_number = (int)number("SHIM_ERRNO", EIO);
    under = folder;
}

static int is_under(const char *path) {
    size_t length = under ? strlen(under) : 0;
    return length && path && strncmp(path, under, length) == 0;
}

static void wait_for(unsigned long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0) {}
}

// Whether this call fails. `path` is of a file under the folder.
static int fails(const char *call, const char *path) {
    unsigned long at = atomic_fetch_add(&seen->count, 1) + 1;
    unsigned long first = seen->first, last = seen->last;
    if (first == 0 || at < first || at > last) return 0;
    if (at == first) {
        snprintf(seen->failed, sizeof seen->failed, "%s %s", call, path + strlen(under));
    }
    if (kills) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (pause_ms) {
        wait_for(pause_ms);
        return 0;
    }
    if (late_ms) {
        static atomic_int has_failed;
        if (at != first && !atomic_load(&has_failed)) return 0;
        if (at == first) wait_for(late_ms);
        atomic_store(&has_failed, 1);
    }
    errno = error_number;
    return 1;
}

static int fails_at(const char *call, int fd) {
    char link[64], path[4096];
    if (!under) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int saved = errno;
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    return is_under(path) && fails(call, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t length) {
    static __typeof__(&write) real;
    if (!real) real = REAL(write);
    return fails_at("write", fd) ? -1 : real(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    static __typeof__(&writev) real;
    if (!real) real = REAL(writev);
    return fails_at("writev", fd) ? -1 : real(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    static __typeof__(&pwrite) real;
    if (!real) real = REAL(pwrite);
    return fails_at("pwrite", fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    static __typeof__(&pwrite64) real;
    if (!real) real = REAL(pwrite64);
    return fails_at("pwrite", fd) ? -1 : real(fd, bytes, length, at);
}

int fsync(int fd) {
    static __typeof__(&fsync) real;
    if (!real) real = REAL(fsync);
    return fails_at("fsync", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    static __typeof__(&fdatasync) real;
    if (!real) real = REAL(fdatasync);
    return fails_at("fdatasync", fd) ? -1 : real(fd);
}

int sync_file_range(int fd, off64_t at, off64_t length, unsigned int how) {
    static __typeof__(&sync_file_range) real;
    if (!real) real = REAL(sync_file_range);
    return fails_at("sync_file_range", fd) ? -1 : real(fd, at, length, how);
}

int ftruncate(int fd, off_t length) {
    static __typeof__(&ftruncate) real;
    if (!real) real = REAL(ftruncate);
    return fails_at("ftruncate", fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    static __typeof__(&ftruncate64) real;
    if (!real) real = REAL(ftruncate64);
    return fails_at("ftruncate", fd) ? -1 : real(fd, length);
}

int rename(const char *from, const char *to) {
    static __typeof__(&rename) real;
    if (!real) real = REAL(rename);
    return is_under(to) && fails("rename", to) ? -1 : real(from, to);
}

int unlink(const char *path) {
    static __typeof__(&unlink) real;
    if (!real) real = REAL(unlink);
    return is_under(path) && fails("unlink", path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
    static __typeof__(&mkdir) real;
    if (!real) real = REAL(mkdir);
    return is_under(path) && fails("mkdir", path) ? -1 : real(path, mode);
}

static int writes(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                   \
    int name(const char *path, int flags, ...) {                                     \
        static __typeof__(&name) real;                                               \
        va_list rest;                                                                \
        if (!real) real = REAL(name);                                                \
        va_start(rest, flags);                                                       \
        mode_t mode = mode_of(flags, rest);                                          \
        va_end(rest);                                                                \
        if (writes(flags) && is_under(path) && fails("open", path)) return -1;       \
        return real(path, flags, mode);                                              \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                 \
    int name(int folder, const char *path, int flags, ...) {                         \
        static __typeof__(&name) real;                                               \
        va_list rest;                                                                \
        if (!real) real = REAL(name);                                                \
        va_start(rest, flags);                                                       \
        mode_t mode = mode_of(flags, rest);                                          \
        va_end(rest);                                                                \
        if (writes(flags) && is_under(path) && fails("open", path)) return -1;       \
        return real(folder, path, flags, mode);                                      \
    }
OPENAT(openat)
OPENAT(openat64)
