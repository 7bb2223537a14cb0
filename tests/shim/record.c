//! A disk that is written down: stands before the C library's calls that change files under one folder, and writes each
//! change into a log, in the one order in which they were done, over all threads and processes. What a sync makes
//! durable is told by the log, not by the disk: the sync itself is only waited for. From the log a test builds the
//! folder as any power cut would have left it (tests/support/recording.rs).
//!
//! It also counts the changes, and takes the process's life (SIGKILL) before the one with a given number.
//!
//! RECORD_UNDER    the folder, as an absolute path without links
//! RECORD_CONTROL  a file: what processes share; see `struct control`
//! RECORD_LOG      the log; left out, changes are only counted
//! RECORD_SYNC_US  how long a sync takes, in microseconds

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// A test reads and writes the numbers in front; they are 8 bytes each.
struct control {
    _Atomic uint64_t ready;    // 0, 1 while it is made, 2
    _Atomic uint64_t changes;  // how many there were
    _Atomic uint64_t kill_at;  // before which change the process dies; 0: none
    _Atomic uint64_t killed;   // whether it has
    uint64_t log_bytes;        // how much of the log is whole
    uint64_t tokens;           // syncs that were begun
    pthread_mutex_t order;
};

enum kind {
    MADE = 1,     // a file was made: its number, its path
    WRITE = 2,    // number, offset, bytes
    SIZE = 3,     // number, size
    RENAME = 4,   // from, to
    UNLINK = 5,   // path
    MKDIR = 6,    // path
    LINK = 7,     // from, to
    SYNC = 8,     // number, token; the path where it is a folder
    SYNCED = 9,   // token
    SENT = 10,    // the peer's port, how many bytes
    UNKNOWN = 11, // what cannot be written down
    TAKEN = 12,   // a connection: the peer's port
};

struct head {
    uint32_t kind;
    uint32_t path;  // bytes of a path, or of two with a zero between them
    uint32_t bytes; // bytes that follow the path
    uint32_t check; // the sum of all other fields: a log that is cut off is noticed
    uint64_t a, b;
};

static const char *under;
static struct control *control;
static int log_fd = -1;
static useconds_t sync_us;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(name, ...)                                                              \
    ({                                                                               \
        static __typeof__(&name) real;                                               \
        if (!real) real = REAL(name);                                                \
        real(__VA_ARGS__);                                                           \
    })

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("RECORD_UNDER"), *path = getenv("RECORD_CONTROL");
    const char *log = getenv("RECORD_LOG"), *wait = getenv("RECORD_SYNC_US");
    if (!folder || !path) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(struct control)) != 0) abort();
    control = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) abort();
    syscall(SYS_close, fd);
    uint64_t unmade = 0;
    if (atomic_compare_exchange_strong(&control->ready, &unmade, 1)) {
        pthread_mutexattr_t kind;
        pthread_mutexattr_init(&kind);
        pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&control->order, &kind);
        atomic_store(&control->ready, 2);
    }
    while (atomic_load(&control->ready) != 2) usleep(100);
    if (log) {
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (log_fd < 0) abort();
    }
    sync_us = wait ? (useconds_t)strtoul(wait, NULL, 10) : 0;
    under = folder;
}

// One change at a time: what is in the log before another was done before it.
static void enter(void) {
    if (pthread_mutex_lock(&control->order) == EOWNERDEAD) pthread_mutex_consistent(&control->order);
}

static void leave(void) {
    int saved = errno;
    pthread_mutex_unlock(&control->order);
    errno = saved;
}

static void all(const void *bytes, size_t length, uint64_t at) {
    const char *from = bytes;
    while (length) {
        long done = syscall(SYS_pwrite64, log_fd, from, length, at);
        if (done <= 0) abort();
        from += done, at += (uint64_t)done, length -= (size_t)done;
    }
}

static void note(enum kind kind, uint64_t a, uint64_t b, const char *path, size_t path_length,
                 const struct iovec *parts, size_t bytes) {
    if (log_fd < 0) return;
    int saved = errno;
    struct head head = {.kind = kind, .path = (uint32_t)path_length, .bytes = (uint32_t)bytes, .a = a, .b = b};
    head.check = (uint32_t)(kind + path_length + bytes + a + b);
    uint64_t at = control->log_bytes;
    all(&head, sizeof head, at), at += sizeof head;
    if (path_length) all(path, path_length, at), at += path_length;
    for (; bytes; parts++) {
        size_t some = parts->iov_len < bytes ? parts->iov_len : bytes;
        all(parts->iov_base, some, at), at += some, bytes -= some;
    }
    // Only now: of a process that dies in between nothing is there.
    control->log_bytes = at;
    errno = saved;
}

static void note_path(enum kind kind, uint64_t a, uint64_t b, const char *path) {
    note(kind, a, b, path, strlen(path), NULL, 0);
}

static void note_two(enum kind kind, const char *from, const char *to) {
    char both[2 * PATH_MAX];
    size_t first = strlen(from) + 1, second = strlen(to);
    memcpy(both, from, first);
    memcpy(both + first, to, second);
    note(kind, 0, 0, both, first + second, NULL, 0);
}

// A change is about to be made. Whether this is the one before which the process dies.
static int is_last(void) {
    uint64_t at = atomic_fetch_add(&control->changes, 1) + 1;
    return at == atomic_load(&control->kill_at);
}

static void die(void) {
    atomic_store(&control->killed, 1);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void change(void) {
    if (is_last()) die();
}

static int is_under(const char *path) {
    size_t length = under ? strlen(under) : 0;
    return length && strncmp(path, under, length) == 0 && (path[length] == '/' || !path[length]);
}

static int path_of(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int saved = errno;
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

// The whole path of a name in a folder; whether it is under ours.
static int whole(int folder, const char *name, char path[PATH_MAX]) {
    if (!under || !name) return 0;
    if (name[0] == '/') return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_under(path);
    char base[PATH_MAX];
    if (folder == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of(folder, base)) return 0;
    if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return 0;
    return is_under(path);
}

static uint64_t number_of(int fd) {
    struct stat stat;
    return fstat(fd, &stat) == 0 ? stat.st_ino : 0;
}

static int is_ours(int fd) {
    char path[PATH_MAX];
    return under && path_of(fd, path) && is_under(path);
}

// Bytes that were sent on a connection.
static int is_socket(int fd, uint64_t *port) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (!under || log_fd < 0 || getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return 0;
    if (peer.sin_family != AF_INET) return 0;
    *port = ntohs(peer.sin_port);
    return 1;
}

#define SEND(fd, call)                                                               \
    uint64_t port;                                                                   \
    int saved = errno;                                                               \
    if (is_socket(fd, &port)) {                                                      \
        enter();                                                                     \
        ssize_t done = call;                                                         \
        if (done > 0) note(SENT, port, (uint64_t)done, NULL, 0, NULL, 0);            \
        leave();                                                                     \
        return done;                                                                 \
    }                                                                                \
    errno = saved;

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    SEND(fd, CALL(send, fd, bytes, length, flags))
    return CALL(send, fd, bytes, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    SEND(fd, CALL(sendmsg, fd, message, flags))
    return CALL(sendmsg, fd, message, flags);
}

static int taken(int fd) {
    uint64_t port;
    int saved = errno;
    if (fd >= 0 && is_socket(fd, &port)) {
        enter();
        note(TAKEN, port, 0, NULL, 0, NULL, 0);
        leave();
    }
    errno = saved;
    return fd;
}

int accept(int fd, struct sockaddr *restrict peer, socklen_t *restrict length) {
    return taken(CALL(accept, fd, peer, length));
}

int accept4(int fd, struct sockaddr *restrict peer, socklen_t *restrict length, int flags) {
    return taken(CALL(accept4, fd, peer, length, flags));
}

static size_t total(const struct iovec *parts, int count) {
    size_t bytes = 0;
    for (int part = 0; part < count; part++) bytes += parts[part].iov_len;
    return bytes;
}

// What dies in the middle of a write has done some of it.
static void die_within(int fd, const struct iovec *parts, int64_t at) {
    size_t half = parts->iov_len / 2;
    long done = 0;
    if (half) {
        if (at < 0) done = syscall(SYS_write, fd, parts->iov_base, half);
        else done = syscall(SYS_pwrite64, fd, parts->iov_base, half, at);
    }
    (void)done;
    die();
}

static void wrote(int fd, const struct iovec *parts, ssize_t done, int64_t at) {
    if (done <= 0) return;
    if (at < 0) at = lseek(fd, 0, SEEK_CUR) - done;
    note(WRITE, number_of(fd), (uint64_t)at, NULL, 0, parts, (size_t)done);
}

#define WRITING(fd, parts, at, call)                                                 \
    enter();                                                                         \
    if (is_last()) die_within(fd, parts, at);                                        \
    ssize_t done = call;                                                             \
    wrote(fd, parts, done, at);                                                      \
    leave();                                                                         \
    return done;

ssize_t write(int fd, const void *bytes, size_t length) {
    if (is_ours(fd)) {
        struct iovec part = {(void *)bytes, length};
        WRITING(fd, &part, -1, CALL(write, fd, bytes, length))
    }
    SEND(fd, CALL(write, fd, bytes, length))
    return CALL(write, fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_ours(fd) && total(parts, count)) {
        WRITING(fd, parts, -1, CALL(writev, fd, parts, count))
    }
    SEND(fd, CALL(writev, fd, parts, count))
    return CALL(writev, fd, parts, count);
}

#define PWRITE(name, offset)                                                         \
    ssize_t name(int fd, const void *bytes, size_t length, offset at) {              \
        if (!is_ours(fd)) return CALL(name, fd, bytes, length, at);                  \
        struct iovec part = {(void *)bytes, length};                                 \
        WRITING(fd, &part, at, CALL(name, fd, bytes, length, at))                    \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, offset)                                                        \
    ssize_t name(int fd, const struct iovec *parts, int count, offset at) {          \
        if (!is_ours(fd)) return CALL(name, fd, parts, count, at);                   \
        WRITING(fd, parts, at, CALL(name, fd, parts, count, at))                     \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

// Programs do without these where the kernel has none, and write as above.
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    if (!is_ours(out)) return CALL(copy_file_range, in, from, out, to, length, flags);
    errno = ENOSYS;
    return -1;
}

#define SENDFILE(name, offset)                                                       \
    ssize_t name(int out, int in, offset *from, size_t length);                      \
    ssize_t name(int out, int in, offset *from, size_t length) {                     \
        if (!is_ours(out)) return CALL(name, out, in, from, length);                 \
        errno = EINVAL;                                                              \
        return -1;                                                                   \
    }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

// How long a file is, where that was changed in a way that is not seen (fallocate goes to the kernel directly).
static void note_size(int fd) {
    struct stat stat;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
        note(SIZE, stat.st_ino, (uint64_t)stat.st_size, NULL, 0, NULL, 0);
    }
}

#define SIZING(name, offset)                                                         \
    int name(int fd, offset length) {                                                \
        if (!is_ours(fd)) return CALL(name, fd, length);                             \
        enter();                                                                     \
        change();                                                                    \
        int done = CALL(name, fd, length);                                           \
        if (done == 0) note_size(fd);                                                \
        leave();                                                                     \
        return done;                                                                 \
    }
SIZING(ftruncate, off_t)
SIZING(ftruncate64, off64_t)

#define ALLOCATING(name, offset, ...)                                                \
    int name(int fd, __VA_ARGS__ offset at, offset length) {                         \
        if (!is_ours(fd)) return ALLOCATE(name);                                     \
        enter();                                                                     \
        change();                                                                    \
        int done = ALLOCATE(name);                                                   \
        if (done == 0) note_size(fd);                                                \
        leave();                                                                     \
        return done;                                                                 \
    }
#define MODE int mode,
#define ALLOCATE(name) CALL(name, fd, mode, at, length)
ALLOCATING(fallocate, off_t, MODE)
ALLOCATING(fallocate64, off64_t, MODE)
#undef ALLOCATE
#define ALLOCATE(name) CALL(name, fd, at, length)
ALLOCATING(posix_fallocate, off_t, )
ALLOCATING(posix_fallocate64, off64_t, )

// What was done to the file before this began is durable once it is over.
static int sync_of(int fd) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return -1;
    struct stat stat;
    enter();
    change();
    uint64_t token = ++control->tokens;
    note_size(fd);
    int folder = fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode);
    note_path(SYNC, number_of(fd), token, folder ? path : "");
    leave();
    if (sync_us) usleep(sync_us);
    enter();
    note(SYNCED, 0, token, NULL, 0, NULL, 0);
    leave();
    return 0;
}

int fsync(int fd) { return is_ours(fd) ? sync_of(fd) : CALL(fsync, fd); }

int fdatasync(int fd) { return is_ours(fd) ? sync_of(fd) : CALL(fdatasync, fd); }

// Makes nothing durable: no length, no place of a block, and it does not ask the disk to empty its cache.
int sync_file_range(int fd, off64_t at, off64_t length, unsigned flags) {
    if (!is_ours(fd)) return CALL(sync_file_range, fd, at, length, flags);
    enter();
    change();
    leave();
    return 0;
}

static void unknown(const char *what) {
    enter();
    note_path(UNKNOWN, 0, 0, what);
    leave();
}

void sync(void) {
    if (under) unknown("sync");
    CALL(sync, );
}

int syncfs(int fd) {
    if (is_ours(fd)) unknown("syncfs");
    return CALL(syncfs, fd);
}

#define MMAP(name, offset)                                                           \
    void *name(void *at, size_t length, int protection, int flags, int fd, offset from) { \
        if ((protection & PROT_WRITE) && (flags & MAP_SHARED) && fd >= 0 && is_ours(fd)) unknown("mmap"); \
        return CALL(name, at, length, protection, flags, fd, from);                  \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags, int *done) {
    char before[PATH_MAX], after[PATH_MAX];
    int ours = whole(from_folder, from, before);
    if (!whole(to_folder, to, after) && !ours) return 0;
    enter();
    change();
    *done = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (*done == 0) {
        if (ours && is_under(after) && !(flags & ~1u)) note_two(RENAME, before, after);
        else note_path(UNKNOWN, 0, 0, "a rename across the folder's edge");
    }
    leave();
    return 1;
}

int rename(const char *from, const char *to) {
    int done;
    if (renamed(AT_FDCWD, from, AT_FDCWD, to, 0, &done)) return done;
    return CALL(rename, from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    int done;
    if (renamed(from_folder, from, to_folder, to, 0, &done)) return done;
    return CALL(renameat, from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    int done;
    if (renamed(from_folder, from, to_folder, to, flags, &done)) return done;
    return CALL(renameat2, from_folder, from, to_folder, to, flags);
}

#define NAMES(kind, folder, path, call)                                              \
    char at[PATH_MAX];                                                               \
    if (whole(folder, path, at)) {                                                   \
        enter();                                                                     \
        change();                                                                    \
        int done = call;                                                             \
        if (done == 0) note_path(kind, 0, 0, at);                                    \
        leave();                                                                     \
        return done;                                                                 \
    }                                                                                \
    return call;

int unlink(const char *path) { NAMES(UNLINK, AT_FDCWD, path, CALL(unlink, path)) }
int rmdir(const char *path) { NAMES(UNLINK, AT_FDCWD, path, CALL(rmdir, path)) }
int unlinkat(int folder, const char *path, int flags) {
    NAMES(UNLINK, folder, path, CALL(unlinkat, folder, path, flags))
}
int mkdir(const char *path, mode_t mode) { NAMES(MKDIR, AT_FDCWD, path, CALL(mkdir, path, mode)) }
int mkdirat(int folder, const char *path, mode_t mode) {
    NAMES(MKDIR, folder, path, CALL(mkdirat, folder, path, mode))
}

static int linked(int from_folder, const char *from, int to_folder, const char *to, int flags, int *done) {
    char before[PATH_MAX], after[PATH_MAX];
    if (!whole(to_folder, to, after)) return 0;
    int ours = whole(from_folder, from, before);
    enter();
    change();
    *done = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (*done == 0 && ours) note_two(LINK, before, after);
    if (*done == 0 && !ours) note_path(UNKNOWN, 0, 0, "a link across the folder's edge");
    leave();
    return 1;
}

int link(const char *from, const char *to) {
    int done;
    if (linked(AT_FDCWD, from, AT_FDCWD, to, 0, &done)) return done;
    return CALL(link, from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    int done;
    if (linked(from_folder, from, to_folder, to, flags, &done)) return done;
    return CALL(linkat, from_folder, from, to_folder, to, flags);
}

// Opens, and writes down where that makes a file or empties one.
static int opened(int folder, const char *path, int flags, mode_t mode, int *fd) {
    char at[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_PATH) || !whole(folder, path, at)) return 0;
    struct stat stat;
    enter();
    change();
    int saved = errno;
    int was = fstatat(AT_FDCWD, at, &stat, 0) == 0;
    errno = saved;
    *fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (*fd >= 0) {
        if (!was) note_path(MADE, number_of(*fd), 0, at);
        else if (flags & O_TRUNC) note_size(*fd);
    }
    leave();
    return 1;
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                   \
    int name(const char *path, int flags, ...) {                                     \
        int fd;                                                                      \
        va_list rest;                                                                \
        va_start(rest, flags);                                                       \
        mode_t mode = mode_of(flags, rest);                                          \
        va_end(rest);                                                                \
        if (opened(AT_FDCWD, path, flags, mode, &fd)) return fd;                     \
        return CALL(name, path, flags, mode);                                        \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                 \
    int name(int folder, const char *path, int flags, ...) {                         \
        int fd;                                                                      \
        va_list rest;                                                                \
        va_start(rest, flags);                                                       \
        mode_t mode = mode_of(flags, rest);                                          \
        va_end(rest);                                                                \
        if (opened(folder, path, flags, mode, &fd)) return fd;                       \
        return CALL(name, folder, path, flags, mode);                                \
    }
OPENAT(openat)
OPENAT(openat64)
