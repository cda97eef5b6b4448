/*
 * transport - serve the protocol on stdin and stdout, a message a line.
 *
 * Nothing but answers is written to stdout.  Reading pauses while many answers are not read by
 * the client, or many calls are in flight.  At the end of stdin what is in flight is answered.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "mcp/mcp.h"
#include "tool/tool.h"

/* Serve until stdin ends, the client closes stdout, or a signal comes.  how->loop is set here.
 * max_line: bytes of a message. */
int serve_stdio(struct lh_tool *tool, struct lh_mcp_how *how, size_t max_line);

#endif
