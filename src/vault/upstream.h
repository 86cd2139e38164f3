/* vault/upstream.h - bawn-vault's flows: requests that go upstream, responses that come back.
 */
#ifndef BAWN_VAULT_UPSTREAM_H
#define BAWN_VAULT_UPSTREAM_H

#include "vault/config.h"
#include "vault/frames.h"
#include "vault/loop.h"

enum up_state { UP_HANDSHAKE, UP_OPEN, UP_FAILED, UP_OVER };
enum up_request { ASK_NONE, ASK_BODY, ASK_SENT };
enum up_response { GOT_NONE, GOT_LENGTH, GOT_CHUNKS, GOT_REST, GOT_OPAQUE };

struct budget; /* of one name and port */

struct upstream {
	struct flow f;
	enum up_state state;
	enum up_request ask;
	enum up_response got;
	bool chunked, head_only, websocket, close, over, link_over; /* over: the upstream's end */
	bool renews; /* a 401 is not the agent's to see: what was refused is being renewed */
	bool injected, served; /* served: it has answered a request on this connection */
	int64_t left, to_come; /* of the request's body, of the response's */
	struct h1_chunks chunks;
	struct buf in, out, held; /* from the upstream; for it; what the scrubbing holds back */
	struct frames sent, said; /* GOT_OPAQUE: a WebSocket's, of the agent and of the upstream */
	uint8_t message;    /* what the upstream's message is, until its first piece goes on */
	struct buf control; /* its control frame, until it is whole */
	struct budget *budget;
	enum vault_why why; /* UP_FAILED */
	char text[200];
	struct vault_tell_msg tell; /* of the request that runs */
};

extern struct vault_config vault_config;

/* One step of each direction; true when something moved.  What goes wrong is said to the agent. */
bool upstream_ask(struct upstream *u);
bool upstream_answer(struct upstream *u);

/* A flow starts; so much has been sent to its host before. */
void upstream_spent(struct upstream *u, uint64_t before);

/* "Come again": what was refused is being renewed.  The last on this connection. */
void upstream_again(struct upstream *u);

/* An answer of our own, the last on this connection, with its event. */
void upstream_refuse(struct upstream *u, enum vault_why why, unsigned int status, const char *text);

#endif
