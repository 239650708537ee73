/* limit - the least a single-threaded SSE hub can do: the physical reference.
 *
 *   limit PORT MODE
 *
 * MODE  send     one send(2) per subscriber per event
 *       batch    events that arrive within one loop turn are joined, one send(2) per subscriber per batch
 *
 * GET  /sse/<feed>  subscribe; with Last-Event-ID the last 50 events are replayed
 * POST /pub/<feed>  publish the body
 * No backpressure handling beyond "cannot take it all now: drop the connection".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HIST 50
#define MAXFD 65536

typedef struct { char *p; int n; } frame_t;
typedef struct feed {
    char name[64];
    struct feed *next, *dirty;
    int *fds, n, cap;
    uint64_t id;
    frame_t hist[HIST];
    char *pend; int npend, cpend; int is_dirty;
} feed_t;
typedef struct { char buf[8192]; int n; feed_t *feed; int slot; uint8_t open; } conn_t;

static enum { M_SEND, M_BATCH } mode;
static conn_t *conn[MAXFD];
static feed_t *tab[4096], *dirty;
static int ep;
static uint64_t evicted;
static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n: ok\n\n";

static feed_t *feed_of(const char *s, int n) {
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++) h = (h ^ (uint8_t)s[i]) * 16777619u;
    for (feed_t *f = tab[h & 4095]; f; f = f->next) if (!strncmp(f->name, s, n) && !f->name[n]) return f;
    feed_t *f = calloc(1, sizeof *f);
    if (n > 63) n = 63;
    memcpy(f->name, s, n);
    f->next = tab[h & 4095];
    return tab[h & 4095] = f;
}
static void conn_close(int fd) {
    conn_t *c = conn[fd];
    if (!c || !c->open) return;
    if (c->feed) { /* swap-remove */
        feed_t *f = c->feed;
        int last = f->fds[--f->n];
        f->fds[c->slot] = last;
        conn[last]->slot = c->slot;
    }
    c->open = 0;
    close(fd);
}
static void subscribe(int fd, feed_t *f, int replay) {
    conn_t *c = conn[fd];
    if (f->n == f->cap) f->fds = realloc(f->fds, (f->cap = f->cap ? f->cap * 2 : 16) * sizeof(int));
    c->feed = f; c->slot = f->n; f->fds[f->n++] = fd;
    struct iovec v[HIST + 1];
    int n = 0;
    v[n++] = (struct iovec){(void *)HEAD, sizeof HEAD - 1};
    if (replay)
        for (int i = 0; i < HIST; i++) {
            frame_t *h = &f->hist[(f->id + 1 + i) % HIST];
            if (h->p) v[n++] = (struct iovec){h->p, h->n};
        }
    ssize_t want = 0;
    for (int i = 0; i < n; i++) want += v[i].iov_len;
    if (writev(fd, v, n) != want) { evicted++; conn_close(fd); }
}
static int *bad, nbad;
static void fan(feed_t *f, const char *p, int n) {
    nbad = 0;
    for (int i = 0; i < f->n; i++)
        if (send(f->fds[i], p, n, MSG_DONTWAIT | MSG_NOSIGNAL) != n) bad[nbad++] = f->fds[i];
    for (int i = 0; i < nbad; i++) { evicted++; conn_close(bad[i]); }
}
static void flush_dirty(void) {
    for (feed_t *f = dirty; f; f = f->dirty) { fan(f, f->pend, f->npend); f->npend = 0; f->is_dirty = 0; }
    dirty = NULL;
}
static void publish(feed_t *f, const char *body, int n) {
    char *b = malloc(n + 64);
    int m = sprintf(b, "id: %llu\nevent: update\ndata: ", (unsigned long long)++f->id);
    memcpy(b + m, body, n); m += n;
    b[m++] = '\n'; b[m++] = '\n';
    frame_t *h = &f->hist[f->id % HIST];
    free(h->p);
    *h = (frame_t){b, m};
    if (mode == M_BATCH) {
        if (f->npend + m > f->cpend) f->pend = realloc(f->pend, f->cpend = (f->npend + m) * 2);
        memcpy(f->pend + f->npend, b, m); f->npend += m;
        if (!f->is_dirty) { f->is_dirty = 1; f->dirty = dirty; dirty = f; }
    } else fan(f, b, m);
}
static void on_request(int fd) {
    conn_t *c = conn[fd];
    for (;;) {
        c->buf[c->n] = 0;
        char *h = memmem(c->buf, c->n, "\r\n\r\n", 4);
        if (!h) return;
        int hl = h + 4 - c->buf;
        if (!strncmp(c->buf, "GET /sse/", 9)) {
            char *e = strchr(c->buf + 9, ' ');
            *h = 0;
            subscribe(fd, feed_of(c->buf + 9, e - c->buf - 9), strcasestr(c->buf, "last-event-id:") != NULL);
            c->n = 0;
            return;
        }
        char *l = strcasestr(c->buf, "content-length:"), *e = strchr(c->buf + 10, ' ');
        int body = l ? atoi(l + 15) : 0;
        if (c->n < hl + body) return;
        feed_t *f = feed_of(c->buf + 10, e - c->buf - 10);
        static const char OK[] = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
        publish(f, c->buf + hl, body);
        if (write(fd, OK, sizeof OK - 1) < 0) { conn_close(fd); return; }
        memmove(c->buf, c->buf + hl + body, c->n - hl - body);
        c->n -= hl + body;
    }
}
int main(int argc, char **argv) {
    int port = argc > 1 ? atoi(argv[1]) : 8080, one = 1;
    const char *m = argc > 2 ? argv[2] : "send";
    mode = !strcmp(m, "batch") ? M_BATCH : M_SEND;
    signal(SIGPIPE, SIG_IGN);
    bad = calloc(MAXFD, sizeof *bad);
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) { perror("listen"); return 1; }
    ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = ls}, evs[512];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &ev);
    for (;;) {
        int n = epoll_wait(ep, evs, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = evs[i].data.fd;
            if (fd == ls) {
                int s;
                while ((s = accept4(ls, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (!conn[s]) conn[s] = malloc(sizeof(conn_t));
                    conn[s]->n = 0; conn[s]->feed = NULL; conn[s]->open = 1;
                    ev.events = EPOLLIN | EPOLLRDHUP; ev.data.fd = s;
                    epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
                }
                continue;
            }
            conn_t *c = conn[fd];
            if (!c || !c->open) continue;
            ssize_t r = recv(fd, c->buf + c->n, sizeof c->buf - 1 - c->n, 0);
            if (r <= 0) { if (r == 0 || errno != EAGAIN) conn_close(fd); continue; }
            c->n += r;
            on_request(fd);
        }
        if (dirty) flush_dirty();
    }
}
