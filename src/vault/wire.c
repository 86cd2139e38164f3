/* vault/wire.c - see wire.h */
#include "vault/wire.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

ssize_t wire_recv(struct wire *w, void *p, size_t n)
{
	if (!w->in)
		return -EAGAIN;
	ssize_t k;
	do
		k = recv(w->fd, p, n, MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0) {
		w->in = errno != EAGAIN;
		return -errno;
	}
	if ((size_t)k < n && !w->hup)
		w->in = k == 0;
	return k == 0 ? -EPIPE : k;
}

ssize_t wire_send(struct wire *w, const void *p, size_t n)
{
	if (w->full)
		return -EAGAIN;
	ssize_t k;
	do
		k = send(w->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (k < 0 && errno == EINTR);
	if (k < 0 && errno != EAGAIN)
		return -errno;
	w->full = k < (ssize_t)n;
	return k < 0 ? -EAGAIN : k;
}

void wire_event(struct wire *w, uint32_t events)
{
	const uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
	w->hup |= (events & end) != 0;
	w->in |= (events & (EPOLLIN | end)) != 0;
	w->full &= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0;
}
